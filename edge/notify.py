"""What the service manager is told: ready, alive, stopping. The protocol is sd_notify(3)'s; without systemd it is
silent.
"""

import math
import os
import socket
from collections.abc import Mapping

from edge.ports import Clock


class Notifier:
    """Sends datagrams to ``NOTIFY_SOCKET``. Never raises and never waits: the door does not depend on it."""

    def __init__(self, clock: Clock, environment: Mapping[str, str] = os.environ) -> None:
        """Reads ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``."""
        self._clock = clock
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every_s = _watchdog_s(environment) / 4
        self._due_s = clock.now_s() if math.isfinite(self._every_s) else math.inf
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

    def ready(self, status: str) -> None:
        """The door is served from here on."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def alive(self, status: str) -> None:
        """Feed the watchdog, at most four times in its period. The caller knows that the door is sound."""
        now_s = self._clock.now_s()
        if now_s >= self._due_s:
            self._due_s = now_s + self._every_s
            self._send(f"WATCHDOG=1\nSTATUS={_line(status)}")

    def due_s(self) -> float:
        """When ``alive`` wants to be called again, monotonic; infinite without a watchdog."""
        return self._due_s

    def stopping(self, reason: str) -> None:
        """The bolt is secured, and the process ends."""
        self._send(f"STOPPING=1\nSTATUS={_line(reason)}")

    def close(self) -> None:
        self._socket.close()

    def _send(self, text: str) -> None:
        if self._address:
            try:
                self._socket.sendto(text.encode("utf-8", "replace"), self._address)
            except (OSError, ValueError):  # gone, full, or an address that is none
                return


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """The watchdog's period in seconds, infinite when there is none for this process."""
    period, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", str(os.getpid()))
    if not (period.isascii() and period.isdecimal() and len(period) < 16) or pid != str(os.getpid()):
        return math.inf
    return int(period) / 1e6 or math.inf


def _line(text: str) -> str:
    """A status cannot hold a second assignment."""
    return "".join(character if character.isprintable() else " " for character in text)[:500]
