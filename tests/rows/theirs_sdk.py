"""One call of the predecessor's SDK, run by its own Python: ``theirs_sdk.py VERB BUCKET ARGUMENTS-AS-JSON``."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

from deltaglider import create_client

verb, bucket, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client: Any = create_client(log_level="ERROR")


def put(key: str, body: str, metadata: dict[str, str], content_type: str | None) -> None:
    data = base64.b64decode(body)
    client.put_object(Bucket=bucket, Key=key, Body=data, Metadata=metadata, ContentType=content_type)


def put_as(kind: str, key: str, body: str) -> None:
    data = base64.b64decode(body)
    if kind == "file":
        Path("body").write_bytes(data)
        with Path("body").open("rb") as file:
            client.put_object(Bucket=bucket, Key=key, Body=file)
    else:
        client.put_object(Bucket=bucket, Key=key, Body={"BytesIO": io.BytesIO, "bytearray": bytearray}[kind](data))


def upload(path: str, url: str) -> None:
    client.upload(path, url)


def upload_batch(paths: list[str], url: str) -> None:
    client.upload_batch(paths, url)


def get(key: str, span: str | None) -> dict[str, Any]:
    found = client.get_object(Bucket=bucket, Key=key, **({"Range": span} if span else {}))
    with found["Body"] as stream:
        body = base64.b64encode(stream.read()).decode()
    return {"body": body, "etag": found["ETag"], "metadata": found["Metadata"], "size": found["ContentLength"]}


def head(key: str) -> dict[str, Any]:
    found = client.head_object(Bucket=bucket, Key=key)
    return {
        "etag": found["ETag"],
        "metadata": found["Metadata"],
        "content_type": found["ContentType"],
        "size": found["ContentLength"],
        "modified": str(found["LastModified"]),
    }


def delete(key: str) -> None:
    client.delete_object(Bucket=bucket, Key=key)


def pages(prefix: str, count: int, limit: int) -> list[str]:
    keys: list[str] = []
    token = None
    for _ in range(limit):
        page = client.list_objects(Bucket=bucket, Prefix=prefix, MaxKeys=count, ContinuationToken=token)
        keys += [entry["Key"] for entry in page["Contents"]]
        token = page.get("NextContinuationToken")
        if not page["IsTruncated"]:
            break
    return keys


def url(key: str) -> str:
    return str(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=3600))


VERBS: dict[str, Any] = {
    "put": put,
    "put_as": put_as,
    "upload": upload,
    "upload_batch": upload_batch,
    "get": get,
    "head": head,
    "delete": delete,
    "pages": pages,
    "url": url,
}
print(json.dumps(VERBS[verb](**arguments)))
