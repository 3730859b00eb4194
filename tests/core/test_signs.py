"""Every sign can be told from the others, and none hides an alarm."""

from hypothesis import given
from hypothesis import strategies as st

from edge.core.signs import OFF, PASSING, STEPS, SignPlayer
from edge.types import Sign


def test_every_sign_has_steps_and_no_two_look_alike() -> None:
    assert set(STEPS) == set(Sign)
    assert len(set(STEPS.values())) == len(Sign)


def test_a_welcome_is_played_once_and_the_steady_sign_goes_on() -> None:
    player = SignPlayer()
    player.show(Sign.READY, 0)
    player.show(Sign.WELCOME, 10)
    assert player.step(10)[0] is STEPS[Sign.WELCOME][0]
    assert player.step(12.9)[0] is STEPS[Sign.WELCOME][1]
    assert player.step(13.1)[0] in STEPS[Sign.READY]


def test_a_refusal_does_not_cut_a_welcome_short() -> None:
    player = SignPlayer()
    player.show(Sign.WELCOME, 0)
    player.show(Sign.REFUSED, 1)
    player.show(Sign.LOOKING, 1)
    assert player.step(1)[0] in STEPS[Sign.WELCOME]


def test_nobody_quietens_an_alarm_by_being_refused() -> None:
    player = SignPlayer()
    player.show(Sign.ALARM, 0)
    player.show(Sign.REFUSED, 1)
    player.show(Sign.LOOKING, 1)
    assert player.step(1)[0] in STEPS[Sign.ALARM]
    player.show(Sign.WELCOME, 2)
    assert player.step(2)[0] in STEPS[Sign.WELCOME]


def test_a_sign_that_is_shown_at_every_turn_keeps_its_rhythm() -> None:
    player = SignPlayer()
    levels = []
    for tick in range(100):
        player.show(Sign.WARNING, tick / 10)
        levels.append(player.step(tick / 10)[0].buzzer)
    assert 8 <= sum(levels) <= 12


@given(st.lists(st.tuples(st.sampled_from(Sign), st.floats(0, 5))), st.floats(0, 100))
def test_a_step_is_always_one_of_a_shown_sign_and_lasts(shown: list[tuple[Sign, float]], after_s: float) -> None:
    player, now_s = SignPlayer(), 0.0
    for sign, pause_s in shown:
        now_s += pause_s
        player.show(sign, now_s)
    step, until_s = player.step(now_s + after_s)
    assert until_s >= now_s + after_s
    assert step == OFF or any(step in STEPS[sign] for sign, _ in shown)
    steady = [sign for sign, _ in shown if sign not in PASSING]
    if after_s > 4 and steady:
        assert step in STEPS[steady[-1]]
