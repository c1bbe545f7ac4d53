"""The whole of DeltaGlider in one minute, on real releases: ``nox -s demo``.

Fetches six consecutive releases of a real package, about 12 MB each, stores each under its version, prints what that
took, then reads all of them back into an empty directory and compares every SHA-256 with the file that was fetched.

    python demo.py                             # fetches with pip; the store is a temporary directory
    python demo.py --downloads DIR             # keeps what was fetched, so that the next run is quick
    python demo.py --files v1.zip v2.zip ...   # your own versions of a file instead, oldest first
    python demo.py --endpoint-url URL --bucket NAME
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deltaglider import AlreadyExistsError, DeltaGliderClient, create_client

PACKAGE = "botocore"
VERSIONS = ("1.34.0", "1.34.1", "1.34.2", "1.34.3", "1.34.4", "1.34.5")
ROW = "{:<12} {:>12} {:>12} {:>9} {:>8}"


def fetch(downloads: Path) -> list[tuple[str, Path]]:
    """Downloads the releases that are not there yet, with the pip of this interpreter."""
    releases: list[tuple[str, Path]] = []
    for version in VERSIONS:
        directory = downloads / version
        if not any(directory.glob("*.whl")):
            print(f"Fetching {PACKAGE} {version} ...", flush=True)
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            subprocess.run([*pip, "--dest", str(directory), f"{PACKAGE}=={version}"], check=True)
        releases.append((version, next(directory.glob("*.whl"))))
    return releases


def store(client: DeltaGliderClient, bucket: str, releases: list[tuple[str, Path]]) -> None:
    """Uploads each release as ``s3://bucket/<version>/<file>`` and prints a line on each."""
    print(ROW.format("version", "original", "stored", "saved", "time"))
    original = stored = 0
    started = time.perf_counter()
    for version, path in releases:
        start = time.perf_counter()
        summary = client.upload(path, f"s3://{bucket}/{version}/")
        row(version, summary.original_size, summary.stored_size, time.perf_counter() - start)
        original, stored = original + summary.original_size, stored + summary.stored_size
    row("together", original, stored, time.perf_counter() - started)


def row(name: str, original: int, stored: int, seconds: float) -> None:
    """Prints one line of the table, sizes in bytes."""
    saved = round(100 * (1 - stored / original), 2) + 0.0  # "+ 0.0": a first version prints 0.00, not -0.00.
    print(ROW.format(name, f"{original:,}", f"{stored:,}", f"{saved:.2f} %", f"{seconds:.2f} s"), flush=True)


def read_back(client: DeltaGliderClient, bucket: str, releases: list[tuple[str, Path]], into: Path) -> int:
    """Downloads every release and compares its SHA-256 with that of the file that was uploaded.

    Returns:
        How many differ.
    """
    differing = 0
    for version, path in releases:
        copy = into / version / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        client.download(f"s3://{bucket}/{version}/{path.name}", copy)
        seconds = time.perf_counter() - start
        expected, actual = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, copy))
        differing += expected != actual
        verdict = "identical" if expected == actual else f"DIFFERENT, expected {expected}"
        print(f"{version:<12} {actual}  {verdict}  {seconds:.2f} s", flush=True)
    return differing


def run(endpoint_url: str, bucket: str, releases: list[tuple[str, Path]], scratch: Path) -> int:
    """The demonstration; returns how many releases did not come back as they were."""
    with create_client(endpoint_url=endpoint_url, cache_dir=scratch / "cache") as client:
        try:
            client.make_bucket(bucket)
        except AlreadyExistsError:
            print(f"Using the bucket {bucket}, which is there already.")
        store(client, bucket, releases)
        stats = client.stats(f"s3://{bucket}")
    print(f"\n{stats.object_count} objects of {stats.total_size:,} bytes take {stats.compressed_size:,} bytes, the")
    print(f"reference's {stats.reference_size:,} included: {stats.savings_percent:.2f} % saved.\n\nReading all back:")

    # Another client with an empty cache: what is read comes from the store and from nowhere else.
    with create_client(endpoint_url=endpoint_url, cache_dir=scratch / "another-cache") as client:
        differing = read_back(client, bucket, releases, scratch / "copies")
    print(f"\n{len(releases) - differing} of {len(releases)} releases came back byte for byte.")
    return differing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    parser.add_argument("--bucket", default="releases", help="the bucket (default: %(default)s)")
    parser.add_argument("--downloads", type=Path, help="where to keep what was fetched (default: nowhere)")
    parser.add_argument("--files", type=Path, nargs="+", help="files to use instead, one a version, oldest first")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        if arguments.files:
            releases = [(f"v{number}", path) for number, path in enumerate(arguments.files, start=1)]
        else:
            releases = fetch(arguments.downloads or directory / "downloads")
        endpoint_url = arguments.endpoint_url or (directory / "store").as_uri()
        differing = run(endpoint_url, arguments.bucket, releases, directory)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
