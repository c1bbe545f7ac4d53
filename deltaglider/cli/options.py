"""The options that commands share, each defined once, and what they said.

Those in ``COMMON`` may stand before or after the command's name. Options are kept in a ``Given`` rather than handed to
each command, so that a new one reaches its place (a field of ``Settings``, a header of an upload) by its definition.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import asyncclick
from asyncclick.core import ParameterSource

from deltaglider.cli.framework import FilterOption, Option
from deltaglider.cli.ignored import IGNORED
from deltaglider.cli.kinds import Setting
from deltaglider.late import dataclass
from deltaglider.models import Action
from deltaglider.values import parse_rate

Archived = Literal["skip", "ignore", "force"]

_STORES = ("<LocalPath> <S3Uri>", "<S3Uri> <S3Uri>")


@dataclass(slots=True)
class Given:
    """What the common options said, wherever on the command line they stood.

    Attributes:
        settings: Fields of ``Settings``.
        output: How results are told: ``json``, ``quiet``, ``only_show_errors``, ``debug``, ``color``, ``progress``,
            ``progress_frequency``, ``progress_multiline``; and what a command adds: ``bytes_on_stdout``.
        storing: Keywords of the client's methods that store objects: ``metadata``, ``tags``, ``guess_content_type``,
            ``metadata_directive``, ``copy_props``, ``no_overwrite``.
        headers: Headers and write parameters of what is stored, by boto3's names.
        reading: What is said about sources: ``ignore`` or ``force`` those in archives; ``checksum_mode``.
    """

    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    output: dict[str, Any] = dataclasses.field(default_factory=dict)
    storing: dict[str, Any] = dataclasses.field(default_factory=dict)
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    reading: dict[str, Any] = dataclasses.field(default_factory=dict)

    def says(self, name: str) -> bool:
        """Whether an option about the output was given (and not taken back)."""
        return bool(self.output.get(name))

    @property
    def no_overwrite(self) -> bool:
        """Whether what exists is to be left alone."""
        return bool(self.storing.get("no_overwrite"))

    @property
    def archived(self) -> Archived:
        """What becomes of sources that lie in an archive."""
        return "force" if self.reading.get("force") else "ignore" if self.reading.get("ignore") else "skip"

    def for_copies(self) -> dict[str, Any]:
        """Keywords of the client's methods that copy objects."""
        kept = {name: value for name, value in self.storing.items() if name != "guess_content_type"}
        # What is not said is what ``aws`` would do.
        return {"copy_props": "default", **kept, "headers": self.headers}

    def for_uploads(self) -> dict[str, Any]:
        """Keywords of the client's methods that upload files."""
        kept = {name: value for name, value in self.storing.items() if name not in ("metadata_directive", "copy_props")}
        return {"guess_content_type": True, **kept, "headers": self.headers}

    def for_downloads(self) -> dict[str, Any]:
        """Keywords of the client's methods that download trees."""
        return {"no_overwrite": self.no_overwrite, "archived": self.archived}

    def for_syncs(self) -> dict[str, Any]:
        """Keywords of the client's methods that transfer trees either way."""
        return {**self.for_copies(), **self.for_uploads(), **self.for_downloads()}

    def check(self, action: Action) -> None:
        """Checks that what was said means something to a transfer, before any of it is done.

        Raises:
            UsageError: It does not.
            InvalidInputError: A checksum is wanted that cannot be made here.
        """
        for name, heard, actions, forms in (
            ("checksum-algorithm", self.headers.get("ChecksumAlgorithm"), ("upload", "copy"), _STORES),
            ("checksum-mode", self.reading.get("checksum_mode"), ("download",), ("<S3Uri> <LocalPath>",)),
        ):
            if heard and action not in actions:
                raise asyncclick.UsageError(
                    f"Expected {name} parameter to be used with one of following path formats: {', '.join(forms)}."
                )
        if action == "upload" and "ChecksumAlgorithm" in self.headers:
            from deltaglider.client.arguments import check_summable

            check_summable(self.headers)


def _kept(group: str, key: str) -> Callable[[asyncclick.Context, asyncclick.Parameter, Any], Any]:
    """A callback that keeps what was really given; a default must not beat what stood before the command's name."""

    def keep(ctx: asyncclick.Context, parameter: asyncclick.Parameter, value: Any) -> Any:
        if ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
            getattr(ctx.ensure_object(Given), group)[key] = value
        return value

    return keep


