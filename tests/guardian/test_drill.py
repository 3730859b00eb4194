"""A drill at a lock that runs: judged as at the door, nothing opens, and no face opens alone before it is passed."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from edge import config as configuration
from edge import wire
from edge.core.drill import OWN, plan
from edge.core.living.judge import UNDECIDED
from edge.drill import ASKED_EVERY_S, IDLE_S, LOOKS_MIN, TAKE_AWAY
from edge.errors import CameraError, DoorError, FacelatchError, InputError, PersonError, StoreError, WireError
from edge.guardian import EYES_AWAY_S
from edge.proof import KEY
from edge.settings import Config, FacesConfig, LivenessConfig
from edge.store.sqlite import SqliteStore
from edge.types import Embedding, Input, Sign
from tests.core.looks import look
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, HELLO, MODEL, STRANGER, FailingBolt, Household, settle

LIVE, PICTURE = 0.95, 0.05
OWN_CAMERA = msgspec.structs.replace(HELLO, identity="usb-Own_1 640x480", judge="judge 1")
OTHER_CAMERA = msgspec.structs.replace(OWN_CAMERA, identity="usb-Other_7 640x480")
OTHER_JUDGE = msgspec.structs.replace(OWN_CAMERA, judge="judge 2")
REQUIRED = LivenessConfig(challenge="never")


@pytest.fixture
def wary(house: Config) -> Config:
    """Everything as by default, with a simulated bolt."""
    return msgspec.structs.replace(house, liveness=REQUIRED)


@pytest.fixture
def store(wary: Config) -> Iterator[SqliteStore]:
    with SqliteStore.open(wary.store_path, MODEL, DIMENSION, FakeClock()) as store:
        store.enroll("Ada", [ADA])
        yield store


@pytest.fixture
def door(wary: Config, store: SqliteStore) -> Household:
    return started(wary, store)


def started(config: Config, store: SqliteStore, hello: wire.Hello = OWN_CAMERA) -> Household:
    """A guardian that starts on this store."""
    household = settle(config, store, FakeClock(), FailingBolt())
    household.guardian.eyes_say(hello)
    return household


def see(door: Household, *faces: Embedding, alive: float | None = LIVE, track: int = 1, age_s: float = 0.0) -> None:
    door.clock.advance(0.1)
    door.frame += 1
    at_s = door.clock.now_s() - age_s
    looks = [
        replace(look(at_s, track=track + i, faces=len(faces), frame=door.frame), embedding=who, liveness=alive)
        for i, who in enumerate(faces)
    ]
    door.guardian.eyes_say(wire.to_report(door.frame, at_s, len(faces), looks))
    door.guardian.tick()


def comes(door: Household, who: Embedding = ADA, alive: float = LIVE, track: int = 1000) -> bool:
    """Somebody before the door: does it open?"""
    before = len(door.told("released"))
    for _ in range(5):
        see(door, who, alive=alive, track=track)
    return len(door.told("released")) > before


class Command:
    """What ``facelatch drill`` asks; every presentation is a new track."""

    def __init__(self, door: Household, *, anew: bool = False, ticket: str = "a", track: int = 1) -> None:
        self.door, self.ticket, self.track = door, ticket, track
        self.begun = self.asks(wire.AskDrill(ticket, anew))

    def asks(self, question: wire.Question) -> wire.Drilling:
        answer = self.door.guardian.answer(question, "an operator")
        assert isinstance(answer, wire.Drilling)
        return answer

    def polls(self) -> wire.Drilling:
        return self.asks(wire.AskDrillProgress(self.ticket))

    def begins(self, kind: str) -> wire.Drilling:
        return self.asks(wire.AskPresent(self.ticket, kind))

    def waits(self, seconds: float) -> wire.Drilling:
        """Nobody is seen, and the eyes go on reporting."""
        for _ in range(round(seconds)):
            self.door.passes(1)
            see(self.door)
            told = self.polls()
        return told

    def presents(
        self, kind: str, *, alive: float | None = None, who: Embedding = ADA, looks: int = 10
    ) -> wire.Presented:
        """Held up, and taken away again."""
        alive = (LIVE if kind in OWN else PICTURE) if alive is None else alive
        self.begins(kind)
        self.track += 1
        for _ in range(looks):
            see(self.door, who, alive=alive, track=self.track)
        told = self.waits(3).presented
        assert told is not None
        return told

    def ends(self) -> wire.Drilling:
        return self.asks(wire.AskDrillEnd(self.ticket))


def whole_drill(door: Household) -> None:
    """All that makes a passed one."""
    command = Command(door)
    for kind, wanted in plan().items():
        for _ in range(wanted):
            assert not command.presents(kind).reason
    command.ends()


@pytest.fixture(scope="module")
def record() -> str:
    """What a lock keeps of such a drill."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        paths = {"state": f"{folder}/state", "runtime": f"{folder}/run"}
        flags = {"paths": paths, "bolt": {"driver": "simulated"}, "liveness": {"challenge": REQUIRED.challenge}}
        config = configuration.load(None, environment={}, flags=flags)
        with SqliteStore.open(config.store_path, MODEL, DIMENSION, FakeClock()) as store:
            store.enroll("Ada", [ADA])
            whole_drill(started(config, store))
            return store.setting(KEY) or ""


