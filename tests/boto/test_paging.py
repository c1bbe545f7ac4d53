"""Paginators, waiters, and all operations that are handed on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import OperationNotPageableError, WaiterError

from deltaglider import create_async_client
from tests.boto.oracle import COMMON, Call, Sides, fill, outcome
from tests.servers import S3Endpoint

DELTA = "apps/v2/app.zip"


def pages(operation: str = "list_objects_v2", **more: Any) -> Call:
    """Every page, each with what is in it."""

    def call(client: Any, bucket: str) -> Any:
        drawn = client.get_paginator(operation).paginate(Bucket=bucket, **more)
        return [
            ([each["Key"] for each in page.get("Contents", [])], page.get("CommonPrefixes"), page["IsTruncated"])
            for page in drawn
        ]

    return call


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Prefix": "apps/"},
        {"Delimiter": "/"},
        {"PaginationConfig": {"PageSize": 2}},
        {"PaginationConfig": {"PageSize": "3", "MaxItems": 5}},
    ],
)
def test_pages(operation: str, more: dict[str, Any], read_only: Sides) -> None:
    boto, deltas, plain = read_only.answers(pages(operation, **more))
    assert deltas == plain == boto


def test_a_page_for_each_directory(read_only: Sides) -> None:
    boto, deltas, plain = read_only.answers(pages(Delimiter="/", PaginationConfig={"PageSize": 1}))
    assert deltas == plain == boto


def test_what_is_searched_for_and_all_at_once(read_only: Sides) -> None:
    def call(client: Any, bucket: str) -> Any:
        def drawn(**config: Any) -> Any:
            return client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig=config)

        full = drawn(PageSize=2).build_full_result()
        part = drawn(PageSize=2, MaxItems=3).build_full_result()
        rest = drawn(StartingToken=part["NextToken"]).build_full_result()
        return {
            "search": list(drawn(PageSize=3).search("Contents[?Size > `1000`].Key")),
            "full": [(each["Key"], each["Size"]) for each in full["Contents"]],
            "parts": [[each["Key"] for each in some["Contents"]] for some in (part, rest)],
        }

    boto, deltas, plain = read_only.answers(call)
    assert deltas == plain == boto
    assert DELTA in boto["search"]


def test_what_has_no_pages(read_only: Sides) -> None:
    for client in (read_only.boto, read_only.ours):
        with pytest.raises(OperationNotPageableError):
            client.get_paginator("get_object")
        assert client.can_paginate("list_objects_v2")
        assert client.can_paginate("list_multipart_uploads")
        assert not client.can_paginate("get_object")
    assert not read_only.ours.can_paginate("no_such_operation")


def test_waiting(read_only: Sides) -> None:
    quick = {"Delay": 0, "MaxAttempts": 2}

    def wait(name: str, **more: Any) -> Call:
        def call(client: Any, bucket: str) -> Any:
            try:
                client.get_waiter(name).wait(**{"Bucket": bucket, "WaiterConfig": quick, **more})
            except WaiterError as error:
                return str(error)
            return "so"

        return call

    for call in (
        wait("object_exists", Key=DELTA),
        wait("object_exists", Key="missing"),
        wait("object_not_exists", Key="missing"),
        wait("object_not_exists", Key=DELTA),
        wait("bucket_exists"),
    ):
        boto, deltas, plain = read_only.answers(call)
        assert deltas == plain == boto
    with pytest.raises(ValueError, match="no_such"):
        read_only.ours.get_waiter("no_such")


HANDED_ON: dict[str, Call] = {
    "location": lambda client, bucket: client.get_bucket_location(Bucket=bucket),
    "versioning": lambda client, bucket: client.get_bucket_versioning(Bucket=bucket),
    "no policy": lambda client, bucket: client.get_bucket_policy(Bucket=bucket),
    "no bucket": lambda client, _: client.get_bucket_location(Bucket="no-such-bucket-here"),
    "tags of nothing": lambda client, bucket: client.get_object_tagging(Bucket=bucket, Key="missing"),
    "no upload": lambda client, bucket: client.list_parts(Bucket=bucket, Key="k", UploadId="none"),
}


@pytest.mark.parametrize("name", HANDED_ON)
def test_what_is_handed_on(name: str, read_only: Sides) -> None:
    boto, deltas, plain = read_only.answers(HANDED_ON[name])
    assert deltas == plain == boto


def test_tags_are_those_of_what_is_stored(sides: Sides) -> None:
    tags = {"TagSet": [{"Key": "team", "Value": "a"}]}

    def call(client: Any, bucket: str) -> Any:
        client.put_object_tagging(Bucket=bucket, Key=DELTA, Tagging=tags)
        return client.get_object_tagging(Bucket=bucket, Key=DELTA)

    boto, ours = sides.changes(call)
    assert ours == boto
    assert sides.boto.get_object_tagging(Bucket=sides.deltas, Key=f"{DELTA}.delta")["TagSet"] == tags["TagSet"]


def test_what_would_read_a_delta_is_refused(sides: Sides) -> None:
    def call(client: Any, bucket: str) -> Any:
        return client.get_object_attributes(Bucket=bucket, Key=DELTA, ObjectAttributes=["ObjectSize"])

    assert outcome(call, sides.ours, sides.deltas)[3]["Code"] == "NotImplemented"


def test_errors_of_what_is_handed_on_are_caught_by_name(read_only: Sides) -> None:
    with pytest.raises(read_only.ours.exceptions.NoSuchUpload):
        read_only.ours.list_parts(Bucket=read_only.deltas, Key="k", UploadId="none")


@pytest.mark.parametrize("name", ["no_such_operation", "_private", "uplaod"])
def test_a_name_that_s3_does_not_know(name: str, read_only: Sides) -> None:
    assert not hasattr(read_only.ours, name)
    with pytest.raises(AttributeError, match=name):
        getattr(read_only.ours, name)


async def test_of_the_asynchronous_client(moto: S3Endpoint, clients: Any) -> None:
    sides = Sides(*clients, moto.make_bucket(), moto.make_bucket())
    fill(sides, ["apps/v1/app.zip", DELTA, "plain.bin"])
    async with create_async_client(**moto.client_kwargs()) as client:
        paginator = client.get_paginator("list_objects_v2")
        drawn = paginator.paginate(Bucket=sides.deltas, PaginationConfig={"PageSize": 2})
        keys = [[each["Key"] for each in page["Contents"]] async for page in drawn]
        assert keys == [["apps/v1/app.zip", DELTA], ["plain.bin"]]
        drawn = paginator.paginate(Bucket=sides.deltas)
        assert [size async for size in drawn.search("Contents[].Size")] == [len(COMMON), len(COMMON) + 3, 1000]
        await client.get_waiter("object_exists").wait(Bucket=sides.deltas, Key=DELTA)
        assert (await client.get_bucket_versioning(Bucket=sides.deltas))["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert not hasattr(client, "no_such_operation")
