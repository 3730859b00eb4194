"""``facelatch secure``. It imports what drives a bolt and no more: while it starts, a relay may still be driven."""

from pathlib import Path

import click

from edge import config as configuration
from edge import fittings


@click.command()
@click.pass_obj
def secure(config_path: Path | None) -> None:
    """Drive the bolt to its secure level, where no guardian runs (any more).

    The service does so whenever it ends, however it ended, also when that was for a mistake in the configuration: only
    the sections [bolt] and [paths] are read.
    """
    fittings.secure(configuration.load(config_path, only=("bolt", "paths")))
