"""Enrolling at the camera while the lock runs: faces open nothing meanwhile, and everything else works on."""

from dataclasses import replace

import numpy as np
import pytest

from edge import wire
from edge.booth import ASKED_EVERY_S, IDLE_S
from edge.core.door import State
from edge.errors import CameraError, DoorError, FaceError, FacelatchError, PersonError, PersonNameError
from edge.types import Embedding, Input, Look, Sign
from tests.core.looks import look
from tests.guardian.household import ADA, HELLO, STRANGER, Household

TERMS = wire.EnrollTerms("Grace")
POSES = ((0, 120), (15, 120), (-15, 120), (0, 160), (0, 95))


def like(person: Embedding, number: int) -> Embedding:
    """That person's face once more, a little different."""
    vector = person.copy()
    vector[2 + number % 2] += 0.1 + 0.05 * number
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class Command:
    """What ``facelatch enroll NAME --camera`` asks."""

    def __init__(self, household: Household, terms: wire.EnrollTerms = TERMS, ticket: str = "a") -> None:
        self.household, self.ticket = household, ticket
        self.said = self.asks(wire.AskCamera(ticket, terms))

    def asks(self, question: wire.Question) -> wire.Sitting:
        answer = self.household.guardian.answer(question, "an operator")
        assert isinstance(answer, wire.Sitting)
        return answer

    def polls(self) -> wire.Sitting:
        return self.asks(wire.AskCameraProgress(self.ticket))

    def cancels(self) -> wire.Sitting:
        return self.asks(wire.AskCameraCancel(self.ticket))

    def sees(self, who: Embedding, looks: int = 5) -> wire.Sitting:
        """Somebody does as told."""
        for number, (yaw_deg, face_px) in enumerate(POSES[:looks]):
            self.household.passes(1)
            show(self.household, like(who, number), yaw_deg, face_px)
            said = self.polls()
        return said


def show(household: Household, face: Embedding, yaw_deg: float = 0, face_px: float = 120, age_s: float = 0) -> None:
    household.clock.advance(0.1)
    household.frame += 1
    at_s = household.clock.now_s() - age_s
    seen: Look = replace(look(at_s, yaw_deg=yaw_deg, face_px=face_px, frame=household.frame), embedding=face)
    household.guardian.eyes_say(wire.to_report(household.frame, at_s, 1, [seen]))
    household.guardian.tick()


def stays(command: Command, seconds: float) -> None:
    """The command goes on asking, and nobody is seen; the eyes go on reporting."""
    household = command.household
    for _ in range(round(seconds)):
        household.passes(1)
        household.eyes_see()
        command.polls()


def names(household: Household) -> set[str]:
    return {person.name for person in household.store.people()}


def test_who_is_before_the_camera_is_enrolled_and_then_comes_in(household: Household) -> None:
    command = Command(household)
    assert command.said.guidance == "look at the camera"
    assert ", enrolling" in household.guardian.status().eyes
    done = command.sees(STRANGER)
    assert done.person is not None
    assert (done.person.name, done.person.templates) == ("Grace", 5)
    assert [each.pose for each in done.kept] == ["ahead", "left", "right", "near", "far"]
    assert household.state() is State.LOCKED
    assert "enrolling" not in household.guardian.status().eyes
    assert household.told("enrolled")[0]["name"] == "Grace"
    assert household.comes(STRANGER, track=9)


def test_the_log_says_who_began_and_ended_it_and_names_nobody(household: Household) -> None:
    Command(household).sees(STRANGER)
    logged = {each.event.kind: each.event for each in household.store.events(100)}
    for kind in ("enrolling", "enrolling_ended"):
        assert logged[kind].detail["by"] == "an operator"
        assert "Grace" not in str(logged[kind])
    assert logged["enrolled"].person_id is not None


