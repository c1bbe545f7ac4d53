"""What users get back: figures that add up, and plain data that JSON holds."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider import figures as figures_module
from deltaglider import findings, models
from deltaglider.errors import NotFoundError
from deltaglider.models import (
    Analysis,
    BucketAcl,
    BucketInfo,
    BucketStats,
    BulkSummary,
    Check,
    DeleteSummary,
    DownloadSummary,
    Finding,
    MigrationSummary,
    ObjectInfo,
    Outcome,
    Prefix,
    PresignedUrl,
    PurgeSummary,
    RescueSummary,
    SpaceEstimate,
    UploadSummary,
    VerifyResult,
)

WHEN = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
FAILED = Outcome("upload", "failed", "/a", "s3://b/a", 6, 0, "no such bucket", NotFoundError("no such bucket"))

EXAMPLES: list[Any] = [
    UploadSummary("create_delta", "b", "k", 1000, 10, True, 0.01, "sha", "etag"),
    DownloadSummary("b", "k", "/tmp/k", 1000, 10, "sha", True),
    DownloadSummary("b", "k", None, 1000, 10, "sha", False),
    ObjectInfo(
        "b",
        "k",
        1000,
        WHEN,
        "etag",
        headers=MappingProxyType({"CacheControl": "x"}),
        metadata=MappingProxyType({"a": "b"}),
    ),
    ObjectInfo("b", "caf\udce9", 0, WHEN, ""),
    Prefix("b", "p/"),
    BucketInfo("b", WHEN),
    BucketAcl("b", {"ID": "me"}, ({"Grantee": {"ID": "me", "Type": "CanonicalUser"}, "Permission": "READ"},)),
    BucketInfo("b", None),
    VerifyResult("b", "k", True, "sha", "sha", "proven", 1000),
    DeleteSummary("b", "k", True, True),
    BucketStats("b", "", 3, 1000, 100, 2, 1, 1, 90),
    Check("xdelta3", True, "3.0.11"),
    Finding("metadata_lost", "s3://b/k", "problem", "they are gone", "restore them"),
    RescueSummary("b", "k", "/tmp/k.unpacked", 10, "sha", False, "other", "unpacked"),
    PresignedUrl("b", "k", "https://host/k?signature", WHEN, ".deltaglider/tmp/x/k"),
    PurgeSummary("b", 1, 2, 1, 1000, (FAILED,)),
    FAILED,
    Outcome("delete", "done", "s3://b/k"),
    BulkSummary(done=1, failed=1, size=1000, stored=10, failures=(FAILED,)),
    Analysis("/d", 9, 90, 90, 8, 80, 2, 20, 0, 40, 30, 50, (SpaceEstimate("p/", 9, 90, 8, 80, 2, 40, 30, 50),)),
    SpaceEstimate("p/", 9, 90, 8, 80, 2, 40, 30, 50),
    MigrationSummary(done=1, source="s3://a/", target="s3://b/", figures=BucketStats("b", "", 3, 10, 1, 2, 1, 1, 9)),
]


def test_every_record_is_here() -> None:
    public = {
        thing
        for name, thing in vars(models).items()
        if dataclasses.is_dataclass(thing)
        and not name.startswith("_")
        and thing.__module__ in (models.__name__, figures_module.__name__, findings.__name__)
    }

    assert {type(example) for example in EXAMPLES} == public


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_a_record_is_plain_data_frozen_hashable_and_travels(record: Any) -> None:
    data = record.to_dict()

    assert json.loads(json.dumps(data, allow_nan=False)) == {
        key: list(value) if isinstance(value, tuple) else value for key, value in data.items()
    }
    for field in dataclasses.fields(record):
        if field.name not in (
            "error",
            "failures",
            "last_modified",
            "created",
            "expires_at",
            "headers",
            "metadata",
            "figures",
            "spaces",
        ):
            assert data[field.name] == getattr(record, field.name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, dataclasses.fields(record)[0].name, "changed")
    assert not hasattr(record, "__dict__")
    assert len({record, dataclasses.replace(record)}) == 1
    if not isinstance(record, ObjectInfo):  # A read-only mapping does not travel; stores give plain ones.
        assert pickle.loads(pickle.dumps(record)).to_dict() == data


def test_times_and_errors_become_text() -> None:
    assert ObjectInfo("b", "k", 1, WHEN, "").to_dict()["last_modified"] == "2026-11-22T10:15:00Z"
    assert BucketInfo("b", None).to_dict() == {"name": "b", "created": None}
    assert FAILED.to_dict()["code"] == "not_found"
    assert "error" not in FAILED.to_dict()
    assert "code" not in Outcome("upload", "done", "/a").to_dict()
    assert Outcome("upload", "failed", "/a", error=ValueError("x")).to_dict()["code"] == "error"
    assert BulkSummary(failed=1, failures=(FAILED,)).to_dict()["failures"] == [FAILED.to_dict()]


def test_derived_figures_are_in_the_data() -> None:
    assert UploadSummary("create_delta", "b", "k", 1000, 10, True).to_dict()["savings_percent"] == 99.0
    assert BulkSummary(size=1000, stored=10).to_dict()["savings_percent"] == 99.0
    stats = BucketStats("b", "", 3, 1000, 100, 2, 1, 1, 90).to_dict()
    assert (stats["space_saved"], stats["savings_percent"], stats["average_compression_ratio"]) == (900, 90.0, 0.9)


def test_the_sizes_of_an_upload() -> None:
    summary = UploadSummary("create_delta", "b", "dir/k", 3 << 20, 1 << 19, True)

    assert (summary.original_size_mb, summary.stored_size_mb) == (3.0, 0.5)
    assert summary.savings_percent == 83.33
    assert summary.url == "s3://b/dir/k"
    assert ObjectInfo("b", "dir/k", 1, WHEN, "").url == "s3://b/dir/k"


def figures(stored: int, original: int) -> list[float]:
    return [
        UploadSummary("create_delta", "b", "k", original, stored, True).savings_percent,
        BucketStats("b", "", 1, original, stored, 1, 0, 0, 0).savings_percent,
        BulkSummary(size=original, stored=stored).savings_percent,
    ]


@pytest.mark.parametrize(
    ("stored", "original", "percent"),
    [
        (0, 0, 0.0),
        (100, 0, 0.0),
        (0, 100, 100.0),
        (100, 100, 0.0),
        (50, 100, 50.0),
        (1, 3, 66.67),
        (12_000_120, 12_000_000, 0.0),  # A first file: itself and a delta of some bytes. Not "-0.0".
        (12_001_200, 12_000_000, -0.01),
        (200, 100, -100.0),
        (1, 1 << 60, 100.0),
    ],
)
def test_savings(stored: int, original: int, percent: float) -> None:
    for figure in figures(stored, original):
        assert figure == percent
        assert str(figure) == str(percent)


@given(st.integers(0, 1 << 60), st.integers(0, 1 << 60))
def test_savings_are_never_minus_nothing(stored: int, original: int) -> None:
    for figure in figures(stored, original):
        assert math.isfinite(figure)
        assert str(figure) != "-0.0"
        assert figure <= 100


def test_statistics_of_nothing_and_of_a_loss() -> None:
    nothing = BucketStats("b", "", 0, 0, 0, 0, 0, 0, 0)
    assert (nothing.space_saved, nothing.savings_percent, nothing.average_compression_ratio) == (0, 0.0, 0.0)

    loss = BucketStats("b", "", 1, 100, 250, 1, 0, 1, 150)
    assert (loss.space_saved, loss.savings_percent, loss.average_compression_ratio) == (-150, -150.0, -1.5)


def test_bulk_work_is_fine_if_nothing_failed() -> None:
    assert BulkSummary(done=1, skipped=2).ok
    assert not BulkSummary(done=1, failed=1).ok


def test_what_is_not_told_is_nothing() -> None:
    assert BulkSummary().to_dict() == {
        "done": 0,
        "skipped": 0,
        "failed": 0,
        "unchanged": 0,
        "deleted": 0,
        "size": 0,
        "stored": 0,
        "failures": [],
        "savings_percent": 0.0,
    }
    assert UploadSummary("upload_direct", "b", "k", 1, 1, False) == UploadSummary(
        "upload_direct", "b", "k", 1, 1, False, delta_ratio=0.0, sha256="", etag=""
    )
    assert ObjectInfo("b", "k", 1, WHEN, "e") == ObjectInfo(
        "b", "k", 1, WHEN, "e", "STANDARD", 0, False, "", "", None, headers={}, metadata={}, reference_key=None
    )
    assert Outcome("copy", "done", "a") == Outcome("copy", "done", "a", None, 0, 0, "", None)
    assert VerifyResult("b", "k", True, "", "", "m").size == 0
    assert DeleteSummary("b", "k", True).was_delta is False
