"""What the README shows is what the program does."""

import re
from pathlib import Path

from edge import cli, errors
from tools.readme import BLOCK, PAGES, README, exit_codes_block, filled

ROOT = Path(__file__).parents[1]


def test_generated_blocks_are_up_to_date() -> None:
    """Run `python -m tools.readme` when this fails."""
    for page, blocks in PAGES.items():
        text = page.read_text()
        assert {block[2] for block in BLOCK.finditer(text)} == set(blocks)
        assert filled(text, blocks) == text


def test_every_command_is_named() -> None:
    text = README.read_text()
    for verb in cli.VERBS:
        assert f"facelatch {verb}" in text


def test_every_exit_code_has_its_line_and_the_tree_says_the_same() -> None:
    table = exit_codes_block()
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.FacelatchError):
            assert f"| {error.exit_code} |" in table
            line = next(
                line for line in str(errors.__doc__).splitlines() if f" {error.__name__}" in f" {line.strip('├└│─ ')}"
            )
            assert str(error.exit_code) in line


def test_every_folder_says_what_lives_there() -> None:
    folders = [folder for folder in (ROOT / "edge").iterdir() if folder.is_dir() and (folder / "__init__.py").exists()]
    for folder in [*folders, ROOT / "models_tflite", ROOT / "systemd", ROOT / "tools"]:
        assert (folder / "README.md").is_file(), folder


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / target).exists(), target
