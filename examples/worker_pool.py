"""Many processes that store builds at once, each with a client of its own.

A client does not outlive a fork: a child that uses its parent's gets a ``ClientStateError``. So each worker makes one
when it starts. With Celery, that is a handler of its signal ``worker_process_init``.

python worker_pool.py
python worker_pool.py --endpoint-url http://localhost:9000
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from deltaglider import AlreadyExistsError, DeltaGliderClient, create_client

worker: DeltaGliderClient


def start_worker(endpoint_url: str) -> None:
    """Runs once in each process. The client closes when the process ends."""
    global worker  # noqa: PLW0603 - This process's own.
    worker = create_client(endpoint_url=endpoint_url)


def store(number: int) -> int:
    """A task: makes a build and stores it. Any process may take it."""
    build = number.to_bytes(16, "big") + random.Random(0).randbytes(1 << 20)
    return worker.upload(build, f"s3://builds/build-{number}/app.bin").stored_size


def run(endpoint_url: str) -> None:
    with create_client(endpoint_url=endpoint_url) as client:
        try:
            client.make_bucket("builds")
        except AlreadyExistsError:
            print("The bucket is there already.")
        # The first one becomes the reference of the others, wherever they are made.
        client.upload(random.Random(0).randbytes(1 << 20), "s3://builds/build-0/app.bin")

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=start_worker, initargs=(endpoint_url,)) as pool:
        for number, size in zip(range(1, 5), pool.map(store, range(1, 5)), strict=True):
            print(f"build {number}: {size:,} bytes stored")

    with create_client(endpoint_url=endpoint_url) as client:
        stats = client.stats("s3://builds/")
        print(f"{stats.object_count} objects, {stats.savings_percent:.2f} % saved")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run(arguments.endpoint_url or Path(scratch, "store").as_uri())


if __name__ == "__main__":
    main()
