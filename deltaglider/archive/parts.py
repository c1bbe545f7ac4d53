"""The streams of a target that is still expanded, found again by the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deltaglider.archive.encoder import Encoder
from deltaglider.archive.places import after_steps
from deltaglider.archive.recipe import MOST_STEPS, Made, Recipe
from deltaglider.archive.view import View
from deltaglider.errors import DeltaCorruptError
from deltaglider.late import dataclass

_DEEPEST = 16
_DAMAGED = "its recipe does not fit what it was unpacked to"


@dataclass(slots=True)
class Part:
    """A stream that is to be deflated.

    Attributes:
        start: Where it begins in its container.
        plain: What it holds; streams in it are still unpacked, too.
        inner: Those, in their order.
        encoder: What makes it.
        packed: The stream, once it is made.
    """

    start: int
    plain: View
    inner: list[Part]
    encoder: Encoder
    packed: View | None = None


def parts_of(view: View, recipe: Recipe) -> list[Part]:
    """The streams of an expanded target.

    Args:
        view: The target, expanded.
        recipe: Not trusted.

    Returns:
        The outermost streams, in their order.

    Raises:
        DeltaCorruptError: The recipe does not fit.
    """
    if sum(each.steps for each in recipe.made) > MOST_STEPS:
        raise DeltaCorruptError(_DAMAGED)
    return _parts(view, recipe.outer_made, iter(recipe.made), recipe.encoders, 0)


def _parts(view: View, count: int, made: Iterator[Made], encoders: Sequence[Encoder], depth: int) -> list[Part]:
    if depth > _DEEPEST:
        raise DeltaCorruptError(_DAMAGED)
    parts, position = [], 0
    for _ in range(count):
        each = next(made, None)
        place = after_steps(view, position, each.steps) if each is not None else None
        if each is None or place is None:
            raise DeltaCorruptError(_DAMAGED)
        start, size = place.start + each.gap, place.plain + each.excess
        if start < position or size < 0 or start + size > view.size:
            raise DeltaCorruptError(_DAMAGED)
        plain = view.part(start, size)
        parts.append(Part(start, plain, _parts(plain, each.inner, made, encoders, depth + 1), encoders[each.encoder]))
        position = start + size
    return parts


def all_parts(parts: list[Part]) -> Iterator[Part]:
    """All streams, those in others before these."""
    for part in parts:
        yield from all_parts(part.inner)
        yield part
