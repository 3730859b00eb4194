"""``facelatch log`` and ``facelatch log verify``."""

import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from edge import app, wire
from edge import config as configuration
from edge.core.names import clean_name, harmless, shown
from edge.errors import InputError, LogError, StoreBusyError, WireError
from edge.output import console, json_option, print_json, table
from edge.settings import Config

LAST = 50
"""Entries shown unless it is said how many, or since when: a screen or two."""

ASKED_AT_ONCE = 100
"""``last`` of one question (``wire.AskLog``)."""

FOLLOW_S = 1.0
"""How often ``--follow`` asks."""

_SPAN = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HEAD = re.compile(r"(\d{1,15}):([0-9a-fA-F]{64})", re.ASCII)


@click.group("log", invoke_without_command=True)
@click.option("--since", help="Only entries from then on: a date or time (2026-11-01, 2026-11-01T08:00), or 2h, 3d.")
@click.option("--person", help="Only entries of this person.")
@click.option("--kind", help="Only entries of this kind, as released, refused or started.")
@click.option(
    "--last",
    type=click.IntRange(1, 1_000_000),
    help=f"Only so many of the newest.  [default: {LAST}; with --since all]",
)
@click.option("--follow", is_flag=True, help="Go on printing new entries until Ctrl-C.")
@json_option
@click.pass_context
def log_group(
    context: click.Context,
    since: str | None,
    person: str | None,
    kind: str | None,
    last: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Show the audit log, oldest entry first.

    With --follow and --json every entry is one line. The log holds no names; they are looked up for those who are
    still enrolled.
    """
    if context.invoked_subcommand is not None:
        if any((since, person, kind, last, follow)):
            raise click.UsageError(f"These options do not go with `log {context.invoked_subcommand}`.")
        return
    config = configuration.load(context.obj)
    question = wire.AskLog(
        since_utc=None if since is None else _moment(since, datetime.now().astimezone()),
        person=None if person is None else clean_name(person),
        kind=kind,
    )
    # Where --follow goes on: it must not look through all that was filtered out, every second.
    newest = [line.id for line in _page(config, wire.AskLog(last=1)).lines] if follow else []
    found = _newest(config, question, LAST if last is None and since is None else last)
    if follow:
        _print(found, as_json)
        _follow(config, question, max(newest + [line.id for line in found], default=0), as_json)
    elif as_json:
        print_json(found)
    else:
        rows = [_row(line) for line in found]
        table(f"{len(found)} entries", ("id", "at (UTC)", "kind", "person", "detail"), rows)


@log_group.command("verify")
@click.option("--head", metavar="ID:DIGEST", help="A head of the log as the journal has it: it must be in this log.")
@json_option
@click.pass_obj
def verify(config_path: Path | None, head: str | None, as_json: bool) -> None:
    """Check that no entry was changed, removed or cut off (exit code 11).

    This finds edits of the database, not those of an attacker who is root and has the log's key. That the whole file
    was put back to an older state shows only --head: the guardian writes the head to the journal at intervals.
    """
    config = configuration.load(config_path)
    known = None if head is None else _head(head)
    checked, page = 0, wire.Verified(0, 0, "", more=True)
    compared = known is None
    while page.more:
        until_id = known[0] if known is not None and not compared and page.last_id < known[0] else None
        answer = app.answer(config, wire.AskVerify(page.last_id, until_id))
        if not isinstance(answer, wire.Verified):
            raise WireError("The guardian answered something else than a check. Use one release for both.")
        page, checked = answer, checked + answer.checked
        if known is not None and page.last_id == known[0]:
            _compare(known, page)
            compared = True
        elif known is not None and not compared and page.last_id > known[0]:
            raise LogError(
                f"Entry {known[0]} is too old and was removed, so that its digest cannot be compared. Take a newer "
                "head from the journal."
            )
    if known is not None and not compared:
        raise LogError(
            f"Entry {known[0]} is missing, as the log ends with entry {page.last_id}: an older state of the store was "
            "put back. Compare it with the journal and a backup."
        )
    if as_json:
        print_json(
            {"ok": True, "checked": checked, "last_id": page.last_id, "head": page.head, "compared": head is not None}
        )
        return
    console.print(f"{checked} entries are as they were written.", markup=False)
    console.print(f"Head: {page.last_id}:{harmless(page.head)}", markup=False, soft_wrap=True)


def _newest(config: Config, question: wire.AskLog, last: int | None) -> list[wire.LogLine]:
    """The newest ``last`` entries that fit, None: all, over as many questions as it takes."""
    few = last is not None and last <= ASKED_AT_ONCE
    page = _page(config, _asked(question, last=last if few else None))
    kept = deque(page.lines, maxlen=last)
    while page.more and page.lines:
        page = _page(config, _asked(question, after_id=page.lines[-1].id))
        kept.extend(page.lines)
    return list(kept)


def _follow(config: Config, question: wire.AskLog, after_id: int, as_json: bool) -> None:
    never = threading.Event()
    try:
        while not never.wait(FOLLOW_S):
            with suppress(StoreBusyError):  # where no guardian runs, another command may have the store for a moment
                for lines in _pages(config, question, after_id):
                    _print(lines, as_json)
                    after_id = lines[-1].id
    except KeyboardInterrupt:
        return


def _pages(config: Config, question: wire.AskLog, after_id: int) -> Iterator[list[wire.LogLine]]:
    more = True
    while more:
        page = _page(config, _asked(question, after_id=after_id))
        if not page.lines:
            return
        yield page.lines
        after_id, more = page.lines[-1].id, page.more


def _asked(question: wire.AskLog, after_id: int = 0, last: int | None = None) -> wire.AskLog:
    return wire.AskLog(after_id, question.since_utc, question.person, question.kind, last)


def _page(config: Config, question: wire.AskLog) -> wire.Log:
    answer = app.answer(config, question)
    if not isinstance(answer, wire.Log):
        raise WireError("The guardian answered something else than the log. Use one release for both.")
    return answer


def _print(lines: list[wire.LogLine], as_json: bool) -> None:
    """One line an entry, so that another program can read on."""
    for line in lines:
        if as_json:
            print_json(line)
        else:
            click.echo("  ".join(str(cell) if cell is not None else "-" for cell in _row(line)))


def _row(line: wire.LogLine) -> tuple[int, str, str, str | None, str]:
    who = line.person if line.person is not None or line.person_id is None else f"number {line.person_id}"
    detail = " · ".join(f"{key} {value}" for key, value in line.detail.items() if value is not None)
    return line.id, _one_line(line.at_utc), _one_line(line.kind), who and _one_line(who), _one_line(detail)


def _one_line(text: str) -> str:
    """Harmless, and without a line break: it could pass for another entry."""
    return harmless(text).replace("\n", "\\n")


def _moment(text: str, now: datetime) -> str:
    """ISO-8601 in UTC of a span before ``now`` or of a date in the zone of ``now``. Raises InputError."""
    span = _SPAN.fullmatch(text)
    try:
        if span:
            moment = now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.astimezone()
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"--since {shown(text)} is not a time. Give 2026-11-01, 2026-11-01T08:00, 30m, 2h, 3d or 1w."
        ) from error


def _head(text: str) -> tuple[int, str]:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise InputError(
            f"--head {shown(text)} is not ID:DIGEST. Copy it from the journal, as 1234: and 64 hex digits."
        )
    return int(found[1]), found[2].lower()


def _compare(known: tuple[int, str], page: wire.Verified) -> None:
    if page.head != known[1]:
        raise LogError(
            f"Entry {known[0]} is not the one that the journal knows: the log was replaced. Compare it with a backup."
        )
