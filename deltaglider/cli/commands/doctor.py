"""``doctor``: is this machine fit for the work, and is what lies in a bucket sound?"""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.kinds import Age
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.output import Diagnosis
from deltaglider.cli.session import Session, open_session
from deltaglider.layout.uri import S3Uri

_DETAILS = """xdelta3 has to make and apply a delta, the cache and temporary directories have to be usable, and the
store has to answer.

With a bucket or prefix, what lies there is then looked through for what is lost, damaged or left over: every object is
read and proven, unless --quick is given. --repair mends what can be mended. It removes nothing that anything in the
bucket could still need, and may run while others write.

What is merely untidy, such as a reference that no delta needs, is a note and does not make the command fail.
"""

_ABOUT_BUCKETS = "Buckets"


async def doctor(
    given: Given, *, target: str, repair: bool, quick: bool, sources: tuple[str, ...], older_than: float
) -> ExitCode:
    """Checks; see the help."""
    uri = paths.bucket_or_prefix(target) if target else None
    if uri is None and (repair or quick or sources):
        raise asyncclick.UsageError("--repair, --quick and --from need a bucket or prefix to look into")
    if sources and not repair:
        raise asyncclick.UsageError("--from says where to take lost bytes from: give --repair, too")
    for source in sources:
        if not Path(source).exists():
            raise asyncclick.UsageError(f"--from {source!r} does not exist")
    async with open_session(given) as session:
        checks = await session.client.doctor(f"s3://{uri.bucket}" if uri else None)
        session.printer.checks(checks)
        fit = all(check.ok for check in checks)
        diagnosis = None
        if uri is not None and fit:
            diagnosis = await _look_into(session, uri, repair, quick, sources, older_than)
        session.printer.diagnosed(checks, diagnosis)
    return ExitCode.DONE if fit and (diagnosis is None or not diagnosis.open) else ExitCode.FAILED


async def _look_into(
    session: Session, uri: S3Uri, repair: bool, quick: bool, sources: tuple[str, ...], older_than: float
) -> Diagnosis:
    diagnosis = Diagnosis()
    findings = session.client.survey(
        str(uri), repair=repair, quick=quick, sources=[Path(source) for source in sources], older_than=older_than
    )
    async with aclosing(findings) as found:  # type: ignore[type-var]
        async for finding in found:
            diagnosis.count(finding)
            session.printer.finding(finding)
    return diagnosis


command = make_command(
    "doctor",
    doctor,
    params=[
        asyncclick.Argument(["target"], metavar="[S3URI]", required=False, default=""),
        Option("--repair", is_flag=True, section=_ABOUT_BUCKETS, help="Mend what can be mended."),
        Option(
            "--quick",
            is_flag=True,
            section=_ABOUT_BUCKETS,
            help="Look at metadata and presence only, not at every byte.",
        ),
        Option(
            "--from",
            "sources",
            multiple=True,
            metavar="PATH",
            section=_ABOUT_BUCKETS,
            help="A file, or a directory of files, that may hold the bytes of lost references. May be given again.",
        ),
        Option(
            "--older-than",
            "older_than",
            metavar="AGE",
            type=Age(),
            default="1d",
            section=_ABOUT_BUCKETS,
            help="How old leftovers have to be (12h, 1d): younger ones may belong to work that goes on. Default: 1d.",
        ),
        *COMMON,
    ],
    summary="Check this machine and the store, and mend a bucket",
    details=_DETAILS,
    exits={1: "a check failed, or something is wrong and was not mended"},
    examples=[
        "deltaglider doctor",
        "deltaglider doctor s3://releases --endpoint-url https://minio.example.com",
        "deltaglider doctor s3://releases/nightly/ --quick",
        "deltaglider doctor s3://releases --repair --from ./old-downloads",
    ],
)
