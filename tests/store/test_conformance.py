"""What every store does: the real one on a file, and the fake that other tests use."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.core.match import Index
from edge.core.names import name_key
from edge.errors import InputError, PersonError, PersonNameError, TemplateModelError
from edge.ports import Store
from edge.store.events import Scalar
from edge.store.sqlite import SqliteStore
from edge.types import TEMPLATES_MAX, Embedding, Event, Permission, Person
from tests.fakes import FakeClock, FakeStore
from tests.store.helpers import DIMENSION, MODEL, vectors

AnyStore: TypeAlias = SqliteStore | FakeStore


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[AnyStore]:
    made: AnyStore
    if request.param == "sqlite":
        made = SqliteStore.open(tmp_path / "people.db", MODEL, DIMENSION, clock)
    else:
        made = FakeStore(MODEL, DIMENSION, clock)
    with closing(made):
        yield made


Reopen: TypeAlias = Callable[[AnyStore, str, int], AnyStore]


@pytest.fixture
def reopen(tmp_path: Path, clock: FakeClock) -> Iterator[Reopen]:
    """Close the store and open it as a release with this model and dimension does."""
    with ExitStack() as opened:

        def _reopen(store: AnyStore, model: str, dimension: int) -> AnyStore:
            store.close()
            if isinstance(store, FakeStore):
                return store.reopened(model, dimension)
            return opened.enter_context(SqliteStore.open(tmp_path / "people.db", model, dimension, clock))

        yield _reopen


def test_who_is_enrolled_by_pin_only_keeps_the_other_limits(store: AnyStore) -> None:
    anna = store.enroll("Anna", vectors(1, 1), pin_required=True)
    bert = store.enroll("Bert", vectors(1, 2))
    store.permit("Bert", Permission(uses_left=3))
    store.enroll("Bert", vectors(1, 3), add=True, pin_required=True)
    assert store.permissions() == {
        anna.id: Permission(pin_required=True),
        bert.id: Permission(uses_left=3, pin_required=True),
    }


def test_a_renamed_person_keeps_number_templates_and_rules(store: AnyStore) -> None:
    anna = store.enroll("Anna", vectors(2, 1))
    bert = store.enroll("Bert", vectors(1, 2))
    store.permit("Anna", Permission(uses_left=3))
    renamed = store.rename("anna", "Anna Maria")
    assert (renamed.id, renamed.name, renamed.templates) == (anna.id, "Anna Maria", 2)
    assert store.permissions()[anna.id].uses_left == 3
    assert store.gallery().names == {anna.id: "Anna Maria", bert.id: "Bert"}
    assert store.rename("Anna Maria", "ANNA MARIA").name == "ANNA MARIA"
    with pytest.raises(PersonError, match="Bert"):
        store.rename("Anna Maria", "bert")
    with pytest.raises(PersonError, match="Anna"):
        store.rename("Anna", "Carla")
    with pytest.raises(PersonNameError):
        store.rename("Bert", "\x1b[31m")
    assert [person.name for person in store.people()] == ["ANNA MARIA", "Bert"]


def test_both_are_stores(store: AnyStore) -> None:
    port: Store = store  # mypy checks it
    assert port.people() == []


def test_an_empty_store_has_an_empty_gallery(store: AnyStore) -> None:
    gallery = store.gallery()
    assert gallery.templates.shape == (0, DIMENSION)
    assert gallery.templates.dtype == np.float32
    assert gallery.person_ids.shape == (0,)
    assert gallery.person_ids.dtype == np.int64
    assert gallery.names == {}


def test_who_is_enrolled_is_found_again_with_the_very_templates(store: AnyStore, clock: FakeClock) -> None:
    first = store.enroll("  Zoe\u0308   B. ", vectors(3, 1))
    clock.advance(60)
    second = store.enroll("Anna", vectors(1, 2))
    assert first == Person(first.id, "Zo\u00eb B.", 3, "2026-01-01T00:00:00.000+00:00")
    assert second == Person(second.id, "Anna", 1, "2026-01-01T00:01:00.000+00:00")
    assert store.people() == [second, first]
    gallery = store.gallery()
    assert np.array_equal(gallery.templates, np.stack(vectors(3, 1) + vectors(1, 2)))
    assert gallery.person_ids.tolist() == [first.id] * 3 + [second.id]
    assert gallery.names == {first.id: "Zo\u00eb B.", second.id: "Anna"}


def test_the_gallery_is_the_callers_own(store: AnyStore) -> None:
    given = vectors(2)
    store.enroll("Anna", given)
    given[0][:] = 0
    store.gallery().templates[:] = 0
    assert np.array_equal(store.gallery().templates, np.stack(vectors(2)))


def test_a_name_is_taken_whatever_its_case(store: AnyStore) -> None:
    store.enroll("Zo\u00eb", vectors(1))
    with pytest.raises(PersonError, match="is enrolled already"):
        store.enroll("ZOE\u0308", vectors(1, 2))
    assert [person.templates for person in store.people()] == [1]


def test_add_gives_somebody_more_templates(store: AnyStore, clock: FakeClock) -> None:
    before = store.enroll("Anna", vectors(2, 1))
    clock.advance(60)
    after = store.enroll("ANNA", vectors(3, 2), add=True)
    assert after == replace(before, templates=5)
    assert store.people() == [after]
    assert len(store.gallery().templates) == 5


def test_add_needs_somebody(store: AnyStore) -> None:
    store.enroll("Anna", vectors(1))
    with pytest.raises(PersonError, match=r"Nobody named 'Ana' is enrolled\. Did you mean 'Anna'\?"):
        store.enroll("Ana", vectors(1), add=True)
    assert len(store.people()) == 1


def test_forget_removes_one_person_by_any_spelling(store: AnyStore) -> None:
    anna, bert = store.enroll("Anna", vectors(2, 1)), store.enroll("Bert", vectors(2, 2))
    assert store.forget(" aNNA ") == anna
    assert store.people() == [bert]
    assert store.gallery().person_ids.tolist() == [bert.id] * 2
    assert store.gallery().names == {bert.id: "Bert"}


def test_an_id_is_never_given_twice(store: AnyStore) -> None:
    first = store.enroll("Anna", vectors(1))
    store.forget("Anna")
    assert store.enroll("Anna", vectors(1)).id > first.id


def test_forgetting_nobody_says_who_may_have_been_meant(store: AnyStore) -> None:
    store.enroll("Anna", vectors(1))
    with pytest.raises(PersonError, match=r"Did you mean 'Anna'\?"):
        store.forget("Ana")
    with pytest.raises(PersonError, match=r"Nobody named '\.\./\.\./x' is enrolled\. List everybody"):
        store.forget("../../x")
    with pytest.raises(PersonError) as caught:
        store.forget("\x1b[2J")
    assert str(caught.value).isprintable()
    assert len(store.people()) == 1


@pytest.mark.parametrize("name", ["", "a" * 300, "../../x", "a\nb", "\x1b[31m", "' ; DROP TABLE people"])
def test_a_name_that_cannot_be_shown_is_not_stored(store: AnyStore, name: str) -> None:
    with pytest.raises(PersonNameError):
        store.enroll(name, vectors(1))
    assert store.people() == []


def _with(value: float) -> Embedding:
    vector = vectors(1)[0]
    vector[5] = value
    return vector


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (_with(float("nan")), InputError),
        (_with(float("inf")), InputError),
        (np.zeros(DIMENSION, np.float32), InputError),
        (vectors(1)[0] * np.float32(1.01), InputError),
        (vectors(1)[0] * np.float32(0.99), InputError),
        (vectors(1)[0].astype(np.float64), InputError),
        (vectors(1)[0][np.newaxis], InputError),
        (vectors(1, 0, 128)[0], TemplateModelError),
    ],
)
def test_one_bad_template_stores_nothing_of_the_person(store: AnyStore, bad: Embedding, error: type[Exception]) -> None:
    with pytest.raises(error):
        store.enroll("Anna", [*vectors(4), bad])
    assert store.people() == []
    assert len(store.gallery().templates) == 0


def test_nobody_is_enrolled_without_a_template(store: AnyStore) -> None:
    with pytest.raises(InputError, match="no template"):
        store.enroll("Anna", [])
    assert store.people() == []


def test_templates_of_one_person_have_an_end(store: AnyStore) -> None:
    with pytest.raises(InputError, match="21 templates"):
        store.enroll("Anna", vectors(TEMPLATES_MAX + 1))
    assert store.people() == []
    store.enroll("Anna", vectors(TEMPLATES_MAX - 1))
    with pytest.raises(InputError, match="21 templates"):
        store.enroll("Anna", vectors(2), add=True)
    assert store.enroll("Anna", vectors(1), add=True).templates == TEMPLATES_MAX


def test_the_log_is_read_newest_first_and_outlives_the_person(store: AnyStore, clock: FakeClock) -> None:
    anna = store.enroll("Anna", vectors(1))
    detail: dict[str, Scalar] = {"similarity": 0.71, "looks": 3, "liveness": "off", "night": False, "margin": None}
    store.log(Event("started"))
    clock.advance(1.5)
    store.log(Event("granted", anna.id, detail))
    store.forget("Anna")
    newest, oldest = store.events(10)
    assert (newest.at_utc, newest.event) == ("2026-01-01T00:00:01.500+00:00", Event("granted", anna.id, detail))
    assert (oldest.at_utc, oldest.event) == ("2026-01-01T00:00:00.000+00:00", Event("started"))
    assert newest.id > oldest.id
    assert store.events(1) == [newest]
    assert store.events(0) == store.events(-1) == []


def test_a_detail_is_stored_as_it_is_even_when_hostile(store: AnyStore) -> None:
    detail: dict[str, Scalar] = {"text": "\x1b[2J'); DROP TABLE events;--\n\u202e", "number": 2**70, "tiny": -1e-300}
    store.log(Event("odd", None, detail))
    assert store.events(1)[0].event.detail == detail


@pytest.mark.parametrize(
    "detail",
    [
        {"x": [1]},
        {"x": {"y": 1}},
        {"x": b"bytes"},
        {"x": np.float32(1)},
        {"x": vectors(1)[0]},
        {"x": float("nan")},
        {"x": float("inf")},
        {5: "x"},
        {"x": "y" * 4096},
    ],
)
def test_a_detail_holds_only_short_plain_values(store: AnyStore, detail: dict[str, str]) -> None:
    with pytest.raises(InputError):
        store.log(Event("grant", 1, detail))
    assert store.events(10) == []


other_models = pytest.mark.parametrize(("model", "dimension"), [("other", DIMENSION), ("other", 64), (MODEL, 64)])
"""Another model of the same dimension, of another one, and the same name for another dimension."""


@other_models
def test_after_a_change_of_model_nobody_is_in_the_gallery_and_all_must_enrol_again(
    store: AnyStore, reopen: Reopen, model: str, dimension: int
) -> None:
    anna, bert = store.enroll("Anna", vectors(2, 1)), store.enroll("Bert", vectors(1, 2))
    changed = reopen(store, model, dimension)
    assert changed.people() == [replace(person, templates=0, former_model=MODEL) for person in (anna, bert)]
    assert all(person.enrol_again for person in changed.people())
    gallery = changed.gallery()
    assert gallery.templates.shape == (0, dimension)
    assert (gallery.person_ids.tolist(), gallery.names) == ([], {})


def test_who_was_enrolled_with_another_model_is_not_matched_even_by_the_same_numbers(
    store: AnyStore, reopen: Reopen
) -> None:
    """The attack: an embedding of the new model that equals a stored template of the old one to the last bit."""
    (old,) = vectors(1, 1)
    anna = store.enroll("Anna", [old])
    changed = reopen(store, "other", DIMENSION)
    assert Index(changed.gallery()).best(old) is None
    changed.enroll("Bert", vectors(1, 2))
    index = Index(changed.gallery())
    found = index.best(old)
    assert found is not None
    assert (found.name, found.similarity < 0.5) == ("Bert", True)
    assert index.similarity_to(anna.id, old) is None


@pytest.mark.parametrize("add", [False, True])
@other_models
def test_enrolling_again_keeps_the_person_and_only_the_new_templates(
    store: AnyStore, reopen: Reopen, model: str, dimension: int, add: bool
) -> None:
    before = store.enroll("Anna", vectors(TEMPLATES_MAX, 1))
    changed = reopen(store, model, dimension)
    after = changed.enroll("ANNA", vectors(2, 3, dimension), add=add)
    assert after == replace(before, templates=2)
    assert np.array_equal(changed.gallery().templates, np.stack(vectors(2, 3, dimension)))
    assert changed.gallery().names == {before.id: "Anna"}
    with pytest.raises(PersonError, match="is enrolled already"):
        changed.enroll("Anna", vectors(1, 4, dimension))
    back = reopen(changed, MODEL, DIMENSION)
    assert back.people() == [replace(before, templates=0, former_model=model)]
    assert len(back.gallery().templates) == 0


def test_enrolling_again_that_fails_keeps_the_old_templates(store: AnyStore, reopen: Reopen) -> None:
    before = store.enroll("Anna", vectors(2, 1))
    changed = reopen(store, "other", 64)
    for templates in ([], vectors(TEMPLATES_MAX + 1, 3, 64), vectors(1, 3, DIMENSION)):
        with pytest.raises((InputError, TemplateModelError)):
            changed.enroll("Anna", templates)
    assert reopen(changed, MODEL, DIMENSION).people() == [before]


@other_models
def test_going_back_finds_everybody_who_has_not_enrolled_anew(
    store: AnyStore, reopen: Reopen, model: str, dimension: int
) -> None:
    anna, _ = store.enroll("Anna", vectors(2, 1)), store.enroll("Bert", vectors(1, 2))
    changed = reopen(store, model, dimension)
    bert = changed.enroll("Bert", vectors(3, 3, dimension))
    cleo = changed.enroll("Cleo", vectors(1, 4, dimension))
    back = reopen(changed, MODEL, DIMENSION)
    assert back.people() == [
        anna,
        replace(bert, templates=0, former_model=model),
        replace(cleo, templates=0, former_model=model),
    ]
    assert np.array_equal(back.gallery().templates, np.stack(vectors(2, 1)))
    assert back.gallery().names == {anna.id: "Anna"}


@other_models
def test_forgetting_takes_the_templates_of_every_model(
    store: AnyStore, reopen: Reopen, model: str, dimension: int
) -> None:
    anna = store.enroll("Anna", vectors(2, 1))
    changed = reopen(store, model, dimension)
    assert changed.forget("Anna") == replace(anna, templates=0, former_model=MODEL)
    back = reopen(changed, MODEL, DIMENSION)
    assert back.people() == []
    assert len(back.gallery().templates) == 0


Space: TypeAlias = tuple[str, int]
SPACES: list[Space] = [("a", 8), ("b", 8), ("b", 4)]


class History(RuleBasedStateMachine):
    """Any sequence of calls, and of changes of model, leaves a store as it leaves a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.space = SPACES[0]
        self.model: dict[str, tuple[int, Space, list[Embedding]]] = {}
        self.ids: set[int] = set()
        self.logged = 0
        self.store = self.make()

    def make(self) -> AnyStore:
        return FakeStore(*self.space, FakeClock())

    def remake(self) -> AnyStore:
        assert isinstance(self.store, FakeStore)
        return self.store.reopened(*self.space)

    names = st.sampled_from(["Anna", "ANNA", "anna ", "Bert", "Zo\u00eb", "zoe\u0308", "Zoe"])

    @rule(name=names, count=st.integers(0, 12), seed=st.integers(0, 99), add=st.booleans())
    def enroll(self, name: str, count: int, seed: int, add: bool) -> None:
        templates = vectors(count, seed, self.space[1])
        owner, space, own = self.model.get(name_key(name), (None, self.space, []))
        if space != self.space:
            own = []
        fits = owner is not None if add else not own
        if count == 0 or len(own) + count > TEMPLATES_MAX or not fits:
            with pytest.raises((InputError, PersonError)):
                self.store.enroll(name, templates, add=add)
            return
        person = self.store.enroll(name, templates, add=add)
        if owner is None:
            assert person.id not in self.ids
            self.ids.add(person.id)
        assert person.templates == len(own) + count
        assert owner in {None, person.id}
        self.model[name_key(name)] = (person.id, self.space, own + templates)

    @rule(name=names)
    def forget(self, name: str) -> None:
        known = self.model.pop(name_key(name), None)
        if known is None:
            with pytest.raises(PersonError):
                self.store.forget(name)
        else:
            assert self.store.forget(name).id == known[0]

    @rule()
    def log(self) -> None:
        self.store.log(Event("something", None, {"n": self.logged}))
        self.logged += 1

    @rule(space=st.sampled_from(SPACES))
    def reopen(self, space: Space) -> None:
        self.store.close()
        self.space = space
        self.store = self.remake()

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        people = self.store.people()
        assert {name_key(p.name): (p.id, p.templates, p.former_model) for p in people} == {
            key: (owner, len(own), None) if space == self.space else (owner, 0, space[0])
            for key, (owner, space, own) in self.model.items()
        }
        gallery = self.store.gallery()
        current = {owner: own for owner, space, own in self.model.values() if space == self.space}
        assert gallery.templates.shape == (sum(map(len, current.values())), self.space[1])
        assert dict(gallery.names) == {p.id: p.name for p in people if p.id in current}
        for owner, own in current.items():
            assert np.array_equal(gallery.templates[gallery.person_ids == owner], np.stack(own))
        assert [line.event.detail["n"] for line in self.store.events(99)] == list(range(self.logged))[::-1]

    def teardown(self) -> None:
        self.store.close()


class SqliteHistory(History):
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        super().__init__()

    def make(self) -> AnyStore:
        return SqliteStore.open(Path(self.folder.name) / "people.db", *self.space, FakeClock())

    def remake(self) -> AnyStore:
        return self.make()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestFakeHistory = History.TestCase
TestSqliteHistory = SqliteHistory.TestCase
TestFakeHistory.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestSqliteHistory.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
