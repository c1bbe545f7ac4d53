"""A door that only earlier versions had: ``from deltaglider.core.models import VerifyResult``. Its names warn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deltaglider.earlier import moved

if TYPE_CHECKING:
    from deltaglider.models import VerifyResult

__all__ = ["VerifyResult"]

MOVED: Final = {"VerifyResult": "deltaglider:VerifyResult"}
"""Where its names are now."""

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, MOVED)
