"""The same from asynchronous code: many versions at once, and a listing as they come.

python quickstart_async.py
python quickstart_async.py --endpoint-url http://localhost:9000
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from pathlib import Path

from deltaglider import AlreadyExistsError, ObjectInfo, create_async_client


def build(version: int) -> bytes:
    """A megabyte that differs from the other versions in its first bytes."""
    return version.to_bytes(16, "big") + random.Random(0).randbytes(1 << 20)


async def publish(endpoint_url: str) -> None:
    """Uploads eight builds at once, lists them, and reads one back."""
    async with create_async_client(endpoint_url=endpoint_url) as client:
        try:
            await client.make_bucket("builds")
        except AlreadyExistsError:
            print("The bucket is there already.")

        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 9):
                tasks.create_task(client.upload(build(number), f"s3://builds/build-{number}/app.bin"))

        async for entry in client.list("s3://builds/", recursive=True):
            if isinstance(entry, ObjectInfo):
                print(f"{entry.key}: {entry.size:,} bytes, {entry.stored_size:,} stored")

        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, "app.bin")
            await client.download("s3://builds/build-5/app.bin", copy)
            assert copy.read_bytes() == build(5)

        stats = await client.stats("s3://builds/")
        print(f"{stats.object_count} objects, {stats.savings_percent:.2f} % saved, references counted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(publish(arguments.endpoint_url or Path(scratch, "store").as_uri()))


if __name__ == "__main__":
    main()
