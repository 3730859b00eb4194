"""The evaluation as tables, a DET plot and a gallery of what went wrong."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from edge.images import encode_jpeg
from edge.output import console
from tools.liveness import sets
from tools.liveness.door import Opened, Stay
from tools.liveness.evaluation import Evaluation
from tools.liveness.judging import Operating, Point, Row, Scored, det
from tools.liveness.rates import Share

PICTURE_PX = 480


def print_all(found: Evaluation) -> None:
    """On standard output."""
    for table in (_rows(found.rows), _points(found.points), _operating(found.operating), _door(found.opened)):
        console.print(table)


def draw(path: Path, by_look: Scored, by_approach: Scored) -> None:
    """DET curves of the fusion (PNG), whole or not at all."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, scored in (("per look", by_look), ("per approach", by_approach)):
        apcer, bpcer = det(scored)
        axes.step(100 * apcer, 100 * bpcer, where="post", label=name)
    axes.set(xlabel="APCER %", ylabel="BPCER %", xlim=(0, 20), ylim=(0, 20), title="collections left out")
    axes.grid(alpha=0.3)
    axes.legend()
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        figure.savefig(file, format="png", dpi=120)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def gallery(folder: Path, stays: Sequence[Stay], found: Sequence[sets.Sequence]) -> int:
    """The middle frame of every stay before the door that went wrong, as JPEG; how many there are."""
    by_name = {each.name: each for each in found}
    wrong = [stay for stay in stays if (stay.required is not None) != (stay.kind == "live")]
    for number, stay in enumerate(wrong):
        frames = list(by_name[stay.name.rpartition(",")[0]].frames())
        what = "opened" if stay.required else "refused"
        (folder / f"{number:03}-{stay.kind}-{what}.jpg").write_bytes(encode_jpeg(frames[len(frames) // 2], PICTURE_PX))
    return len(wrong)


def told(share: Share) -> str:
    """In per cent with its interval."""
    low, high = share.interval
    return f"{100 * share.share:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _rows(rows: Sequence[Row]) -> Table:
    table = Table(title="Each by itself, and together (collections that the fusion was not fitted to)")
    head = ("judge", "collection", "attack", "looks", "AUC", "APCER % at BPCER 5 %")
    for column in (*head, "approaches", "AUC", "APCER % at BPCER 3 %"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            *(row.judge, row.collections, row.attack, f"{row.live_looks} + {row.attack_looks}"),
            *(f"{row.look_auc:.3f}", told(row.look_apcer_at_bpcer_5)),
            *(f"{row.live_approaches} + {row.attack_approaches}", f"{row.approach_auc:.3f}"),
            told(row.approach_apcer_at_bpcer_3),
        )
    return table


def _points(points: Sequence[Point]) -> Table:
    table = Table(title=f"The fusion at {points[0].threshold:.2f}, % with 95 % intervals" if points else "")
    for column in ("per", "collection", "attack", "APCER", "n", "BPCER", "n", "ACER"):
        table.add_column(column)
    for each in points:
        counts = (told(each.apcer), str(each.apcer.count), told(each.bpcer), str(each.bpcer.count))
        table.add_row(each.level, each.collections, each.attack, *counts, f"{100 * each.acer:.1f}")
    return table


def _operating(found: Sequence[Operating]) -> Table:
    table = Table(title="Operating points, all collections")
    for column in ("per", "wanted APCER %", "threshold", "BPCER %"):
        table.add_column(column)
    for each in found:
        table.add_row(each.level, f"{100 * each.apcer:.0f}", f"{each.threshold:.3f}", f"{100 * each.bpcer:.1f}")
    return table


def _door(found: Sequence[Opened]) -> Table:
    table = Table(title="The whole door: everybody enrolled live; what of this opened it, %")
    for column in ("collection", "before the door", "liveness", "opened", "n"):
        table.add_column(column)
    for each in found:
        kind = {"live": "the person", "print": "a print", "replay": "a replay"}[each.kind]
        table.add_row(each.collection, kind, each.liveness, told(each.opened), str(each.opened.count))
    return table
