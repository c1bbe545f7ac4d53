"""``put-bucket-acl``: says who may do what with a bucket."""

from __future__ import annotations

from typing import Any

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.kinds import JsonObject
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """Replaces the whole list: by one that S3 has ready (--acl), by grants, or by a JSON document as
get-bucket-acl prints it. "s3://" may be left out. Grantees are written id=..., uri=... or emailAddress=..., several
with commas.
"""

_ACLS = ("private", "public-read", "public-read-write", "authenticated-read")
_GRANTS = {
    "full_control": "all of the following",
    "read": "to list the objects",
    "read_acp": "to read this list",
    "write": "to create, overwrite and delete objects",
    "write_acp": "to write this list",
}


async def put_bucket_acl(
    given: Given, *, target: str, acl: str | None, policy: dict[str, Any] | None, **grantees: str | None
) -> ExitCode:
    """Replaces; see the help."""
    grants: Any = {right.removeprefix("grant_"): grantee for right, grantee in grantees.items() if grantee}
    async with open_session(given) as session:
        await session.client.set_bucket_acl(target, acl=acl, grants=grants, policy=policy)
        session.printer.bucket_done("put-bucket-acl", paths.bucket_or_prefix(target).bucket)
    return ExitCode.DONE


command = make_command(
    "put-bucket-acl",
    put_bucket_acl,
    params=[
        asyncclick.Argument(["target"], metavar="BUCKET"),
        Option("--acl", type=asyncclick.Choice(_ACLS), help="A list that S3 has ready."),
        *(
            Option(f"--grant-{right.replace('_', '-')}", metavar="GRANTEE", help=f"Who gets the right {meaning}.")
            for right, meaning in _GRANTS.items()
        ),
        Option("--access-control-policy", "policy", metavar="JSON", type=JsonObject(), help="The whole list."),
        *COMMON,
    ],
    summary="Replace the access control list of a bucket",
    details=_DETAILS,
    examples=[
        "deltaglider put-bucket-acl releases --acl private",
        "deltaglider put-bucket-acl releases --grant-read id=79a59df900b949e5",
    ],
)
