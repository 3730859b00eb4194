"""The store as it is configured: opened for whoever is its one writer, copied, and put back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.names import shown
from edge.core.risk import Limits
from edge.core.share import accepted
from edge.devices.clock import SystemClock
from edge.errors import InputError, StoreDamagedError, StoreError
from edge.ports import Store
from edge.registry import Registry
from edge.settings import Config
from edge.teller import Announce

if TYPE_CHECKING:
    from edge.store.backups import Restored
    from edge.store.master import MasterKey
    from edge.store.sqlite import SqliteStore


FLIP_LIFT = 0.006
"""By how much more alike strangers are with ``models.flip_average``, in cosine: 0.0007 where one comparison in ten is
so alike, 0.0015 at one in 100, 0.005 at one in 100,000 (LFW View 1, cpu)."""


@contextmanager
def registry(config: Config, announce: Announce | None = None) -> Iterator[tuple[Registry, Store]]:
    """The people and their store, locked for this process alone. Raises StoreError.

    With ``announce``, as the guardian, a damaged store is replaced by the newest good backup where the owner allows it,
    and that is told. Without, as a command, root works as the owner of the store's folder.
    """
    from edge.store.owner import as_owner_of

    required = config.privacy.consent == "required"
    terms = limits(config), config.match.margin_min
    rights = as_owner_of(Path(config.paths.state)) if announce is None else nullcontext()
    with rights, _open(config, announce) as store:
        yield Registry(store, *space(config), *terms, consent_required=required), store


def is_none_yet(config: Config) -> bool:
    """Whether there is neither a store nor the keys of one. Raises StoreError for one who may not even look."""
    try:
        return not config.store_path.exists() and not config.keys_path.exists()
    except PermissionError as error:
        raise StoreError(
            f"{shown(config.paths.state, 120)} is for the guardian and root alone. Start facelatch-door, which answers "
            "operators, or use sudo."
        ) from error


def space(config: Config) -> tuple[str, int]:
    """The embedding model's name and dimension. Raises ModelError."""
    from edge.models.manifest import template_space

    models = config.models
    return template_space(models.device, models.fallback, Path(models.folder) if models.folder else None)


def limits(config: Config) -> Limits:
    """What the owner accepts, and what was measured of the networks in use. Raises ModelError, InputError."""
    from edge.models.calibration import calibration

    models = config.models
    found = calibration(models.device, models.fallback, Path(models.folder) if models.folder else None)
    if found is not None and models.flip_average:
        found = replace(found, crowd=found.crowd.more(FLIP_LIFT), alike=found.alike.more(FLIP_LIFT))
    return Limits(config.match.similarity_min, accepted(config.door.strangers_admitted_max), found)


def back_up(config: Config, target: Path | None = None) -> Path:
    """Copy the store, in use or not, into its folder of backups or to ``target``, which must not exist yet.

    Raises InputError, StoreError.
    """
    from edge.store.backups import export
    from edge.store.owner import as_owner_of

    if target is None:
        with as_owner_of(Path(config.paths.state)):
            return back_up_daily(config)
    if target.exists():
        raise InputError(f"{shown(str(target), 120)} is there already. Give another name, or remove it first.")
    export(config.store_path, target)
    return target


def back_up_daily(config: Config) -> Path:
    """The same into the folder of backups, for a thread of the guardian: the rights of a process are all its threads',
    and those that drive the bolt keep theirs. Raises StoreError."""
    from edge.store.backups import back_up

    return back_up(config.store_path, config.backups_path, SystemClock().utc(), max(config.backup.keep, 1))


def backups(config: Config) -> list[Path]:
    """The copies in the store's folder of backups, newest first."""
    from edge.store.backups import backups

    return backups(config.backups_path)


def newest_backup_utc(config: Config) -> str | None:
    """When the newest of them was made, ISO-8601."""
    from edge.store.backups import newest_utc

    return newest_utc(config.backups_path)


def restore(config: Config, backup: Path, reason: str = "") -> "Restored":
    """Put a backup in the store's place, where no guardian runs. Raises StoreError; then nothing was changed."""
    from edge.store.backups import restore

    return restore(config.store_path, backup, *space(config), _clock(config), _master(config), reason)


def _open(config: Config, announce: Announce | None) -> "SqliteStore":
    from edge.store.sqlite import SqliteStore

    wanted = (config.store_path, *space(config), _clock(config), _master(config))
    try:
        return SqliteStore.open(*wanted)
    except StoreDamagedError as damage:
        if announce is None or config.backup.when_damaged != "restore":
            raise
        for backup in backups(config):
            try:
                done = restore(config, backup, str(damage))
            except StoreError as error:
                announce("backup_refused", {"backup": backup.name, "reason": str(error)})
                continue
            announce("restored", _told(done, damage))
            return SqliteStore.open(*wanted)
        raise


def _told(done: "Restored", damage: StoreDamagedError) -> Mapping[str, str | int]:
    return {
        "backup": done.backup.name,
        "people": done.people,
        "reason": str(damage),
        "aside": "" if done.aside is None else done.aside.name,
    }


def _clock(config: Config) -> SystemClock:
    return SystemClock(config.door.time_zone)


def _master(config: Config) -> "MasterKey":
    """Where the owner keeps the master key. Raises StoreKeyError."""
    from edge.store.master import MasterKey

    match config.paths.master_key:
        case "":
            return MasterKey.beside(config.store_path)
        case "credential":
            return MasterKey.credential()
        case path:
            return MasterKey(Path(path))
