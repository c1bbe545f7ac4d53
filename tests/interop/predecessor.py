"""The predecessor as its users run it: a process, with an environment and directories of its own."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

from tests.servers import S3Endpoint

VERSION = "6.2.0"


class Predecessor:
    """deltaglider 6.2.0 on one bucket.

    Args:
        program: Its executable.
        endpoint: The server.
        bucket: The bucket.
        home: A directory for its temporary files, of which it leaves some behind.
    """

    def __init__(self, program: Path, endpoint: S3Endpoint, bucket: str, home: Path) -> None:
        self._program = program
        self._bucket = bucket
        self._home = home
        self._numbers = itertools.count()
        self._environment = {
            **endpoint.environ(),
            "TMPDIR": str(home),
            "HOME": str(home),
            "DG_METRICS": "noop",
            "DG_LOG_LEVEL": "ERROR",
            "DG_DISABLE_EC2_DETECTION": "1",
        }
        self._environment.pop("PYTHONPATH", None)  # Or it would import this tool.
        self.client: Any = endpoint.client()

    def url(self, key: str = "") -> str:
        return f"s3://{self._bucket}/{key}"

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self._program), *arguments]
        result = subprocess.run(
            command, env=self._environment, cwd=self._home, capture_output=True, text=True, check=False, timeout=100
        )
        if check:
            assert result.returncode == 0, f"{command}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def directory(self, files: dict[str, bytes] | None = None) -> Path:
        """A new directory, with files in it."""
        place = self._home / f"files-{next(self._numbers)}"
        place.mkdir()
        for name, data in (files or {}).items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return place

    def upload(self, prefix: str, files: dict[str, bytes], *options: str) -> None:
        """Stores files below a prefix, one after the other in the order given, so that the first is the reference."""
        place = self.directory(files)
        for name in files:
            self.run("cp", *options, str(place / name), self.url(f"{prefix}{name}"))

    def read(self, key: str) -> bytes:
        """One object, by its name."""
        target = self.directory() / "target"
        self.run("cp", self.url(key), str(target))
        return target.read_bytes()

    def read_all(self, prefix: str) -> dict[str, bytes]:
        """All below a prefix that ends with a slash, in one run."""
        target = self.directory()
        self.run("cp", "-r", self.url(prefix), str(target))
        return {
            f"{prefix}{path.relative_to(target)}": path.read_bytes() for path in target.rglob("*") if path.is_file()
        }

    def respell(self, dialect: str) -> None:
        """Rewrites all metadata of the bucket in one of the four spellings there were, with a copy onto itself."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
            found = self.client.head_object(Bucket=self._bucket, Key=key)
            self.client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": key},
                MetadataDirective="REPLACE",
                Metadata={spell(name, dialect): value for name, value in found["Metadata"].items()},
                ContentType=found["ContentType"],
            )


DIALECTS = ["dg-dashed", "dg_underscored", "underscored", "dashed"]


def spell(name: str, dialect: str) -> str:
    """A metadata name of 6.2.0 as an earlier version, or deltaglider_proxy, spelled it."""
    bare = name.removeprefix("dg-")
    return {
        "dg-dashed": f"dg-{bare}",
        "dg_underscored": f"dg_{bare.replace('-', '_')}",
        "underscored": bare.replace("-", "_"),
        "dashed": bare,
    }[dialect]
