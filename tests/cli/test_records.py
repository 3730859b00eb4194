"""The commands on what is kept of people and on the store as a whole: real processes, with and without a guardian."""

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.consent import WORDING
from edge.devices.clock import SystemClock
from edge.models.manifest import template_space
from edge.settings import BackupConfig, Config, PathsConfig, PrivacyConfig
from edge.store.sqlite import SqliteStore
from edge.types import Event
from tests.cli.facelatch import command, ok, ok_json, refused, run
from tests.store.helpers import vectors

SPACE = template_space("cpu", "none", None)


def stored(house: Config) -> SqliteStore:
    return SqliteStore.open(house.store_path, *SPACE, SystemClock())


@pytest.fixture
def home(house: Config) -> Config:
    """Anna and Bert live here."""
    with stored(house) as store:
        store.enroll("Anna", vectors(3, 1))
        store.enroll("Bert", vectors(2, 2))
    return house


@contextmanager
def guarding(house: Config) -> Iterator[list[dict[str, Any]]]:
    """A guardian that serves; what it says until then, and, once it has ended, all that it said."""
    said: list[dict[str, Any]] = []
    process = subprocess.Popen(command(house, "door", "--json"), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        while not said or said[-1]["kind"] != "started":
            line = process.stdout.readline()
            assert line, said
            said.append(json.loads(line))
        while run(house, "status").returncode or ok_json(house, "status")["door"] == "not running":
            assert process.poll() is None
        said.append({"kind": "pid", "pid": process.pid})
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        said += [json.loads(line) for line in process.communicate(timeout=20)[0].splitlines()]


def names(house: Config) -> list[str]:
    return [person["name"] for person in ok_json(house, "people")]


def test_show_tells_what_is_kept_and_how_the_templates_do(home: Config) -> None:
    with stored(home) as store:
        for day in range(1, 26):
            store._clock = Day(day)
            store.log(Event("released", 1, {"similarity": 0.85 - 0.008 * day}))
    shown = ok_json(home, "people", "show", "anna")
    assert (shown["kept"]["person"]["name"], shown["kept"]["person"]["templates"]) == ("Anna", 3)
    assert (shown["ageing"]["grants"], shown["ageing"]["enrol_again"]) == (25, True)
    assert shown["ageing"]["last_seen_utc"].startswith("2026-01-25")
    assert shown["ageing"]["change"] < -0.08
    told = ok(home, "people", "show", "anna")
    assert "enrol again" in told
    assert "none recorded" in told
    assert "too few grants" in ok(home, "people", "show", "Bert")
    assert "Did you mean 'Anna'?" in refused(home, 5, "people", "show", "Ana")


class Day(SystemClock):
    """A calendar that stands at noon of a day in January."""

    def __init__(self, day: int) -> None:
        super().__init__()
        self._utc = f"2026-01-{day:02}T12:00:00.000+00:00"

    def utc(self) -> str:
        return self._utc


def test_export_hands_out_everything_into_a_file_of_ones_own(home: Config, tmp_path: Path) -> None:
    ok(home, "people", "agree", "Anna", "--until", "2030-01-01")
    file = tmp_path / "anna.json"
    assert ok_json(home, "people", "export", "anna", "--to", file) == {"file": str(file), "person": "Anna"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = json.loads(file.read_text())
    assert document["kept"]["person"]["expires"] == "2030-01-01"
    assert document["kept"]["person"]["consent"]["wording"] == WORDING
    rows = [
        np.frombuffer(base64.b64decode(each), "<f4") for each in document["templates (float32, little-endian, base64)"]
    ]
    assert np.array_equal(np.stack(rows), np.stack(vectors(3, 1)))
    assert [line["kind"] for line in document["log"]] == ["agreed", "exported", "exported"]
    before = file.read_bytes()
    assert "cannot be written (File exists)" in refused(home, 4, "people", "export", "anna", "--to", file)
    assert file.read_bytes() == before
    assert json.loads(ok(home, "people", "export", "Bert"))["kept"]["person"]["name"] == "Bert"


def test_forgetting_asks_first(home: Config) -> None:
    done = subprocess.run(command(home, "forget", "Anna"), input="n\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Erase Anna, 3 templates, for good?" in done.stderr
    assert names(home) == ["Anna", "Bert"]
    nobody = subprocess.run(command(home, "forget", "Anna"), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert nobody.returncode == 1  # nobody is there to say yes
    assert names(home) == ["Anna", "Bert"]
    done = subprocess.run(command(home, "forget", "Anna"), input="y\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0
    ok(home, "people", "forget", "bert", "--yes")
    assert names(home) == []


def test_a_person_is_disabled_enabled_and_given_a_last_day(home: Config) -> None:
    def kept() -> dict[str, Any]:
        found: dict[str, Any] = ok_json(home, "people", "show", "Anna")["kept"]
        return found

    ok(home, "people", "disable", "Anna")
    assert kept()["permission"]["disabled"] is True
    ok(home, "people", "enable", "Anna")
    assert kept()["permission"]["disabled"] is False
    ok(home, "people", "expire", "Anna", "2031-05-01")
    assert kept()["person"]["expires"] == "2031-05-01"
    assert "2031-05-01" in ok(home, "people")
    ok(home, "people", "expire", "Anna", "never")
    assert kept()["person"]["expires"] is None
    assert "is no date" in refused(home, 4, "people", "expire", "Anna", "tomorrow")
    assert "is past" in refused(home, 4, "people", "expire", "Anna", "2001-01-01")
    assert "is past" in refused(home, 4, "people", "agree", "Anna", "--until", "2001-01-01")


def test_consent_is_asked_for_recorded_and_ends(house: Config, photos: dict[str, Path]) -> None:
    house = msgspec.structs.replace(house, privacy=PrivacyConfig(consent="required", consent_days=100))
    wording = ok(house, "consent")
    assert f"wording {WORDING}" in wording
    assert ok_json(house, "consent") == {"wording": WORDING, "text": wording}
    assert "ends 100 days from today" in wording
    assert "pictures" not in wording
    assert "--consent" in refused(house, 4, "enroll", "Barack", photos["obama.jpg"])
    assert names(house) == []
    person = ok_json(house, "enroll", "Barack", photos["obama.jpg"], "--consent")["person"]
    assert person["consent"]["wording"] == WORDING
    given, ends = (np.datetime64(person[key][:10]) for key in ("enrolled_utc", "expires"))
    assert ends - given == np.timedelta64(100, "D")


def test_backup_and_restore_as_an_owner_does_it(home: Config, tmp_path: Path) -> None:
    made = ok_json(home, "backup")
    assert made["bytes"] == Path(made["file"]).stat().st_size
    assert [each["file"] for each in ok_json(home, "backup", "--list")] == [made["file"]]
    ok(home, "backup", tmp_path / "stick.db")
    assert "is there already" in refused(home, 4, "backup", tmp_path / "stick.db")
    ok(home, "forget", "Anna", "--yes")
    ok(home, "people", "rename", "Bert", "Berta")
    done = subprocess.run(command(home, "restore"), input="n\n", capture_output=True, text=True, check=False)
    assert (done.returncode, names(home)) == (1, ["Berta"])
    assert ok_json(home, "restore", "--yes")["people"] == 1
    assert names(home) == ["Bert"]
    assert "1 enrolled" in ok(home, "restore", tmp_path / "stick.db", "--yes")
    (tmp_path / "stick.db").write_bytes(b"rubbish")
    assert "nothing was changed" in refused(home, 6, "restore", tmp_path / "stick.db", "--yes")
    assert names(home) == ["Bert"]


def test_who_was_enrolled_after_the_backup_can_still_be_erased_for_good(home: Config) -> None:
    made = ok_json(home, "backup")["file"]
    with stored(home) as store:
        store.enroll("Cleo", vectors(1, 3))
    done = ok_json(home, "restore", made, "--yes")
    assert (done["people"], done["keys_of_nobody"]) == (2, 1)
    assert "1 of nobody enrolled" in ok(home, "keys")
    ok(home, "keys", "drop", "--yes")
    ok(home, "restore", done["aside"], "--yes")
    assert names(home) == ["Anna", "Bert"]


def test_without_a_backup_and_without_a_store_it_is_said(house: Config) -> None:
    assert "There is no backup in" in refused(house, 4, "restore", "--yes")
    refused(house, 6, "backup")
    assert not house.store_path.exists()
    assert ok_json(house, "backup", "--list") == []


def test_while_the_lock_runs_a_backup_is_made_and_a_restore_refused(home: Config) -> None:
    home = msgspec.structs.replace(home, backup=BackupConfig(keep=0))
    with guarding(home):
        made = ok_json(home, "backup")["file"]
        message = refused(home, 6, "restore", made, "--yes")
        assert "in use by process" in message
        assert ok_json(home, "keys")["people"] == 2
        before = ok_json(home, "keys")["mark"]
        assert ok_json(home, "keys", "rotate")["mark"] != before
        assert names(home) == ["Anna", "Bert"]
    assert names(home) == ["Anna", "Bert"]
    ok(home, "restore", made, "--yes")  # the rows are sealed with the keys of people, which stayed
    assert names(home) == ["Anna", "Bert"]


def test_a_running_lock_backs_itself_up(home: Config) -> None:
    with guarding(home):
        while not ok_json(home, "log", "--kind", "backed_up"):
            continue
    (made,) = home.backups_path.iterdir()
    ok(home, "forget", "Anna", "--yes")
    ok(home, "restore", made, "--yes")
    assert names(home) == ["Bert"]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_damaged_store_at_the_start_falls_back_only_where_that_is_allowed(home: Config, allowed: bool) -> None:
    ok(home, "backup")
    spoilt = home.backups_path / "facelatch-20991231T000000Z.db"
    shutil.copyfile(home.backups_path / next(iter(home.backups_path.iterdir())).name, spoilt)
    spoilt.write_bytes(spoilt.read_bytes()[:9000])  # the newest one is no good
    damaged = home.store_path.read_bytes()[:5000] + bytes(5000)
    home.store_path.write_bytes(damaged)
    home = msgspec.structs.replace(home, backup=BackupConfig(when_damaged="restore" if allowed else "refuse"))
    if not allowed:
        assert "is truncated" in refused(home, 6, "door")
        assert home.store_path.read_bytes() == damaged
        return
    with guarding(home) as said:
        assert [notice["kind"] for notice in said[:3]] == ["backup_refused", "restored", "started"]
        assert "is truncated" in said[1]["reason"]
        assert names(home) == ["Anna", "Bert"]
        assert [line["kind"] for line in ok_json(home, "log", "--kind", "restored")] == ["restored"]
        aside = home.store_path.with_name(said[1]["aside"])
        assert aside.read_bytes() == damaged


def test_the_master_key_may_lie_elsewhere_or_be_a_credential(home: Config, tmp_path: Path) -> None:
    beside = home.store_path.with_name("facelatch.db.master")
    key = shutil.move(beside, tmp_path / "key")
    assert "master key" in refused(home, 6, "people")
    elsewhere = msgspec.structs.replace(home, paths=msgspec.structs.replace(home.paths, master_key=str(key)))
    assert names(elsewhere) == ["Anna", "Bert"]
    credential = msgspec.structs.replace(home, paths=msgspec.structs.replace(home.paths, master_key="credential"))
    assert "systemd hands none" in refused(credential, 6, "people")
    (tmp_path / "credentials").mkdir()
    shutil.copyfile(key, tmp_path / "credentials" / "facelatch.master")
    done = run(credential, "people", "--json", CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))
    assert [person["name"] for person in json.loads(done.stdout)] == ["Anna", "Bert"]
    assert (
        "no next one" in run(credential, "keys", "rotate", CREDENTIALS_DIRECTORY=str(tmp_path / "credentials")).stderr
    )
    before = Path(key).read_bytes()
    ok(elsewhere, "keys", "rotate")
    assert Path(key).read_bytes() != before
    assert names(elsewhere) == ["Anna", "Bert"]


def test_the_shell_completes_commands_options_and_names(home: Config) -> None:
    def completed(*words: str) -> list[str]:
        config = Path(home.paths.state).parent / "facelatch.toml"
        line = ["facelatch", "--config", str(config), *words]
        environment = {
            **os.environ,
            "_FACELATCH_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
        }
        done = subprocess.run(
            [sys.executable, "-m", "edge"], capture_output=True, text=True, check=True, env=environment
        )
        return [each.partition(",")[2] for each in done.stdout.split()]

    ok(home, "people")  # writes the configuration
    assert completed("peo") == ["people"]
    assert {"show", "export", "forget", "check"} <= set(completed("people", "")) | {"check"}
    assert completed("people", "show", "b") == ["Bert"]
    assert completed("forget", "an") == ["Anna"]


def test_no_process_of_the_lock_dumps_its_memory(home: Config) -> None:
    with guarding(home) as said:
        proc = Path(f"/proc/{said[-1]['pid']}")
        limits = (proc / "limits").read_text()
        assert int((proc / "coredump_filter").read_text(), 16) == 0
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]


def test_nothing_biometric_is_told_when_something_fails(home: Config, photos: dict[str, Path]) -> None:
    """Errors, log and crash output hold no number of an embedding, and the log no name."""
    with stored(home) as store:
        template = store.gallery().templates[0]
    numbers = [f"{value:.6f}".rstrip("0") for value in template if abs(value) > 0.01]
    needles = [*numbers, template.tobytes()[:12].hex(), base64.b64encode(template.tobytes()).decode()[:16]]
    told = ""
    for arguments in (
        ("enroll", "Anna", photos["biden.jpg"]),
        ("enroll", "--add", "Anna", photos["biden.jpg"]),
        ("look", photos["biden.jpg"], "--json"),
        ("people", "show", "Anna", "--json"),
        ("log", "--json"),
    ):
        done = run(home, *arguments)
        told += done.stdout + done.stderr
    assert "similarity" in told
    assert [needle for needle in needles if needle in told] == []


def test_paths_config_default_is_the_file_beside_the_store() -> None:
    assert PathsConfig().master_key == ""
