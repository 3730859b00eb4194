"""The error tree. Every message says what failed and where; its second sentence says what to do.

    FacelatchError                      exit code 1: a fault of facelatch itself
    ├── ConfigError (ValueError)            3  the configuration file, environment or a flag
    ├── InputError (ValueError)             4  something that the caller handed over
    │   ├── ImageError                      4  not an image, damaged, or too large
    │   └── PersonNameError                 4  a name that cannot be stored or shown
    ├── FaceError (LookupError)             5  no face, several faces, or a face too poor to use
    ├── PersonError (LookupError)           5  nobody of that name, or somebody already
    ├── StoreError (OSError)                6  the store cannot be opened, read or written
    │   ├── StoreDamagedError               6  the file is not a store, or is damaged
    │   ├── StoreTooNewError                6  written by a newer facelatch
    │   ├── StoreBusyError                  6  another process has it
    │   ├── StoreKeyError                   6  a key is missing, wrong, or open to others
    │   └── TemplateModelError              6  templates of another model
    ├── ModelError (ValueError)             7  a network is missing, altered, or not as its manifest says
    ├── CameraError (OSError)               8  the camera does not open, stopped, or repeats a frame
    ├── LineError (OSError)                 9  a pin, line or keypad cannot be had
    │   └── BoltError                       9  the relay cannot be driven safely
    ├── LogError (ValueError)              11  the audit log is not as it was written
    ├── DoorError (RuntimeError)           12  the door cannot do that now, or not for this caller
    └── WireError (ConnectionError)        10  the guardian is not there, or a message is malformed

Exit code 0 is success and 2 a wrong command line (click). The README's table is checked against this module.
"""

from typing import ClassVar


class FacelatchError(Exception):
    """Base of every error that facelatch raises on purpose. ``exit_code`` is what the command ends with."""

    exit_code: ClassVar[int] = 1


class ConfigError(FacelatchError, ValueError):
    """The configuration cannot be used; the message lists every fault at once."""

    exit_code = 3


class InputError(FacelatchError, ValueError):
    """Something that the caller handed over cannot be used."""

    exit_code = 4


class ImageError(InputError):
    """A file that is not an image, is damaged, or is larger than facelatch decodes."""


class PersonNameError(InputError):
    """A person's name that cannot be stored or shown safely."""


class FaceError(FacelatchError, LookupError):
    """No face where one is needed, several where one is expected, or one too poor to use."""

    exit_code = 5


class PersonError(FacelatchError, LookupError):
    """Nobody of that name is enrolled, or somebody already is."""

    exit_code = 5


class StoreError(FacelatchError, OSError):
    """The store cannot be opened, read or written."""

    exit_code = 6


class StoreDamagedError(StoreError):
    """The file is not a facelatch store, or SQLite finds it damaged. It is left as it was."""


class StoreTooNewError(StoreError):
    """The store was written by a newer facelatch. It is left as it was."""


class StoreBusyError(StoreError):
    """Another process owns the store."""


class StoreKeyError(StoreError):
    """The master key or the file of keys is missing, not the right one, or can be read by others."""


class TemplateModelError(StoreError):
    """An embedding is of another model than the templates in use; the two cannot be compared."""


class ModelError(FacelatchError, ValueError):
    """A network's file is missing, altered, or not what the manifest says."""

    exit_code = 7


class CameraError(FacelatchError, OSError):
    """The camera does not open, stopped, or repeats one frame."""

    exit_code = 8


class LineError(FacelatchError, OSError):
    """A line of the board, or the keypad, is not there or in use."""

    exit_code = 9


class BoltError(LineError):
    """The relay cannot be driven, or its wiring would not be safe."""


class WireError(FacelatchError, ConnectionError):
    """The other process is not there, or sent something that is not a message."""

    exit_code = 10


class LogError(FacelatchError, ValueError):
    """The audit log is not as it was written: an entry was changed, removed or cut off."""

    exit_code = 11


class DoorError(FacelatchError, RuntimeError):
    """The door cannot do what was asked in its present state, or this caller may not ask it."""

    exit_code = 12
