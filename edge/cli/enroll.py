"""``facelatch enroll``: one person from photographs or at the camera, or everybody from a folder of folders."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import msgspec
from rich.progress import Progress

from edge import app, wire
from edge import config as configuration
from edge.cli.records import consent_given
from edge.cli.sitting import at_the_camera
from edge.core.names import clean_name, shown
from edge.core.sitting import LOOKS_DEFAULT, LOOKS_MIN
from edge.enroll.folder import PICTURES_MAX, Entry, people_in
from edge.enroll.session import Sample, Session, templates
from edge.errors import FaceError, FacelatchError, ImageError, InputError, WireError
from edge.output import console, errors, json_option, print_json, table
from edge.settings import Config
from edge.types import TEMPLATES_MAX


class PhotoLine(msgspec.Struct):
    """What became of one photograph, as ``--json`` gives it."""

    photo: str
    refused: str | None
    face_px: float | None = None
    yaw_deg: float | None = None
    brightness: float | None = None
    sharpness: float | None = None


class PersonLine(msgspec.Struct):
    """What became of one folder. ``refused``: why nobody was enrolled."""

    name: str
    templates: int
    photos: list[PhotoLine]
    left_out: int
    refused: str | None


@click.command()
@click.argument("name", required=False)
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--camera", is_flag=True, help="Enrol NAME at the camera of the running lock instead.")
@click.option(
    "--looks",
    type=click.IntRange(LOOKS_MIN, TEMPLATES_MAX),
    default=LOOKS_DEFAULT,
    show_default=True,
    help="How many looks to keep, the most different ones.",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Enrol everybody of FOLDER/NAME/*.jpg instead.")
@click.option("--add", is_flag=True, help="Give somebody who is enrolled already more templates.")
@click.option("--same-as", metavar="NAME2", help="NAME is the person enrolled as NAME2: add the pictures there.")
@click.option("--pin-required", is_flag=True, help="NAME looks like somebody else: let both in by PIN only.")
@click.option("--consent", is_flag=True, help="NAME has agreed to what `facelatch consent` prints.")
@click.option("--until", help="The last day of the consent.  [default: privacy.consent_days from today]")
@json_option
@click.pass_obj
def enroll(
    config_path: Path | None,
    name: str | None,
    photos: tuple[Path, ...],
    camera: bool,
    looks: int,
    folder: Path | None,
    add: bool,
    same_as: str | None,
    pin_required: bool,
    consent: bool,
    until: str | None,
    as_json: bool,
) -> None:
    """Enrol NAME from one or more PHOTOS, each showing that person alone, or with --camera.

    Photographs that cannot be used are listed with the reason, and the others count; when none can be used, nobody is
    enrolled. Works while the lock runs. Who must enrol again after a change of model (`facelatch people` says who) is
    enrolled like somebody new; the old templates are deleted. Who looks like somebody enrolled is refused until you
    say which it is: --same-as or --pin-required.

    With --camera the running lock looks for itself, says what to do (come closer, turn a little left ...), and keeps
    some looks that differ. Faces open nothing meanwhile. Ctrl-C cancels.

    With --folder everybody is enrolled of whom there is a folder with pictures. One who cannot be does not keep the
    others out; the exit code is then 5.
    """
    config = configuration.load(config_path)
    if folder is not None:
        if name is not None or same_as is not None or pin_required or camera:
            raise InputError("--folder takes the names from the folders. Give it alone, or with --add.")
        terms = _agreed(config, wire.EnrollTerms("", add), consent, until)
        _everybody(config, folder, terms, looks, as_json)
        return
    if name is None or camera == bool(photos):
        raise click.UsageError("Give a NAME and at least one of the PHOTOS or --camera, or a --folder.")
    if len(photos) > PICTURES_MAX:
        raise InputError(f"{len(photos)} photographs are too many: give at most {PICTURES_MAX}, or a --folder.")
    name, add = (clean_name(name), add) if same_as is None else (clean_name(same_as), True)
    terms = _agreed(config, wire.EnrollTerms(name, add, pin_required), consent, until)
    if camera:
        at_the_camera(config, terms, looks, as_json)
        return
    studio = Studio(config, looks)
    with Progress(console=errors, transient=True, disable=as_json) as progress:
        samples = studio.looks_at(progress.track(photos, description="Looking at the photographs"))
    person = studio.stores(terms, samples)
    lines = [_line(sample) for sample in samples]
    if as_json:
        print_json({"person": person, "photos": lines})
        return
    rows = [
        (
            line.photo,
            "no" if line.refused else "yes",
            line.face_px,
            line.yaw_deg,
            line.brightness,
            line.sharpness,
            line.refused,
        )
        for line in lines
    ]
    table(name, ("photo", "kept", "px", "yaw °", "light", "sharp", "why not"), rows)
    console.print(f"{name} is enrolled with {_templates(person.templates)}.", markup=False)


def _agreed(config: Config, terms: wire.EnrollTerms, consent: bool, until: str | None) -> wire.EnrollTerms:
    if not consent:
        if until is not None:
            raise InputError("--until is the last day of a consent. Give it with --consent; or see `people expire`.")
        return terms
    given, ends = consent_given(config, until)
    return msgspec.structs.replace(terms, consent=given, expires=ends)


def _everybody(config: Config, folder: Path, terms: wire.EnrollTerms, looks: int, as_json: bool) -> None:
    lines = []
    entries, studio = people_in(folder), Studio(config, looks)
    with Progress(console=errors, transient=True, disable=as_json) as progress:
        task = progress.add_task("Looking at the photographs", total=sum(len(entry.pictures) for entry in entries))
        for entry in entries:
            progress.update(task, description=entry.name)
            lines.append(_one(studio, entry, terms, lambda: progress.advance(task)))
    enrolled = sum(line.refused is None for line in lines)
    if as_json:
        print_json(lines)
    else:
        rows = [
            (
                line.name,
                line.templates,
                f"{sum(photo.refused is None for photo in line.photos)} of {len(line.photos) + line.left_out}",
                "; ".join(said for said in (line.refused, _why(line)) if said),
            )
            for line in lines
        ]
        table(f"{enrolled} of {len(lines)} enrolled", ("name", "templates", "pictures kept", "why not"), rows)
    if enrolled < len(lines):
        sys.exit(FaceError.exit_code)


def _one(studio: "Studio", entry: Entry, terms: wire.EnrollTerms, advance: Callable[[], None]) -> PersonLine:
    line = PersonLine(entry.name, 0, [], entry.left_out, entry.refused)
    if entry.refused is not None:
        return line

    def pictures() -> Iterable[Path]:
        for picture in entry.pictures:
            yield picture
            advance()

    samples = studio.looks_at(pictures())
    line.photos = [_line(sample) for sample in samples]
    try:
        line.templates = studio.stores(msgspec.structs.replace(terms, name=entry.name), samples).templates
    except FacelatchError as error:
        if isinstance(error, OSError):  # the store or the guardian: the others would fare no better
            raise
        line.refused = str(error).partition("\n")[0].rstrip(":")
    return line


class Studio:
    """The networks, loaded once, and where templates go."""

    def __init__(self, config: Config, looks: int) -> None:
        """``looks``: how many of a person are kept at most. Raises ModelError."""
        self._config, self._looks = config, looks
        self._detector, self._embedder = app.detector(config, photographs=True), app.embedder(config)

    def looks_at(self, photos: Iterable[Path]) -> list[Sample]:
        """One person's photographs, in a session of their own."""
        from edge.images import read_rgb

        keeps_pictures = self._config.privacy.keep_pictures
        session = Session(self._detector, self._embedder, self._config.faces.min_px, keeps_pictures=keeps_pictures)
        for photo in photos:
            source = shown(str(photo), 120)[1:-1]
            try:
                session.add(source, read_rgb(photo))
            except ImageError as error:
                session.refuse(source, str(error))
        return session.finish(self._looks)

    def stores(self, terms: wire.EnrollTerms, samples: list[Sample]) -> wire.PersonLine:
        """Raises FaceError when no picture can be used, and whatever the guardian refuses with."""
        from edge.images import small_jpeg

        kept = [wire.to_bytes(template) for template in templates(samples)]
        if not kept:
            reasons = "\n".join(f"  {sample.source}: {sample.refused}" for sample in samples)
            raise FaceError(
                f"Nobody was enrolled, as no photograph can be used:\n{reasons}\n"
                "Use a sharp picture from the front, in even light, with one person in it."
            )
        crops = [small_jpeg(sample.aligned, wire.CROP_MAX_BYTES) for sample in samples if sample.aligned is not None]
        question = wire.AskEnroll(
            model_id=self._embedder.model_id, templates=kept, crops=crops, **msgspec.structs.asdict(terms)
        )
        answer = app.answer(self._config, question)
        if not isinstance(answer, wire.People):
            raise WireError("The guardian answered something else than a person. Use one release for both.")
        return answer.people[0]


def _line(sample: Sample) -> PhotoLine:
    line = PhotoLine(sample.source, sample.refused)
    if sample.quality is not None:
        line.face_px, line.yaw_deg = sample.quality.face_px, sample.quality.yaw_deg
        line.brightness, line.sharpness = sample.quality.brightness, sample.quality.sharpness
    return line


def _why(line: PersonLine) -> str:
    """The reasons why pictures were refused, the most frequent first."""
    reasons = Counter(photo.refused.partition(":")[0] for photo in line.photos if photo.refused)
    said = [f"{count} {reason}" for reason, count in reasons.most_common(3)]
    return "; ".join([*said, *([f"{line.left_out} were not looked at"] if line.left_out else [])])


def _templates(count: int) -> str:
    return f"{count} template{'s' * (count != 1)}"
