"""The recorded evening of the README happens again: real processes, real networks, lines that are files."""

from pathlib import Path

import pytest

from tools.demo.session import UNTOLD, Evening, play

pytestmark = pytest.mark.alone

RECORDED = Path(__file__).parents[2] / "tools/demo/session.txt"

STEADY = {
    "started",
    "released",
    "opened",
    "held_open",
    "closed",
    "exit",
    "lockout",
    "duress",
    "mode",
    "cleared",
    "stopped",
}
"""What every evening has in this order; refusals and attempts may come once more on a slow machine."""


def kinds(text: str) -> list[str]:
    """Of the recorded notices."""
    return [words[2] for line in text.splitlines() if len(words := line.split()) > 2 and words[1] == "s"]


def test_the_recorded_evening_happens_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "fl"
    folder.mkdir()
    told = play(Evening(folder))
    recorded = kinds(RECORDED.read_text())
    assert [each for each in told if each in STEADY] == [each for each in recorded if each in STEADY]
    assert {"refused", "attempt", "secured"} <= set(told)
    assert not UNTOLD & set(kinds(capsys.readouterr().out))
