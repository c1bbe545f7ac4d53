"""Pairs of archives that were really published: a version, and one of the next."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.data import Data

LINUX = "manylinux_2_17_x86_64"
LINUX_LATER = "manylinux_2_28_x86_64"

WHEEL = "pure Python wheel"
GZ_IN_WHEEL = "wheel with .gz inside"
PROGRAMS = "wheel of machine code"
JAR_IN_WHEEL = "wheel with a jar inside"
SDIST = "Python sdist"
SDIST_NG = "Python sdist, by zlib-ng"
NPM = "npm tarball"
TAR_CZF = "tar czf"
JAR = "jar"
DEB = "Debian package"
KINDS = (WHEEL, GZ_IN_WHEEL, PROGRAMS, JAR_IN_WHEEL, SDIST, SDIST_NG, NPM, TAR_CZF, JAR, DEB)

Get = Callable[[Data, str, str], Path]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two versions of one thing.

    Attributes:
        kind: One of ``KINDS``.
        name: What it is.
        first: The version that is stored first.
        second: The one whose delta is measured.
        get: Fetches or makes a version.
        far: Whether ten versions or more lie between them.
    """

    kind: str
    name: str
    first: str
    second: str
    get: Get
    far: bool = False

    def files(self, data: Data) -> tuple[Path, Path]:
        """Both files.

        Args:
            data: Where they are kept.

        Returns:
            The first and the second.
        """
        return self.get(data, self.name, self.first), self.get(data, self.name, self.second)


def pairs() -> list[Pair]:
    """All that are measured: of each kind three or more, next to each other and ten versions apart."""
    return list(_pairs())


def _pairs() -> Iterator[Pair]:
    wheels = {
        WHEEL: (
            ("Django", "5.1.1", "5.1.2", "5.1.11"),
            ("sympy", "1.13.0", "1.13.1", ""),
            ("sympy", "1.9", "1.10", "1.13.1"),
            ("fastapi", "0.164.0", "0.165.0", ""),
            ("transformers", "5.13.1", "5.14.0", ""),
        ),
        GZ_IN_WHEEL: (("botocore", "1.42.50", "1.42.51", "1.42.60"), ("botocore", "1.42.50", "", "1.42.69")),
        JAR_IN_WHEEL: (
            ("h2o", "3.46.0.10", "3.46.0.11", ""),
            ("h2o", "3.46.0.1", "", "3.46.0.11"),
            ("tabula-py", "2.9.3", "2.10.0", ""),
            ("tabula-py", "2.5.0", "", "2.9.3"),
            ("openapi-generator-cli", "7.16.0", "7.17.0", "7.26.0"),
        ),
    }
    for kind, rows in wheels.items():
        yield from _near_and_far(kind, rows, wheel)
    yield from _near_and_far(
        PROGRAMS,
        (("numpy", "2.2.5", "2.2.6", ""), ("numpy", "2.1.0", "", "2.2.6"), ("pandas", "2.2.2", "2.2.3", "")),
        _linux_wheel,
    )
    yield from _near_and_far(PROGRAMS, (("scikit-learn", "1.5.0", "1.5.2", ""),), _linux_wheel)
    yield from _near_and_far(PROGRAMS, (("pyarrow", "19.0.0", "19.0.1", ""),), _later_linux_wheel)
    sources = (
        ("Django", "5.1.1", "5.1.2", "5.1.11"),
        ("sympy", "1.13.0", "1.13.1", ""),
        ("awscli", "1.44.9", "1.44.10", "1.44.20"),
        ("botocore", "1.42.50", "1.42.51", "1.42.60"),
    )
    # Packed by a Python whose zlib is zlib-ng, which nothing here can repeat: such files belong in the table, too.
    by_another = (("SQLAlchemy", "2.0.33", "2.0.34", "2.0.43"), ("SQLAlchemy", "2.0.34", "2.0.43", ""))
    yield from _near_and_far(SDIST, sources, sdist)
    yield from _near_and_far(SDIST_NG, by_another, sdist)
    yield from _near_and_far(TAR_CZF, (*sources, *by_another), tar_czf)
    packages = (
        ("typescript", "5.8.2", "5.8.3", ""),
        ("typescript", "5.4.5", "", "5.9.3"),
        ("next", "16.4.5", "16.4.6", ""),
        ("@aws-sdk/client-ec2", "3.1168.0", "3.1169.0", ""),
        ("@aws-sdk/client-ec2", "3.1159.0", "", "3.1169.0"),
    )
    yield from _near_and_far(NPM, packages, lambda data, name, version: data.npm(name, version))
    jars = (
        ("tabula-py", "2.9.3", "2.10.0", "2.5.0"),
        ("openapi-generator-cli", "7.16.0", "7.17.0", "7.26.0"),
        ("py4j", "0.10.9.8", "0.10.9.9", ""),
    )
    yield from _near_and_far(JAR, jars, jar)
    debs = (
        ("libssl3", "3.0.20-1~deb12u2", "3.0.22-1~deb12u2", ""),
        ("postgresql-15", "15.18-0+deb12u1", "15.20-0+deb12u1", ""),
        ("libc6", "2.36-9+deb12u7", "2.36-9+deb12u14", ""),
    )
    yield from _near_and_far(DEB, debs, lambda data, name, version: data.deb(name, version))


def _near_and_far(kind: str, rows: tuple[tuple[str, str, str, str], ...], get: Get) -> Iterator[Pair]:
    for name, first, near, far in rows:
        if near:
            yield Pair(kind, name, first, near, get)
        if far:
            yield Pair(kind, name, first, far, get, far=True)


def tar_czf(data: Data, name: str, version: str) -> Path:
    """What ``tar czf`` makes of an unpacked sdist: the compressor is GNU gzip, where that is the system's gzip.

    Args:
        data: Where it is kept.
        name: The project.
        version: Its version.

    Returns:
        The file.
    """

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=data.directory) as directory:
            with tarfile.open(data.sdist(name, version)) as archive:
                archive.extractall(directory, filter="data")
            (top,) = Path(directory).iterdir()
            # What is in the directory of the version, not that: its name differs in each path.
            names = sorted(entry.name for entry in top.iterdir())
            subprocess.run(["tar", "--sort=name", "-czf", path, "-C", top, "--", *names], check=True)

    return data.made(f"tar-czf/{name}-{version}/{name}.tar.gz", make)


def jar(data: Data, name: str, version: str) -> Path:
    """The largest jar in a wheel.

    Args:
        data: Where it is kept.
        name: The project.
        version: Its version.

    Returns:
        The file.
    """

    def make(path: Path) -> None:
        with zipfile.ZipFile(data.wheel(name, version)) as archive:
            jars = [info for info in archive.infolist() if info.filename.endswith(".jar")]
            with archive.open(max(jars, key=lambda info: info.file_size)) as inside, path.open("wb") as out:
                shutil.copyfileobj(inside, out)

    return data.made(f"jars/{name}-{version}/{name}.jar", make)


def wheel(data: Data, name: str, version: str) -> Path:
    """A wheel for any platform; see ``Data.wheel``."""
    return data.wheel(name, version)


def sdist(data: Data, name: str, version: str) -> Path:
    """A source distribution; see ``Data.sdist``."""
    return data.sdist(name, version)


def _linux_wheel(data: Data, name: str, version: str) -> Path:
    return data.wheel(name, version, LINUX)


def _later_linux_wheel(data: Data, name: str, version: str) -> Path:
    return data.wheel(name, version, LINUX_LATER)
