"""The audit log as an operator asks for it: pages that fit a packet, with the names of those who are still enrolled."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from edge import wire
from edge.core.names import name_key, shown
from edge.errors import InputError, PersonError
from edge.ports import Store
from edge.types import LoggedEvent

LINES_MAX = 100
"""Entries in one answer."""

LINES_MAX_BYTES = wire.PACKET_MAX_BYTES - 4096
"""Encoded: a hundred entries with the longest detail would be three times as much."""

_INTEGER_BITS = 63
"""msgpack knows no longer integer; the log's JSON does."""

_encoder = msgspec.msgpack.Encoder()


def answer(store: Store, question: wire.AskLog | wire.AskVerify) -> wire.Answer:
    """Either question."""
    return answer_log(store, question) if isinstance(question, wire.AskLog) else answer_verify(store, question)


def answer_log(store: Store, question: wire.AskLog) -> wire.Log:
    """One page; whoever wants the rest asks again after its last line. Raises PersonError, InputError, StoreError."""
    people = store.people()
    person_id = None
    if question.person is not None:
        wanted = name_key(question.person)
        person_id = next((person.id for person in people if name_key(person.name) == wanted), None)
        if person_id is None:
            raise PersonError(
                f"Nobody named {shown(question.person)} is enrolled. The log keeps no names: entries of somebody who "
                "was forgotten are found by their number in the whole log."
            )
    since_utc = None if question.since_utc is None else _as_logged(question.since_utc)
    found = store.log_page(question.after_id, since_utc, person_id, question.kind, question.last, limit=LINES_MAX + 1)
    names = {person.id: person.name for person in people}
    lines: list[wire.LogLine] = []
    left = LINES_MAX_BYTES
    for entry in found[:LINES_MAX]:
        line = _line(entry, names)
        left -= len(_encoder.encode(line))
        if left < 0 and lines:
            break
        lines.append(line)
    return wire.Log(lines, more=len(lines) < len(found))


def answer_verify(store: Store, question: wire.AskVerify) -> wire.Verified:
    """One page of the check. Raises LogError naming the first entry that is wrong, and StoreError."""
    page = store.verify_log(question.after_id, until_id=question.until_id)
    return wire.Verified(page.checked, page.last_id, page.digest, page.more)


def _as_logged(text: str) -> str:
    """A time as the log writes it. Raises InputError."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at.astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError) as error:
        raise InputError(f"{shown(text)} is not a time. Give one as 2026-11-01T08:00:00+00:00.") from error


def _line(entry: LoggedEvent, names: Mapping[int, str]) -> wire.LogLine:
    who = entry.event.person_id
    detail = {_sendable(key): _value(value) for key, value in entry.event.detail.items()}
    name = None if who is None else names.get(who)
    return wire.LogLine(entry.id, entry.at_utc, entry.event.kind, who, name, detail)


def _value(value: str | int | float | bool | None) -> str | int | float | bool | None:
    if isinstance(value, str):
        return _sendable(value)
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        return str(value) if value.bit_length() < 10_000 else "a very long number"
    return value


def _sendable(text: str) -> str:
    """Half a surrogate pair is text in JSON, and no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
