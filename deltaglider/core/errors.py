"""A door that only earlier versions had: ``from deltaglider.core.errors import NotFoundError``. Its names warn.

Where an earlier error has no heir, it is the one that a program would want to catch in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deltaglider.earlier import moved

if TYPE_CHECKING:
    from deltaglider.earlier import PolicyViolationWarning
    from deltaglider.errors import CodecError as DiffEncodeError
    from deltaglider.errors import DeltaCorruptError as DiffDecodeError
    from deltaglider.errors import DeltaGliderError, NotFoundError
    from deltaglider.errors import IntegrityError as IntegrityMismatchError
    from deltaglider.errors import PreconditionFailedError as ReferenceCreationRaceError
    from deltaglider.errors import ReferenceCorruptError as CacheCorruptionError
    from deltaglider.errors import ReferenceMissingError as CacheMissError
    from deltaglider.errors import StoreError as StorageIOError

__all__ = [
    "CacheCorruptionError",
    "CacheMissError",
    "DeltaGliderError",
    "DiffDecodeError",
    "DiffEncodeError",
    "IntegrityMismatchError",
    "NotFoundError",
    "PolicyViolationWarning",
    "ReferenceCreationRaceError",
    "StorageIOError",
]

MOVED: Final = {
    "CacheCorruptionError": "deltaglider.errors:ReferenceCorruptError",
    "CacheMissError": "deltaglider.errors:ReferenceMissingError",
    "DeltaGliderError": "deltaglider:DeltaGliderError",
    "DiffDecodeError": "deltaglider.errors:DeltaCorruptError",
    "DiffEncodeError": "deltaglider:CodecError",
    "IntegrityMismatchError": "deltaglider:IntegrityError",
    "NotFoundError": "deltaglider:NotFoundError",
    "PolicyViolationWarning": "deltaglider.earlier:PolicyViolationWarning",
    "ReferenceCreationRaceError": "deltaglider:PreconditionFailedError",
    "StorageIOError": "deltaglider:StoreError",
}
"""Where its names are now."""

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, MOVED)
