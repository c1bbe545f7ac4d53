"""A release step of a CI job: publish a build directory under its version, refuse to publish a version twice.

    python ci_release_publish.py                                       # two made-up builds, a temporary store
    python ci_release_publish.py dist/ --version 1.4.0 --endpoint-url https://s3.example.com

The exit code is 0 only if every file is in the store and was read back whole.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from deltaglider import AlreadyExistsError, DeltaGliderClient, ObjectInfo, create_client

RELEASES = "s3://releases/shop"


def publish(client: DeltaGliderClient, build: Path, version: str) -> bool:
    """Uploads a build, then reads every file of it back."""
    target = f"{RELEASES}/{version}/"
    if any(client.list(target)):
        print(f"{target} is published already; releases do not change", file=sys.stderr)
        return False

    summary = client.upload_directory(build, target)
    for failure in summary.failures:
        print(f"{failure.source}: {failure.message}", file=sys.stderr)

    published = [entry for entry in client.list(target, recursive=True) if isinstance(entry, ObjectInfo)]
    sound = all(client.verify(entry.url).valid for entry in published)
    print(f"{version}: {summary.done} files, {summary.size:,} bytes, {summary.savings_percent:.1f} % not stored")
    return summary.ok and sound and len(published) == summary.done


def make_build(directory: Path, *, number: int) -> Path:
    """A build of the example: one program packed for three systems. Little of it changes from version to version."""
    build = directory / f"dist-{number}"
    build.mkdir()
    program = random.Random(0).randbytes(1 << 20) + random.Random(number).randbytes(5_000)
    for name in ("shop-linux.tar", "shop-windows.msi", "shop-macos.dmg"):
        (build / name).write_bytes(name.encode() + program)
    (build / "CHANGES.txt").write_text(f"Version 1.{number}\n", encoding="utf-8")
    return build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, nargs="?", help="the directory to publish (default: made-up builds)")
    parser.add_argument("--version", help="the version it is")
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    arguments = parser.parse_args()
    if arguments.build and not arguments.version:
        parser.error("a build needs its --version")

    with tempfile.TemporaryDirectory() as scratch:
        endpoint_url = arguments.endpoint_url or Path(scratch, "store").as_uri()
        with create_client(endpoint_url=endpoint_url) as client:
            try:
                client.make_bucket("releases")
            except AlreadyExistsError:
                print("The bucket is there already.")
            builds = [(arguments.version, arguments.build)]
            if not arguments.build:
                builds = [(f"1.{number}.0", make_build(Path(scratch), number=number)) for number in (1, 2)]
            for version, build in builds:
                if not publish(client, build, version):
                    sys.exit(1)


if __name__ == "__main__":
    main()
