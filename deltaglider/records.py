"""What all values have in common that users get back: they turn into plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


class Record:
    """A value that turns into JSON-ready plain data."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields and derived figures as plain data: times in UTC as RFC 3339, nothing JSON cannot hold."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return dict(value) if isinstance(value, Mapping) else value


def percent_saved(stored: int, original: int) -> float:
    """Percent of a size that was not stored, to two decimals; 0.0 of nothing."""
    if not original:
        return 0.0
    # "+ 0.0" turns the -0.0 that rounding gives for a first file into 0.0.
    return round(100 * (1 - stored / original), 2) + 0.0
