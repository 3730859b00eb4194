"""A known face opens and a stranger's does not, through unmodified picamera2 on libcamera's virtual camera (NV12).

The product's own path for the Raspberry Pi's camera, with `liveness.mode = "off"`, as photographs are shown. libcamera
loads them when the camera is configured: the eyes are started anew for each person. What picamera2 expects of a
Raspberry Pi and the virtual camera has not is bridged by inside/pykms.py.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest

PIN = 17
UNLOCK_S = 5.0
"""door.unlock_s, the default."""
PHOTOS = "/root/facelatch/photos"
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
LOW = f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value"
FACE_S = 300.0
FRAMES = "/opt/lab-frames"
CAMERA = f"""%YAML 1.1
---
"lab":
  supported_formats:
    - width: 320
      height: 240
      frame_rates: [10, 10]
  frames:
    path: "{FRAMES}/"
  location: "CameraLocationFront"
  model: "lab"
...
"""


def run(lab: Lab) -> None:
    if lab.image.suite != "trixie":
        lab.check("libcamera's virtual camera is in trixie only", True)
        return
    with lab.guest() as guest:
        guest.without_camera()
        _camera(guest)
        begun_s, since = board.now_s(guest), guest.moment()
        _shown(guest, "biden.jpg")
        present = guest.hear("eyes_present .*Raspberry Pi camera", since, within_s=FACE_S)
        lab.check("the eyes report through picamera2", True, present)
        said = guest.hear("refused .*not recognised", since, within_s=FACE_S)
        lab.check("a stranger is refused", True, said)
        writes = board.written(guest, PIN, begun_s)
        lab.check("... and the pin did not move", not any(write.level for write in writes))
        begun_s = board.now_s(guest)
        _shown(guest, "obama2.jpg")
        took_s = guest.until(HIGH, within_s=FACE_S)
        guest.until(LOW, within_s=60)
        spans = board.highs(board.written(guest, PIN, begun_s), board.now_s(guest))
        lab.check("the person enrolled is let in", bool(spans), f"{took_s:.1f} s after the eyes were started")
        lengths = [round(to - since_s, 2) for since_s, to in spans]
        lab.check("... for as long as is set", abs(lengths[0] - UNLOCK_S) < 1.5, lengths)
        lab.check("liveness is off, and the status says so", "liveness off" in guest.sh("facelatch status"))


def _camera(guest: Guest) -> None:
    """picamera2 where the product's Python finds it, as Raspberry Pi OS's package is; the heap that it takes from."""
    guest.push(INSIDE / "pykms.py", "/opt/lab-picamera2")
    guest.push(INSIDE / "frames.py", "/root")
    guest.sh("echo /opt/lab-picamera2 >$(echo /opt/facelatch/lib/python3*/site-packages)/lab.pth")
    guest.sh("ln -sfn system /dev/dma_heap/linux,cma")
    guest.write("/usr/share/libcamera/pipeline/virtual/virtual.yaml", CAMERA)
    guest.sh('sed -i "s/^driver = .v4l2.*/driver = \\"pi\\"/" /etc/facelatch/facelatch.toml; facelatch config check')
    guest.sh("systemctl restart facelatch-door; systemctl stop facelatch-eyes", within_s=180)


def _shown(guest: Guest, picture: str) -> None:
    guest.sh(f"/opt/facelatch/bin/python /root/frames.py {PHOTOS}/{picture} {FRAMES}")
    guest.sh("systemctl restart facelatch-eyes")
