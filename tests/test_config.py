from pathlib import Path

import pytest

from edge.config import fitted, load, template, unset
from edge.errors import ConfigError
from edge.settings import Config


def faults(path: Path | None = None, environment: dict[str, str] | None = None, **flags: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {}, flags)
    return str(caught.value)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "facelatch.toml"
    path.write_text(text)
    return path


def test_the_template_is_a_configuration_and_says_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, template()), {}) == Config()


def test_every_setting_survives_the_way_through_a_file(tmp_path: Path) -> None:
    nasty = 'a "quoted" \\ path ü'
    config = load(None, {}, {"camera": {"driver": "replay", "source": nasty}, "door": {"unlock_s": 2.5}})
    assert load(written(tmp_path, template(config)), {}) == config


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[door]\nunlock_s = 3\n[faces]\nmin_px = 70\n[evidence]\nlook_age_max_ms = 200\n")
    environment = {"FACELATCH_DOOR__UNLOCK_S": "4", "FACELATCH_FACES__MIN_PX": "80.5", "PATH": "/bin"}
    config = load(path, environment, {"door": {"unlock_s": 5}})
    assert (config.door.unlock_s, config.faces.min_px, config.evidence.look_age_max_ms) == (5, 80.5, 200)


def test_text_in_the_environment_needs_no_quotes() -> None:
    assert load(None, {"FACELATCH_PATHS__STATE": "/tmp/x"}).paths.state == "/tmp/x"
    assert load(None, {"FACELATCH_BOLT__DRIVER": "simulated"}).bolt.driver == "simulated"


def test_every_fault_is_told_at_once_with_what_was_meant(tmp_path: Path) -> None:
    said = faults(
        written(tmp_path, "[dor]\nx = 1\n[door]\nunlok_s = 3\nunlock_s = 99\n[faces]\nmin_px = '60'\n"),
        {"FACELATCH_BOLT__PIN": "40", "FACELATCH_NOSECTION": "1"},
        match={"similarity_min": 0.1},
    )
    for expected in (
        "did you mean door?",
        "did you mean unlock_s?",
        "door.unlock_s = 99",
        "faces.min_px = '60'",
        "bolt.pin = 40",
        "FACELATCH_NOSECTION",
        "match.similarity_min = 0.1",
    ):
        assert expected in said
    assert said.count("\n  - ") == 7


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "-1", "0", "1e400", '"5"', "true", "[1]"])
def test_no_odd_number_holds_the_door(tmp_path: Path, number: str) -> None:
    assert "door.unlock_s" in faults(written(tmp_path, f"[door]\nunlock_s = {number}\n"))


@pytest.mark.parametrize(
    "text", ["[door", "door = 3", "\x00", "a" * 200_000, "x = " + "[" * 5000, "[door]\nunlock_s = 3\nunlock_s = 4"]
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    assert "facelatch.toml" in faults(written(tmp_path, text))


def test_a_file_that_is_not_text_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facelatch.toml"
    assert "No such file" in faults(path)
    path.write_bytes(b"\xff\xfe[door]")
    assert "not TOML" in faults(path)
    assert "cannot be read" in faults(tmp_path)


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\x7f", "\udcff", "\x1b[2J"])
def test_text_that_no_path_should_hold_is_refused_and_shown_harmlessly(text: str) -> None:
    said = faults(paths={"state": text})
    assert "control characters" in said
    assert said.replace("\n", "").isprintable()


def test_hostile_names_of_settings_are_shown_harmlessly(tmp_path: Path) -> None:
    said = faults(written(tmp_path, '["\\u001b[2J"]\nx = 1\n[door]\n"\\u0007" = 1\n'))
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 6000, "[" * 5000])
def test_numbers_without_end_are_refused(tmp_path: Path, number: str) -> None:
    assert "facelatch.toml" in faults(written(tmp_path, f"[door]\nunlock_s = {number}\n"))
    assert "unlock_s" in faults(environment={"FACELATCH_DOOR__UNLOCK_S": number})