def test_meanwhile_faces_open_nothing_and_everything_else_does(household: Household) -> None:
    household.guardian.answer(wire.AskPin("Ada", "48151"), "")
    command = Command(household)
    assert not household.comes(ADA, track=5)
    assert not household.told("refused")
    household.types("48151")
    assert household.is_open()
    stays(command, 10)
    assert not household.is_open()
    household.senses(Input.EXIT_BUTTON)
    assert household.is_open()
    stays(command, 10)
    household.guardian.answer(wire.AskUnlock(5, "the plumber"), "")
    assert household.is_open()


def test_looks_from_before_open_nothing_afterwards(household: Household) -> None:
    household.eyes_see(ADA)
    Command(household).cancels()
    household.eyes_see(ADA)
    assert not household.is_open()
    household.eyes_see(ADA)
    household.eyes_see(ADA)
    assert household.is_open()


def test_nothing_is_stored_until_the_command_asks(household: Household) -> None:
    command = Command(household)
    for number, (yaw_deg, face_px) in enumerate(POSES):
        household.passes(0.9)
        show(household, like(STRANGER, number), yaw_deg, face_px)
    assert names(household) == {"Ada"}
    command.cancels()
    assert names(household) == {"Ada"}
    with pytest.raises(DoorError, match="cancelled"):
        command.polls()


def test_a_command_that_asks_no_more_ends_it(household: Household) -> None:
    command = Command(household)
    for _ in range(round(ASKED_EVERY_S) + 1):
        household.passes(1)
        household.eyes_see()
    assert household.told("enrolling_ended")[0]["reason"] == "its command has gone"
    with pytest.raises(DoorError, match="asked no more"):
        command.polls()
    assert household.comes(ADA, track=7)


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_too_few_looks_enrol_nobody(household: Household, looks: int) -> None:
    command = Command(household)
    if looks:
        command.sees(STRANGER, looks)
    with pytest.raises(FaceError, match=f"{looks} of at least 3"):
        stays(command, IDLE_S + 5)
    assert names(household) == {"Ada"}
    with pytest.raises(FaceError):  # it is said again to whoever asks again
        command.polls()


def test_three_looks_suffice_where_no_more_come(household: Household) -> None:
    command = Command(household)
    command.sees(STRANGER, 3)
    with pytest.raises(DoorError, match="is over"):
        stays(command, IDLE_S + 5)
    assert [person.templates for person in household.store.people() if person.name == "Grace"] == [3]


def test_a_look_alike_is_refused_with_the_figure_until_the_owner_decides(household: Household) -> None:
    with pytest.raises(FaceError, match=r"looks like Ada.*--pin-required"):
        Command(household).sees(ADA)
    assert names(household) == {"Ada"}
    assert household.told("enrolling_ended")[0]["reason"] == "nobody was enrolled (FaceError)"
    decided = Command(household, wire.EnrollTerms("Grace", pin_required=True), "b").sees(ADA)
    assert decided.person is not None
    permissions = household.store.permissions()
    assert all(permissions[person.id].pin_required for person in household.store.people())


def test_more_looks_are_added_to_somebody(household: Household) -> None:
    done = Command(household, wire.EnrollTerms("Ada", add=True)).sees(ADA)
    assert done.person is not None
    assert done.person.templates == 6
    with pytest.raises(FaceError, match="hardly looks like"):
        Command(household, wire.EnrollTerms("Ada", add=True), "b").sees(STRANGER)


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (wire.EnrollTerms("ada"), PersonError),
        (wire.EnrollTerms("Grace", add=True), PersonError),
        (wire.EnrollTerms("\x1b[2J"), PersonNameError),
        (wire.EnrollTerms(""), PersonNameError),
    ],
)
def test_a_name_that_will_not_do_is_refused_before_anybody_sits(
    household: Household, terms: wire.EnrollTerms, error: type[FacelatchError]
) -> None:
    with pytest.raises(error):
        Command(household, terms)
    assert not household.told("enrolling")


