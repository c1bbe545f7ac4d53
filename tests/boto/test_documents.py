"""``docs/boto3.md`` against the code, and how much the comparisons with boto3 come to."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from deltaglider import AsyncDeltaGliderClient
from deltaglider.client.base import ClientBase
from deltaglider.client.boto import BotoMethods
from tests.boto import test_buckets, test_conditions_of_writes, test_copying, test_multipart, test_reading, test_urls
from tests.boto import test_writing as writing
from tests.boto.oracle import COMMON, EXTRAS, Sides

DOCUMENT = Path(__file__).parents[2] / "docs" / "boto3.md"
COMPARED = [
    test_buckets.BUCKETS,
    test_conditions_of_writes.WRITES,
    test_copying.COPIES,
    test_multipart.CALLS,
    test_reading.READS,
    test_urls.URLS,
    writing.WRITES,
]


def test_how_many_calls_are_compared(record_property: Callable[[str, object], None]) -> None:
    """Each is made of boto3 over plain objects, and of ours over deltas; reads also of ours over plain ones."""
    calls = sum(len(table) for table in COMPARED)
    record_property("figure", f"boto3 as the oracle: {calls} calls compared key by key")
    assert calls >= 150


def _rows(heading: str) -> list[list[str]]:
    text = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_all_methods_are_in_the_table() -> None:
    documented = [name for row in _rows("The methods") for name in re.findall(r"`(\w+)`", row[0])]
    ours = {name for name in dir(BotoMethods) if not name.startswith("_")} - set(dir(ClientBase))
    assert sorted(documented) == sorted((ours | {"copy"}) - {"exceptions", "meta"})


def test_parameters_in_the_table_are_taken_by_boto3_too() -> None:
    """And the other way round: what the signature of a method of ours names is in the table."""
    model = boto3.client("s3", region_name="us-east-1").meta
    for row in _rows("The methods"):
        for method in re.findall(r"`(\w+)`", row[0]):
            named = set(re.findall(r"`(\w+)`", row[1])) - {"get_object"}
            operation = model.method_to_api_mapping.get(method)
            if operation is not None:
                known = set(model.service_model.operation_model(operation).input_shape.members)
                assert named <= known, method
            assert hasattr(AsyncDeltaGliderClient, method)


def test_extra_keys_are_those_of_the_table(empty: Sides) -> None:
    client, place = empty.ours, {"Bucket": empty.deltas, "Key": "v1/a.zip"}
    upload = {**place, "UploadId": client.create_multipart_upload(**place)["UploadId"]}
    part = client.upload_part(**upload, PartNumber=1, Body=COMMON)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    many = {"Objects": [{"Key": "v2/a.zip"}, {"Key": "none"}]}
    source = {"Bucket": empty.deltas, "Key": "v1/a.zip"}
    answers: dict[str, Any] = {
        "upload_part": part,
        "list_parts": client.list_parts(**upload),
        "list_multipart_uploads": client.list_multipart_uploads(Bucket=empty.deltas),
        "complete_multipart_upload": client.complete_multipart_upload(**upload, MultipartUpload=parts),
        "put_object": client.put_object(Bucket=empty.deltas, Key="v2/a.zip", Body=COMMON + b"2"),
        "copy_object": client.copy_object(Bucket=empty.deltas, Key="v3/a.zip", CopySource=source),
        "head_object": client.head_object(**place),
        "get_object": client.get_object(**place),
        "list_objects_v2": client.list_objects_v2(Bucket=empty.deltas, MaxKeys=1),
        "list_objects": client.list_objects(Bucket=empty.deltas, MaxKeys=1),
        "delete_object": client.delete_object(**place),
        "delete_objects": client.delete_objects(Bucket=empty.deltas, Delete=many),
    }
    model = empty.boto.meta
    extras = {}
    for method, answer in answers.items():
        shape = model.service_model.operation_model(model.method_to_api_mapping[method]).output_shape
        extra = set(answer) - set(shape.members) - {"ResponseMetadata"}
        if extra:
            extras[method] = extra
    assert extras == {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in _rows("What answers have besides")
    }
    assert {name for keys in extras.values() for name in keys} >= EXTRAS - {"ResponseMetadata"}


@pytest.mark.parametrize("heading", ["Versions", "Uploads in parts", "Signed URLs"])
def test_what_the_table_leads_to_is_there(heading: str) -> None:
    assert f"\n## {heading}\n" in DOCUMENT.read_text(encoding="utf-8")
