"""Where the lab keeps its things: all below ``build/lab``, which can be thrown away at any time."""

from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LAB = ROOT / "build" / "lab"
GUEST = HERE / "guest"
"""What is part of the image."""
INSIDE = HERE / "inside"
"""What scenarios push into a guest and run there."""
KEY = LAB / "key"
"""The ssh key that the guests let in; made once a checkout."""


class LabError(Exception):
    """The lab itself cannot go on: a host package, the image or a guest is not there."""
