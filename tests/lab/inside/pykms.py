"""Lets unmodified picamera2 use libcamera's virtual camera, which is no Raspberry Pi's: five differences, bridged.

picamera2 imports a module of this name for previews on a screen (kms++), which a lock without one never opens;
importing it is the moment at which everything that it has loaded can be fitted. Nothing here is part of the product.
"""

import time
from types import SimpleNamespace
from typing import Any

import libcamera
from picamera2.allocators import dmaallocator

START_S, FRAME_S = 0.5, 0.1
"""How long a sensor takes to start, and between frames. The virtual camera has finished a request as soon as it is
asked, which picamera2 drops while it is still starting, to wait for ever afterwards."""


class PixelFormat:
    """1: kms++ itself. Its formats are looked up by name, for a screen."""

    RGB888 = BGR888 = XRGB8888 = XBGR8888 = YUV420 = YVU420 = YUYV = YVYU = UYVY = VYUY = NV12 = NV21 = None


class Card:
    def __init__(self, *_: object) -> None:
        raise RuntimeError("there is no screen in the lab")


generate = libcamera.Camera.generate_configuration


def generate_configuration(camera: Any, roles: Any, *more: Any) -> Any:
    """2: picamera2 asks every camera for its raw stream. One without any, as on USB, names its ordinary modes."""
    found = generate(camera, roles, *more)
    if found is None and libcamera.StreamRole.Raw in list(roles):
        return generate(camera, [libcamera.StreamRole.VideoRecording])
    return found


class TwoPlanes:
    """3: picamera2 describes a buffer as one plane, the virtual camera wants NV12's two: two thirds brightness, a third
    colour, in the same memory."""

    Plane = libcamera.FrameBuffer.Plane

    def __new__(cls, planes: list[Any]) -> Any:
        (brightness,) = planes
        colour = cls.Plane()
        colour.fd, colour.offset = brightness.fd, brightness.length * 2 // 3
        colour.length = brightness.length - colour.offset
        brightness.length = colour.offset
        return libcamera.FrameBuffer([brightness, colour])


started_s = 0.0
start, ready = libcamera.Camera.start, libcamera.CameraManager.get_ready_requests


def start_slowly(camera: Any, *arguments: Any) -> Any:
    """4: a sensor's pace."""
    global started_s  # noqa: PLW0603 - one camera, one process
    started_s = time.monotonic()
    return start(camera, *arguments)


def ready_slowly(manager: Any) -> Any:
    time.sleep(max(FRAME_S, started_s + START_S - time.monotonic()))
    return ready(manager)


libcamera.Camera.generate_configuration = generate_configuration
libcamera.Camera.start, libcamera.CameraManager.get_ready_requests = start_slowly, ready_slowly
dmaallocator.libcamera = SimpleNamespace(FrameBuffer=TwoPlanes)
# 5: libcamera 0.4 leaves the status of the virtual camera's frames as it finds the memory.
libcamera.FrameMetadata.status = property(lambda _: libcamera.FrameMetadata.Status.Success)
