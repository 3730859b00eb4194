"""``facelatch wiring``: which wire goes where."""

from pathlib import Path

import click

from edge import config as configuration
from edge import wiring as drawn
from edge.core.names import harmless
from edge.output import json_option, print_json


@click.command()
@json_option
@click.pass_obj
def wiring(config_path: Path | None, as_json: bool) -> None:
    """Draw the header with the configured pins, and the circuit of the chosen bolt."""
    config = configuration.load(config_path)
    if as_json:
        print_json({"bolt": config.bolt, "wires": drawn.wires(config)})
    else:
        click.echo(harmless(drawn.page(config)), nl=False)
