"""Where the networks run, and which are used: the shelf and the delegate that the configuration asks for."""

import logging
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.core.names import harmless
from edge.errors import ModelError
from edge.models.interpreter import INSTALL, load_delegate
from edge.models.manifest import STATIC, Shelf, own_folder, template_space

TRIAL_S = 60
"""The shipped networks are tried in 1 s on a desktop; a small board is given sixty times as long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Networks:
    """``fallback`` is why the processor does what the accelerator should; empty when all is as configured."""

    shelf: Shelf
    delegate: Any = None
    fallback: str = ""


def choose(device: str, fallback: str, delegate: str, folder: Path | None) -> Networks:
    """The networks of ``folder`` (None: those that facelatch ships) for the ``device`` "cpu" or "edgetpu".

    Where the accelerator cannot be used and ``fallback`` is "cpu", those that facelatch ships for the processor, with
    a warning in the log. An accelerator, and networks of somebody else, are tried in a process of their own first.
    Raises ModelError.
    """
    try:
        return _wanted(device, delegate, folder)
    except ModelError as error:
        if device not in STATIC or fallback != "cpu":
            raise
        shipped = Shelf.open()
        if template_space(device, fallback, folder) != shipped.template_space():
            raise ModelError(
                f"{error} The fallback to the processor is of no use: its templates are of another model."
            ) from error
        _log.warning("The networks run on the processor, as models.fallback says. %s", harmless(str(error)))
        return Networks(shelf=shipped, fallback=str(error))


def _wanted(device: str, delegate: str, folder: Path | None) -> Networks:
    shelf = Shelf.open(folder, device)
    accelerator = delegate if device in STATIC else None
    if accelerator is not None or (folder is not None and folder.resolve() != own_folder().resolve()):
        _try_out(shelf, accelerator)
    return Networks(shelf, None if accelerator is None else load_delegate(accelerator))


def _try_out(shelf: Shelf, delegate: str | None) -> None:
    """Run networks that facelatch does not know, or what it does not ship to run them, in a child: a hostile file, a
    library that hangs, may end that, or stop it, and nothing else. Raises ModelError."""
    command = [sys.executable, "-P", "-m", "edge.models.trial", str(TRIAL_S), str(shelf.folder), shelf.variant]
    command += [] if delegate is None else [delegate]
    tried = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    code = tried.returncode
    if code == ModelError.exit_code:
        raise ModelError(tried.stdout.decode(errors="replace").strip()[:1000])
    if code != 0:
        died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        device = "" if delegate is None else f", on {delegate},"
        raise ModelError(
            f"The networks in {shelf.folder}{device} crash, or hang, in the process that tries them ({died}). "
            f"{shelf.remedy if delegate is None else INSTALL}"
        )
