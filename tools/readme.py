"""Fills the README's generated blocks: ``python -m tools.readme``. A test checks that they are up to date.

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from edge import cli, errors
from edge import config as configuration
from edge.core.door import TABLE, State
from edge.models.manifest import MANIFEST, Shelf

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The README with every block made anew. Raises KeyError for a block that nothing generates."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]()}\n{block[3]}", text)


def config_block() -> str:
    """The annotated facelatch.toml."""
    return f"```toml\n{configuration.template()}```\n"


def door_block() -> str:
    """The state diagram, from the table."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.LOCKED.value}"]
    for state, row in TABLE.items():
        for signal, target in row.items():
            if target is not state:
                lines.append(f"    {state.value} --> {target.value}: {signal.value}")
        if state is State.UNLOCKED:
            lines.append(f"    {state.value} --> {State.LOCKED.value}: its deadline has come")
    return "\n".join([*lines, "```", ""])


def exit_codes_block() -> str:
    """Every exit code and what it means, from the error tree."""
    rows = {0: "success", 2: "a wrong command line"}
    for error in errors.FacelatchError.__subclasses__():
        meaning = str(error.__doc__).split(". ")[0].split("\n")[0].rstrip(".")
        meaning = meaning[0].lower() + meaning[1:]
        rows[error.exit_code] = f"{rows[error.exit_code]}; {meaning}" if error.exit_code in rows else meaning
    rows[1] = "a fault of facelatch itself, or `doctor` found one"
    lines = [f"| {code} | {meaning} |" for code, meaning in sorted(rows.items())]
    return "\n".join(["| exit code | meaning |", "|---|---|", *lines, ""])


def commands_block() -> str:
    """Every command's help, as it prints it."""
    parts = []
    for words in ((), *_verbs(cli.facelatch)):
        command: click.Command = cli.facelatch
        context = click.Context(command, info_name="facelatch", terminal_width=100, **command.context_settings)
        for word in words:
            assert isinstance(command, click.Group)  # noqa: S101 - _verbs only descends into groups
            command = command.commands[word]
            context = click.Context(command, info_name=word, parent=context, terminal_width=100)
        parts.append(f"```text\n$ facelatch {' '.join([*words, '--help'])}\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def networks_block() -> str:
    """The networks on the shelf, from the manifest."""
    manifest = msgspec.toml.decode((Shelf.open().folder / MANIFEST).read_bytes())
    lines = ["| network | file | bytes | from | licence |", "|---|---|---|---|---|"]
    for name, card in manifest["models"].items():
        source = card["source"]
        origin = f"`{source['package']}` {source['version']} ({source['registry']})"
        lines.append(f"| {name} | `{card['file']}` | {card['size_bytes']:,} | {origin} | {card['licence']} |")
    return "\n".join([*lines, ""])


def _verbs(group: click.Group) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += [(name, *rest) for rest in _verbs(command)] if isinstance(command, click.Group) else [(name,)]
    return found


BLOCKS: dict[str, Callable[[], str]] = {
    "config": config_block,
    "door": door_block,
    "exit_codes": exit_codes_block,
    "commands": commands_block,
    "networks": networks_block,
}


def main() -> int:
    """Rewrite README.md where a block has changed."""
    before = README.read_text()
    after = filled(before)
    README.write_text(after)
    print("README.md is up to date" if before == after else "README.md was brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
