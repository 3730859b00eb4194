"""An upgrade carries the store over, one that does not serve is taken back, and a downgrade is refused.

All of it through the installer, with the lock in use. The machine has this checkout's version and its store; the
releases that follow are made of this very checkout (tests/lab/releases.py): one with a migration more, one that never
says READY.
"""

import json

from tests.lab import board, releases, stages
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN = 17
KEPT = "cp -al /opt/kept/facelatch-{}-* /opt/"
"""An environment that the upgrade before has removed; install.sh would make the very same again, in minutes."""
INSTALL_S = 600.0


def run(lab: Lab) -> None:
    (present,) = lab.pushed.glob("wheels/facelatch-*.whl")
    version = present.name.split("-")[1]
    with lab.guest(stages.upgradable(lab)) as guest:
        schema = _schema(guest)
        upgraded = guest.run(releases.install(releases.NEXT), within_s=INSTALL_S)
        lab.keep("upgrade.txt", upgraded.stdout)
        lab.check("an upgrade succeeds", upgraded.returncode == 0, upgraded.stdout.splitlines()[-1])
        _serves(lab, guest, "upgraded", releases.NEXT)
        lab.check("... its store has the new schema", _schema(guest) == schema + 1, f"{schema} -> {_schema(guest)}")
        backups = guest.sh("ls /var/lib/facelatch/backups")
        lab.check("... and a backup was made before", bool(backups), backups)

        guest.sh(KEPT.format(version))
        refused = guest.run(releases.install(version), within_s=INSTALL_S)
        lab.keep("downgrade.txt", refused.stdout)
        clear = "newer" in refused.stdout and "Nothing was changed" in refused.stdout
        lab.check("a downgrade is refused and says why", refused.returncode != 0 and clear, refused.stdout[-400:])
        _serves(lab, guest, "after the refused downgrade", releases.NEXT)

        guest.sh(KEPT.format(releases.BROKEN))
        taken_back = guest.run(releases.install(releases.BROKEN, "--wait 30"), within_s=INSTALL_S)
        lab.keep("broken.txt", taken_back.stdout)
        said = taken_back.stdout[-400:]
        lab.check("a release that does not serve fails to install", taken_back.returncode != 0, said)
        _serves(lab, guest, "after the release that does not serve", releases.NEXT)
        highs = [write for write in board.written(guest, PIN) if write.level]
        lab.check("the bolt was released by the one operator only", len(highs) == 1, highs)


def _serves(lab: Lab, guest: Guest, when: str, version: str) -> None:
    guest.until("systemctl is-active -q facelatch-door", within_s=180)
    installed = guest.sh("facelatch --version")
    lab.check(f"{when}: {version} is in use", version in installed, installed)
    names = [line["name"] for line in json.loads(guest.sh("facelatch people --json"))]
    lab.check(f"{when}: everybody is still enrolled", names == [releases.ENROLLED], names)
    before = guest.run("facelatch log --json --last 100000 | grep -c 'before the upgrade'")
    verified = guest.run("facelatch log verify")
    lab.check(f"{when}: the log is whole", before.returncode == 0 and verified.returncode == 0, verified.stdout)


def _schema(guest: Guest) -> int:
    return int(guest.sh("sqlite3 -readonly /var/lib/facelatch/facelatch.db 'PRAGMA user_version'"))
