"""Either client, on an embedded store with one bucket."""

from tests.client.conftest import bucket, either, temporary

__all__ = ["bucket", "either", "temporary"]
