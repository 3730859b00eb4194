"""What ``judge.toml`` says of how well it does, for README.md."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from edge.models.judging import JUDGE
from edge.models.manifest import own_folder

KINDS = {"live": "the person", "print": "a print of the person", "replay": "a replay of the person"}
JUDGES = {"edges": "edges", "parallax": "parallax"}


def block() -> str:
    """Three tables: each sign alone, the judge at its threshold, and the door."""
    path = own_folder() / JUDGE
    measured = tomllib.loads(path.read_text(encoding="utf-8"))["measured"]
    return "\n".join([*_signs(measured["rows"]), "", *_points(measured["points"]), "", *_door(measured["door"]), ""])


def _signs(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("", "collection", "attack", "looks, live + attack", "AUC", "APCER % at BPCER 5 %", "approaches", "AUC")
    lines = _head((*head, "APCER % at BPCER 3 %"))
    for row in rows:
        name = JUDGES.get(row["judge"], "the judge, collection left out" if "fusion" in row["judge"] else "appearance")
        name = row["judge"] if "teacher" in row["judge"] else name
        cells = (
            *(name, row["collections"], row["attack"], f"{row['live_looks']} + {row['attack_looks']}"),
            *(f"{row['look_auc']:.3f}", _share(row["look_apcer_at_bpcer_5"])),
            *(f"{row['live_approaches']} + {row['attack_approaches']}", f"{row['approach_auc']:.3f}"),
            _share(row["approach_apcer_at_bpcer_3"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _points(points: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = _head(("the judge, per", "collection (left out)", "attack", "APCER %", "of", "BPCER %", "of", "ACER %"))
    for each in points:
        apcer, bpcer = each["apcer"], each["bpcer"]
        cells = (
            *(each["level"], each["collections"], each["attack"], _share(apcer), str(apcer["count"])),
            *(_share(bpcer), str(bpcer["count"]), f"{100 * each['acer']:.1f}"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _door(found: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = _head(("the whole door", "before it", "liveness", "opened, %", "of"))
    for each in found:
        cells = (each["collection"], KINDS[each["kind"]], each["liveness"], _share(each["opened"]))
        lines.append(f"| {' | '.join(cells)} | {each['opened']['count']} |")
    return lines


def _head(cells: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |", "|" + "---|" * len(cells)]


def _share(share: Mapping[str, Any]) -> str:
    low, high = share["interval"]
    return f"{100 * share['share']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
