"""Twenty releases each of three packages, kept as a user would keep them: what is saved in all."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.data import Data
from bench.measure import Tools, run_once
from bench.pairs import sdist, wheel
from bench.report import Row, Table, Target
from bench.sides import MB, environment

COUNT = 20
SHARE = 2.5  # Per cent of their originals that the deltas of a package may have.
SAVED = 92  # Per cent of everything, the first versions counted whole.


@dataclasses.dataclass(frozen=True)
class Package:
    """Releases of one thing.

    Attributes:
        kind: What they are.
        name: Of the project.
        last: The latest of the releases.
        get: Fetches one.
    """

    kind: str
    name: str
    last: str
    get: Callable[[Data, str, str], Path]


PACKAGES = (
    Package("pure Python wheel", "botocore", "1.42.69", wheel),
    Package("Python sdist", "botocore", "1.42.69", sdist),
    Package("wheel with a jar inside", "tabula-py", "2.10.0", wheel),
)


def run(tools: Tools) -> Table:
    """Uploads the releases in their order into an embedded store, and asks ``stats``.

    Args:
        tools: The programs.

    Returns:
        A row a package, and one for all.
    """
    count = tools.some(COUNT, 3)
    rows: list[Row] = []
    targets: list[Target] = []
    with tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        environ = {**environment(Path(directory)), "DG_ENDPOINT_URL": Path(directory, "store").as_uri()}
        for number, package in enumerate(PACKAGES):
            bucket = f"releases-{number}"
            run_once((tools.ours, "mb", f"s3://{bucket}"), Path(directory), environ=environ)
            files = [
                package.get(tools.data, package.name, version) for version in _versions(tools.data, package, count)
            ]
            cpu = sum(
                run_once((tools.ours, "cp", file, f"s3://{bucket}/"), Path(directory), environ=environ).cpu
                for file in files
            )
            found = _stats(tools, bucket, environ)
            size, kept = found["total_size"], found["compressed_size"]
            first = files[0].stat().st_size
            share = 100 * (kept - first) / (size - first)
            label = f"{package.kind}: {package.name}, {count} to {package.last}"
            rows.append(
                (
                    label,
                    round(size / MB, 1),
                    round(kept / MB, 2),
                    round(100 * (1 - kept / size), 2),
                    round(share, 3),
                    round(cpu / count, 2),
                )
            )
            print(*rows[-1], sep="  ", flush=True)
            targets.append(Target(f"{package.name}: deltas, of their originals", SHARE, share, "%", below=True))
    everything, stored = (sum(float(str(row[at])) for row in rows) for at in (1, 2))
    saved = 100 * (1 - stored / everything)
    rows.append(("all", round(everything, 1), round(stored, 2), round(saved, 2), None, None))
    targets.append(Target("stored, of everything", 100 - SAVED, 100 - saved, "%"))
    return Table(
        name="releases",
        title=f"{count} releases of each of three packages, stored one after the other; as stats counts them",
        columns=("package", "MB", "stored MB", "saved %", "deltas % of originals", "CPU s an upload"),
        rows=tuple(rows),
        targets=tuple(targets),
    )


def _versions(data: Data, package: Package, count: int) -> list[str]:
    versions = data.versions(package.name)
    end = versions.index(package.last) + 1
    return versions[end - count : end]


def _stats(tools: Tools, bucket: str, environ: dict[str, str]) -> dict[str, int]:
    command = (tools.ours, "stats", bucket, "--json")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: int(found[name]) for name in ("total_size", "compressed_size")}
