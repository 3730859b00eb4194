"""``facelatch config``: the annotated template, a check, and what is in force."""

from pathlib import Path

import click

from edge import config as configuration
from edge.core.names import harmless
from edge.output import json_option, print_json
from edge.settings import Config


@click.group("config")
def config_group() -> None:
    """The configuration: write a template, check a file, show what is in force."""


@config_group.command("template")
@json_option
def template(as_json: bool) -> None:
    """Print every setting with its default and meaning, ready to be a facelatch.toml."""
    if as_json:
        print_json(Config())
    else:
        click.echo(configuration.template(), nl=False)


@config_group.command("check")
@json_option
@click.pass_obj
def check(config_path: Path | None, as_json: bool) -> None:
    """Read the configuration and report every fault at once (exit code 3)."""
    configuration.load(config_path)
    notes = configuration.unset(config_path)
    if as_json:
        print_json({"ok": True, "notes": notes})
    else:
        click.echo("\n".join([*map(harmless, notes), "The configuration is right."]))


@config_group.command("show")
@json_option
@click.pass_obj
def show(config_path: Path | None, as_json: bool) -> None:
    """Print the settings in force, from file and environment together."""
    config = configuration.load(config_path)
    if as_json:
        print_json(config)
    else:
        click.echo(configuration.template(config), nl=False)
