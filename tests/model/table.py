"""The state table of docs/architecture.md, read from the document itself: what it says is what the model does."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"

_ROW = re.compile(
    r"\| \*\*(?P<step>[a-z][a-z ]*)\*\* \| (?P<request>[^|]*) \| (?P<then>[^|]*) \| (?P<without>[^|]*) \|"
)
_THEN = re.compile(r"(?P<outcome>[a-z][a-z ]*): \*(?P<step>[a-z][a-z ]*)\*")


@dataclasses.dataclass(frozen=True)
class Row:
    """One step.

    Attributes:
        request: What is asked of the store, in prose.
        then: The next step, by the outcome of this one.
        without: What happens when the step is left out: ``loss``, ``waste`` or ``work``.
        instead: Where a protocol without this step goes on.
    """

    request: str
    then: Mapping[str, str]
    without: str
    instead: str


def read_table(document: Path = DOCUMENT) -> dict[str, Row]:
    """All steps of all protocols, by name."""
    rows: dict[str, Row] = {}
    for line in document.read_text(encoding="utf-8").splitlines():
        match = _ROW.fullmatch(line)
        if match is None:
            continue
        then = {found["outcome"]: found["step"] for found in _THEN.finditer(match["then"])}
        without, _, instead = match["without"].partition(":")
        assert then, f"no outcome in {line!r}"
        assert match["step"] not in rows, f"{match['step']} twice"
        rows[match["step"]] = Row(
            match["request"], MappingProxyType(then), without.strip(), instead.strip(" *") or next(iter(then.values()))
        )
    return rows


def without(table: dict[str, Row], step: str) -> dict[str, Row]:
    """The table with one step taken out: whoever would come there goes on where its row says."""
    instead = table[step].instead

    def redirected(row: Row) -> Row:
        return dataclasses.replace(row, then={o: instead if to == step else to for o, to in row.then.items()})

    return {name: redirected(row) for name, row in table.items() if name != step}
