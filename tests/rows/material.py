"""Files of two kinds, and a deltaspace as the predecessor leaves it."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from tests.engine.world import noise, revised, sha256
from tests.rows.tool import Tool

V1 = noise("v1")


def version(number: int) -> bytes:
    """One of many versions of a file, worth a delta."""
    return revised(V1, number)


def gzipped(data: bytes) -> bytes:
    """As gzip's own library writes it: with a level and a header that the gzip program would not choose."""
    return gzip.compress(data, compresslevel=9, mtime=1_700_000_000)


def classic(tool: Tool, prefix: str, files: dict[str, bytes], work: Path) -> None:
    """A deltaspace with the keys and metadata of 6.2.0; the first file is the reference."""
    names = list(files)
    reference, delta = work / "reference.bin", work / "delta"
    first = files[names[0]]
    reference.write_bytes(first)
    common = {"dg-tool": "deltaglider/6.2.0", "dg-created-at": "2026-01-02T03:04:05.678901Z"}
    noted = {"dg-source-name": names[0], "dg-file-sha256": sha256(first), "dg-note": "reference"}
    tool.store(f"{prefix}reference.bin", first, {**common, **noted})
    for name, data in files.items():
        (work / name).write_bytes(data)
        command = ["xdelta3", "-e", "-f", "-9", "-s", str(reference), str(work / name), str(delta)]
        subprocess.run(command, check=True)
        described = {
            "dg-original-name": name,
            "dg-file-sha256": sha256(data),
            "dg-file-size": str(len(data)),
            "dg-ref-key": f"{prefix}reference.bin",
            "dg-ref-sha256": sha256(first),
            "dg-delta-size": str(delta.stat().st_size),
            "dg-delta-cmd": f"xdelta3 -e -9 -s reference.bin {name} {name}.delta",
        }
        tool.store(f"{prefix}{name}.delta", delta.read_bytes(), {**common, **described})
