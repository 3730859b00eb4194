"""``facelatch log`` as it is typed: real processes, a real store, with and without a guardian."""

import json
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import wire
from edge.cli.log import FOLLOW_S, _moment
from edge.devices.clock import SystemClock
from edge.errors import InputError, PersonError, StoreBusyError
from edge.logbook import LINES_MAX, answer_log
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.types import Event
from tests.cli.facelatch import command, ok, ok_json, refused, run
from tests.fakes import FakeClock, FakeStore
from tests.store.helpers import vectors

HOSTILE = "\x1b[2J\x1b]0;x\x07[red]\u202e\n"


@pytest.fixture
def store(house: Config) -> Iterator[SqliteStore]:
    """The house's own store, with two people and the entries of a day; closed by the test before a command reads it."""
    with SqliteStore.open(house.store_path, "mobilefacenet-192-1", 192, SystemClock()) as made:
        made.enroll("Anna", vectors(1, 1))
        made.enroll("Zo\u00eb", vectors(1, 2))
        made.log(Event("started"))
        made.log(Event("granted", 1, {"similarity": 0.71, "liveness": "off", "margin": None}))
        made.log(Event("granted", 2))
        made.log(Event("granted", 7))
        made.log(Event("odd", None, {"text": HOSTILE}))
        yield made


def test_the_log_is_printed_with_names_and_nothing_that_a_terminal_obeys(house: Config, store: SqliteStore) -> None:
    store.close()
    printed = ok(house, "log")
    assert "5 entries" in printed
    assert "similarity 0.71" in printed
    assert "Zo\u00eb" in printed
    assert "number 7" in printed  # who was forgotten has no name
    assert "margin" not in printed
    assert "text\\x1b[2J\\x1b]0;x\\x07[red]\\u202e\\n" in "".join(printed.split())  # folded to the terminal's width
    assert not any(ord(character) < 32 and character != "\n" for character in printed)
    assert "\u202e" not in printed


def test_the_log_as_json_holds_every_value(house: Config, store: SqliteStore) -> None:
    store.close()
    lines = ok_json(house, "log")
    assert [(line["id"], line["kind"], line["person"]) for line in lines] == [
        (1, "started", None),
        (2, "granted", "Anna"),
        (3, "granted", "Zo\u00eb"),
        (4, "granted", None),
        (5, "odd", None),
    ]
    assert lines[1]["detail"] == {"similarity": 0.71, "liveness": "off", "margin": None}
    assert lines[4]["detail"] == {"text": HOSTILE}


def test_entries_are_chosen_by_person_kind_time_and_number(house: Config, store: SqliteStore) -> None:
    store.close()

    def ids(*options: str) -> list[int]:
        return [line["id"] for line in ok_json(house, "log", *options)]

    assert ids("--person", "zoe\u0308") == [3]
    assert ids("--kind", "granted") == [2, 3, 4]
    assert ids("--kind", "granted", "--last", "2") == [3, 4]
    assert ids("--since", "1h") == [1, 2, 3, 4, 5]
    assert ids("--since", "2026-01-01T00:00", "--last", "1") == [5]
    assert ids("--since", "2999-01-01") == []


def test_wrong_options_are_refused_with_advice(house: Config, store: SqliteStore) -> None:
    store.close()
    assert "Nobody named 'Nemo'" in refused(house, 5, "log", "--person", "Nemo")
    assert "Give 2026-11-01" in refused(house, 4, "log", "--since", "yester\x1b[2Jday")
    assert "not ID:DIGEST" in refused(house, 4, "log", "verify", "--head", "5")


def test_long_logs_are_read_to_their_end(house: Config, store: SqliteStore) -> None:
    for _ in range(400):
        store.log(Event("granted", 1, {"text": "x" * 900}))
    store.close()
    assert len(ok_json(house, "log")) == 50
    assert [line["id"] for line in ok_json(house, "log", "--last", "350")] == list(range(56, 406))
    assert [line["id"] for line in ok_json(house, "log", "--since", "1h")] == list(range(1, 406))


def test_a_log_that_is_as_it_was_written_verifies(house: Config, store: SqliteStore) -> None:
    for _ in range(1500):
        store.log(Event("granted", 1))
    head, digest = store.log_head()
    at_1000 = store.verify_log(until_id=1000).digest
    store.close()
    printed = ok(house, "log", "verify")
    assert "1505 entries are as they were written." in printed
    assert f"Head: {head}:{digest}" in printed.splitlines()
    for known in (f"{head}:{digest}", f"1000:{at_1000.upper()}"):
        verified = ok_json(house, "log", "verify", "--head", known)
        assert verified == {"ok": True, "checked": 1505, "last_id": 1505, "head": digest, "compared": True}


def test_edits_are_named_with_their_own_exit_code(house: Config, store: SqliteStore) -> None:
    store.close()
    with closing(sqlite3.connect(house.store_path, isolation_level=None)) as other:
        other.execute("UPDATE events SET person_id = 1 WHERE id = 3")
    assert "Entry 3 was changed. Something else" in refused(house, 11, "log", "verify")
    assert "Entry 3 was changed" in refused(house, 11, "log", "verify", "--json")


def test_a_head_from_the_journal_shows_a_store_that_was_put_back(house: Config, store: SqliteStore) -> None:
    before = house.store_path.with_name("before")
    store.close()
    shutil.copyfile(house.store_path, before)
    with SqliteStore.open(house.store_path, "mobilefacenet-192-1", 192, SystemClock()) as again:
        for _ in range(3):
            again.log(Event("burglar"))
        head, digest = again.log_head()
    shutil.copyfile(before, house.store_path)
    ok(house, "log", "verify")
    known = f"{head}:{digest}"
    assert "Entry 8 is missing, as the log ends with entry 5" in refused(house, 11, "log", "verify", "--head", known)
    with SqliteStore.open(house.store_path, "mobilefacenet-192-1", 192, SystemClock()) as again:
        for _ in range(9):
            again.log(Event("nothing to see"))
    assert "Entry 8 is not the one that the journal knows" in refused(house, 11, "log", "verify", "--head", known)


