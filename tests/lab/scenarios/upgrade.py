"""An upgrade carries the store over, one that does not serve is taken back, and a downgrade is refused.

All of it through the installer, with the lock in use. The releases that follow are made of this very checkout
(tests/lab/releases.py): one with a migration more, one that never says READY.
"""

import json

from tests.lab import board, releases
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN = 17
WHEELS = "/root/facelatch/wheels"
INSTALL = "/root/facelatch/systemd/install.sh --wheels /root/facelatch/wheels --wheel"
INSTALL_S = 1200.0


def run(lab: Lab) -> None:
    following = releases.following(releases.NEXT)
    broken = releases.following(releases.BROKEN)
    (present,) = lab.pushed.glob("wheels/facelatch-*.whl")
    with lab.guest() as guest:
        guest.push(lab.pushed / "wheels", WHEELS)
        guest.sh(f"rm {WHEELS}/facelatch-*.whl")
        for wheel in (following, broken, present):
            guest.push(wheel, "/root/releases")
        guest.sh("cd /root/facelatch/photos; facelatch enroll 'Barack Obama' obama.jpg obama3.jpg")
        guest.sh("facelatch unlock --for 1s --reason 'before the upgrade'")

        upgraded = guest.run(f"{INSTALL} /root/releases/{following.name}", within_s=INSTALL_S)
        lab.keep("upgrade.txt", upgraded.stdout)
        lab.check("an upgrade succeeds", upgraded.returncode == 0, upgraded.stdout.splitlines()[-1])
        _serves(lab, guest, "upgraded", releases.NEXT)
        lab.check("... its store has the new schema", _schema(guest) == 5, _schema(guest))
        lab.check("... and a backup was made before", "backup" in guest.sh("facelatch backup --list").lower())

        refused = guest.run(f"{INSTALL} /root/releases/{present.name}", within_s=INSTALL_S)
        lab.keep("downgrade.txt", refused.stdout)
        clear = "newer" in refused.stdout and "Nothing was changed" in refused.stdout
        lab.check("a downgrade is refused and says why", refused.returncode != 0 and clear, refused.stdout[-400:])
        _serves(lab, guest, "after the refused downgrade", releases.NEXT)

        taken_back = guest.run(f"{INSTALL} /root/releases/{broken.name} --wait 60", within_s=INSTALL_S)
        lab.keep("broken.txt", taken_back.stdout)
        lab.check(
            "a release that does not serve fails to install", taken_back.returncode != 0, taken_back.stdout[-400:]
        )
        _serves(lab, guest, "after the release that does not serve", releases.NEXT)
        highs = [write for write in board.written(guest, PIN)[1:] if write.level]
        lab.check("the bolt was released by the one operator only", len(highs) == 1, highs)


def _serves(lab: Lab, guest: Guest, when: str, version: str) -> None:
    guest.until("systemctl is-active -q facelatch-door", within_s=180)
    installed = guest.sh("facelatch --version")
    lab.check(f"{when}: {version} is in use", version in installed, installed)
    names = [line["name"] for line in json.loads(guest.sh("facelatch people --json"))]
    lab.check(f"{when}: everybody is still enrolled", names == ["Barack Obama"], names)
    before = guest.run("facelatch log --json --last 100000 | grep -c 'before the upgrade'")
    verified = guest.run("facelatch log verify")
    lab.check(f"{when}: the log is whole", before.returncode == 0 and verified.returncode == 0, verified.stdout)


def _schema(guest: Guest) -> int:
    return int(guest.sh("sqlite3 -readonly /var/lib/facelatch/facelatch.db 'PRAGMA user_version'"))
