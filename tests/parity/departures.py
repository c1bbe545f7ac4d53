"""Where ``deltaglider`` is not like ``aws s3``, and why: read from the table in docs/parity.md."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
ASPECTS = ("exit codes", "stdout", "stderr", "files", "objects", "uploads")

_ROW = re.compile(r"\|(?P<case>[^|]+)\|(?P<aspects>[^|]+)\|(?P<reason>[^|]+)\|")


@dataclasses.dataclass(frozen=True)
class Departure:
    """One row of the table.

    Attributes:
        case: The name of a case; with ``[plain]`` or ``[delta]`` behind it, of one of its variants, and with ``on
            moto`` or ``on weed`` behind that, on that server alone.
        aspects: What differs, and nothing else does.
        reason: Why.
    """

    case: str
    aspects: frozenset[str]
    reason: str


def read_departures(text: str) -> dict[str, Departure]:
    """The departures of a document, by case: the table whose first heading is "Case"."""
    found: dict[str, Departure] = {}
    inside = False
    for line in text.splitlines():
        row = _ROW.fullmatch(line.strip())
        if row is None:
            inside = False
        elif row["case"].strip() == "Case":
            inside = True
        elif inside and not set(row["case"]) <= set("-: "):
            departure = Departure(
                row["case"].strip().replace("`", ""),
                frozenset(aspect.strip() for aspect in row["aspects"].split(",")),
                row["reason"].strip(),
            )
            assert departure.case not in found, f"{departure.case} is in the table twice"
            found[departure.case] = departure
    return found


def departure_of(departures: dict[str, Departure], case: str, variant: str, server: str) -> Departure | None:
    """The row for a case and variant on a server, if there is one."""
    return next((departures[name] for name in names_of(case, variant, server) if name in departures), None)


def names_of(case: str, variant: str, server: str) -> list[str]:
    """What a row may be called, the most precise name first."""
    return [f"{case} [{variant}] on {server}", f"{case} on {server}", f"{case} [{variant}]", case]
