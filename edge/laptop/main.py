"""The command line of a laptop: ``facelatch usb`` and ``bundle`` without anything else around them."""

import sys

import click

from edge.core.names import harmless
from edge.errors import FacelatchError
from edge.laptop.bundles import bundle_group
from edge.laptop.commands import usb


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def facelatch() -> None:
    """A face-unlock door lock; here with the commands of a laptop alone."""


facelatch.add_command(usb)
facelatch.add_command(bundle_group)


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    try:
        facelatch(prog_name="facelatch")
    except FacelatchError as error:
        click.echo(f"facelatch: {harmless(str(error))}", err=True)
        sys.exit(error.exit_code)
