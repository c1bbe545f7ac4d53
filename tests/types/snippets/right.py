"""User code that type-checks as it stands."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

from deltaglider import ObjectInfo, UploadSummary, create_async_client, create_client
from deltaglider.types import (
    AsyncStreamingBody,
    GetObjectOutput,
    ObjectSummary,
    PutObjectOutput,
    StoredPart,
    StreamingBody,
)


def synchronous(path: Path) -> bytes:
    with create_client(endpoint_url=path.as_uri()) as client:
        summary: UploadSummary = client.upload(path, "s3://b/v1/app.zip", metadata={"a": "b"})
        entries: list[ObjectInfo] = [entry for entry in client.list("s3://b/") if isinstance(entry, ObjectInfo)]
        put: PutObjectOutput = client.put_object(Bucket="b", Key="k", Body=b"x", ContentType="text/plain")
        stored: bool = put["DeltaGliderInfo"]["IsDelta"]
        answer: GetObjectOutput = client.get_object(Bucket="b", Key="k", Range="bytes=0-9")
        body: StreamingBody = answer["Body"]
        when: datetime = answer["LastModified"]
        for chunk in body.iter_chunks(10):
            chunk.decode()
        with client.get_object(Bucket="b", Key="k")["Body"] as opened:
            opened.read(1)
        length: int = client.head_object(Bucket="b", Key="k")["ContentLength"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket="b", PaginationConfig={"MaxItems": 3}):
            found: list[ObjectSummary] = page.get("Contents", [])
            sizes: int = sum(each["Size"] for each in found)
        client.get_waiter("object_exists").wait(Bucket="b", Key="k")
        client.upload_file(str(path), "b", "k", ExtraArgs={"Metadata": {}}, Callback=print)
        client.download_fileobj("b", "k", io.BytesIO())
        client.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "b", "Key": "k"})["CopyObjectResult"]["ETag"]
        gone = client.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]})
        for error in gone.get("Errors", []):
            error["Message"].upper()
        buckets: list[str] = [each["Name"] for each in client.list_buckets()["Buckets"]]
        upload: str = client.create_multipart_upload(Bucket="b", Key="k")["UploadId"]
        part: str = client.upload_part(Bucket="b", Key="k", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
        parts: list[StoredPart] = client.list_parts(Bucket="b", Key="k", UploadId=upload).get("Parts", [])
        print(buckets, part, parts)
        client.put_object_tagging(Bucket="b", Key="k", Tagging={"TagSet": []})
        print(summary.savings_percent, entries, stored, when.year, length, sizes)
        return body.read()


async def asynchronous(path: Path) -> bytes:
    async with create_async_client(endpoint_url=path.as_uri()) as client:
        await client.put_object(Bucket="b", Key="k", Body=path)
        answer = await client.get_object(Bucket="b", Key="k")
        body: AsyncStreamingBody = answer["Body"]
        async for line in body.iter_lines():
            line.decode()
        async for page in client.get_paginator("list_objects_v2").paginate(Bucket="b"):
            first: str = page["Contents"][0]["Key"]
            print(first)
        async for key in client.get_paginator("list_objects_v2").paginate(Bucket="b").search("Contents[].Key"):
            print(key)
        await client.get_waiter("object_exists").wait(Bucket="b", Key="k")
        await client.upload_fileobj(io.BytesIO(b"x"), "b", "k")
        async for entry in client.list("s3://b/"):
            print(entry)
        return await body.read()
