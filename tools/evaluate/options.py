"""What the commands have in common: which data set, which networks, where to keep and draw."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.errors import InputError
from tools.evaluate import lfw
from tools.evaluate.networks import Networks, check_folder, open_networks
from tools.evaluate.nuaa import open_nuaa
from tools.evaluate.people import open_people
from tools.evaluate.sessions import open_sessions
from tools.evaluate.sets import DataSet

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

LAYOUTS = {
    "lfw": "LFW: images/<Person>/<Person>_0001.jpg with pairsDevTrain.txt and pairsDevTest.txt, or pairs.txt.",
    "nuaa": "NUAA: <person>/<person>_<glasses>_<place>_<session>_<frame>.jpg.",
    "sessions": "A folder per session, the person before the last underscore: <session>/<person>_<anything>.jpg.",
    "people": "A folder per person: <person>/<anything>.jpg.",
}


def data_set_options(function: Callable[..., None]) -> Callable[..., None]:
    """One option for each layout of a set of people, of which exactly one is to be given: the command gets it as
    ``chosen``, layout and folder."""

    @functools.wraps(function)
    def command(**given: Any) -> None:
        folders = {layout: given.pop(layout) for layout in LAYOUTS}
        function(chosen=one_data_set(folders), **given)

    for name, text in reversed(LAYOUTS.items()):
        command = click.option(f"--{name}", type=FOLDER, help=text)(command)
    return command


def network_options(function: Command) -> Command:
    """``--models`` and ``--variant``."""
    function = click.option(
        "--variant", "variants", multiple=True, help="Only this variant (fp32, cpu, edgetpu); several times."
    )(function)
    return click.option(
        "--models",
        "folders",
        type=FOLDER,
        multiple=True,
        help="A folder of networks with manifest.toml; may be given several times.  [default: the int8 networks of "
        "this checkout, and the fp32 references where they have been built]",
    )(function)


def cache_option(function: Command) -> Command:
    return click.option(
        "--cache", type=FOLDER, help="A folder to keep embeddings in: the next run is a matter of seconds."
    )(function)


def yunet_option(
    text: str = "YuNet's .onnx file: landmarks are then held against what it finds.",
) -> Callable[[Command], Command]:
    return click.option("--yunet", type=FILE, help=text)


def limit_option(
    text: str = "LFW: so many pairs of each list; else people with so many pictures. Always the same ones.",
) -> Callable[[Command], Command]:
    return click.option("--limit", type=click.IntRange(min=2), help=text)


def plot_option(text: str) -> Callable[[Command], Command]:
    return click.option("--plot", "picture", type=FILE, help=text)


def one_data_set(given: dict[str, Path | None]) -> tuple[str, Path]:
    """The layout and folder that were given. Raises InputError unless it is exactly one."""
    chosen = [(name, folder) for name, folder in given.items() if folder is not None]
    if len(chosen) != 1:
        named = ", ".join(f"--{name}" for name in LAYOUTS)
        raise InputError(f"{len(chosen)} data sets are given. Name exactly one folder, with one of {named}.")
    return chosen[0]


def open_data_set(layout: str, folder: Path, limit: int | None) -> DataSet:
    """The pictures of a folder, at most about ``limit`` of them (LFW: pairs of each list). Raises InputError."""
    if layout == "lfw":
        view = lfw.view1(folder, limit) or lfw.view2(folder, limit) or lfw.open_view1(folder)
        return view.data_set
    found = {"nuaa": open_nuaa, "sessions": open_sessions, "people": open_people}[layout](folder)
    return found if limit is None else found.sample(limit)


def ready(folders: tuple[Path, ...], variants: tuple[str, ...], cache: Path | None, **more: bool) -> list[Networks]:
    """The networks, after it is sure that the cache can be kept. Raises InputError, ModelError."""
    if cache is not None:
        check_folder(cache, "--cache")
    return open_networks(folders, variants, **more)