@pytest.fixture
def drilled(wary: Config, store: SqliteStore, record: str) -> Household:
    """A lock that was drilled, and started again."""
    store.keep(KEY, record)
    return started(wary, store)


def test_on_a_new_lock_no_face_opens_alone_and_everybody_is_told_what_to_do(door: Household) -> None:
    door.guardian.answer(wire.AskPin("Ada", "48151"), "")
    assert not comes(door)
    reason = str(door.told("refused")[0]["reason"])
    assert "no drill yet" in reason
    assert "`facelatch drill`" in reason
    assert "NO FACE OPENS ALONE: no drill yet, run `facelatch drill`" in door.guardian.status().line()
    door.types("48151")
    assert door.is_open()
    door.passes(10)
    door.senses(Input.EXIT_BUTTON)
    assert door.is_open()


def test_a_passed_drill_opens_the_door_to_faces_and_outlasts_a_restart(
    wary: Config, store: SqliteStore, door: Household
) -> None:
    whole_drill(door)
    assert not door.is_open()
    assert "released" not in door.kinds()
    assert "0 of 60 attacks passed" in str(door.told("drill_holds")[0]["reason"])
    assert comes(door)
    again = started(wary, store)
    assert comes(again)
    assert "drill passed 20" in again.guardian.status().line()
    assert "WAIVED" not in again.guardian.status().line()


@pytest.mark.parametrize("missing", [*(kind for kind in plan() if kind not in ("tablet", "laptop"))])
def test_a_drill_that_lacks_one_presentation_of_a_kind_is_none(
    wary: Config, store: SqliteStore, record: str, missing: str
) -> None:
    kept = json.loads(record)
    kept["counts"][missing][0] -= 1
    kept["counts"][missing][1] = min(kept["counts"][missing])
    store.keep(KEY, json.dumps(kept))
    door = started(wary, store)
    assert f"shown of {missing}" in door.guardian.status().drill
    assert not comes(door)
    Command(door, track=2000).presents(missing)
    assert "drill passed" in door.guardian.status().drill


def test_one_attack_that_passed_shuts_the_door_to_faces_until_a_drill_anew(drilled: Household) -> None:
    door = drilled
    assert comes(door)
    command = Command(door, track=1500)
    command.waits(10)
    told = command.presents("print", alive=LIVE)
    assert (told.opened, told.reason) == (True, "")
    assert not door.is_open()
    command.ends()
    assert not comes(door, track=1600)
    assert "1 of 61 attacks passed" in door.guardian.status().line()
    assert door.told("drill_lacking")
    assert Command(door, anew=True, ticket="b").begun.report.counts == []
    assert door.told("drill_forgotten")[0]["by"] == "an operator"


def test_nothing_opens_in_a_drill_but_by_other_ways_than_a_face(wary: Config, store: SqliteStore) -> None:
    waived = msgspec.structs.replace(wary, liveness=msgspec.structs.replace(REQUIRED, drill="waived"))
    door = started(waived, store)
    command = Command(door)
    assert command.presents("usual").opened
    assert not comes(door)
    command.begins("print")
    assert not comes(door, track=1001)
    assert ", in a drill" in door.guardian.status().eyes
    door.senses(Input.EXIT_BUTTON)
    assert door.is_open()
    command.waits(10)
    assert not door.is_open()
    command.ends()
    assert comes(door, track=1002)


def test_the_override_is_shown_always_and_logged_with_every_grant(
    wary: Config, store: SqliteStore, record: str
) -> None:
    waived = msgspec.structs.replace(wary, liveness=msgspec.structs.replace(REQUIRED, drill="waived"))
    door = started(waived, store)
    assert comes(door)
    assert door.told("released")[0]["drill"] == "waived"
    assert all(
        "drill WAIVED (no drill yet)" in str(values["status"]) for kind, values in door.said if kind == "released"
    )
    store.keep(KEY, record)
    assert "WAIVED in the settings" in started(waived, store).guardian.status().line()


