"""People's keys and the master key: missing, wrong, open to others, changed, and killed while they are changed."""

import os
import secrets
import shutil
import signal
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StoreDamagedError, StoreError, StoreKeyError
from edge.store.key import KEY_BYTES
from edge.store.keyring import keys_path
from edge.store.master import CREDENTIAL, NEXT, MasterKey
from edge.store.sealing import OVERHEAD_BYTES, seal, unseal
from edge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.store.conftest import noted
from tests.store.helpers import DIMENSION, MODEL, digests, open_store, vectors

KILLS = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "store" / "people.db"
    with open_store(made) as store:
        store.enroll("Anna", vectors(3, 1))
        store.enroll("Bert", vectors(2, 2))
    return made


def master(path: Path) -> Path:
    return path.with_name("people.db.master")


def assert_whole(path: Path) -> None:
    with open_store(path) as store:
        assert [(p.name, p.templates) for p in store.people()] == [("Anna", 3), ("Bert", 2)]
        assert np.array_equal(store.gallery().templates, np.stack(vectors(3, 1) + vectors(2, 2)))


def assert_refused(path: Path, error: type[StoreError], message: str) -> None:
    before, keys = digests(path), keys_path(path).read_bytes() if keys_path(path).exists() else None
    with pytest.raises(error, match=message):
        open_store(path)
    assert digests(path) == before
    assert keys == (keys_path(path).read_bytes() if keys_path(path).exists() else None)


@given(plain=st.binary(max_size=500), purpose=st.text(max_size=50), flip=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_what_is_sealed_opens_as_that_alone(plain: bytes, purpose: str, flip: int, bit: int) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    sealed = seal(key, plain, purpose)
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert unseal(key, sealed, purpose) == plain
    assert seal(key, plain, purpose) != sealed
    spoilt = bytearray(sealed)
    spoilt[flip % len(sealed)] ^= 1 << bit
    for wrong in (
        (secrets.token_bytes(KEY_BYTES), sealed, purpose),
        (key, bytes(spoilt), purpose),
        (key, sealed[:-1], purpose),
        (key, sealed[: flip % OVERHEAD_BYTES], purpose),
        (key, sealed, purpose + "x"),
    ):
        with pytest.raises(ValueError, match=r"^not what was sealed with this key$"):
            unseal(*wrong)


def test_keys_and_master_are_for_their_owner_alone(path: Path) -> None:
    assert stat.S_IMODE(master(path).stat().st_mode) == stat.S_IMODE(keys_path(path).stat().st_mode) == 0o600
    assert len(master(path).read_bytes()) == KEY_BYTES


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0o600, "is missing. Put it back; without it"),
        (b"", 0o600, "not a file of 32 bytes"),
        (bytes(31), 0o600, "not a file of 32 bytes"),
        (bytes(33), 0o600, "not a file of 32 bytes"),
        (bytes(32), 0o600, "is not the one of"),
        (bytes(32), 0o640, "open to others .mode 0640.. Run: chmod 600"),
        (bytes(32), 0o604, "open to others .mode 0604.. Run: chmod 600"),
    ],
)
def test_a_master_key_that_is_not_the_one_is_refused(
    path: Path, content: bytes | None, mode: int, message: str
) -> None:
    master(path).unlink()
    if content is not None:
        master(path).write_bytes(content)
        master(path).chmod(mode)
    assert_refused(path, StoreKeyError, message)


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_a_master_key_that_is_no_file_is_refused_without_blocking(path: Path, what: str) -> None:
    kept = master(path).rename(path.with_name("elsewhere"))
    {"folder": master(path).mkdir, "pipe": lambda: os.mkfifo(master(path), 0o600)}.get(
        what, lambda: master(path).symlink_to(kept)
    )()
    with pytest.raises(StoreError):
        open_store(path)


def test_without_its_keys_a_store_is_refused_and_no_others_are_made(path: Path) -> None:
    keys = keys_path(path).rename(path.with_name("elsewhere"))
    with pytest.raises(StoreKeyError, match=r"file of keys .*is missing\. Put it back"):
        open_store(path)
    assert not keys_path(path).exists()
    keys.rename(keys_path(path))
    assert_whole(path)


def test_keys_of_another_store_are_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "people.db"
    open_store(other).close()
    shutil.copyfile(keys_path(other), keys_path(path))
    assert_refused(path, StoreKeyError, "master key .* is not the one of")
    shutil.copyfile(master(other), master(path))
    assert_refused(path, StoreKeyError, "do not belong together")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM keys WHERE person_id = 2", "has no key of person 2"),
        ("UPDATE keys SET wrapped = randomblob(60) WHERE person_id = 2", "does not open"),
        ("PRAGMA application_id = 7", "this release knows"),
        ("PRAGMA user_version = 2", "this release knows"),
        ("DELETE FROM ring", "whose keys it holds"),
        ("UPDATE ring SET sealed = 7", "is damaged"),
        ("INSERT INTO ring SELECT * FROM ring", "whose keys it holds"),
        ("CREATE TRIGGER t AFTER UPDATE ON keys BEGIN SELECT 1; END", "tables that facelatch does not make"),
        ("DROP TABLE ring", "tables that facelatch does not make"),
    ],
)
def test_a_file_of_keys_that_is_not_as_we_make_it_is_refused(path: Path, statement: str, message: str) -> None:
    with closing(sqlite3.connect(keys_path(path), isolation_level=None)) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        other.execute(statement)
    with pytest.raises(StoreError, match=message):
        open_store(path)


