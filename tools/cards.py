"""The generated blocks of models_tflite/README.md: figures from ``manifest.toml`` and ``study.toml``, never by hand."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from edge.core import risk
from edge.core.risk import Limits
from edge.core.share import PRESETS, one_in, rounded
from edge.models.calibration import calibration

FOLDER = Path(__file__).resolve().parent.parent / "models_tflite"
README = FOLDER / "README.md"

Table: TypeAlias = Mapping[str, Any]

VARIANTS = {"fp32": "fp32", "cpu": "`cpu` int8", "edgetpu": "`edgetpu` int8"}
SETS = {"print_attack_live": "print_attack/live (NUAA, 9 people)", "london": "London (102 people)"}
THRESHOLDS = (0.45, 0.60)
"""Of the table of people: one at which so few people show a difference, and the product's own."""


ODDS_PEOPLE = (1, 5, 12, 20, 50, 100)
ODDS_ASKED = (1e-3, PRESETS["standard"], PRESETS["strict"])


def manifest() -> dict[str, Any]:
    """What the networks are and how they were measured."""
    return tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))


def study(name: str) -> list[dict[str, Any]]:
    """The rows of one study."""
    rows: list[dict[str, Any]] = tomllib.loads((FOLDER / "study.toml").read_text(encoding="utf-8"))[name]["rows"]
    return rows


def table_block() -> str:
    """The one table: fp32 and both int8 variants."""
    measured = manifest()["accuracy"]
    rows = [
        ("size, bytes", _each(measured, lambda of: f"{of['size_bytes']:,}")),
        ("LFW View 1, accuracy %", _each(measured, lambda of: share(of["lfw_view1"]["accuracy"], "accuracy", 2))),
    ]
    for kind, people in (("unseen", "people not calibrated with"), ("broad", "all of View 1")):
        for place, power in enumerate((3, 4, 5)):
            name = f"TAR % at FAR 1e-{power}, {people}"
            rows.append((name, _each(measured, partial(_view1, kind, place))))
    rows += [
        ("recall %, faces of 48 px and more", _each(measured, lambda of: share(of["group_photos"], "recall", 1))),
        ("false positives per image", _each(measured, lambda of: f"{of['group_photos']['false_per_picture']:.3f}")),
        ("landmark error, % of the inter-ocular distance", _each(measured, _landmarks)),
        ("landmarks, distance to fp32's, %", _each(measured, _moved)),
    ]
    return _markdown(("", *VARIANTS.values()), rows)


def people_block() -> str:
    """The sets of people who are no celebrities."""
    measured = manifest()["accuracy"]
    rows = []
    for key, title in SETS.items():
        for place, power in enumerate((3, 4)):
            if len(measured["cpu"][key]["verification"]["tar_at_far"]) > place:
                cells = _each(measured, partial(_people, key, place))
                rows.append((f"{title}: TAR % at FAR 1e-{power}", cells))
        rates = measured["cpu"][key].get("identification", {}).get("rates", [])
        for rate in rates:
            if rate["threshold"] in THRESHOLDS:
                name = f"{title}: FPIR %, {rate['enrolled']} enrolled, from {rate['threshold']:.2f}"
                rows.append((name, _each(measured, partial(_fpir, key, rate))))
    return _markdown(("", *VARIANTS.values()), rows)


def tail_block() -> str:
    """The impostor tails of the variants that a lock runs."""
    rows = []
    for variant, tail in manifest()["impostor_tail"].items():
        for key in (key for key in tail if key.startswith("enrolled_")):
            found = tail[key]
            cells = [
                f"{similarity:.3f} [{low:.3f}, {high:.3f}]"
                for similarity, (low, high) in zip(found["similarities"], found["intervals"], strict=True)
            ]
            name = f"{VARIANTS[variant]}, {key.removeprefix('enrolled_')}"
            rows.append((name, [f"{found['comparisons']:,}", *cells, *["-"] * (5 - len(cells))]))
    return _markdown(("enrolled", "comparisons", "1 look in 10", "100", "1,000", "10,000", "100,000"), rows)


