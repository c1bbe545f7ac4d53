"""AWS Lambda: each object that appears in a bucket is kept in an archive, as a delta where that is worth it.

The function's event source is S3 ("object created"); ``ARCHIVE`` names the bucket of the archive. Lambda's file system
is read-only but for ``/tmp``: with no ``cache_dir`` given, the references are cached there for as long as the process
lives, and so are files in flight. Give the function room for both (its ephemeral storage). xdelta3 comes in a layer, or
in the function's container image.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote_plus

from deltaglider import create_client

# Made once a process, and used by all its calls. Nothing is opened before the first one.
client = create_client()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes an event of S3."""
    archive = os.environ["ARCHIVE"]
    kept = {}
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        summary = client.copy(f"s3://{bucket}/{key}", f"s3://{archive}/{bucket}/{key}")
        kept[key] = {"operation": summary.operation, "size": summary.original_size, "stored": summary.stored_size}
    return kept
