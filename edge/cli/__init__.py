"""The command ``facelatch``: each verb parses, calls one function of ``app`` or ``enroll``, and prints.

A verb's modules are imported when it is called, and no other's: `facelatch secure` runs after a guardian that was
killed while the relay was driven, and every import is time in which the door stands open.
"""

import logging
import sys
from importlib import import_module
from pathlib import Path

import click

from edge import config as configuration
from edge import coredump
from edge.core.names import harmless
from edge.errors import FacelatchError

VERBS = {
    "unlock": ("edge.cli.operate:unlock",),
    "lockdown": ("edge.cli.operate:lockdown",),
    "clear": ("edge.cli.operate:clear",),
    "holidays": ("edge.cli.permits:holidays",),
    "run": ("edge.cli.run:run",),
    "enroll": ("edge.cli.enroll:enroll",),
    "people": ("edge.cli.people:people", "edge.cli.permits", "edge.cli.records", "edge.cli.reembed"),
    "forget": ("edge.cli.people:forget",),
    "consent": ("edge.cli.records:consent_command",),
    "backup": ("edge.cli.store:backup",),
    "restore": ("edge.cli.store:restore",),
    "keys": ("edge.cli.store:keys_group",),
    "look": ("edge.cli.look:look",),
    "status": ("edge.cli.run:status",),
    "risk": ("edge.cli.risk:risk",),
    "drill": ("edge.cli.drill:drill_command",),
    "log": ("edge.cli.log:log_group",),
    "doctor": ("edge.cli.doctor:doctor",),
    "wiring": ("edge.cli.wiring:wiring",),
    "config": ("edge.cli.settings:config_group",),
    "door": ("edge.cli.run:door", "edge.cli.operate"),
    "secure": ("edge.cli.secure:secure",),
    "eyes": ("edge.cli.run:eyes",),
}
"""Where each verb is, and the modules that add verbs below it."""


class Verbs(click.Group):
    """A group that imports a verb when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return _verb(name) if name in VERBS else None


def _verb(name: str) -> click.Command:
    place, *below = VERBS[name]
    module, _, attribute = place.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    for each in below:
        import_module(each)
    return command


def verbs() -> dict[str, click.Command]:
    """Every verb, imported: for what prints or checks them all."""
    return {name: _verb(name) for name in VERBS}


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="facelatch", prog_name="facelatch")
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


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    coredump.forbid()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        facelatch(prog_name="facelatch")
    except FacelatchError as error:
        click.echo(f"facelatch: {harmless(str(error))}", err=True)
        sys.exit(error.exit_code)
