"""From inside each unit's sandbox everything that it must not do is tried, and refused; what it must do works.

A probe runs as each unit's ExecStartPre: the same user, namespaces, devices and system calls as the service itself. The
same probe as root outside must get through: what is refused there as well says nothing about the sandbox.
`refusals.txt` is the list.
"""

import json

from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest

PROBE = "/usr/local/lib/lab-probe.py"
SETTINGS = {"door": "facelatch-door", "eyes": "facelatch-eyes"}
REFUSED_TO_ROOT_TOO = {"read /dev/mem"}
"""The kernel itself may be built to refuse these."""


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.write(PROBE, (INSIDE / "probe.py").read_text())
        guest.sh(
            "useradd --create-home owner; for place in /root /home/owner /var/tmp; do echo x >$place/lab-marker; done; "
            "chmod 755 /home/owner /root; chmod 644 /root/lab-marker"
        )
        refusals = []
        for who, unit in SETTINGS.items():
            pid = int(guest.sh("systemctl show -P MainPID facelatch-door"))
            outside = probed(guest.sh(f"python3 {PROBE} {who} {pid}"))
            inside = _inside(guest, who, unit, pid)
            refusals += judge(lab, unit, inside, outside)
        lab.keep("refusals.txt", "\n".join(refusals))
        guest.until("systemctl is-active -q facelatch-door")
        lab.check("the guardian serves after all of it", guest.sh("facelatch status").startswith("LOCKED"))


def _inside(guest: Guest, who: str, unit: str, pid: int) -> dict[tuple[str, str], str]:
    drop_in = f"/run/systemd/system/{unit}.service.d/99-probe.conf"
    guest.write(drop_in, f"[Service]\nExecStartPre=/usr/bin/python3 {PROBE} {who} {pid}\n")
    guest.sh(f"systemctl daemon-reload; journalctl --rotate -q; systemctl restart {unit}", within_s=180)
    guest.until(f"systemctl is-active -q {unit}", within_s=180)
    said = guest.sh(f"journalctl --sync; journalctl -u {unit} -o cat --no-pager -g '^PROBE'")
    guest.sh(f"rm {drop_in}; systemctl daemon-reload")
    return probed(said)


def probed(text: str) -> dict[tuple[str, str], str]:
    """What the probe said: by kind and attempt, why it was refused, or nothing."""
    lines = [json.loads(line.removeprefix("PROBE ")) for line in text.splitlines() if line.startswith("PROBE ")]
    return {(line["kind"], line["what"]): line["refused"] for line in lines}


def judge(lab: Lab, unit: str, inside: dict[tuple[str, str], str], outside: dict[tuple[str, str], str]) -> list[str]:
    """Check every attempt and every right; the refusals."""
    said = []
    lab.check(f"{unit}: the probe ran", bool(inside) and inside.keys() == outside.keys(), f"{len(inside)} attempts")
    for (kind, what), refusal in inside.items():
        if kind == "right":
            lab.check(f"{unit} may {what}", not refusal, refusal)
            continue
        lab.check(f"{unit} may not {what}", bool(refusal), refusal or "it was possible")
        said.append(f"{unit:<15} {what:<40} {refusal or 'POSSIBLE'}")
        blind = outside.get((kind, what), "")
        if blind and what not in REFUSED_TO_ROOT_TOO:
            lab.check(f"{unit}: the attempt itself works for root: {what}", False, blind)
    return said
