"""The first minutes: two versions of a file go up, the second as a delta, and come back byte for byte.

python quickstart_sync.py                                        # a store in a temporary directory
python quickstart_sync.py --endpoint-url http://localhost:9000   # any S3-compatible server
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from deltaglider import AlreadyExistsError, create_client


def make_release(path: Path, *, version: int) -> None:
    """Writes 2 MiB of which 20 kB are new in each version."""
    common, new = random.Random(0).randbytes(2 << 20), random.Random(version).randbytes(20_000)
    path.parent.mkdir()
    path.write_bytes(common[: 1 << 20] + new + common[1 << 20 :])


def tour(endpoint_url: str, first: Path, second: Path, copy: Path) -> None:
    """Uploads two versions, downloads the second, and proves that it can be read."""
    with create_client(endpoint_url=endpoint_url) as client:
        try:
            client.make_bucket("releases")
        except AlreadyExistsError:
            print("The bucket is there already.")

        client.upload(first, "s3://releases/v1.0.0/")
        summary = client.upload(second, "s3://releases/v2.0.0/")
        print(f"{summary.url}: {summary.original_size:,} bytes, {summary.stored_size:,} stored")
        print(f"Saved {summary.savings_percent:.2f} %")

        client.download("s3://releases/v2.0.0/app.zip", copy)
        assert copy.read_bytes() == second.read_bytes()

        print(client.verify("s3://releases/v2.0.0/app.zip").message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        first, second = directory / "v1" / "app.zip", directory / "v2" / "app.zip"
        make_release(first, version=1)
        make_release(second, version=2)
        tour(arguments.endpoint_url or (directory / "store").as_uri(), first, second, directory / "copy.zip")


if __name__ == "__main__":
    main()
