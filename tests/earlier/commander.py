"""What a file manager over the SDK of 4.x to 6.x calls, one after the other; and the shapes of what it gets.

Run by either SDK's own Python, ``commander.py BUCKET DIRECTORY`` prints the shapes as JSON, so it imports nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

FIRST = random.Random(1).randbytes(30_000)
SECOND = FIRST + b"second"
THIRD = FIRST + b"third"
NOTE = b"a note\n"


def calls(client: Any, bucket: str, here: Path) -> Iterator[tuple[str, Any]]:
    """Each call by its name, and its answer."""
    url = f"s3://{bucket}/p/"
    for name, data in {"app-1.zip": FIRST, "app-2.zip": SECOND, "app-3.zip": THIRD}.items():
        (here / name).write_bytes(data)
    yield "create_bucket", client.create_bucket(Bucket=bucket)
    yield "list_buckets", client.list_buckets()
    yield "upload", client.upload(str(here / "app-1.zip"), url)
    yield "upload of a version", client.upload(here / "app-2.zip", url, max_ratio=0.5)
    yield "put_object", client.put_object(Bucket=bucket, Key="p/app-3.zip", Body=THIRD)
    yield "put_object of a note", client.put_object(Bucket=bucket, Key="p/note.txt", Body=NOTE)
    yield "list_objects", client.list_objects(Bucket=bucket, Prefix="p/", MaxKeys=100, FetchMetadata=True)
    yield "list_objects by directory", client.list_objects(Bucket=bucket, Delimiter="/")
    answer = client.get_object(Bucket=bucket, Key="p/app-2.zip")
    with answer.pop("Body") as body:
        yield "get_object", {**answer, "read": body.read()}
    yield "head_object", client.head_object(Bucket=bucket, Key="p/note.txt")
    yield "get_object_info", client.get_object_info(f"{url}note.txt")
    yield "get_bucket_stats", client.get_bucket_stats(bucket, mode="detailed")
    yield "get_bucket_stats, quickly", client.get_bucket_stats(bucket)
    yield "estimate_compression", client.estimate_compression(here / "app-2.zip", bucket, "p/")
    yield "find_similar_files", client.find_similar_files(bucket, "p/", "app-9.zip")
    client.download(s3_url=f"{url}app-2.zip", output_path=here / "back.zip")
    yield "download", (here / "back.zip").read_bytes()
    yield "upload_chunked", client.upload_chunked(here / "app-3.zip", f"s3://{bucket}/q/", chunk_size=10_000)
    names = ["app-1.zip", "app-2.zip"]
    yield "upload_batch", client.upload_batch([here / name for name in names], f"s3://{bucket}/r")
    yield "download_batch", client.download_batch([f"{url}{name}" for name in names], here / "batch")
    params = {"Bucket": bucket, "Key": "p/note.txt"}
    yield "generate_presigned_url", fetched(client.generate_presigned_url("get_object", Params=params, ExpiresIn=60))
    yield "generate_presigned_post", client.generate_presigned_post(Bucket=bucket, Key="p/new.txt")
    delta = {"Bucket": bucket, "Key": "p/app-2.zip"}
    yield "rehydrate_for_download", client.rehydrate_for_download(**delta, ExpiresIn=60)
    shared = client.generate_presigned_url_with_rehydration(**delta, ExpiresIn=60)
    yield "generate_presigned_url_with_rehydration", fetched(shared)
    yield "purge_temp_files", client.purge_temp_files(Bucket=bucket)
    yield "clear_cache", client.clear_cache()
    yield "delete_object", client.delete_object(Bucket=bucket, Key="p/app-3.zip")
    delete = {"Objects": [{"Key": "p/note.txt"}, {"Key": "p/app-2.zip"}]}
    yield "delete_objects", client.delete_objects(Bucket=bucket, Delete=delete)
    for prefix in ("p/", "q/", "r/", ""):
        yield f"delete_objects_recursive {prefix}", client.delete_objects_recursive(Bucket=bucket, Prefix=prefix)
    yield "delete_bucket", client.delete_bucket(Bucket=bucket)


def fetched(url: str) -> bytes:
    """What anybody gets."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def shape(value: Any) -> Any:
    """Keys and kinds, without values."""
    if dataclasses.is_dataclass(value):
        known = [name for name in dir(value) if not name.startswith("_") and not callable(getattr(value, name))]
        return {name: shape(getattr(value, name)) for name in known}
    if isinstance(value, dict):
        return {str(key): shape(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shape(each) for each in value]
    kinds: dict[type, str] = {bool: "truth", int: "number", float: "number", bytes: "bytes", datetime: "time"}
    return kinds.get(type(value), "nothing" if value is None else "text")


if __name__ == "__main__":
    from deltaglider import create_client

    found = calls(create_client(log_level="ERROR"), sys.argv[1], Path(sys.argv[2]))
    print(json.dumps({name: shape(answer) for name, answer in found}))