def option(group: str, key: str, *declarations: str, **attributes: Any) -> Option:
    """An option whose value is kept in a ``Given``.

    Args:
        group: The attribute of ``Given``.
        key: The name there.
        *declarations: As click takes them.
        **attributes: The same.
    """
    return Option(*declarations, callback=_kept(group, key), expose_value=False, **attributes)


def flag(group: str, key: str, *declarations: str, value: bool = True, **attributes: Any) -> Option:
    """The same without an argument: what it says is ``value``."""
    return option(group, key, *declarations, is_flag=True, flag_value=value, default=None, **attributes)


STORE = (
    option(
        "settings",
        "endpoint_url",
        "--endpoint-url",
        metavar="URL",
        type=Setting("endpoint_url"),
        section="Store",
        help="An S3-compatible server, or file:///path for the embedded store. Default: AWS, or DG_ENDPOINT_URL, or "
        "what the AWS configuration names.",
    ),
    option("settings", "region_name", "--region", metavar="NAME", section="Store", help="The region."),
    option(
        "settings",
        "profile_name",
        "--profile",
        metavar="NAME",
        section="Store",
        help="A profile of the AWS configuration files.",
    ),
    flag(
        "settings",
        "verify",
        "--no-verify-ssl",
        value=False,
        section="Store",
        help="Do not check the server's certificate. Anyone on the way can then read and change what is transferred.",
    ),
    option(
        "settings",
        "verify",
        "--ca-bundle",
        metavar="FILE",
        type=asyncclick.Path(exists=True, dir_okay=False),
        section="Store",
        help="Certificates to trust, in place of the system's.",
    ),
    flag(
        "settings",
        "sign_requests",
        "--no-sign-request",
        value=False,
        section="Store",
        help="Send anonymous requests, for public buckets; no credentials are looked for.",
    ),
    option(
        "settings",
        "request_payer",
        "--request-payer",
        metavar="[requester]",
        is_flag=False,
        flag_value="requester",
        type=asyncclick.Choice(["requester"]),
        section="Store",
        help="Confirm that the requester pays, in buckets where that is so.",
    ),
    option(
        "settings",
        "connect_timeout",
        "--cli-connect-timeout",
        metavar="SECONDS",
        type=Setting("connect_timeout", float),
        section="Store",
        help="How long to wait for a connection; 0 for ever. Default: 20, or DG_CONNECT_TIMEOUT.",
    ),
    option(
        "settings",
        "read_timeout",
        "--cli-read-timeout",
        metavar="SECONDS",
        type=Setting("read_timeout", float),
        section="Store",
        help="How long to wait for the next byte; 0 for ever. Default: 60, or DG_READ_TIMEOUT.",
    ),
    option(
        "settings",
        "max_concurrent_objects",
        "--concurrency",
        metavar="N",
        type=Setting("max_concurrent_objects", int),
        section="Store",
        help="Objects in flight at once. Default: 8, or DG_CONCURRENCY.",
    ),
    option(
        "settings",
        "max_bandwidth",
        "--max-bandwidth",
        metavar="RATE",
        type=Setting("max_bandwidth", parse_rate, kind="a rate such as 10MB/s"),
        section="Store",
        help="Bytes a second for all transfers together, up and down, such as 10MB/s or 800KB/s. Default: no limit, or "
        "DG_MAX_BANDWIDTH, or max_bandwidth of the AWS configuration.",
    ),
    option(
        "settings",
        "cache_dir",
        "--cache-dir",
        metavar="DIRECTORY",
        type=Setting("cache_dir"),
        section="Store",
        help="Where references are cached. Default: the user's cache directory, or DG_CACHE_DIR.",
    ),
)

OUTPUT = (
    flag("output", "json", "--json", section="Output", help="Print one JSON object a line, a summary last."),
    flag(
        "output",
        "quiet",
        "--quiet",
        "-q",
        section="Output",
        help="Print nothing but what ends the command early; the exit code tells the rest.",
    ),
    flag(
        "output",
        "only_show_errors",
        "--only-show-errors",
        section="Output",
        help="Print only failures and warnings.",
    ),
    Option(
        "--progress/--no-progress",
        callback=_kept("output", "progress"),
        expose_value=False,
        default=None,
        section="Output",
        help="Show progress on stderr. Default: on a terminal only.",
    ),
    option(
        "output",
        "progress_frequency",
        "--progress-frequency",
        metavar="SECONDS",
        type=asyncclick.FloatRange(min=0),
        section="Output",
        help="Show progress, this often. Default: ten times a second on a terminal, every two seconds in a log.",
    ),
    flag(
        "output",
        "progress_multiline",
        "--progress-multiline",
        section="Output",
        help="Show progress as a new line each time, on a terminal too.",
    ),
    option(
        "output",
        "color",
        "--color",
        type=asyncclick.Choice(["on", "off", "auto"]),
        section="Output",
        help="Colors of the progress bar. Default: auto, which means on a terminal, unless NO_COLOR is set.",
    ),
    flag("output", "debug", "--debug", section="Output", help="Log what is done, and show the traceback of errors."),
)