def test_where_liveness_is_off_the_owner_has_chosen_already(house: Config, store: SqliteStore) -> None:
    door = started(house, store, HELLO)
    assert comes(door)
    assert "drill" not in door.guardian.status().line()
    with pytest.raises(DoorError, match="Liveness is off"):
        Command(door)


@pytest.mark.parametrize(
    ("hello", "why"), [(OTHER_CAMERA, "another camera"), (OTHER_JUDGE, "other networks"), (HELLO, "another camera")]
)
def test_another_camera_or_judge_and_the_drill_has_expired(drilled: Household, hello: wire.Hello, why: str) -> None:
    door = drilled
    door.guardian.eyes_say(hello)
    if hello.identity:
        door.guardian.answer(wire.AskClear(camera=True), "root")
    assert not comes(door)
    line = door.guardian.status().line()
    assert "EXPIRED" in line
    assert why in line
    door.guardian.eyes_say(OWN_CAMERA)
    door.guardian.answer(wire.AskClear(camera=True), "root")
    assert comes(door, track=1001)


def test_an_expired_drill_stays_expired_over_a_silence(drilled: Household) -> None:
    """The eyes that go on are those that were there before, whatever the guardian waited for."""
    door = drilled
    door.guardian.eyes_say(OTHER_JUDGE)
    door.passes(EYES_AWAY_S + 1)
    assert "away" in door.guardian.status().eyes
    assert not comes(door)
    assert "EXPIRED" in door.guardian.status().drill
    assert door.guardian.answer(wire.AskDrillReport(), "an operator").judge == "judge 2"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"live_min": 0.6}, "liveness.live_min was 0.5, and is 0.6"),
        ({"attack_max": 0.1}, "liveness.attack_max was 0.3, and is 0.1"),
        ({"challenge": "always"}, "liveness.challenge was never, and is always"),
    ],
)
def test_another_threshold_and_the_drill_has_expired(
    wary: Config, store: SqliteStore, drilled: Household, change: dict[str, object], why: str
) -> None:
    assert comes(drilled)
    other = msgspec.structs.replace(wary, liveness=msgspec.structs.replace(REQUIRED, **change))
    again = started(other, store)
    assert not comes(again)
    assert why in again.guardian.status().drill
    command = Command(again, track=2000)
    assert command.begun.report.counts == []
    command.presents("print")
    assert command.polls().report.counts == [wire.DrillCount("print", 1, 0)]
    assert "1 of 12 shown of print" in again.guardian.status().drill


def test_which_face_is_judged_is_part_of_it_and_who_is_enrolled_is_not(
    wary: Config, store: SqliteStore, drilled: Household
) -> None:
    assert comes(drilled)
    store.enroll("Grace", [STRANGER])
    assert comes(started(wary, store))
    nearest = msgspec.structs.replace(wary, faces=FacesConfig(several="nearest"))
    assert "faces.several" in started(nearest, store).guardian.status().drill


@pytest.mark.parametrize("kept", ["{", "[]", "null", '{"schema": 2}', "\x00", '{"counts": {"print": [60, 61]}}'])
def test_what_cannot_be_read_was_never_shown(wary: Config, store: SqliteStore, kept: str) -> None:
    store.keep(KEY, kept)
    again = started(wary, store)
    assert not comes(again)
    assert "no drill (what was shown cannot be read" in again.guardian.status().line()
    Command(again, track=2000).presents("print")
    assert "1 of 12 shown of print" in again.guardian.status().line()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"counts": {"print": [60, 61]}},
        {"counts": {"mask": [60, 0]}},
        {"counts": {"print": [1001, 0]}},
        {"counts": {"print": [-1, 0]}},
        {"more": 1},
    ],
)
def test_a_record_with_one_impossible_field_is_none(
    wary: Config, store: SqliteStore, record: str, change: dict[str, object]
) -> None:
    store.keep(KEY, json.dumps({**json.loads(record), **change}))
    assert "cannot be read" in started(wary, store).guardian.status().drill


