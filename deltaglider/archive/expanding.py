"""The two files with what differs unpacked in its place, as the writer sees them, and the recipe that tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deltaglider.archive.encoder import Encoder
from deltaglider.archive.places import steps_to
from deltaglider.archive.recipe import MOST_STEPS, Made, Recipe, Taken
from deltaglider.archive.tree import Node
from deltaglider.archive.view import View
from deltaglider.config import MIB
from deltaglider.files import stop_if_cancelled


def expanded_size(view: View, nodes: list[Node]) -> int:
    """Bytes that ``write`` writes."""
    return view.size + sum(node.expanded - node.stream.size for node in nodes)


def write(view: View, nodes: list[Node], path: Path) -> None:
    """Writes a file, expanded: its bytes, but for the streams that are to be unpacked, in whose place their content is.

    Args:
        view: The file.
        nodes: The streams.
        path: Where to write; made or overwritten.
    """
    with path.open("wb", buffering=MIB) as out:
        for piece in _pieces(view, nodes):
            out.write(piece)
            stop_if_cancelled()


def _pieces(view: View, nodes: list[Node]) -> Iterator[bytes]:
    position = 0
    for node in nodes:
        yield from view.pieces(position, node.stream.start - position)
        yield from _pieces(node.plain, node.inner)
        position = node.stream.end
    yield from view.pieces(position)


def recipe(reference: View, taken: list[Node], expanded: View, made: list[Node]) -> Recipe:
    """The recipe for a reader.

    Args:
        reference: The reference.
        taken: What was unpacked of it.
        expanded: The target, expanded.
        made: What was unpacked of it.

    Returns:
        The recipe.
    """
    encoders: dict[Encoder, int] = {}
    return Recipe(
        outer_taken=len(taken),
        taken=list(_taken(reference, taken)),
        outer_made=len(made),
        made=list(_made(expanded, made, encoders)),
        encoders=list(encoders),
    )


def _taken(view: View, nodes: list[Node]) -> Iterator[Taken]:
    position = 0
    for node in nodes:
        start = node.stream.start
        steps, place = steps_to(view, position, start, MOST_STEPS)
        yield Taken(steps, start - place.start, len(node.inner))
        yield from _taken(node.plain, node.inner)
        position = node.stream.end


def _made(view: View, nodes: list[Node], encoders: dict[Encoder, int]) -> Iterator[Made]:
    position, shift = 0, 0
    for node in nodes:
        start, size = node.stream.start + shift, node.expanded
        steps, place = steps_to(view, position, start, MOST_STEPS)
        assert node.encoder is not None  # Nothing else is unpacked of a target.
        number = encoders.setdefault(node.encoder, len(encoders))
        yield Made(steps, start - place.start, len(node.inner), size - place.plain, number)
        yield from _made(view.part(start, size), node.inner, encoders)
        position = start + size
        shift += size - node.stream.size