def odds_block() -> str:
    """What the lock derives for so many people of five templates each, and what that means for owners."""
    of = calibration("cpu", "none", None)
    if of is None:
        return "Not measured of the networks that are here."
    rows = []
    for people in ODDS_PEOPLE:
        cells = []
        for asked in ODDS_ASKED:
            found = Limits(0.0, asked, of).decide([5] * people)
            known, (_, refused, approaches) = found.odds, risk.refused(of, found.similarity_min)
            if known is None:
                continue
            likely, kind = (f"{rounded(1 / each):,}" for each in (known.admitted, known.alike))
            cells.append(f"{found.similarity_min:.3f}: {likely}; {kind}; {refused} of {approaches}")
        rows.append((str(people), cells))
    return _markdown(("enrolled", *map(one_in, ODDS_ASKED)), rows)


def risk_block() -> str:
    """What the odds are made of."""
    measured = manifest()["risk"]
    names = {
        "crowd": "people before one camera are more alike by",
        "alike": "people of one kind before one camera, by",
        "templates": "the mean of very many templates is more alike by",
        "rho": "correlation of the looks of one approach",
        "agreement": "cosine of two looks of one approach",
    }
    rows = [
        (
            f"one comparison in {1 / share:,.0f} exceeds",
            [_spread(of["tail"]["similarities"][place], of["tail"]["intervals"][place]) for of in measured.values()],
        )
        for place, share in enumerate(measured["cpu"]["tail"]["shares"])
    ]
    for key, name in names.items():
        source = f"{measured['cpu'][key]['data_set']}, {measured['cpu'][key]['people']:,} people"
        rows.append(
            (f"{name} ({source})", [_spread(of[key]["value"], of[key]["interval"]) for of in measured.values()])
        )
    return _markdown(("", *(VARIANTS[variant] for variant in measured)), rows)


def _spread(value: float, ends: Sequence[float]) -> str:
    return f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"


def card_block(name: str) -> str:
    """One network: where it comes from, what goes in and out, its files and how near they are to fp32."""
    card = manifest()["models"][name]
    source, files = card["source"], card["variants"]
    shape = " x ".join(str(side) for side in files["cpu"]["input"]["shape"])
    outputs = ", ".join(
        f"`{output}` {' x '.join(map(str, tensor['shape']))}" for output, tensor in files["cpu"]["outputs"].items()
    )
    lines = [
        f"- {card['role'][0].upper()}{card['role'][1:]}.",
        f"- Source: `{source['file']}` of `{source['package']}` {source['version']} ({source['registry']}), "
        f"{card['licence']}; sha256 `{source['file_sha256']}`.",
        f"- In: `{files['cpu']['input']['name']}` {shape}, {card['preprocessing']}. Out: {outputs}.",
    ]
    if "template_model" in card:
        lines.append(f"- Embedding space: `{card['template_model']}`, {card['dimension']} numbers.")
    lines += [f"- Operators, `{variant}`: {', '.join(file['ops'])}." for variant, file in files.items()]
    figures = [(key, [_plain(file["figures"].get(key)) for file in files.values()]) for key in files["cpu"]["figures"]]
    rows = [
        ("file", [f"`{file['file']}`" for file in files.values()]),
        ("bytes", [f"{file['size_bytes']:,}" for file in files.values()]),
        *figures,
    ]
    return "\n".join(lines) + "\n\n" + _markdown(("", *(VARIANTS[variant] for variant in files)), rows)


def steps_block() -> str:
    """What each step of quantising gained."""
    rows = [
        (
            f"{VARIANTS.get(row['form'], row['form'])}: {row['step'].strip()}",
            [
                *(f"{row[f'tar_1e-{power}']:.2f}" for power in (3, 4, 5)),
                f"{row['cosine_mean']:.4f}",
                f"{row['cosine_1_percent']:.3f}",
            ],
        )
        for row in study("quantisation")
    ]
    return _markdown(("step", "TAR % at 1e-3", "1e-4", "1e-5", "cosine to fp32", "its worst 1 %"), rows)


