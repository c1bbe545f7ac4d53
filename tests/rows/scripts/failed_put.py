"""An application that logs, and an upload that fails: ``failed_put.py ENDPOINT BUCKET TOKEN``.

Run by either tool's Python: the calls are the same.
"""

from __future__ import annotations

import logging
import sys

from deltaglider import create_client

endpoint, bucket, token = sys.argv[1:]
logging.basicConfig(level=logging.INFO)
client = create_client(endpoint, "INFO", "a-key", "a-secret", token, "us-east-1")
try:
    client.upload("note.txt", "s3://no-such-bucket-anywhere/p/")
except Exception:
    print("it failed")
client.upload("note.txt", f"s3://{bucket}/p/")
