"""The command ``facelatch``: each verb parses, calls one function of ``app`` or ``enroll``, and prints."""

import logging
import sys
from importlib.metadata import version
from pathlib import Path

import click

from edge import config as configuration
from edge import coredump
from edge.cli.doctor import doctor
from edge.cli.enroll import enroll
from edge.cli.log import log_group
from edge.cli.look import look
from edge.cli.operate import clear, lockdown, unlock
from edge.cli.people import forget, people
from edge.cli.permits import holidays
from edge.cli.records import consent_command
from edge.cli.reembed import reembed
from edge.cli.run import door, eyes, link, run, secure, status, stick
from edge.cli.settings import config_group
from edge.cli.store import backup, keys_group, restore
from edge.cli.wiring import wiring
from edge.core.names import harmless
from edge.errors import FacelatchError
from edge.laptop.bundles import bundle_group
from edge.laptop.commands import usb


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("facelatch"), prog_name="facelatch")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Configuration file.  [default: {configuration.DEFAULT_PATH}]",
)
@click.pass_context
def facelatch(context: click.Context, config_path: Path | None) -> None:
    """A face-unlock door lock that lives wholly on one board.

    Settings come from the configuration file, then from the environment (FACELATCH_DOOR__UNLOCK_S=3 sets
    door.unlock_s).
    """
    context.obj = config_path


people.add_command(reembed)
for command in (
    unlock,
    lockdown,
    clear,
    holidays,
    run,
    enroll,
    people,
    forget,
    consent_command,
    backup,
    restore,
    keys_group,
    look,
    status,
    log_group,
    doctor,
    wiring,
    config_group,
    door,
    secure,
    eyes,
    link,
    stick,
    usb,
    bundle_group,
):
    facelatch.add_command(command)


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    coredump.forbid()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        facelatch(prog_name="facelatch")
    except FacelatchError as error:
        click.echo(f"facelatch: {harmless(str(error))}", err=True)
        sys.exit(error.exit_code)
