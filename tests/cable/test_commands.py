"""The real commands over pseudo-terminals: pairing, enrolling, looking, forgetting, as an owner does it."""

import json
import shutil
from pathlib import Path

from edge import bundle
from edge.app import cable_key
from edge.settings import Config
from tests.cable.wires import Laptop, lock
from tests.cli.facelatch import ok, ok_json, refused
from tools.demo.wires import UART_BYTES_S, plugged

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")


def test_an_owner_pairs_enrols_looks_and_forgets(house: Config, photos: dict[str, Path], tmp_path: Path) -> None:
    """At 115,200 baud, where a person is no more than the line carries in half a minute; the time is not asserted."""
    laptop = Laptop(tmp_path)
    with plugged(UART_BYTES_S) as cable, lock(house, cable):
        port = cable.laptop
        stranger = laptop.run("status", port=port)
        assert stranger.returncode == 4
        assert "paired with no lock" in stranger.stderr
        code = ok_json(house, "usb", "pair")["code"]
        assert "Paired with lock" in laptop.ok("pair", "--name", "Ada's laptop", port=port, typed=f"{code}\n")
        assert (tmp_path / "config" / "facelatch" / "usb.json").stat().st_mode & 0o077 == 0
        assert "LOCKED" in laptop.ok("status", port=port)

        before = cable.passed["lock"]
        said = laptop.ok("enroll", "Barack Obama", *(photos[name] for name in OBAMA), port=port)
        assert cable.passed["lock"] - before < 30 * UART_BYTES_S
        assert "Barack Obama is enrolled with 3 templates." in said
        assert json.loads(laptop.ok("people", "--json", port=port))[0]["templates"] == 3
        assert "Barack Obama" in ok(house, "people")
        assert "enrolled" in laptop.ok("log", port=port)
        assert "networks" in laptop.ok("doctor", port=port)
        assert laptop.ok("config", port=port).startswith("[door]")
        people = tmp_path / "people" / "Joe Biden"
        people.mkdir(parents=True)
        shutil.copy(photos["biden.jpg"], people)
        packed = tmp_path / "stick.facelatch"
        made = laptop.command("bundle", "create", people.parent, "--out", packed)
        assert made.returncode == 0, made.stderr
        opened = bundle.read(packed.read_bytes(), cable_key(house))
        assert [entry.name for entry in opened.head.people] == ["Joe Biden"]
        assert laptop.command("bundle", "create", people.parent, "--out", packed).returncode == 4
        assert laptop.run("forget", "Nobody", "--yes", port=port).returncode == 5
        laptop.ok("forget", "Barack Obama", "--yes", port=port)
        assert "Barack Obama" not in ok(house, "people")

        assert laptop.run("enroll", "Joe Biden", photos["biden.jpg"], port=port).returncode == 0
        again = laptop.run("enroll", "Joe Biden", photos["biden.jpg"], port=port)
        assert again.returncode == 5
        assert "enrolled already" in again.stderr

        window = ok_json(house, "usb", "window", "--minutes", "2", "--consent")
        assert 110 < window["for_s"] <= 120
        assert window["consent"]
        assert "taken for 10 minutes" in ok(house, "usb", "window")
        ok(house, "stick", str(tmp_path))  # a folder, where no stick is mounted
        assert "no FAT file system" in ok(house, "usb", "report")

        (listed,) = ok_json(house, "usb", "keys")["keys"]
        assert listed["label"] == "Ada's laptop"
        refused(house, 4, "usb", "revoke", "99")
        ok(house, "usb", "revoke", str(listed["number"]))
        gone = laptop.run("people", port=port)
        assert gone.returncode == 10
        assert "does not know this laptop" in gone.stderr


def test_a_port_where_nobody_answers_and_one_that_is_none(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path)
    none = laptop.run("pair", "K7QM-2XPA-9DFE", port="/dev/there-is-none")
    assert none.returncode == 10
    assert "cannot be opened" in none.stderr
    with plugged() as cable:
        silent = laptop.run("pair", "K7QM-2XPA-9DFE", port=cable.laptop)
    assert silent.returncode == 10
    assert "Nothing answers" in silent.stderr
    wrong = laptop.run("pair", "no code", port="/dev/there-is-none")
    assert wrong.returncode == 4