def test_a_head_of_pruned_entries_cannot_be_compared(house: Config, store: SqliteStore) -> None:
    digest = store.verify_log(until_id=2).digest
    store.prune_log(365, 1)
    store.close()
    assert "Entry 2 is too old" in refused(house, 11, "log", "verify", "--head", f"2:{digest}")


def test_follow_prints_what_is_logged_meanwhile_until_it_is_interrupted(house: Config, store: SqliteStore) -> None:
    store.close()
    with subprocess.Popen(
        command(house, "log", "--follow", "--json", "--kind", "granted", "--last", "1"), stdout=-1, stderr=-1, text=True
    ) as follower:
        watchdog = threading.Timer(60, follower.kill)
        watchdog.start()
        assert follower.stdout is not None
        assert follower.stderr is not None
        assert json.loads(follower.stdout.readline())["id"] == 4
        with closing(in_turn(house)) as again:
            again.log(Event("refused"))
            again.log(Event("granted", 1))
            time.sleep(2 * FOLLOW_S)  # it asks in vain meanwhile, and does not give up
            assert follower.poll() is None
        assert json.loads(follower.stdout.readline())["id"] == 7
        follower.send_signal(signal.SIGINT)
        assert follower.wait(30) == 0
        assert follower.stderr.read() == ""
        watchdog.cancel()


def in_turn(house: Config) -> SqliteStore:
    """The house's store, once the follower is not reading it: one process has it at a time."""
    end_s = time.monotonic() + 30
    while True:
        try:
            return SqliteStore.open(house.store_path, "mobilefacenet-192-1", 192, SystemClock())
        except StoreBusyError:
            assert time.monotonic() < end_s
            time.sleep(0.005)


def test_a_running_guardian_answers_too(house: Config) -> None:
    with subprocess.Popen(command(house, "door", "--json"), stdout=-1, stderr=-1) as guardian:
        watchdog = threading.Timer(60, guardian.kill)
        watchdog.start()
        while "not running" in (told := run(house, "status")).stdout + told.stderr or told.returncode:
            assert guardian.poll() is None
        assert [line["kind"] for line in ok_json(house, "log", "--kind", "started")] == ["started"]
        assert "as they were written" in ok(house, "log", "verify")
        assert "is missing, as the log ends" in refused(house, 11, "log", "verify", "--head", f"999:{'0' * 64}")
        guardian.terminate()
        assert guardian.wait(30) == 0
        watchdog.cancel()


# The answer itself.


def test_a_page_fits_a_packet_and_the_next_goes_on(house: Config) -> None:
    store = FakeStore("m", 4, FakeClock())
    for _ in range(130):
        store.log(Event("long", None, {"text": "x" * 4000}))
    seen: list[int] = []
    more = True
    while more:
        question = wire.AskLog(after_id=seen[-1] if seen else 0)
        answer = wire.answer(wire.encode(answer_log(store, question)))
        assert isinstance(answer, wire.Log)
        assert 0 < len(answer.lines) < LINES_MAX
        seen += [line.id for line in answer.lines]
        more = answer.more
    assert seen == list(range(1, 131))
    newest = answer_log(store, wire.AskLog(last=100))
    assert (newest.lines[0].id, newest.more) == (31, True)
    wire.encode(newest)


def test_whatever_is_in_the_log_can_be_sent() -> None:
    store = FakeStore("m", 4, FakeClock())
    store.log(Event("odd", None, {"half": "\ud800", "long": 2**70, "huge": 10**3000, "least": -(2**63), "b": True}))
    answer = wire.answer(wire.encode(answer_log(store, wire.AskLog())))
    assert isinstance(answer, wire.Log)
    assert answer.lines[0].detail["half"] == "\\ud800"
    assert answer.lines[0].detail["long"] == str(2**70)
    assert answer.lines[0].detail["b"] is True


@pytest.mark.parametrize("since", ["", "now", "2026-13-01", "0001-01-01T00:00:00+23:00", "\x1b"])
def test_a_time_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(InputError):
        answer_log(FakeStore("m", 4, FakeClock()), wire.AskLog(since_utc=since))


def test_nobody_of_the_name_is_an_error_and_not_an_empty_log() -> None:
    with pytest.raises(PersonError, match="'Ana'"):
        answer_log(FakeStore("m", 4, FakeClock()), wire.AskLog(person="Ana"))


NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "before"), [("45s", 45), ("30m", 1800), ("2h", 7200), ("3d", 259200), ("1w", 604800), ("0d", 0)]
)
def test_spans_reach_back_from_now(text: str, before: int) -> None:
    assert datetime.fromisoformat(_moment(text, NOW)) == NOW - timedelta(seconds=before)


def test_dates_are_of_the_local_zone_and_times_may_name_theirs() -> None:
    assert datetime.fromisoformat(_moment("2026-01-05", NOW)) == datetime(2026, 1, 5).astimezone()
    assert _moment("2026-01-05T08:00+02:00", NOW) == "2026-01-05T06:00:00.000+00:00"


@given(st.text(max_size=12))
def test_any_other_text_is_a_time_or_refused(text: str) -> None:
    try:
        moment = _moment(text, NOW)
    except InputError as error:
        assert str(error).isprintable()  # noqa: PT017  # either outcome is right
    else:
        assert datetime.fromisoformat(moment).tzinfo is not None
