"""The files that several cases work on."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.data import Data
from bench.made import noise
from bench.sides import link_all

STEP = 5
FIRST_RELEASE = 40


def zips(data: Data, count: int = 20) -> list[Path]:
    """Real archives, each of 12 MB: every fifth release of botocore, oldest first.

    Args:
        data: Where they are kept.
        count: How many.

    Returns:
        The files.
    """
    return [data.wheel("botocore", f"1.34.{FIRST_RELEASE + STEP * number}") for number in range(count)]


def arranged(files: Sequence[Path], directory: Path) -> Path:
    """A directory of zips whose first file is the same to everybody.

    deltaglider 6.2.0 takes files as the system lists them, and makes the first its reference; we take them sorted. The
    names are so chosen that both begin with the first of the files.

    Args:
        files: The files.
        directory: The directory, which is made.

    Returns:
        The directory.
    """
    for attempt in range(10_000):
        names = [f"release-{number:03}-{attempt:x}.zip" for number in range(len(files))]
        link_all(dict(zip(names, files, strict=True)), directory)
        with os.scandir(directory) as entries:
            if next(entries).name == names[0]:
                return directory
        shutil.rmtree(directory)
    raise RuntimeError(f"no arrangement of {len(files)} files lists its first one first")


def plain(directory: Path, count: int, size: int) -> Path:
    """A directory of files that nobody makes deltas of.

    Args:
        directory: The directory, which is made.
        count: How many files.
        size: Bytes of each.

    Returns:
        The directory.
    """
    directory.mkdir(parents=True)
    for number in range(count):
        with (directory / f"file-{number:06}.dat").open("wb") as file:
            file.writelines(noise(size, f"plain {number}"))
    return directory


def same_files(expected: Path, actual: Path) -> None:
    """Compares two directories byte for byte.

    Args:
        expected: What should have come back.
        actual: What did.

    Raises:
        RuntimeError: They differ.
    """
    wanted, found = (
        {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()} for root in (expected, actual)
    )
    if wanted.keys() != found.keys():
        raise RuntimeError(f"{len(wanted)} files were to come back, {len(found)} did")
    for name, path in wanted.items():
        if digest(path) != digest(found[name]):
            raise RuntimeError(f"{name} did not come back as it was")


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex.

    Args:
        path: The file.

    Returns:
        The digest.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def settings() -> frozenset[str]:
    """The settings that this DeltaGlider knows: what it has not yet cannot be measured."""
    from deltaglider.config import Settings

    return frozenset(field.name for field in dataclasses.fields(Settings))


def variants() -> dict[str, Mapping[str, str]]:
    """The ways of ours to store deltas, and the variables that choose each."""
    wanted: dict[str, dict[str, str]] = {
        "ours": {},
        "ours, archive=never": {"DG_ARCHIVE": "never"},
        "ours, codec=zstd, archive=never": {"DG_CODEC": "zstd", "DG_ARCHIVE": "never"},
    }
    known = {f"DG_{name.upper()}" for name in settings()}
    return {name: variables for name, variables in wanted.items() if variables.keys() <= known}
