"""``mv``: as ``cp``, and then the source goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import TRANSFER, ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import (
    COMMON,
    DELTAS,
    DRYRUN,
    FAIL_FAST,
    FILE_NAMES,
    FILES_FROM,
    FILTERS,
    FOLLOW,
    PAGE_SIZE,
    PRESERVE,
    RECURSIVE,
    SOURCES,
    Given,
)
from deltaglider.cli.transfers import Request, transfer
from deltaglider.cli.writing import METADATA, READING
from deltaglider.config import environment
from deltaglider.layout.uri import S3Uri
from deltaglider.values import parse_truth

_VALIDATE = "AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS"

_DETAILS = """One file, or several into a directory, or with --recursive all files of a directory or prefix. Paths are
those of cp. The source of
each file is removed once the target is proven to be there; if that fails, the source stays, and the file counts as
failed. Directories that are left empty stay.
"""


async def mv(
    given: Given, *, sources: Sequence[str], target: str, validate_same_s3_paths: bool, **options: Any
) -> ExitCode:
    """Moves; see the help."""
    request = Request.of(sources, target, usage="mv", move=True, **options)
    given.check(request.action)
    if paths.STREAM in (*sources, target):
        raise asyncclick.UsageError("'-' cannot be moved: use cp")
    if request.action != "copy":
        return await transfer(given, request)
    validate = validate_same_s3_paths or _asked_by_environment()
    as_trees = request.recursive or request.files_from is not None
    warnings = [_refuse_onto_itself(source, target, recursive=as_trees, validate=validate) for source in sources]
    return await transfer(given, dataclasses.replace(request, warning=max(warnings)))


def _asked_by_environment() -> bool:
    try:
        return parse_truth(environment(_VALIDATE) or "false")
    except ValueError:
        raise asyncclick.UsageError(f"{_VALIDATE} is {environment(_VALIDATE)!r}, not true or false") from None


def _refuse_onto_itself(source: str, target: str, *, recursive: bool, validate: bool) -> str:
    """Refuses what would remove the object it has just copied onto itself; gives the warning where nobody knows."""
    here, there = S3Uri.parse(source), S3Uri.parse(target)
    if recursive:
        here, there = here.as_directory(), there.as_directory()
    elif there.is_directory:
        there = there.child(here.key.rsplit("/", 1)[-1])
    if here == there:
        raise asyncclick.UsageError(f"Cannot mv a file onto itself: {source} - {target}")
    if here.key != there.key or not (_may_be_another(here.bucket) or _may_be_another(there.bucket)):
        return ""
    if validate:
        raise asyncclick.UsageError(
            f"{source} and {target} may be the same: nothing tells here which bucket an access point belongs to. Name "
            "the buckets themselves"
        )
    return (
        "Provided s3 paths may resolve to same underlying s3 object(s) and result in deletion instead of being moved. "
        "Name the buckets themselves, not their access points."
    )


def _may_be_another(bucket: str) -> bool:
    """Whether a bucket may have another name: an access point, or the alias of one."""
    return bucket.startswith("arn:") or bucket.endswith(("-s3alias", "--op-s3", ".mrap"))


command = make_command(
    "mv",
    mv,
    params=[
        SOURCES,
        asyncclick.Argument(["target"], metavar="TARGET"),
        RECURSIVE,
        DRYRUN,
        FAIL_FAST,
        *FILES_FROM,
        FOLLOW,
        Option(
            "--validate-same-s3-paths",
            is_flag=True,
            help=f"Refuse to move between access points that may lead to the same object, instead of a warning. "
            f"Default: {_VALIDATE}.",
        ),
        PRESERVE,
        *FILE_NAMES,
        PAGE_SIZE,
        *FILTERS,
        *DELTAS,
        *METADATA,
        *READING,
        *COMMON,
    ],
    summary="Move files up, down, and between places in the store",
    details=_DETAILS,
    exits=TRANSFER,
    examples=[
        "deltaglider mv app.zip s3://releases/v1.0.0/",
        "deltaglider mv s3://releases/v1.0.0/app.zip .",
        "deltaglider mv s3://releases/nightly/ s3://archive/nightly/ --recursive --exclude '*.log'",
    ],
    filters="filters",
)
