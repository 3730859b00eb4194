"""The device lab: a machine that really boots Debian, installs facelatch and is mistreated. ``python -m tests.lab``."""
