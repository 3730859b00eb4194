"""``python -m tests.models.hostile RUNTIME FIRST COUNT``: damaged networks that their manifest vouches for, each loaded
and run in a process of its own. Prints how many ended how, as JSON.

The damage of number N is always the same: it is drawn from a generator seeded with N.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from edge.errors import ModelError
from edge.models import trial
from edge.models.interpreter import load_runtime
from edge.models.manifest import Shelf

NAMES = ("pnet", "rnet", "onet", "mobilefacenet")
HANG_S = 30
WORDS = (0xFFFFFFFF, 0x7FFFFFFF, 0)
OK, REFUSED, OTHER = 0, 7, 9


def damaged(content: bytes, number: int) -> bytes:
    """One bit turned over, the end cut off, or one or eight words replaced; most where the offsets lie."""
    generator = np.random.default_rng(number)
    kind = generator.choice(["bit", "cut", "word", "words"])
    if kind == "cut":
        return content[: generator.integers(1, len(content))]
    altered = bytearray(content)
    for _ in range(8 if kind == "words" else 1):
        # The tables lie at the beginning and the end of a flatbuffer, the weights between.
        last = len(content) - 4
        first, end = [(0, last), (0, min(4096, last)), (max(0, last - 12_000), last)][generator.integers(3)]
        place = int(generator.integers(first, end))
        if kind == "bit":
            altered[place] ^= 1 << int(generator.integers(8))
        else:
            word = [*WORDS, int(generator.integers(2**32))][generator.integers(4)]
            place -= place % 4
            altered[place : place + 4] = word.to_bytes(4, "little")
    return bytes(altered)


def shelf_with(folder: Path, name: str, content: bytes) -> Shelf:
    """The committed networks, but ``name`` is the file in ``folder`` that its card vouches for."""
    shelf = Shelf.open()
    for card in shelf.cards.values():
        if not (folder / card.file).exists():
            (folder / card.file).symlink_to(shelf.folder / card.file)
    card = msgspec.structs.replace(
        shelf.card(name), file="hostile", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content)
    )
    (folder / "hostile").write_bytes(content)
    return Shelf(folder, "cpu", {**shelf.cards, name: card})


def outcome(shelf: Shelf, runtime: str) -> str:
    """How a process ends that uses the networks as the lock would."""
    child = os.fork()
    if child == 0:
        code = OTHER
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(HANG_S)
            resource.setrlimit(resource.RLIMIT_DATA, (trial.MEMORY_MAX_BYTES, trial.MEMORY_MAX_BYTES))
            trial.run(shelf, None, load_runtime([runtime]))
            code = OK
        except ModelError:
            code = REFUSED
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        return "hang" if -code == signal.SIGALRM else signal.Signals(-code).name
    return {OK: "ok", REFUSED: "ModelError"}.get(code, "other exception")


def main() -> None:
    runtime, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    load_runtime([runtime])  # once, before the forks
    shelf = Shelf.open()
    contents = {name: shelf.load(name) for name in NAMES}
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            name = NAMES[number % len(NAMES)]
            end = outcome(shelf_with(Path(folder), name, damaged(contents[name], number)), runtime)
            ends[end] += 1
            if end in {"other exception", "hang"}:
                print(f"number {number} ({name}): {end}", file=sys.stderr)
    print(json.dumps(ends))


if __name__ == "__main__":
    main()
