"""A door that only earlier versions had: ``from deltaglider.client_models import UploadSummary``. Its names warn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltaglider.earlier import moved

if TYPE_CHECKING:
    from deltaglider.models import BucketStats, CompressionEstimate, ListObjectsResponse, ObjectInfo, UploadSummary

__all__ = ["BucketStats", "CompressionEstimate", "ListObjectsResponse", "ObjectInfo", "UploadSummary"]

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, {name: f"deltaglider:{name}" for name in __all__})