def cascade_block() -> str:
    """What each step of quantising the detector gained."""
    keys = ("pnet_box_error_mean", "rnet_box_error_mean", "onet_box_error_mean", "onet_landmark_error_mean")
    rows = [
        (
            f"{VARIANTS.get(row['form'], row['form'])}: {row['step'].strip()}",
            [*(f"{row[key]:.4f}" for key in keys), f"{100 * row['recall']:.1f}", f"{row['false']:.3f}"],
        )
        for row in study("cascade")
    ]
    head = (
        "step",
        "P-Net boxes",
        "R-Net boxes",
        "O-Net boxes",
        "O-Net landmarks",
        "recall %",
        "false positives per image",
    )
    return _markdown(head, rows)


def alignment_block() -> str:
    """Template scales and the mirror image."""
    rows = [
        (f"{row['way']}, {row['people']}", [f"{row[f'tar_1e-{power}']:.2f}" for power in (3, 4, 5)])
        for row in study("alignment")
    ]
    return _markdown(("", "TAR % at 1e-3", "1e-4", "1e-5"), rows)


def detector_block() -> str:
    """The pyramid's factor and the thresholds."""
    keys = ("recall_choose", "false_choose", "recall_measure", "false_measure")
    rows = [(row["setting"], [f"{row[key]:.3f}" for key in keys]) for row in study("detector")]
    return _markdown(
        ("", "recall, to choose", "false positives per image", "recall, measured", "false positives per image"), rows
    )


def _each(measured: Table, cell: Callable[[Table], str]) -> list[str]:
    return [cell(measured[variant]) for variant in VARIANTS]


def share(table: Table, key: str, digits: int) -> str:
    """In %, with its interval and, below, the difference to fp32."""
    interval = table.get("interval", table.get(f"{key}_interval"))
    return f"{100 * table[key]:.{digits}f}" + _interval(interval, digits, 100) + _difference(table, key)


def _difference(table: Table, key: str) -> str:
    if f"{key}_difference" not in table:
        return ""
    return f"<br>{100 * table[f'{key}_difference']:+.2f}" + _interval(table[f"{key}_difference_interval"], 2, 100)


def tar(compared: Table, place: int) -> str:
    """TAR in % at one of the FARs, as ``share``."""
    if place >= len(compared["tar_at_far"]):
        return "-"
    found = compared["tar_at_far"][place]
    text = f"{100 * found['tar']:.2f}" + _interval(found["interval"], 2, 100)
    if "difference" in found:
        text += f"<br>{100 * found['difference']:+.2f}" + _interval(found["difference_interval"], 2, 100)
    return text


def _view1(kind: str, place: int, measured: Table) -> str:
    return tar(measured["lfw_view1"][kind], place)


def _people(key: str, place: int, measured: Table) -> str:
    return tar(measured[key]["verification"], place)


def _fpir(key: str, wanted: Table, measured: Table) -> str:
    for rate in measured[key]["identification"]["rates"]:
        if (rate["enrolled"], rate["threshold"]) == (wanted["enrolled"], wanted["threshold"]):
            return f"{100 * rate['fpir']:.3f}" + _interval(rate["fpir_interval"], 3, 100)
    return "-"


def _landmarks(measured: Table) -> str:
    found = measured["group_photos"]
    if "landmark_error" not in found:
        return "-"
    text = f"{found['landmark_error']:.2f}" + _interval(found["landmark_error_interval"], 2)
    if "landmark_error_difference" in found:
        ends = _interval(found["landmark_error_difference_interval"], 2)
        text += f"<br>{found['landmark_error_difference']:+.2f}" + ends
    return text


def _moved(measured: Table) -> str:
    found = measured["group_photos"]
    if "landmarks_moved" not in found:
        return "reference"
    ends = _interval(found["landmarks_moved_interval"], 2)
    return f"{found['landmarks_moved']:.2f}{ends}, median {found['landmarks_moved_median']:.2f}"


def _interval(ends: Sequence[float] | None, digits: int, factor: float = 1) -> str:
    return "" if ends is None else f" [{factor * ends[0]:.{digits}f}, {factor * ends[1]:.{digits}f}]"


def _plain(value: Any) -> str:
    return "-" if value is None else str(value)


def _markdown(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines) + "\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "table": table_block,
    "people": people_block,
    "tail": tail_block,
    "risk": risk_block,
    **{name: partial(card_block, name) for name in ("pnet", "rnet", "onet", "mobilefacenet")},
    "steps": steps_block,
    "cascade": cascade_block,
    "alignment": alignment_block,
    "detector": detector_block,
}