@given(seed=st.integers(0, 2**32), flips=st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_flipped_bytes_in_the_file_of_keys_are_harmless_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound: Path, seed: int, flips: int
) -> None:
    path = Path(shutil.copytree(sound.parent, tmp_path_factory.mktemp("flipped") / "s")) / sound.name
    source = np.random.default_rng(seed)
    data = np.frombuffer(keys_path(path).read_bytes(), dtype=np.uint8).copy()
    data[source.integers(0, len(data), flips)] = source.integers(0, 256, flips)
    keys_path(path).write_bytes(data.tobytes())
    try:
        assert_whole(path)
    except StoreError as error:
        assert str(error).isprintable()  # noqa: PT017  # either outcome is right


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store that no test changes."""
    path = tmp_path_factory.mktemp("sound") / "people.db"
    with open_store(path) as store:
        store.enroll("Anna", vectors(3, 1))
        store.enroll("Bert", vectors(2, 2))
    return path


def test_a_truncated_file_of_keys_is_refused(path: Path) -> None:
    whole = keys_path(path).read_bytes()
    for size in (0, 10, 100, 4096, len(whole) - 1):
        keys_path(path).write_bytes(whole[:size])
        with pytest.raises(StoreDamagedError):
            open_store(path)


def test_a_number_is_not_given_twice_though_an_older_store_was_put_back(path: Path, tmp_path: Path) -> None:
    older = shutil.copyfile(path, tmp_path / "older")
    with open_store(path) as store:
        third = store.enroll("Cleo", vectors(1, 3)).id
    shutil.copyfile(older, path)
    with open_store(path) as store:
        assert store.enroll("Dora", vectors(1, 4)).id == third + 1


def test_an_older_store_that_is_put_back_brings_back_nobody_who_was_forgotten(path: Path, tmp_path: Path) -> None:
    older = shutil.copyfile(path, tmp_path / "older")
    with open_store(path) as store:
        store.forget("Anna")
    shutil.copyfile(older, path)
    with open_store(path) as store:
        assert [person.name for person in store.people()] == ["Bert"]
        assert set(store.gallery().person_ids.tolist()) == {2}
        assert store.enroll("Anna", vectors(1, 5)).id == 3
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT id FROM people ORDER BY id").fetchall() == [(2,), (3,)]


def test_rotating_wraps_every_key_anew_and_the_former_master_opens_nothing(path: Path) -> None:
    former, wrapped = master(path).read_bytes(), keys_path(path).read_bytes()
    with open_store(path) as store:
        mark, *_ = store.key_state()
        store.forget("Bert")
        store.rotate_keys()
        assert store.key_state()[0] != mark
        assert store.key_state()[1:] == (1, 1, 0)
        store.enroll("Bert", vectors(2, 2))
    assert_whole(path)
    assert former not in path.with_name("people.db.master").read_bytes() + keys_path(path).read_bytes()
    with closing(sqlite3.connect(keys_path(path))) as keys:
        assert all(blob not in wrapped for (blob,) in keys.execute("SELECT wrapped FROM keys WHERE wrapped NOT NULL"))
    assert stat.S_IMODE(master(path).stat().st_mode) == 0o600
    master(path).write_bytes(former)
    assert_refused(path, StoreKeyError, "is not the one of")


def test_a_rotation_that_was_cut_off_before_or_after_it_counted_is_brought_to_an_end(path: Path) -> None:
    following = path.with_name("people.db.master.next")
    following.write_bytes(bytes(32))
    following.chmod(0o600)
    assert_whole(path)  # it had not counted
    assert not following.exists()
    former = master(path).read_bytes()
    with open_store(path) as store:
        store.rotate_keys()
    master(path).rename(following)
    master(path).write_bytes(former)
    assert_whole(path)  # it had counted, and the file was not yet in its place
    assert not following.exists()
    assert master(path).read_bytes() != former


def test_killed_at_any_moment_of_a_rotation_one_of_both_keys_opens_the_store(path: Path) -> None:
    generator = np.random.default_rng(7)
    for _ in range(KILLS):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # rotates until it is killed
            store = open_store(path)
            os.write(writer, b"x")
            while True:
                store.rotate_keys()
        os.read(reader, 1)
        time.sleep(float(generator.uniform(0, 0.02)))  # where in a rotation the kill falls is the point
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
        assert_whole(path)
    noted(f"killed {KILLS} times while changing the master key: all whole")


def test_a_rotation_on_a_full_disk_changes_nothing(path: Path) -> None:
    before = master(path).read_bytes()
    path.with_name("people.db.master.next.new").mkdir()  # the next key cannot be written
    with open_store(path) as store, pytest.raises(StoreError):
        store.rotate_keys()
    assert master(path).read_bytes() == before
    assert_whole(path)


def test_of_a_destroyed_key_nothing_is_left_though_the_power_went_before_its_traces_were_erased(path: Path) -> None:
    """Killed between the commit and the checkpoint: a reader holds the log in place, as the kill would."""
    with closing(sqlite3.connect(keys_path(path))) as keys:
        ((wrapped,),) = keys.execute("SELECT wrapped FROM keys WHERE person_id = 1").fetchall()
    crashed = path.parent.with_name("crashed") / path.name
    with open_store(path) as store, closing(sqlite3.connect(keys_path(path), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM keys").fetchone()
        store.forget("Anna")
        shutil.copytree(path.parent, crashed.parent)
        assert wrapped in everything(crashed)
        reader.execute("ROLLBACK")
        store.prune_log(365, 1000)  # as the guardian does every minute
        assert wrapped not in everything(path)
    with open_store(crashed):
        assert wrapped not in everything(crashed)


def test_of_the_former_wraps_nothing_is_left_after_a_rotation(path: Path) -> None:
    with closing(sqlite3.connect(keys_path(path))) as keys:
        wraps = [wrapped for (wrapped,) in keys.execute("SELECT wrapped FROM keys")]
    with open_store(path) as store:
        store.rotate_keys()
        assert [wrapped for wrapped in wraps if wrapped in everything(path)] == []


def everything(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_who_was_forgotten_is_forgotten_though_the_traces_cannot_be_erased_yet(path: Path) -> None:
    with open_store(path) as store, closing(sqlite3.connect(keys_path(path), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM keys").fetchone()
        assert store.forget("Anna").name == "Anna"
        assert [person.name for person in store.people()] == ["Bert"]


def test_keys_of_nobody_are_told_and_can_be_destroyed(path: Path, tmp_path: Path) -> None:
    older = shutil.copyfile(path, tmp_path / "older")
    with open_store(path) as store:
        store.enroll("Cleo", vectors(1, 3))
        assert store.key_state()[1:] == (3, 0, 0)
    newer = shutil.copyfile(path, tmp_path / "newer")
    shutil.copyfile(older, path)
    with open_store(path) as store:
        assert store.key_state()[1:] == (3, 0, 1)
        assert store.drop_keys() == 1
        assert store.key_state()[1:] == (2, 1, 0)
        assert store.drop_keys() == 0
    shutil.copyfile(newer, path)
    assert_whole(path)  # Cleo does not come back


def open_with(path: Path, key: MasterKey) -> SqliteStore:
    return SqliteStore.open(path, MODEL, DIMENSION, FakeClock(), key)


def test_the_key_may_be_a_credential_which_is_read_and_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(StoreKeyError, match="systemd hands none"):
        MasterKey.credential()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    path = tmp_path / "store" / "people.db"
    with pytest.raises(StoreKeyError, match="is missing"):
        open_with(path, MasterKey.credential())
    file = tmp_path / "credentials" / CREDENTIAL
    file.write_bytes(secrets.token_bytes(KEY_BYTES))
    file.chmod(0o440)  # as systemd hands it to a service's user
    with open_with(path, MasterKey.credential()) as store:
        store.enroll("Anna", vectors(3, 1))
        with pytest.raises(StoreKeyError, match="no next one is loaded"):
            store.rotate_keys()
        following = tmp_path / "credentials" / NEXT
        following.write_bytes(secrets.token_bytes(31))
        with pytest.raises(StoreKeyError, match="not a file of 32 bytes"):
            store.rotate_keys()
        following.write_bytes(secrets.token_bytes(KEY_BYTES))
        store.rotate_keys()
    assert not master(path).exists()

    def assert_opens() -> None:
        with open_with(path, MasterKey.credential()) as store:
            assert [person.name for person in store.people()] == ["Anna"]

    assert_opens()  # both are loaded, whichever is in force
    assert following.exists()
    file.chmod(0o600)
    file.write_bytes(following.read_bytes())  # the owner puts it in place
    assert_opens()
    following.unlink()
    assert_opens()
    file.write_bytes(bytes(KEY_BYTES))
    with pytest.raises(StoreKeyError, match="is not the one of"):
        open_with(path, MasterKey.credential())


def test_no_error_and_no_repr_tells_a_key_or_a_template(path: Path) -> None:
    secret = master(path).read_bytes()
    key = MasterKey.beside(path)
    with open_store(path) as store:
        told = [repr(key), repr(store), repr(store._ring), repr(vars(key))]
        own = store._key(1)
    master(path).write_bytes(bytes(32))
    with pytest.raises(StoreKeyError) as caught:
        open_store(path)
    told += [str(caught.value), repr(caught.value.__cause__)]
    for text in told:
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text
        assert own.hex() not in text
