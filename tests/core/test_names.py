"""What a name may be, when two are the same, and how a hostile one is shown."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from edge.core.names import clean_name, closest_name, name_key, shown
from edge.errors import PersonNameError

# Ordinary names turn up far too seldom among random Unicode, so they are mixed in.
texts = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="aA zZ\u00eb\u00cb\u0308 '\u2019.-_,()&1\ufb01\u00df\u1e9e\u0130\u01c5\u212a", max_size=80),
)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Anna", "Anna"),
        ("  Anna   Maria  ", "Anna Maria"),
        ("O'Neill", "O'Neill"),
        ("D\u2019Angelo, Ph.D. (mother & co_owner)-2", "D\u2019Angelo, Ph.D. (mother & co_owner)-2"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\u674e\u5c0f\u9f8d", "\u674e\u5c0f\u9f8d"),
        ("\u0645\u0631\u064a\u0645", "\u0645\u0631\u064a\u0645"),
        ("\u0905\u0928\u093f\u0932", "\u0905\u0928\u093f\u0932"),
        ("7", "7"),
        ("a" * 64, "a" * 64),
        ("e\u0301" * 64, "\u00e9" * 64),
    ],
)
def test_a_usable_name_is_stored_normalised(raw: str, name: str) -> None:
    assert clean_name(raw) == name


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        ".",
        "..",
        "...",
        "- & -",
        "\u0308",  # a lone mark
        "../../x",
        "a/b",
        "a\\b",
        "a\nb",
        "Anna\n",
        "a\tb",
        "a\0b",
        "\x1b[31mroot",
        "\x9b31m",
        "[bold]x[/bold]",
        "<b>x</b>",
        "{x}",
        "$(reboot)",
        "a;b",
        "a|b",
        'a"b',
        "a%sb",
        "Anna\u200d",  # zero-width joiner
        "Anna\u200b",  # zero-width space
        "\ufeffAnna",
        "Anna\u202eannA",  # right-to-left override
        "\u2066Anna\u2069",
        "Anna\u00a0Maria",  # no-break space
        "Anna\u2028",
        "\u3164",  # Hangul filler: a letter that shows nothing
        "Anna\ufe0f",  # variation selector: a mark that shows nothing
        "Anna\u034f",
        "Anna \U0001f600",
        "\ue000",
        "\udce9",  # an undecodable byte of the command line
        "a" * 65,
        "a" * 300,
        "a" * 1_000_000,
        "e\u0301\u0302" * 64,
    ],
)
def test_any_other_name_is_refused_shown_safely_and_with_advice(raw: str) -> None:
    with pytest.raises(PersonNameError) as caught:
        clean_name(raw)
    message = str(caught.value)
    assert shown(raw) in message
    assert "Use 1 to 64 letters" in message
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 250


@given(texts)
@example("\u037e")  # normalises to a semicolon
@example("\u1fef")  # normalises to a grave accent
@example("\u2000a")  # normalises to another space
def test_a_clean_name_stays_as_it_is_and_shows_on_one_line(raw: str) -> None:
    try:
        name = clean_name(raw)
    except PersonNameError:
        return
    assert clean_name(name) == name
    assert unicodedata.normalize("NFC", name) == name
    assert 1 <= len(name) <= 64
    assert all(unicodedata.category(character)[0] in "LMN" or character in " '\u2019.-_,()&" for character in name)
    assert name == name.strip()
    assert "  " not in name


@given(texts)
@example("\u1e9e")
@example("\u0345\u03b1\u0300")
@example("\u0130")
def test_the_key_of_a_name_ignores_case_and_composition(raw: str) -> None:
    key = name_key(raw)
    assert name_key(key) == key
    for same in (raw.swapcase(), raw.casefold(), unicodedata.normalize("NFD", raw), unicodedata.normalize("NFC", raw)):
        # Python's upper() and lower() are not exact inverses for a few letters (dotless i); those are other letters.
        assume(
            same.casefold() == raw.casefold() or unicodedata.normalize("NFC", same) == unicodedata.normalize("NFC", raw)
        )
        assert name_key(same) == key


def test_names_that_look_alike_to_a_reader_share_a_key() -> None:
    assert name_key("ZO\u00cb") == name_key("zoe\u0308")
    assert name_key("Stra\u00dfe") == name_key("STRASSE")
    assert name_key("\ufb01n") == name_key("fin")
    assert name_key("\uff21nna") == name_key("anna")
    assert name_key("\u1d2cnna") == name_key("anna")  # a raised capital, which has a case only once it is decomposed
    assert name_key(" Anna  Maria ") == name_key("anna maria")
    assert name_key("Zoe") != name_key("Zo\u00eb")


@given(st.text(), st.integers(min_value=10, max_value=60))
def test_whatever_is_shown_is_short_printable_ascii(raw: str, limit: int) -> None:
    text = shown(raw, limit)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= limit + 2


def test_an_excerpt_says_that_it_is_one() -> None:
    assert shown("Anna") == "'Anna'"
    assert shown("a" * 40) == f"'{'a' * 40}'"
    assert shown("a" * 41) == f"'{'a' * 37}...'"
    assert shown("\x1b[2J\n") == r"'\x1b[2J\n'"


def test_a_misspelt_name_finds_its_neighbour_and_a_strange_one_nobody() -> None:
    assert closest_name("ana", ["Anna", "Bert"]) == "Anna"
    assert closest_name("zoe", ["Zo\u00eb", "Bert"]) == "Zo\u00eb"
    assert closest_name("xyz", ["Anna", "Bert"]) is None
    assert closest_name("Anna", []) is None
