"""What to ask the guardian to enrol of one person's photographs, looked at one after the other."""

from collections.abc import Callable, Iterable

from edge import wire
from edge.cable.desk import Studio
from edge.core.names import shown
from edge.enroll.session import templates
from edge.errors import ImageError
from edge.images import small_jpeg

REASONS_MAX_CHARS = 300
"""Of why nobody can be made of somebody's photographs: a report holds two hundred of them."""

Load = Callable[[], bytes]
"""A photograph's bytes. Raises ImageError for one that is not looked at, InputError when nothing more can be read."""

Agreed = Callable[[], tuple[wire.ConsentLine, str]]
"""A consent given now, and its last day."""


def portrait(
    name: str,
    photos: Iterable[tuple[str, Load]],
    studio: Studio,
    looks: int,
    agreed: Agreed | None,
    looking: Callable[[], object],
) -> wire.AskEnroll | str:
    """The question, or why nobody can be made of these photographs, each a name and what loads it.

    ``agreed`` None: the person has not agreed. ``looking`` is called before each photograph. Raises what loading
    raises but ImageError.
    """
    session = studio.session()
    for name_of_file, load in photos:
        looking()
        source = shown(name_of_file, 100)[1:-1]
        try:
            session.add(source, studio.develop(load(), source))
        except ImageError as error:
            session.refuse(source, str(error))
    samples = session.finish(looks)
    kept = [wire.to_bytes(template) for template in templates(samples)]
    if not kept:
        return "; ".join(f"{each.source}: {each.refused}" for each in samples)[:REASONS_MAX_CHARS]
    crops = [small_jpeg(each.aligned, wire.CROP_MAX_BYTES) for each in samples if each.aligned is not None]
    consent, expires = agreed() if agreed is not None else (None, None)
    return wire.AskEnroll(name, studio.model_id, kept, consent=consent, expires=expires, crops=crops)
