"""Files in a bucket through fsspec, as pandas, pyarrow and dask open them (deltaglider[fsspec]).

python fsspec_files.py
python fsspec_files.py --endpoint-url http://localhost:9000
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from pathlib import Path

import fsspec

VERSIONS = ("v1", "v2")


def measures(version: str) -> list[tuple[int, str, str]]:
    """Rows of a table; the versions differ in the first one."""
    source = random.Random(0)
    return [(row, f"{source.random():.15f}", version if row == 0 else "") for row in range(50_000)]


def publish(endpoint_url: str) -> None:
    """Writes two versions of a table, tells what is stored, and reads the end of the second one."""
    fs = fsspec.filesystem("dg", endpoint_url=endpoint_url, delta_suffixes=(".csv",))
    fs.makedirs("data", exist_ok=True)
    for version in VERSIONS:
        with fs.open(f"dg://data/{version}/measures.csv", "w", newline="") as file:
            csv.writer(file).writerows(measures(version))

    for version in VERSIONS:
        info = fs.info(f"data/{version}/measures.csv")
        print(f"s3://{info['name']}: {info['size']:,} bytes, {info['stored_size']:,} stored")

    # Not all of it is read: the file is decoded once, its end is handed out.
    last = fs.tail("data/v2/measures.csv", 100).decode().splitlines()[-1]
    print(f"The last line is {last}")
    fs.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        publish(arguments.endpoint_url or Path(scratch, "store").as_uri())


if __name__ == "__main__":
    main()
