"""Real files to measure with: releases, fetched once with the clients of their registries and kept.

What was published under a version never changes, so that a file fetched once is the same on every machine, and a
figure can be had again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ATTEMPTS = 3
# Wheels of one platform are those of this Python, whichever runs the benchmarks, so that the bytes are the same.
PYTHON = "3.11"


class Data:
    """A directory of releases. What is in it already is not fetched again; several processes may share it.

    Args:
        directory: Where they are kept. It is made if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)

    def wheel(self, name: str, version: str, platform: str | None = None) -> Path:
        """A wheel from the Python Package Index.

        Args:
            name: The project.
            version: Its version.
            platform: For which platform, as in ``manylinux_2_17_x86_64``; for any if not given.

        Returns:
            The file, under its own name.
        """
        options = ["--only-binary", ":all:"]
        if platform:
            options += ["--platform", platform, "--python-version", PYTHON, "--implementation", "cp"]
        return self._pip("wheels", name, f"{version}-{platform}" if platform else version, version, options)

    def sdist(self, name: str, version: str) -> Path:
        """A source distribution from the Python Package Index.

        pip looks into it, for which it installs what the project is built with; this takes a moment.

        Args:
            name: The project.
            version: Its version.

        Returns:
            The file, under its own name.
        """
        return self._pip("sdists", name, version, version, ["--no-binary", ":all:"])

    def npm(self, name: str, version: str) -> Path:
        """A tarball from the npm registry.

        Args:
            name: The package; with its scope, if it has one.
            version: Its version.

        Returns:
            The file, under its own name.
        """
        command = ["npm", "pack", "--silent", f"{name}@{version}"]
        return self._once(Path("npm", name.replace("/", "+"), version), lambda into: _run(command, into))

    def deb(self, name: str, version: str | None = None) -> Path:
        """A Debian package, from the sources that this machine's apt knows.

        Args:
            name: The package.
            version: Its version; whichever apt would install if not given. Old ones vanish from the archive.

        Returns:
            The file, under its own name.
        """
        wanted = f"{name}={version}" if version else name
        return self._once(
            Path("debs", name, version or "current"), lambda into: _run(["apt-get", "download", wanted], into)
        )

    def versions(self, name: str, registry: str = "pypi") -> list[str]:
        """Which versions there are, candidates for a release among them; asked once, then remembered.

        Args:
            name: The project or package.
            registry: ``pypi``, ``npm`` or ``deb``.

        Returns:
            The versions, oldest first.
        """
        ask = {"pypi": _pypi_versions, "npm": _npm_versions, "deb": _deb_versions}[registry]

        def write(into: Path) -> None:
            (into / "versions.json").write_text(json.dumps(ask(name, into)), encoding="utf-8")

        file = self._once(Path("versions", registry, name.replace("/", "+")), write)
        return [str(version) for version in json.loads(file.read_text(encoding="utf-8"))]

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """A file that is not fetched but made; made once.

        Args:
            name: What it is called. Another content needs another name.
            make: Writes it to the path it is given.

        Returns:
            The file.
        """
        return self._once(Path("made", name), lambda into: make(into / Path(name).name))

    def _pip(self, kind: str, name: str, place: str, version: str, options: Sequence[str]) -> Path:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command = [*pip, *options, "--dest", ".", f"{name}=={version}"]
        return self._once(Path(kind, name, place), lambda into: _run(command, into))

    def _once(self, place: Path, fetch: Callable[[Path], object]) -> Path:
        """The one file in a directory; fetched beside it and renamed, so that a directory that is there is complete."""
        home = self.directory / place
        if not home.is_dir():
            home.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetching-", dir=self.directory) as scratch:
                into = Path(scratch, "content")
                into.mkdir()
                fetch(into)
                _only(into)
                try:
                    into.rename(home)
                except OSError:
                    # Another process was quicker. If not, there is nothing to return below.
                    shutil.rmtree(into)
        return _only(home)


def _only(directory: Path) -> Path:
    files = list(directory.iterdir())
    if len(files) != 1:
        raise RuntimeError(f"{directory} should hold one file, and holds {len(files)}")
    return files[0]


def _run(command: Sequence[str], directory: Path) -> str:
    """Runs a registry's client and returns what it printed; the network may fail it a time or two."""
    environ = {**os.environ, "PIP_NO_INPUT": "1"}
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
    raise RuntimeError(f"exit code {done.returncode} of {' '.join(command)}:\n{done.stderr[-2000:]}")


def _pypi_versions(name: str, directory: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "index", "versions", "--pre", "--disable-pip-version-check"]
    printed = _run([*pip, name], directory)
    line = next(line for line in printed.splitlines() if line.startswith("Available versions:"))
    return [version.strip() for version in line.partition(":")[2].split(",")][::-1]


def _npm_versions(name: str, directory: Path) -> list[str]:
    found = json.loads(_run(["npm", "view", "--json", name, "versions"], directory))
    return found if isinstance(found, list) else [found]


def _deb_versions(name: str, directory: Path) -> list[str]:
    lines = _run(["apt-cache", "madison", name], directory).splitlines()
    # One line a source; the same version may stand in several.
    return list(dict.fromkeys(line.split("|")[1].strip() for line in reversed(lines)))