def test_a_contradiction_is_told_beside_other_faults() -> None:
    said = faults(door={"unlok_s": 1}, bolt={"pin": 3}, attempts={"lockout_s": 600, "lockout_max_s": 60})
    assert all(expected in said for expected in ("more than attempts", "unlock_s", "releases the strike"))


def test_a_setting_of_a_former_version_is_passed_over_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, "[evidence]\nlooks_needed = 3\nlook_age_max_ms = 400\n")
    assert load(path).evidence.look_age_max_ms == 400
    (note,) = unset(path)
    assert "evidence.looks_needed is no longer set" in note
    assert "looks_needd" in faults(written(tmp_path, "[evidence]\nlooks_needd = 3\n"))


@pytest.mark.parametrize(
    ("pin", "active", "fires"), [(8, "high", True), (9, "high", False), (8, "low", False), (9, "low", True)]
)
def test_a_pin_that_would_fire_at_boot_needs_a_resistor(pin: int, active: str, fires: bool) -> None:
    bolt = {"pin": pin, "active": active}
    if not fires:
        assert load(None, {}, {"bolt": bolt}).bolt.pin == pin
        return
    assert "releases the strike" in faults(bolt=bolt)
    assert load(None, {}, {"bolt": {**bolt, "external_pull": True}}).bolt.pin == pin
    assert load(None, {}, {"bolt": {**bolt, "driver": "simulated"}}).bolt.pin == pin


def test_a_replay_needs_a_recording() -> None:
    assert "camera.source" in faults(camera={"driver": "replay"})


def test_liveness_has_room_for_not_yet() -> None:
    assert "liveness.mode" in faults(liveness={"mode": "sometimes"})
    assert "liveness.live_min" in faults(liveness={"live_min": 0.4})
    assert "liveness.attack_max" in faults(liveness={"attack_max": 0.41})


def test_the_device_the_fallback_and_the_networks_folder_are_settings() -> None:
    chosen = load(None, {}, {"models": {"device": "edgetpu", "fallback": "cpu", "folder": "/my networks"}}).models
    assert (chosen.device, chosen.fallback, chosen.folder, chosen.delegate) == (
        "edgetpu",
        "cpu",
        "/my networks",
        "libedgetpu.so.1",
    )
    assert Config().models.device == "cpu"
    for key, value in {"device": "gpu", "fallback": "yes", "delegate": "", "folder": "a\0b", "flip_average": 1}.items():
        assert f"models.{key}" in faults(models={key: value})


def test_the_configuration_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError):
        Config().door.unlock_s = 30  # type: ignore[misc]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"inputs": {"exit_button": 17}}, "pin 17 is given to bolt.pin and inputs.exit_button"),
        ({"inputs": {"tamper": 5}, "indicator": {"red": 5}}, "pin 5 is given to inputs.tamper and indicator.red"),
        ({"indicator": {"buzzer": 28}}, "indicator.buzzer = 28 is not on the header"),
        ({"bolt": {"driver": "gpiod", "external_pull": True}}, "bolt.chip must name the chip's label"),
        ({"bolt": {"driver": "gpiod", "chip": "a chip"}}, "bolt.external_pull must be true"),
        ({"bolt": {"kind": "maglock", "active": "low"}}, "releases the maglock"),
        ({"door": {"held_open_s": 10, "held_open_warning_s": 11}}, "held_open_warning_s is more than"),
        ({"keypad": {"device": "/etc/passwd"}}, "is no input device"),
        ({"inputs": {"debounce_ms": 5}}, "inputs.debounce_ms = 5"),
        ({"log": {"snapshots_days": 91}}, "log.snapshots_days = 91"),
    ],
)
def test_what_cannot_be_wired_or_meant_is_refused_with_the_reason(
    flags: dict[str, dict[str, object]], expected: str
) -> None:
    assert expected in faults(None, {}, **flags)


def test_a_board_with_a_pull_resistor_may_use_any_line() -> None:
    bolt = {"driver": "gpiod", "chip": "a chip", "pin": 300, "active": "low", "external_pull": True}
    config = load(None, {}, {"bolt": bolt, "inputs": {"exit_button": 301}})
    assert fitted(config.bolt, config.inputs, config.indicator) == {"bolt.pin": 300, "inputs.exit_button": 301}