def test_one_at_a_time_and_nobody_asks_about_anothers(household: Household) -> None:
    first = Command(household)
    with pytest.raises(DoorError, match="already, by an operator"):
        Command(household, ticket="b")
    for question in (wire.AskCameraProgress("b"), wire.AskCameraCancel("b")):
        with pytest.raises(DoorError, match="no such enrolment"):
            first.asks(question)
    assert first.polls().person is None


@pytest.mark.parametrize("what", ["gone", "trouble", "silence", "anew"])
def test_it_ends_when_the_eyes_go_away(household: Household, what: str) -> None:
    command = Command(household)
    match what:
        case "gone":
            household.guardian.eyes_gone("they closed the connection")
        case "trouble":
            household.guardian.eyes_say(wire.Trouble("the cable"))
        case "anew":
            household.guardian.eyes_say(HELLO)
        case _:
            household.passes(3.6)
    with pytest.raises(CameraError, match="went away"):
        command.polls()
    assert household.told("enrolling_ended")[0]["reason"] == "the eyes went away"


def test_without_eyes_it_does_not_begin(household: Household) -> None:
    household.guardian.eyes_gone("they closed the connection")
    with pytest.raises(CameraError, match="eyes are away"):
        Command(household)


def test_a_lockdown_ends_it_and_lets_none_begin(household: Household) -> None:
    command = Command(household)
    household.guardian.answer(wire.AskMode("lockdown"), "")
    household.guardian.tick()
    with pytest.raises(DoorError, match="lockdown"):
        command.polls()
    with pytest.raises(DoorError, match="locked down"):
        Command(household, ticket="b")


def test_a_guardian_that_stops_says_that_it_ended(household: Household) -> None:
    Command(household)
    household.guardian.stop("a signal")
    assert household.told("enrolling_ended")[0]["reason"] == "the guardian stops"
    assert household.kinds()[-1] == "stopped"


@pytest.mark.parametrize("age_s", [5.0, -5.0])
def test_looks_from_before_it_began_or_from_the_future_are_passed_over(household: Household, age_s: float) -> None:
    command = Command(household)
    show(household, STRANGER, age_s=age_s)
    assert command.polls().kept == []
    show(household, STRANGER)
    assert len(command.polls().kept) == 1


def test_lights_and_buzzer_tell_a_look_that_was_kept_from_one_that_was_not(household: Household) -> None:
    Command(household)
    show(household, STRANGER)
    household.clock.advance(1)
    show(household, like(STRANGER, 2))  # not turned to the left
    assert [sign for sign in household.lamps.shown if sign in (Sign.KEPT, Sign.GUIDANCE)] == [Sign.KEPT, Sign.GUIDANCE]
    assert Sign.LOOKING not in household.lamps.shown


def test_what_the_camera_shows_is_there_for_whoever_asked_for_it_and_no_longer(household: Household) -> None:
    guardian = household.guardian
    Command(household)
    guardian.eyes_say(wire.Snapshot(b"nobody asked"))
    assert not guardian.wants_pictures()
    assert guardian.answer(wire.AskCameraPicture("a")) == wire.Picture(None)
    guardian.answer(wire.AskCameraCancel("a"))
    guardian.answer(wire.AskCamera("b", TERMS, preview=True), "an operator")
    assert guardian.wants_pictures()
    assert guardian.answer(wire.AskCameraPicture("b")) == wire.Picture(None)
    guardian.eyes_say(wire.Snapshot(b"a picture"))
    assert guardian.answer(wire.AskCameraPicture("b")) == wire.Picture(b"a picture")
    with pytest.raises(DoorError):
        guardian.answer(wire.AskCameraPicture("a"))
    guardian.answer(wire.AskCameraCancel("b"))
    assert not guardian.wants_pictures()
    with pytest.raises(DoorError):
        guardian.answer(wire.AskCameraPicture("b"))
    assert not household.guardian._config.snapshots_path.exists()
