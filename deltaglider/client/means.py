"""From the keywords of methods for many objects to what bulk work takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deltaglider.bulk.filters import Filters, Verdict
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.verbs import Verbs, engine_verbs
from deltaglider.client.arguments import upload_options
from deltaglider.engine.context import Context

FilterPairs = Iterable[tuple[Verdict, str]]


def bulk_options(filters: FilterPairs, **options: Any) -> BulkOptions:
    """How a tree is transferred.

    Args:
        filters: Pairs of verdict and pattern.
        **options: The other attributes.

    Returns:
        The options.
    """
    return BulkOptions(filters=Filters.of(*filters), **options)


def verbs_of(ctx: Context, *, move: bool = False, preserve: bool = False, **storing: Any) -> Verbs:
    """The means of one piece of bulk work.

    Args:
        ctx: The client's parts.
        move: Whether transfers remove their sources.
        preserve: Whether times and modes of files are kept and given back.
        **storing: Keywords of ``upload_options``.

    Returns:
        The means.
    """
    return engine_verbs(ctx, options=upload_options(**storing), move=move, preserve=preserve)
