"""The table of names in docs/migration.md: complete, and true."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deltaglider import create_async_client, create_client

DOCUMENT = Path(__file__).parents[2] / "docs" / "migration.md"


class Row(NamedTuple):
    """One name."""

    name: str
    now: str
    instead: str


def rows() -> list[Row]:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Names of 4.x to 6.x")[2].partition("\n## ")[0]
    found = []
    for names, now, instead in re.findall(r"^\| (`.*?`) \| (\w+) \|(.*)\|$", section, re.MULTILINE):
        found += [Row(name, now, instead.strip()) for name in re.findall(r"`([^`]+)`", names)]
    return found


ROWS = rows()

TOP = """
    __version__ DeltaGliderClient create_client UploadSummary CompressionEstimate ObjectInfo ListObjectsResponse
    BucketStats DeltaService DeltaSpace ObjectKey ListObjectsV2Response PutObjectResponse GetObjectResponse
    DeleteObjectResponse DeleteObjectsResponse HeadObjectResponse ListBucketsResponse CreateBucketResponse
    CopyObjectResponse S3Object client client_models client_operations client_delete_helpers response_builders core
    adapters ports types app
"""
TYPES = """
    ListObjectsV2Response PutObjectResponse GetObjectResponse DeleteObjectResponse DeleteObjectsResponse
    HeadObjectResponse ListBucketsResponse CreateBucketResponse CopyObjectResponse S3Object CommonPrefix
    ResponseMetadata DeletedObject DeleteError Bucket CompletedPart CompleteMultipartUploadResponse BucketName
    ObjectKey Prefix Delimiter StorageClass
"""
CORE = """
    DEFAULT_COMPOUND_DELTA_EXTENSIONS DEFAULT_DELTA_EXTENSIONS DeleteResult DeltaGliderError DeltaMeta DeltaService
    DeltaSpace DiffDecodeError DiffEncodeError IntegrityMismatchError NotFoundError ObjectKey PolicyViolationWarning
    PutSummary RecursiveDeleteResult ReferenceCreationRaceError ReferenceMeta S3Url Sha256 StorageIOError VerifyResult
    build_s3_url is_delta_candidate is_s3_url parse_s3_url config errors models service s3_uri delta_extensions
    object_listing
"""
ERRORS = """
    CacheCorruptionError CacheMissError DeltaGliderError DiffDecodeError DiffEncodeError IntegrityMismatchError
    NotFoundError PolicyViolationWarning ReferenceCreationRaceError StorageIOError
"""
METHODS = """
    put_object get_object list_objects head_object delete_object delete_objects delete_objects_recursive create_bucket
    delete_bucket list_buckets put_bucket_acl get_bucket_acl generate_presigned_url generate_presigned_post
    generate_presigned_url_with_rehydration rehydrate_for_download purge_temp_files upload download verify
    upload_chunked upload_batch download_batch estimate_compression find_similar_files get_object_info
    get_bucket_stats clear_cache service endpoint_url
"""
EARLIER = {
    *(f"deltaglider.{name}" for name in TOP.split()),
    *(f"deltaglider.types.{name}" for name in TYPES.split()),
    *(f"deltaglider.core.{name}" for name in CORE.split()),
    *(f"deltaglider.core.errors.{name}" for name in ERRORS.split()),
    *(f"client.{name}" for name in METHODS.split()),
}
"""What 6.2.0 offers; of modules, those that people import from."""


def test_every_name_has_a_row() -> None:
    named = [row.name for row in ROWS]
    assert len(set(named)) == len(named)
    # A module of which names are told needs no row of its own.
    told = {name.rpartition(".")[0] for name in named}
    assert EARLIER - set(named) - told == set()
    assert {row.now for row in ROWS} == {"kept", "renamed", "gone"}


def found(name: str) -> list[Any]:
    """What a name leads to: of ``client``, in both clients."""
    if name.startswith("client."):
        clients = (create_client("file:///nowhere"), create_async_client("file:///nowhere"))
        return [getattr(client, name.removeprefix("client.")) for client in clients]
    place, _, last = name.rpartition(".")
    try:
        return [getattr(import_module(place), last)]
    except AttributeError:
        return [import_module(name)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.now == "kept"], ids=lambda row: row.name)
def test_kept_names_are_there(row: Row) -> None:
    assert all(thing is not None for thing in found(row.name))


@pytest.mark.parametrize("row", [row for row in ROWS if row.now == "renamed"], ids=lambda row: row.name)
def test_renamed_ones_lead_to_the_new_ones(row: Row) -> None:
    match = re.match(r"`([^`]+)`", row.instead)
    assert match
    if row.name.startswith("client."):
        assert all(callable(method) for method in found(match[1]))
        return
    with pytest.warns(DeprecationWarning, match=re.escape(row.name)):
        before = found(row.name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert before == found(match[1])


@pytest.mark.parametrize("row", [row for row in ROWS if row.now == "gone"], ids=lambda row: row.name)
def test_what_is_gone_is_gone_and_has_a_replacement(row: Row) -> None:
    assert row.instead
    with pytest.raises((AttributeError, ModuleNotFoundError)):
        found(row.name)
