"""An object of 3 GB: reading it takes no more memory than reading a small one, and a part of it is decoded once.

The data is mostly zeros, which disks and xdelta3 are quick with; that memory stays flat does not depend on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scale import scaled
from tests.faults.test_bulk_scale import Figure

pytestmark = [pytest.mark.faults, pytest.mark.timeout(scaled(120, 7200))]

MIB = 1 << 20
SIZE = scaled(64, 3072) * MIB + 12_345
MOST = 200 * MIB
"""Libraries, windows and pieces, with something to spare; a tenth of the large object's size."""

_FILL = """
import sys
from deltaglider import create_client
url, cache, scratch, first, second = sys.argv[1:]
with create_client(url, cache_dir=cache, temp_dir=scratch) as client:
    client.make_bucket("large")
    client.upload(first, "s3://large/v1/app.bin")
    assert client.upload(second, "s3://large/v2/app.bin").is_delta
    client.upload(second, "s3://large/whole.bin", delta=False)
"""

_READ = """
import hashlib, json, sys
from deltaglider import create_client
from deltaglider.events import CodecRan
url, cache, scratch, key = sys.argv[1:]
decodings = []
def observe(event):
    if isinstance(event, CodecRan) and event.operation == "decode":
        decodings.append(event)
with create_client(url, cache_dir=cache, temp_dir=scratch, observer=observe) as client:
    digest, counts, tails = hashlib.sha256(), [], []
    for chunk in client.get_object(Bucket="large", Key=key)["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
    counts.append(len(decodings))
    for _ in range(2):
        tails.append(client.get_object(Bucket="large", Key=key, Range="bytes=-1024")["Body"].read().hex())
        counts.append(len(decodings))
(peak,) = (int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps({"sha256": digest.hexdigest(), "decodings": counts, "tails": tails, "peak": peak * 1024}))
"""


@dataclasses.dataclass(frozen=True)
class Large:
    """A store with two versions of a large file.

    Attributes:
        arguments: Of the programs.
        sha256: Of the second version.
        tail: Its last kilobyte.
        scratch: Where files in flight are.
    """

    arguments: list[str]
    sha256: str
    tail: bytes
    scratch: Path

    def run(self, program: str, *more: str) -> str:
        command = [sys.executable, "-c", program, *self.arguments, *more]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def read(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(_READ, key))
        return found


def write(path: Path, version: bytes) -> tuple[str, bytes]:
    """Writes a version; gives its SHA-256 and last kilobyte."""
    digest = hashlib.sha256()
    tail = b""
    with path.open("wb") as file:
        for number, at in enumerate(range(0, SIZE, MIB)):
            # A version differs from the other in a piece now and then, and in its last bytes.
            changed = version if number % 50 == 7 else b""
            piece = hashlib.shake_128(b"%d %s" % (number, changed)).digest(4096) + bytes(MIB - 4096)
            piece = piece[: min(MIB, SIZE - at)]
            if at + MIB >= SIZE:
                piece = piece[:-1024] + hashlib.shake_128(version).digest(1024)
            digest.update(piece)
            file.write(piece)
            tail = piece[-1024:]
    return digest.hexdigest(), tail


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    home = tmp_path_factory.mktemp("large")
    scratch = home / "scratch"
    scratch.mkdir()
    first, second = home / "first.bin", home / "second.bin"
    write(first, b"first")
    sha256, tail = write(second, b"second")
    made = Large([(home / "store").as_uri(), str(home / "cache"), str(scratch)], sha256, tail, scratch)
    made.run(_FILL, str(first), str(second))
    first.unlink()
    second.unlink()
    return made


@pytest.mark.parametrize(("key", "decodings"), [("v2/app.bin", [1, 2, 2]), ("whole.bin", [0, 0, 0])])
def test_a_large_object_is_streamed_and_its_end_decoded_once(
    large: Large, key: str, decodings: list[int], record_property: Figure
) -> None:
    found = large.read(key)
    peak, counts = found["peak"], found["decodings"]
    record_property("figure", f"{key}, {SIZE:,} bytes: peak {peak / MIB:.0f} MiB, decodings {counts}")
    assert found["sha256"] == large.sha256
    assert found["tails"] == [large.tail.hex()] * 2
    assert counts == decodings
    assert peak < MOST
    assert list(large.scratch.iterdir()) == []
