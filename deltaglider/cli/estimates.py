"""How ``analyze`` puts its estimate to people. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from deltaglider.cli.words import count, human_size, place, printable
from deltaglider.models import Analysis, SpaceEstimate

_MOST = 20
_HEADINGS = ("Deltaspace", "Files", "Size", "Would take", "Saved", "Encoded")


def estimate_lines(analysis: Analysis) -> Iterator[str]:
    """The lines.

    Args:
        analysis: The estimate.

    Yields:
        A table of the largest deltaspaces; the totals; and what they rest on.
    """
    yield place(analysis.target)
    rows = [_HEADINGS, *(_row(space) for space in analysis.spaces[:_MOST])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    if analysis.spaces:
        yield ""
        for name, *cells in rows:
            yield "  ".join([f"{name:<{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(cells, widths[1:], strict=True))])
        if len(analysis.spaces) > _MOST:
            yield f"... and {len(analysis.spaces) - _MOST} more"
        yield ""
    candidates = f"{count(analysis.candidates, 'file')} ({human_size(analysis.candidate_size)})"
    yield f"{'Files:':<20} {analysis.files} ({human_size(analysis.size)})"
    yield f"{'Worth a try:':<20} {candidates}"
    yield f"{'Stored today:':<20} {human_size(analysis.stored_now)}"
    if analysis.candidates and not analysis.sampled:
        yield ""
        yield "Nothing was encoded, so nothing can be said of the savings: give a larger --max-bytes."
        return
    span = f"{human_size(analysis.stored_least)} to {human_size(analysis.stored_most)}"
    yield f"{'Would take:':<20} about {human_size(analysis.stored)} ({span})"
    saved = f"{analysis.savings_percent_least:.0f} to {analysis.savings_percent_most:.0f} %"
    yield f"{'Would be saved:':<20} about {analysis.savings_percent:.0f} % ({saved})"
    yield ""
    yield (
        f"{count(analysis.sampled, 'file')} ({human_size(analysis.sampled_size)}) of {candidates} were really encoded. "
        "The range is that of the best and the worst of them in each deltaspace; others may be better or worse."
    )


def _row(space: SpaceEstimate) -> tuple[str, ...]:
    return (
        printable(space.deltaspace) or "/",
        str(space.files),
        human_size(space.size),
        human_size(space.stored),
        f"{space.savings_percent:.0f} %",
        str(space.sampled),
    )