def test_a_store_that_cannot_be_read_or_written_counts_nothing(
    door: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Command(door)
    command.presents("print")

    def full(key: str, value: str) -> None:
        raise StoreError("The card is full. Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(door.store, "keep", full)
        with pytest.raises(StoreError, match="full"):
            command.presents("print")
    with pytest.raises(StoreError, match="full"):
        command.polls()
    assert Command(door, ticket="b", track=50).begun.report.counts == [wire.DrillCount("print", 1, 0)]

    def damaged(key: str) -> str:
        raise StoreError("The store is damaged.")

    monkeypatch.setattr(door.store, "setting", damaged)
    door.guardian.eyes_say(OWN_CAMERA)
    assert "no drill (what was shown cannot be read" in door.guardian.status().drill


def test_a_drill_that_broke_off_goes_on_from_what_was_counted(door: Household) -> None:
    command = Command(door)
    for _ in range(3):
        command.presents("print")
    command.begins("print")
    see(door, ADA, alive=PICTURE, track=90)
    for _ in range(round(ASKED_EVERY_S) + 1):
        door.passes(1)
        see(door)
    assert door.told("drilling_ended")[0]["reason"] == "its command has gone"
    with pytest.raises(DoorError, match="asked no more"):
        command.polls()
    assert Command(door, ticket="b").begun.report.counts == [wire.DrillCount("print", 3, 0)]


def test_a_picture_that_passed_counts_though_its_command_asks_for_another_at_once_or_is_gone(door: Household) -> None:
    command = Command(door)
    for track in (7, 8):
        command.begins("print")
        for _ in range(5):
            see(door, ADA, alive=LIVE, track=track)
    command.ends()
    assert Command(door, ticket="b").begun.report.counts == [wire.DrillCount("print", 2, 2)]


def test_a_picture_that_is_lowered_early_proves_nothing_whoever_is_seen_then(door: Household) -> None:
    command = Command(door)
    command.begins("print")
    for _ in range(3):
        see(door, ADA, alive=UNDECIDED, track=7)
    for _ in range(7):
        see(door, STRANGER, alive=LIVE, track=8)
    told = command.waits(3).presented
    assert told is not None
    assert "too soon" in told.reason
    assert command.polls().report.counts == []


def test_the_log_holds_every_presentation_and_who_drilled(door: Household) -> None:
    command = Command(door)
    command.presents("phone")
    command.presents("usual")
    command.ends()
    logged = [each.event for each in door.store.events(100)]
    kinds = {each.kind: each for each in logged}
    assert kinds["drilling"].detail["by"] == kinds["drilling_ended"].detail["by"] == "an operator"
    shown = [(each.detail["what"], each.detail["opened"]) for each in reversed(logged) if each.kind == "presented"]
    assert shown == [("phone", False), ("usual", True)]


def test_a_face_that_nobody_knows_or_hardly_any_look_or_nobody_at_all_proves_nothing(door: Household) -> None:
    command = Command(door)
    assert "would not have opened with liveness off either" in command.presents("print", who=STRANGER).reason
    assert f"{LOOKS_MIN - 1} of at least" in command.presents("print", looks=LOOKS_MIN - 1).reason
    command.begins("print")
    told = command.waits(IDLE_S + 1).presented
    assert told is not None
    assert (told.seen, told.reason) == (False, f"nobody was seen for {IDLE_S:.0f} s")
    assert command.polls().report.counts == []


def test_looks_that_the_judge_did_not_measure_prove_nothing(door: Household) -> None:
    command = Command(door)
    command.begins("print")
    for _ in range(10):
        see(door, ADA, alive=None, track=7)
    told = command.waits(3).presented
    assert told is not None
    assert "0 of at least" in told.reason


def test_two_faces_at_once_are_no_presentation(door: Household) -> None:
    command = Command(door)
    command.begins("print")
    for _ in range(10):
        see(door, ADA, STRANGER, track=7)
    told = command.waits(3).presented
    assert told is not None
    assert "several faces" in told.reason
    assert not told.opened


def test_the_owner_who_is_not_let_in_counts_as_such(door: Household) -> None:
    told = Command(door).presents("dim", alive=PICTURE)
    assert (told.opened, told.reason) == (False, "")


def test_what_was_judged_once_is_to_be_taken_away_first(door: Household) -> None:
    command = Command(door)
    command.presents("print")
    command.begins("print")
    for _ in range(10):
        see(door, ADA, alive=PICTURE, track=command.track)
    assert command.polls().guidance == TAKE_AWAY
    assert command.waits(3).presented is None
    command.ends()
    again = Command(door, ticket="b")
    again.begins("print")
    for _ in range(10):
        see(door, ADA, alive=PICTURE, track=command.track)
    assert again.polls().guidance == TAKE_AWAY
    again.track = command.track
    assert again.presents("print").reason == ""
    again.ends()
    door.guardian.eyes_say(OWN_CAMERA)
    assert Command(door, ticket="c", track=0).presents("print").reason == ""


def test_it_says_whether_anybody_is_in_view(door: Household) -> None:
    command = Command(door)
    assert not command.polls().in_view
    see(door, ADA, track=7)
    assert command.polls().in_view
    assert not command.waits(3).in_view


def test_looks_from_before_the_key_was_pressed_do_not_count(door: Household) -> None:
    command = Command(door)
    see(door, ADA, track=7)
    command.begins("print")
    for _ in range(10):
        see(door, ADA, track=7, age_s=1.2)
    assert command.polls().presenting == "print"
    assert command.waits(3).presented is None


def test_the_challenge_is_part_of_it_and_told_in_words(wary: Config, store: SqliteStore) -> None:
    door = started(msgspec.structs.replace(wary, liveness=LivenessConfig(challenge="when unsure")), store)
    command = Command(door)
    command.begins("usual")
    for _ in range(20):
        see(door, ADA, alive=UNDECIDED, track=7)
    asked = {Sign.TURN_GREEN, Sign.TURN_RED, Sign.CLOSER}
    assert command.polls().guidance in {sign.value for sign in asked}
    assert asked & set(door.lamps.shown)


def test_it_begins_only_where_it_can_prove_something(wary: Config, store: SqliteStore, door: Household) -> None:
    def refused(door: Household, error: type[FacelatchError], match: str) -> None:
        with pytest.raises(error, match=match):
            Command(door)

    refused(started(wary, store, msgspec.structs.replace(OWN_CAMERA, judge="")), CameraError, "judge nobody")
    refused(started(wary, store, OTHER_CAMERA), CameraError, "not accepted")
    door.guardian.answer(wire.AskCamera("ticket", wire.EnrollTerms("Eve"), 5), "root")
    refused(door, DoorError, "being enrolled")
    door.guardian.answer(wire.AskCameraCancel("ticket"), "root")
    Command(door).begins("print")
    refused(door, DoorError, "goes on already, by an operator")
    with pytest.raises(DoorError, match="A drill goes on"):
        door.guardian.answer(wire.AskCamera("ticket", wire.EnrollTerms("Eve"), 5), "root")
    door.guardian.answer(wire.AskMode("lockdown"), "root")
    door.guardian.tick()
    assert door.told("drilling_ended")[0]["reason"] == "lockdown"
    refused(door, DoorError, "locked down")
    door.guardian.answer(wire.AskMode("normal"), "root")
    door.guardian.eyes_gone("killed")
    refused(door, CameraError, "eyes are away")
    door.guardian.eyes_say(OWN_CAMERA)
    store.forget("Ada")
    refused(started(wary, store), PersonError, "Nobody is enrolled")


def test_it_ends_with_the_eyes_and_with_the_guardian(door: Household) -> None:
    command = Command(door)
    door.guardian.eyes_gone("killed")
    with pytest.raises(CameraError, match="what was counted is kept"):
        command.polls()
    door.guardian.eyes_say(OWN_CAMERA)
    Command(door, ticket="b")
    door.guardian.stop("SIGTERM came")
    assert door.told("drilling_ended")[-1]["reason"] == "the guardian stops"


@pytest.mark.parametrize("kind", ["mask", "PRINT", "\x1b[2J", "print "])
def test_a_kind_that_there_is_not_is_refused(door: Household, kind: str) -> None:
    command = Command(door)
    with pytest.raises(InputError, match="nothing that a drill has"):
        command.begins(kind)
    with pytest.raises(DoorError, match="no such drill"):
        door.guardian.answer(wire.AskPresent("another", "print"), "")


def test_an_older_or_hostile_message_is_refused() -> None:
    for message in ({"type": "drill"}, {"type": "present", "ticket": "a", "kind": "x" * 101}, {"type": "drill-end"}):
        with pytest.raises(WireError):
            wire.question(msgspec.msgpack.encode(message))


def test_counts_end_at_their_limit_and_stay_readable(door: Household) -> None:
    command = Command(door)
    command.presents("print")
    record = json.loads(door.store.setting(KEY) or "")
    record["counts"]["print"] = [1000, 0]
    door.store.keep(KEY, json.dumps(record))
    door.guardian.eyes_say(OWN_CAMERA)
    told = Command(door, ticket="b", track=99).presents("print", alive=LIVE)
    assert told.opened
    assert door.guardian.status().drill.count("1 of 1000 attacks passed") == 1
