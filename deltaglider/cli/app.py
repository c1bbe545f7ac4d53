"""The root of the commands."""

from __future__ import annotations

import asyncclick

from deltaglider._version import __version__
from deltaglider.cli.framework import Group, LazyCommands
from deltaglider.cli.options import COMMON, Given

GROUPS = {
    "Transfer": ("cp", "mv", "sync", "rm", "migrate"),
    "Look": ("ls", "stats", "analyze"),
    "Care": ("verify", "doctor", "rescue"),
    "Share": ("presign", "purge"),
    "Buckets": ("mb", "rb", "website", "put-bucket-acl", "get-bucket-acl"),
    "This program": ("completion", "schema"),
}
"""The commands under the headings of the help. A command ``a-b`` is in the module ``commands/a_b``."""

_HELP = """Versioned binary data in S3 for the price of one.

The first file of a directory of versions is stored whole, later ones as small deltas against it; every read gives back
the original, proven by its SHA-256. Commands that have the name of one of "aws s3" take the same paths and filters,
and print the same lines. "deltaglider COMMAND --help" tells of each.

Settings have environment variables, too: those of the options below are named there. The variables and files of AWS
(AWS_PROFILE, AWS_REGION, ~/.aws/config) count as they do for "aws".
"""


@asyncclick.pass_context
async def _prepare(ctx: asyncclick.Context) -> None:
    ctx.ensure_object(Given)


app = Group(
    "deltaglider",
    callback=_prepare,
    groups=GROUPS,
    commands=LazyCommands(
        {name: f"deltaglider.cli.commands.{name.replace('-', '_')}" for names in GROUPS.values() for name in names}
    ),
    params=list(COMMON),
    help=_HELP,
    no_args_is_help=True,
    # With "alias aws=deltaglider", scripts need no other change.
    optional_word="s3",
    examples=[
        "deltaglider mb s3://releases",
        "deltaglider cp app-v2.zip s3://releases/v2.0.0/",
        "deltaglider sync ./dist s3://releases/v3.0.0/",
        "deltaglider cp s3://releases/v2.0.0/app-v2.zip .",
        "deltaglider stats releases",
    ],
)
asyncclick.version_option(__version__, prog_name="deltaglider", message="%(prog)s %(version)s")(app)
