"""The system's calendar and what the kernel says of it: real zones, the real call."""

import ctypes
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.devices import clock as module
from edge.devices.clock import SystemClock, synchronised
from edge.errors import ConfigError
from edge.ports import Clock


def test_the_clock_is_the_ports() -> None:
    clock: Clock = SystemClock()  # mypy checks it
    assert abs(clock.now_s() - time.monotonic()) < 1
    assert abs(datetime.fromisoformat(clock.utc()) - datetime.now(UTC)) < timedelta(seconds=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_local_is_the_same_moment_in_the_zone(zone: str) -> None:
    local = SystemClock(zone).local()
    assert abs(local - datetime.now(UTC)) < timedelta(seconds=1)
    assert local.utcoffset() == datetime.now(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize(
    "zone", ["Europe/Berlinn", "../../../etc/passwd", "/etc/localtime", "a\0b", "x" * 5000, "Europe"]
)
def test_an_unknown_zone_is_refused_in_printable_words(zone: str) -> None:
    with pytest.raises(ConfigError, match=r"is not known here\. Give one as Europe/Berlin") as caught:
        SystemClock(zone)
    assert str(caught.value).isprintable()


def test_the_systems_zone_knows_daylight_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    berlin = next(path for folder in _zone_folders() if (path := folder / "Europe/Berlin").exists())
    monkeypatch.setattr(module, "_LOCALTIME", berlin)
    local = SystemClock().local()
    summer, winter = (datetime(2026, month, 1, tzinfo=local.tzinfo).utcoffset() for month in (7, 1))
    assert (summer, winter) == (timedelta(hours=2), timedelta(hours=1))


def test_the_systems_zone_is_what_the_c_library_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert SystemClock().local().utcoffset() == datetime.now(UTC).astimezone().utcoffset()


def test_a_zone_in_the_environment_counts(environment_zone: str) -> None:
    assert SystemClock().local().utcoffset() == datetime.now(ZoneInfo(environment_zone)).utcoffset()


@pytest.fixture
def environment_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kathmandu")
        time.tzset()
        yield "Asia/Kathmandu"
    time.tzset()


@pytest.mark.parametrize("content", [None, b"no time zone"])
def test_without_rules_the_c_library_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "localtime").write_bytes(content)
    monkeypatch.setattr(module, "_LOCALTIME", tmp_path / "localtime")
    assert SystemClock().local().utcoffset() == datetime.now(UTC).astimezone().utcoffset()


def test_the_kernels_answer_is_the_one_of_its_other_call() -> None:
    """ntp_gettime(3) fills another structure, and returns TIME_ERROR (5) while the clock is not synchronised."""
    assert synchronised() == (ctypes.CDLL(None).ntp_gettime(ctypes.create_string_buffer(512)) not in (-1, 5))


def test_a_clock_is_trusted_when_it_is_synchronised_or_a_battery_kept_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_RTC", (tmp_path / "rtc0",))
    assert SystemClock().trusted() == synchronised()
    monkeypatch.setattr(module, "synchronised", lambda: False)
    assert not SystemClock().trusted()
    (tmp_path / "rtc0").touch()
    assert SystemClock().trusted()
    (tmp_path / "rtc0").unlink()
    monkeypatch.setattr(module, "synchronised", lambda: True)
    assert SystemClock().trusted()


def test_the_answer_is_kept_for_seconds_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_RTC", (tmp_path / "rtc0",))
    answers = iter([False, True])
    monkeypatch.setattr(module, "synchronised", lambda: next(answers))
    clock = SystemClock()
    now_s = 100.0
    monkeypatch.setattr(clock, "now_s", lambda: now_s)
    assert not clock.trusted()
    now_s += module.TRUST_KEPT_S
    assert not clock.trusted()
    now_s += 0.1
    assert clock.trusted()


def _zone_folders() -> list[Path]:
    import zoneinfo

    return [Path(folder) for folder in zoneinfo.TZPATH]


def test_a_clock_that_cannot_be_looked_at_is_none_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a sandbox hides it: the guardian asks at every look."""
    monkeypatch.setattr(module, "synchronised", lambda: False)
    monkeypatch.setattr(module, "_RTC", (Path("/" + "x" * 300),))
    assert not SystemClock().trusted()
