"""Fills the generated blocks of README.md, models_tflite/README.md and systemd/README.md: ``python -m tools.readme``. A
test checks that they are up to date.

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import click
import msgspec

from edge import cli, errors, wiring
from edge import config as configuration
from edge.core.door import TABLE, TIMED, Signal, State
from edge.models.manifest import MANIFEST, Shelf
from edge.settings import Config, IndicatorConfig, InputsConfig
from tools import cards, wheels
from tools.liveness import card

README = Path(__file__).resolve().parent.parent / "README.md"
SESSION = README.parent / "tools/demo/session.txt"
DRILL = README.parent / "tools/demo/drill.txt"
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


Blocks: TypeAlias = Mapping[str, Callable[[], str]]


def filled(text: str, blocks: Blocks) -> str:
    """A page with every block made anew. Raises KeyError for a block that nothing generates."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{blocks[block[2]]()}\n{block[3]}", text)


def config_block() -> str:
    """The annotated facelatch.toml."""
    return f"```toml\n{configuration.template()}```\n"


def door_block() -> str:
    """The state diagram and the table of every pair, from the table."""
    always = set.intersection(*(set(row) for row in TABLE.values())) & {
        signal for signal in Signal if TABLE[State.LOCKED].get(signal) == (State.FAULT,)
    }
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.LOCKED.value}"]
    for state, row in TABLE.items():
        ways: dict[State, list[str]] = {}
        for signal, targets in row.items():
            for target in targets:
                if target is not state and signal not in always:
                    ways.setdefault(target, []).append(signal.value)
        for target in TIMED.get(state, ()):
            ways.setdefault(target, []).append("its time is up")
        lines += [f"    {state.value} --> {target.value}: {' / '.join(why)}" for target, why in ways.items()]
    named = ", ".join(signal.value for signal in Signal if signal in always)
    lines += ["```", "", f"From everywhere to {State.FAULT.value}: {named}; and any pair that is not listed.", ""]
    lines += [f"| event | {' | '.join(state.value for state in TABLE)} |", "|" + "---|" * (len(TABLE) + 1)]
    for signal in Signal:
        cells = (TABLE[state].get(signal, (State.FAULT,)) for state in TABLE)
        told = " | ".join(" or ".join("·" if t is s else t.value for t in c) for s, c in zip(TABLE, cells, strict=True))
        lines.append(f"| {signal.value} | {told} |")
    return "\n".join([*lines, "", "· stays as it is", ""])


def wiring_block() -> str:
    """What ``facelatch wiring`` prints of a door with everything fitted."""
    config = Config(
        inputs=InputsConfig(exit_button=22, door_contact=23, tamper=24),
        indicator=IndicatorConfig(green=5, red=6, buzzer=13),
    )
    return f"```text\n{wiring.page(config)}```\n"


def session_block() -> str:
    """The recorded evening at a simulated door."""
    return f"```text\n{SESSION.read_text()}```\n"


def drill_block() -> str:
    """The recorded drill."""
    return f"```text\n{DRILL.read_text()}```\n"


def exit_codes_block() -> str:
    """Every exit code and what it means, from the error tree."""
    rows = {0: "success", 2: "a wrong command line"}
    for error in errors.FacelatchError.__subclasses__():
        meaning = str(error.__doc__).split(". ")[0].split("\n")[0].rstrip(".")
        meaning = meaning[0].lower() + meaning[1:]
        rows[error.exit_code] = f"{rows[error.exit_code]}; {meaning}" if error.exit_code in rows else meaning
    rows[1] = "a fault of facelatch itself, `doctor` found one, or a drill is not passed"
    lines = [f"| {code} | {meaning} |" for code, meaning in sorted(rows.items())]
    return "\n".join(["| exit code | meaning |", "|---|---|", *lines, ""])


def commands_block() -> str:
    """Every command's help, as it prints it."""
    parts = []
    whole = cli.verbs()
    for words in ((), *_verbs(whole)):
        command: click.Command = cli.facelatch
        context = click.Context(command, info_name="facelatch", terminal_width=100, **command.context_settings)
        for word in words:
            command = (_below(command) or whole)[word]
            context = click.Context(command, info_name=word, parent=context, terminal_width=100)
        parts.append(f"```text\n$ facelatch {' '.join([*words, '--help'])}\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def networks_block() -> str:
    """The networks on the shelf, from the manifest."""
    manifest = msgspec.toml.decode((Shelf.open().folder / MANIFEST).read_bytes())
    lines = ["| network | on the CPU, bytes | for the Edge TPU, bytes | from | licence |", "|---|---|---|---|---|"]
    for name, model in manifest["models"].items():
        source, files = model["source"], model["variants"]
        origin = f"`{source['package']}` {source['version']} ({source['registry']})"
        sizes = " | ".join(f"{files[variant]['size_bytes']:,}" for variant in ("cpu", "edgetpu"))
        lines.append(f"| {name} | {sizes} | {origin} | {model['licence']} |")
    return "\n".join([*lines, ""])


def accuracy_block() -> str:
    """How accurate the networks are, the short form of the table in models_tflite/README.md."""
    measured = cards.manifest()["accuracy"]
    head = ("networks", "View 1 accuracy %", "TAR % at FAR 1e-3", "at 1e-4", "recall %", "false positives per image")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for variant, name in cards.VARIANTS.items():
        view1, found = measured[variant]["lfw_view1"], measured[variant]["group_photos"]
        cells = (
            cards.share(view1["accuracy"], "accuracy", 2),
            *(cards.tar(view1["unseen"], place) for place in (0, 1)),
            cards.share(found, "recall", 1),
            f"{found['false_per_picture']:.3f}",
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _verbs(commands: Mapping[str, click.Command]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.append((name,))
        found += [(name, *rest) for rest in _verbs(_below(command))]
    return found


def _below(command: click.Command) -> Mapping[str, click.Command]:
    return command.commands if isinstance(command, click.Group) else {}


BLOCKS: Blocks = {
    "config": config_block,
    "door": door_block,
    "session": session_block,
    "drill": drill_block,
    "wiring": wiring_block,
    "exit_codes": exit_codes_block,
    "commands": commands_block,
    "networks": networks_block,
    "accuracy": accuracy_block,
    "odds": cards.odds_block,
    "liveness": card.block,
}

PAGES: Mapping[Path, Blocks] = {
    README: BLOCKS,
    cards.README: cards.BLOCKS,
    README.parent / "systemd/README.md": {"wheels": lambda: wheels.table(wheels.recorded())},
}


def main() -> int:
    """Rewrite the pages where a block has changed."""
    for page, blocks in PAGES.items():
        before = page.read_text(encoding="utf-8")
        after = filled(before, blocks)
        page.write_text(after, encoding="utf-8")
        name = page.relative_to(README.parent)
        print(f"{name} is up to date" if before == after else f"{name} was brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
