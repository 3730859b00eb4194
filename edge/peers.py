"""Who is at the other end of a Unix socket, as the kernel says: the credentials of unix(7)'s SO_PEERCRED.

They are those of the moment of connecting. The sockets' modes let one group through each (systemd/facelatch.tmpfiles);
who asks is looked at besides, as a mode is changed more easily than this.
"""

import grp
import os
import pwd
import socket
import struct

OPERATORS = "facelatch-admin"
"""The group whose members operate the door; human members only."""

EYES = "facelatch-eyes"
"""The user whom the eyes run as."""

CABLE = "facelatch-link"
"""The user whom the process on the USB cable runs as."""

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid


def operator(connection: socket.socket) -> str | None:
    """Who asks, for the log, when that is root, the guardian's own user or a member of ``OPERATORS``; else None."""
    uid = _uid(connection)
    name = _name(uid)
    if uid in {0, os.geteuid()} or _is_member(name, uid):
        return f"{name} (uid {uid})"
    return None


def is_eyes(connection: socket.socket) -> bool:
    """Whether it is the user of the eyes, the guardian's own, or root."""
    return _is(connection, EYES)


def is_cable(connection: socket.socket) -> bool:
    """Whether it is the user of the process on the USB cable, the guardian's own, or root."""
    return _is(connection, CABLE)


def _is(connection: socket.socket, user: str) -> bool:
    uid = _uid(connection)
    return uid in {0, os.geteuid()} or _name(uid) == user


def _uid(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "somebody"


def _is_member(name: str, uid: int) -> bool:
    try:
        group = grp.getgrnam(OPERATORS)
        primary = pwd.getpwuid(uid).pw_gid
    except KeyError:
        return False
    return group.gr_gid in os.getgrouplist(name, primary)
