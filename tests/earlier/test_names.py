"""What code for earlier versions imports leads somewhere, and says where to."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import deltaglider
from deltaglider import CompressionEstimate, ListObjectsResponse, create_async_client, create_client, types
from deltaglider.earlier import PolicyViolationWarning


@pytest.mark.parametrize(
    ("module", "name", "now"),
    [
        ("deltaglider.core", "NotFoundError", deltaglider.NotFoundError),
        ("deltaglider.core", "VerifyResult", deltaglider.VerifyResult),
        ("deltaglider.core.errors", "IntegrityMismatchError", deltaglider.IntegrityError),
        ("deltaglider.core.models", "VerifyResult", deltaglider.VerifyResult),
        ("deltaglider.client_models", "UploadSummary", deltaglider.UploadSummary),
        ("deltaglider.types", "S3Object", types.ObjectSummary),
        ("deltaglider", "S3Object", types.ObjectSummary),
    ],
)
def test_what_moved_warns_of_it_where_it_is_asked_for(module: str, name: str, now: object) -> None:
    door = import_module(module)
    with pytest.warns(DeprecationWarning, match=rf"{module}\.{name} is deltaglider") as caught:
        found = getattr(door, name)
    assert found is now
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("module", ["core", "core.errors", "core.models", "client_models", "client", "types"])
def test_what_never_was_is_no_name(module: str) -> None:
    assert not hasattr(import_module(f"deltaglider.{module}"), "NoSuchThing")


def test_the_module_of_the_client_offers_what_it_did() -> None:
    from deltaglider import client

    assert client.create_client is create_client
    assert client.DeltaGliderClient is deltaglider.DeltaGliderClient


def test_these_doors_are_cheap() -> None:
    program = "import sys, deltaglider.core.errors, deltaglider.client_models; print(*sorted(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60)
    assert {"anyio", "botocore", "asyncio"}.isdisjoint(ended.stdout.split())


@pytest.mark.parametrize("make", [create_client, create_async_client])
def test_earlier_keywords_are_taken(make: type) -> None:
    client = make("file:///nowhere", log_level="INFO", tool_version="mine/1", max_ratio=0.4)
    assert client.settings.max_ratio == 0.4
    assert client.endpoint_url == "file:///nowhere"
    with pytest.raises(TypeError, match="cache"):
        make(cache="x")


def test_values_are_made_as_before() -> None:
    page = ListObjectsResponse("b", prefix="p/")
    page.contents.append("an object")
    assert page.objects == ["an object"]
    assert (page.max_keys, page.key_count, page.is_truncated) == (1000, 0, False)
    estimate = CompressionEstimate(original_size=10, estimated_compressed_size=1, estimated_ratio=0.9, confidence=1.0)
    assert estimate.to_dict()["should_use_delta"] is True
    assert issubclass(PolicyViolationWarning, Warning)
