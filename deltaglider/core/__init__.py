"""A door that only earlier versions had: ``from deltaglider.core import NotFoundError``. Its names warn."""

from deltaglider.core.errors import MOVED as _ERRORS
from deltaglider.core.models import MOVED as _MODELS
from deltaglider.earlier import moved

__getattr__ = moved(__name__, {**_ERRORS, **_MODELS})
