"""Pairing and enrolling over a cable, as a new user does it: ``python -m tools.demo.cable`` writes ``cable.txt``, which
the README shows.

A guardian, the lock's end of the cable and a laptop's commands run as real processes; the cable is two
pseudo-terminals. ``--port`` is left out of what is shown: a laptop finds a lock by its USB ids, and a pseudo-terminal
has none.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from edge import config as configuration
from tools.demo.wires import plugged
from tools.photos import fetch

TRANSCRIPT = Path(__file__).with_name("cable.txt")
NAME = "Barack Obama"
READY_S = 120.0


def record() -> str:
    """Run it; what was typed and what was said."""
    photos = fetch()
    with tempfile.TemporaryDirectory(prefix="fl-") as place, plugged() as cable, ExitStack() as running:
        folder = Path(place)
        settings = folder / "facelatch.toml"
        paths = {name: f"{place}/{name}" for name in ("state", "runtime", "usb")}
        config = configuration.load(None, environment={}, flags={"paths": paths, "bolt": {"driver": "simulated"}})
        settings.write_text(configuration.template(config))
        ours = ["--config", str(settings)]
        for words in (["door"], ["link", cable.lock]):
            running.callback(_end, _started([*ours, *words], folder))
            _wait_for(config.cable_path)
        port = ["--port", cable.laptop]
        lines = [_shown("lock", ["usb", "pair"], _said([*ours, "usb", "pair"], folder))]
        code = lines[0].split()[-1]
        names = [f"obama{number}.jpg" for number in ("", 2, 3)]
        for words, typed in (
            (["usb", "pair", "--name", "Ada's laptop"], f"{code}\n"),
            (["usb", "status"], ""),
            (["usb", "enroll", NAME, *names], ""),
            (["usb", "people"], ""),
            (["usb", "doctor"], ""),
        ):
            spoken = _said([*words, *port], folder, typed, at=photos["obama.jpg"].parent)
            lines.append(_shown("laptop", words, spoken.replace("on the lock: ", f"on the lock: {typed}")))
        lines.append(_shown("lock", ["usb", "keys"], _said([*ours, "usb", "keys"], folder)))
    return "\n".join(lines)


def _started(words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(_command(words), stdout=subprocess.DEVNULL, env=_environment(folder))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)


def _wait_for(path: Path) -> None:
    end_s = time.monotonic() + READY_S
    while not path.exists():
        if time.monotonic() > end_s:
            raise TimeoutError(f"the guardian did not make {path}")
        time.sleep(0.05)


def _said(words: Sequence[str], folder: Path, typed: str = "", at: Path | None = None) -> str:
    done = subprocess.run(
        _command(words),
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        env=_environment(folder),
        cwd=at,
    )
    return done.stdout


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "edge", *words]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "COLUMNS": "110"}


def _shown(where: str, words: Sequence[str], said: str) -> str:
    typed = " ".join(f'"{word}"' if set(word) & set(" '") else word for word in words)
    lines = "\n".join(line.rstrip() for line in said.strip("\n").splitlines())
    return f"{where}$ facelatch {typed}\n{lines}\n"


def main() -> int:
    """Write the transcript."""
    TRANSCRIPT.write_text(record(), encoding="utf-8")
    print(TRANSCRIPT.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
