"""Where ``facelatch`` begins: on a lock with every command, on a laptop with those of the USB cable alone.

A laptop may lack what only a lock has, and be no Linux: for `facelatch usb` and `bundle` nothing of
that is imported.
"""

import sys


def main() -> None:
    """The command ``facelatch``."""
    if sys.argv[1:2] in (["usb"], ["bundle"]):
        from edge.laptop.main import main as usb

        usb()
        return
    if sys.platform != "linux":
        sys.exit("facelatch: A lock runs on Linux. On this machine there are `facelatch usb` and `facelatch bundle`.")
    from edge.cli import main as everything

    everything()
