"""``facelatch people`` and ``forget``."""

import sys
from pathlib import Path

import click

from edge import app, wire
from edge import config as configuration
from edge.core.names import clean_name, name_key
from edge.errors import FacelatchError, WireError
from edge.output import console, json_option, print_json, table


def _names_like(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """For the shell's completion: whoever may ask the lock gets the names."""
    try:
        path = context.find_root().params.get("config_path")
        names = [each.name for each in app.people(configuration.load(path))]
        return [name for name in names if name_key(name).startswith(name_key(begun))]
    except FacelatchError:
        return []


name_argument = click.argument("name", shell_complete=_names_like)
"""NAME of somebody enrolled; the shell completes it."""


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def people(context: click.Context, as_json: bool) -> None:
    """List everybody enrolled, or change what somebody may."""
    if context.invoked_subcommand is None:
        _list(context.obj, as_json)


def _list(config_path: Path | None, as_json: bool) -> None:
    everybody = app.people(configuration.load(config_path))
    if as_json:
        print_json(everybody)
        return
    rows = [
        (person.name, person.templates, person.enrolled_utc[:16].replace("T", " "), person.expires or "never")
        for person in everybody
    ]
    columns = ("name", "templates", "enrolled (UTC)", "erased after")
    again = sum(person.enrol_again for person in everybody)
    if not again:
        table(f"{len(rows)} enrolled", columns, rows)
        return
    marked = [(*row, _advice(person)) for row, person in zip(rows, everybody, strict=True)]
    table(f"{len(rows) - again} enrolled · {again} must enrol again", (*columns, "detail"), marked)
    console.print("Enrol again with `facelatch enroll NAME PHOTOS`.", markup=False)


@click.command()
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def forget(config_path: Path | None, name: str, yes: bool, as_json: bool) -> None:
    """Erase NAME, for good: templates, pictures, rules, PINs, and the key they are sealed with.

    No backup brings the person back. The log keeps the entries, by number, until they are pruned.
    """
    config = configuration.load(config_path)
    wanted = clean_name(name)
    if not yes:
        found = app.answer(config, wire.AskShow(wanted))
        if isinstance(found, wire.Shown):
            kept = f"{found.person.name}, {found.person.templates} templates"
            click.confirm(f"Erase {kept}, for good?", abort=True, err=True)
    answer = app.answer(config, wire.AskForget(wanted))
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.People):
        console.print(f"{answer.people[0].name} is forgotten.", markup=False)


people.add_command(forget)


@people.command("list")
@json_option
@click.pass_context
def list_people(context: click.Context, as_json: bool) -> None:
    """List everybody enrolled."""
    _list(context.obj, as_json)


@people.command()
@name_argument
@click.argument("new_name")
@json_option
@click.pass_obj
def rename(config_path: Path | None, name: str, new_name: str, as_json: bool) -> None:
    """Give NAME another name; templates and rules stay."""
    question = wire.AskRename(clean_name(name), clean_name(new_name))
    answer = app.answer(configuration.load(config_path), question)
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.People):
        console.print(f"{name} is now {answer.people[0].name}.", markup=False)


@people.command()
@json_option
@click.pass_obj
def check(config_path: Path | None, as_json: bool) -> None:
    """Compare everybody with everybody: who looks alike, and whether that was decided. Exit code 1 when not."""
    answer = app.answer(configuration.load(config_path), wire.AskAlike())
    if not isinstance(answer, wire.Alike):
        raise WireError("The guardian answered something else than a check. Use one release for both.")
    undecided = [pair for pair in answer.pairs if not pair.pin_required]
    if as_json:
        print_json(answer)
    elif answer.pairs:
        rows = [(p.first, p.second, f"{p.similarity:.2f}", "yes" if p.pin_required else "no") for p in answer.pairs]
        table("people who look alike", ("person", "person", "similarity", "both by PIN only"), rows)
        if undecided:
            advice = "For each of them: `facelatch people allow NAME --pin-required`, or forget one of the two."
            console.print(advice, markup=False)
    else:
        console.print(f"No two look alike (similarity below {answer.alike_min:.2f}).", markup=False)
    if undecided:
        sys.exit(1)


def ask_people(config_path: Path | None, question: wire.Question, as_json: bool) -> None:
    """Ask for a change to one person, and say that it was made."""
    answer = app.answer(configuration.load(config_path), question)
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.People):
        console.print(f"{answer.people[0].name}: done.", markup=False)


def _advice(person: wire.PersonLine) -> str:
    if not person.enrol_again:
        return ""
    return "must enrol again" + (f": the templates are of model {person.former_model}" if person.former_model else "")
