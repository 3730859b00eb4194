"""Everything about every variant at once: what ``python -m tools.evaluate record`` measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.core.names import shown
from edge.errors import InputError
from edge.models.manifest import MANIFEST
from edge.ports import Detector
from tools.evaluate import lfw, wider
from tools.evaluate.detection import Detection, Tally, detect, look_at
from tools.evaluate.identification import SIZES, Identification, identify
from tools.evaluate.networks import FP32_ABSENT, REFERENCE, Networks, open_networks
from tools.evaluate.nuaa import open_nuaa
from tools.evaluate.protocols import verify_view1
from tools.evaluate.sessions import open_sessions
from tools.evaluate.sets import DataSet
from tools.evaluate.tail import ImpostorTail, impostor_tail
from tools.evaluate.verification import Scores, Verification, verify_set
from tools.evaluate.wider import Picture

LFW, WIDER, NUAA, LONDON = "lfw_view1", "group_photos", "print_attack/live", "london"


class OfPeople(msgspec.Struct, frozen=True):
    """A set of people who are no celebrities. ``identification`` is None where they are too few to enrol five."""

    verification: Verification
    identification: Identification | None


class Measured(msgspec.Struct, frozen=True):
    """Everything about one variant. ``tail`` is None for the reference, which no lock runs."""

    variant: str
    networks: str
    digest: str
    size_bytes: int
    view1: Verification
    detection: Detection
    people: dict[str, OfPeople]
    tail: ImpostorTail | None


@dataclass(frozen=True, slots=True)
class Data:
    """The data sets, opened."""

    view1: lfw.View
    wider: Sequence[Picture]
    people: dict[str, DataSet]

    @classmethod
    def open(cls, folder: Path, limit: int | None) -> "Data":
        """All of them, each with at most about ``limit`` pictures (pairs of each list). Raises InputError."""
        missing = [name for name in (LFW, WIDER, NUAA, LONDON) if not (folder / name).is_dir()]
        if missing:
            raise InputError(
                f"{shown(str(folder), 120)} lacks {', '.join(missing)}. Give a folder with {LFW}, {WIDER}, {NUAA} and "
                f"{LONDON}."
            )
        people = {NUAA: open_nuaa(folder / NUAA), LONDON: open_sessions(folder / LONDON)}
        if limit is not None:
            people = {name: data_set.sample(limit) for name, data_set in people.items()}
        return cls(lfw.open_view1(folder / LFW, limit), wider.open_pictures(folder / WIDER)[:limit], people)


def shelves(models: Path, reference: Path) -> list[Networks]:
    """The reference first, then every variant of ``models``. Raises InputError, ModelError."""
    if not (reference / MANIFEST).is_file():
        raise InputError(FP32_ABSENT)
    references = open_networks([reference], [REFERENCE])
    return [*references, *open_networks([models])]


def measure(data: Data, networks: Sequence[Networks], cache: Path | None, witness: Detector | None) -> list[Measured]:
    """Every variant, each compared with the first; landmarks also with the witness's. Raises ImageError, ModelError,
    InputError."""
    witnessed = None if witness is None else look_at(data.wider, witness, "Detecting, the witness")
    results: list[Measured] = []
    view1: Scores | None = None
    tallies: list[Tally] | None = None
    people: dict[str, Scores] = {}
    for each in networks:
        is_reference = not results
        verified, scores = verify_view1(data.view1, each, cache, view1)
        detected, seen = detect(WIDER, data.wider, each, tallies, witnessed)
        of_people = {name: _of_people(data_set, each, cache, people) for name, data_set in data.people.items()}
        if is_reference:
            view1, tallies = scores, seen
        results.append(
            Measured(
                variant=each.variant,
                networks=each.label,
                digest=each.digest,
                size_bytes=each.size_bytes,
                view1=verified,
                detection=detected,
                people=of_people,
                tail=None if is_reference else impostor_tail(data.view1.data_set, each, cache),
            )
        )
    return results


def _of_people(data_set: DataSet, networks: Networks, cache: Path | None, reference: dict[str, Scores]) -> OfPeople:
    """``reference``: by the set's name; the first networks put their own scores there."""
    verified, scores = verify_set(data_set, networks, cache, reference.get(data_set.name))
    reference.setdefault(data_set.name, scores)
    if len(data_set.people) <= min(SIZES):
        return OfPeople(verified, None)
    return OfPeople(verified, identify(data_set, networks, cache)[0])
