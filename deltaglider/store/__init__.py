"""Store: where stored objects live.

One contract (``base``), two backends: ``s3`` on aiobotocore, and ``directory``, the embedded store behind ``file://``
endpoints. The only room that knows aiobotocore or sqlite3. It knows nothing of deltas.
"""
