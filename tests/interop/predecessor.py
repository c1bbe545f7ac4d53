"""The real deltaglider 6.2.0, as a program in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.servers import S3Endpoint


class Predecessor:
    """Runs its command line.

    Args:
        endpoint: The server.
        directory: Where it runs; local names are relative to it.
    """

    def __init__(self, endpoint: S3Endpoint, directory: Path) -> None:
        program = os.environ.get("DG_TEST_PREDECESSOR", "")
        assert program, "DG_TEST_PREDECESSOR must name the executable of deltaglider 6.2.0: run 'nox -s interop'"
        self._program = program
        self._endpoint = endpoint
        self.directory = directory

    def run(self, *arguments: str) -> str:
        """Runs a command that must succeed; gives what it printed."""
        ended = subprocess.run(
            [self._program, *arguments],
            cwd=self.directory,
            env={**self._endpoint.environ(), "DG_LOG_LEVEL": "ERROR", "DG_SUPPRESS_DEPRECATION": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    def put(self, name: str, data: bytes, url: str) -> None:
        """Uploads bytes under their own name into a place that ends with a slash."""
        (self.directory / name).write_bytes(data)
        self.run("cp", name, url + name)  # It drops the slash of a URL that ends with one, and the directory with it.

    def get(self, url: str) -> bytes:
        """Downloads an object."""
        target = self.directory / "fetched by the predecessor"
        target.unlink(missing_ok=True)
        self.run("cp", url, target.name)
        return target.read_bytes()
