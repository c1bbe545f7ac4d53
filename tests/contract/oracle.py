"""What a listing is, in the plainest words."""

from __future__ import annotations

from collections.abc import Iterable


def listing(keys: Iterable[str], prefix: str, delimiter: str, start_after: str) -> list[str]:
    """The keys and common prefixes a store must list, a prefix as ``PRE key``."""
    entries: dict[str, str] = {}
    for key in keys:
        if key.startswith(prefix):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            entry = prefix + head + found if found else key
            entries[entry] = f"PRE {entry}" if found else entry
    return [entries[key] for key in sorted(entries, key=str.encode) if key.encode() > start_after.encode()]
