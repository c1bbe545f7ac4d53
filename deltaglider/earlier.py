"""What code for the versions 4 to 6 holds in its hands and this version has other shapes for. No models are known here.

Its methods are in ``client/earlier``; where its other names went is told by ``moved``.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from deltaglider.late import dataclass
from deltaglider.records import Record


class EarlierNames:
    """The predecessor's names of what is known of an object."""

    __slots__ = ()

    size: int
    stored_size: int
    is_delta: bool

    @property
    def original_size(self) -> int:
        """Bytes of the original file, the same as ``size``."""
        return self.size

    @property
    def compressed_size(self) -> int:
        """Bytes it takes in the bucket, the same as ``stored_size``."""
        return self.stored_size

    @property
    def compression_ratio(self) -> float:
        """Share of the original's size not stored, 0 to 1; 0.0 of what is stored whole."""
        return 1 - self.stored_size / self.size if self.is_delta and self.size else 0.0

    @property
    def delta_chain_length(self) -> int:
        """Deltas that have to be applied to read it: one or none."""
        return int(self.is_delta)


@dataclass(frozen=True, slots=True)
class CompressionEstimate(Record):
    """What an upload of one file would likely store, by a sample that was really encoded.

    Attributes:
        original_size: Bytes of the file.
        estimated_compressed_size: Bytes its upload would add to the bucket.
        estimated_ratio: Share of the file's size that would not be stored, 0 to 1.
        confidence: 1.0 where all of the file was encoded, or nothing need be; less, the smaller the sample.
        recommended_reference: The stored key of the reference it would be a delta against; ``None`` without one.
        should_use_delta: Whether it would become a delta, or the first file of its deltaspace.
    """

    original_size: int
    estimated_compressed_size: int
    estimated_ratio: float
    confidence: float
    recommended_reference: str | None = None
    should_use_delta: bool = True


@dataclass()
class ListObjectsResponse:
    """A page of a listing, for code that makes such pages itself; no method gives one, now as before.

    Attributes:
        name: The bucket.
        prefix: What the keys begin with.
        delimiter: What groups keys.
        max_keys: The most of a page.
        common_prefixes: ``{"Prefix": ...}`` each.
        contents: ``ObjectInfo`` each.
        is_truncated: Whether there is more.
        next_continuation_token: Where the next page begins.
        continuation_token: Where this one began.
        key_count: Keys and prefixes of the page.
    """

    name: str
    prefix: str = ""
    delimiter: str = ""
    max_keys: int = 1000
    common_prefixes: list[dict[str, str]] = dataclasses.field(default_factory=list)
    contents: list[Any] = dataclasses.field(default_factory=list)
    is_truncated: bool = False
    next_continuation_token: str | None = None
    continuation_token: str | None = None
    key_count: int = 0

    @property
    def objects(self) -> list[Any]:
        """The same as ``contents``."""
        return self.contents


class PolicyViolationWarning(UserWarning):
    """What earlier versions warned of when a delta was too large, and kept it. Now the file is stored whole instead."""


def moved(module: str, names: Mapping[str, str], *, frames: int = 1) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that only earlier versions had.

    Args:
        module: Its name.
        names: Where each of its names is now: ``module:name``.
        frames: Between the function and the code that asks.

    Returns:
        A function that warns and looks there.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(
                f"module {module!r} has no attribute {name!r}; docs/migration.md tells what became of it"
            )
        home, _, now = names[name].partition(":")
        message = f"{module}.{name} is {home}.{now} since version 7 of deltaglider"
        warnings.warn(message, DeprecationWarning, stacklevel=frames + 1)
        return getattr(import_module(home), now)

    return find