COMMON = (*STORE, *OUTPUT, *IGNORED)

DELTAS = (
    flag("settings", "delta", "--no-delta", value=False, section="Deltas", help="Store every file whole."),
    option(
        "settings",
        "max_ratio",
        "--max-ratio",
        metavar="RATIO",
        type=Setting("max_ratio", float, name="ratio"),
        section="Deltas",
        help="The largest delta kept, as a share of the file's size, over 0 and up to 1; with a larger one the file is "
        "stored whole. Default: 0.75, or DG_MAX_RATIO.",
    ),
    option(
        "settings",
        "archive",
        "--archive",
        type=asyncclick.Choice(["auto", "never"]),
        section="Deltas",
        help="Whether what differs in archives (zip, wheel, jar, .tar.gz) is unpacked before a delta is made of it, "
        "where that pays; with never, 6.2.0 can read those of xdelta3. Default: auto, or DG_ARCHIVE.",
    ),
    option(
        "settings",
        "codec",
        "--codec",
        type=asyncclick.Choice(["xdelta3", "zstd"]),
        section="Deltas",
        help="What makes deltas: xdelta3, which makes the smallest ones, and plain ones for every version to read; or "
        "zstd, which is many times faster. Both are read. Default: xdelta3, or DG_CODEC.",
    ),
    option(
        "settings",
        "deltaspace",
        "--deltaspace",
        type=asyncclick.Choice(["versioned", "directory"]),
        section="Deltas",
        help="Whether version directories such as v1.0.0/ and v2.0.0/ share a reference, or each directory has its "
        "own. Default: versioned, or DG_DELTASPACE.",
    ),
)

FILTERS = (
    FilterOption("exclude", section="Filters", help="Leave out what matches."),
    FilterOption(
        "include",
        section="Filters",
        help="Take in what matches. Everything is included at first; of all patterns that match a name, the last one "
        "counts. * and ? match / too.",
    ),
)

RECURSIVE = Option("--recursive", "-r", is_flag=True, help="All files of a directory, or objects of a prefix.")
DRYRUN = Option("--dryrun", is_flag=True, help="Print what would be done, and do none of it.")
SOURCES = asyncclick.Argument(["sources"], metavar="SOURCE...", nargs=-1, required=True)
FILES_FROM = (
    Option(
        "--files-from",
        metavar="FILE|-",
        type=asyncclick.Path(exists=True, dir_okay=False, allow_dash=True),
        help="Only the files or objects whose names are in this list, one a line, relative to SOURCE, which is a "
        "directory or prefix. A name that is not there is a failure.",
    ),
    Option("--from0", is_flag=True, help="Names in that list end with NUL, as find -print0 writes them."),
)
PRESERVE = Option(
    "--preserve",
    is_flag=True,
    help="Keep the time and mode of each file with its object, in the metadata mtime (as rclone has it) and mode, and "
    "give them back to downloaded files. A sync compares by these times where they are known.",
)
FILE_NAMES = (
    Option(
        "--escape-names",
        is_flag=True,
        help="Write what no file can be called on every system (a colon, an empty or dotted segment, CON) as % and two "
        "hexadecimal digits; with the same option uploads read it back.",
    ),
    Option(
        "--case-conflict",
        type=asyncclick.Choice(["ignore", "skip", "warn", "error"]),
        default="ignore",
        help="Downloading many: what to do about objects whose names differ only by case. Default: ignore.",
    ),
)
PAGE_SIZE = option(
    "settings",
    "page_size",
    "--page-size",
    metavar="N",
    type=Setting("page_size", int),
    help="Keys asked for in one request of a listing. Default: 1000, or DG_PAGE_SIZE.",
)
FAIL_FAST = Option("--fail-fast", is_flag=True, help="Begin nothing more after the first failure.")
FOLLOW = Option(
    "--follow-symlinks/--no-follow-symlinks",
    default=True,
    help="Upload what symbolic links lead to, or leave links out. Default: follow.",
)
