"""People's names: which ones are stored, when two are the same, and how a hostile one is shown in a message.

A name is shown and compared, never used as a path, SQL, shell word or terminal escape.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

from edge.errors import PersonError, PersonNameError

MAX_NAME_CHARS = 64
"""Longest name in characters after normalisation: fits one line of a terminal table and of a small display."""

SHOWN_CHARS = 40
"""Longest excerpt of an untrusted text in a message."""

_ALLOWED_CATEGORIES = ("L", "M", "N")
_ALLOWED_SIGNS = frozenset(" '\u2019.-_,()&")
# Letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point, DerivedCoreProperties.txt, as far as its
# members have category L or M). Two people could look alike by them, and a name could be invisible.
_INVISIBLE = frozenset(
    chr(point)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for point in range(first, last + 1)
)
# A name of 64 characters cannot need more before normalisation; it keeps hostile megabytes out of the normaliser.
_MAX_RAW_CHARS = 1024
_RULE = "Use 1 to 64 letters, numbers, spaces and ' . - _ , ( ) &."


def shown(raw: str, limit: int = SHOWN_CHARS) -> str:
    """``raw`` in quotes as printable ASCII of at most ``limit`` characters (quotes not counted), safe on a terminal.

    Everything else is escaped as in a Python string. Square brackets stay: print it without rich markup.
    """
    text = ascii(raw[: limit + 1])[1:-1]
    if len(raw) > limit or len(text) > limit:
        text = text[: limit - 3] + "..."
    return f"'{text}'"


def harmless(text: str) -> str:
    """``text`` for a terminal: whatever would move the cursor, change colours or hide is escaped; new lines are
    kept."""
    return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def clean_name(raw: str) -> str:
    """The name as it is stored: NFC, outer spaces stripped, inner runs of spaces folded to one.

    Letters, marks and numbers of any script are allowed, and the signs ``' . - _ , ( ) &`` and U+2019; at least one
    letter or number is needed. Raises PersonNameError.
    """
    if len(raw) > _MAX_RAW_CHARS:
        raise PersonNameError(f"The name {shown(raw)} has {len(raw)} characters. {_RULE}")
    name = _fold_spaces(unicodedata.normalize("NFC", raw))
    if not name:
        raise PersonNameError(f"The name {shown(raw)} is empty. {_RULE}")
    if len(name) > MAX_NAME_CHARS:
        raise PersonNameError(f"The name {shown(raw)} has {len(name)} characters. {_RULE}")
    for character in name:
        if not _allowed(character):
            raise PersonNameError(f"The name {shown(raw)} contains {shown(character)}. {_RULE}")
    if not any(unicodedata.category(character)[0] in "LN" for character in name):
        raise PersonNameError(f"The name {shown(raw)} has neither a letter nor a number. {_RULE}")
    return name


def name_key(name: str) -> str:
    """What makes two names the same: compatibility caseless matching (Unicode Standard, section 3.13, D146).

    ``Zoë``, ``ZOË`` and ``Zoe`` with a combining diaeresis share a key; ``Zoe`` has another. Never shown.
    """
    key = unicodedata.normalize("NFD", name).casefold()
    key = unicodedata.normalize("NFKD", key).casefold()
    return _fold_spaces(unicodedata.normalize("NFKD", key))


def closest_name(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` is most likely a misspelling of, if any is near."""
    by_key = {name_key(known): known for known in names}
    near = difflib.get_close_matches(name_key(name[:_MAX_RAW_CHARS]), by_key, n=1)
    return by_key[near[0]] if near else None


def already_enrolled(name: str) -> PersonError:
    """For enrolling a name that somebody has, ``name`` as it is stored."""
    return PersonError(f"'{name}' is enrolled already. Choose another name, or add to the person with --add.")


def nobody_named(name: str, known: Iterable[str]) -> PersonError:
    """For a name that nobody has, with the nearest of the ``known``, which are names as they are stored."""
    near = closest_name(name, known)
    advice = "List everybody with `facelatch people`." if near is None else f"Did you mean '{near}'?"
    return PersonError(f"Nobody named {shown(name)} is enrolled. {advice}")


def _fold_spaces(text: str) -> str:
    return re.sub(" +", " ", text).strip(" ")


def _allowed(character: str) -> bool:
    if character in _ALLOWED_SIGNS:
        return True
    return unicodedata.category(character)[0] in _ALLOWED_CATEGORIES and character not in _INVISIBLE
