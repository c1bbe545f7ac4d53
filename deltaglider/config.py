"""Settings: every knob, its unit, its ``DG_*`` variable; and the only place that reads the environment."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from deltaglider import values
from deltaglider.errors import ConfigurationError
from deltaglider.late import dataclass
from deltaglider.values import GIB, KIB, MIB, parse_rate, parse_size, parse_truth

__all__ = [
    "GIB",
    "KIB",
    "MIB",
    "AddressingStyle",
    "ArchiveMode",
    "ChecksumMode",
    "CodecName",
    "DeltaspaceMode",
    "LogLevel",
    "RequestPayer",
    "Settings",
    "child_environment",
    "environment",
    "names_a_proxy",
    "parse_size",
    "standard_endpoint",
]

DeltaspaceMode = Literal["versioned", "directory"]
ChecksumMode = Literal["when_required", "when_supported"]
AddressingStyle = Literal["auto", "path", "virtual"]
RequestPayer = Literal["requester"]
ArchiveMode = Literal["auto", "never"]
CodecName = Literal["xdelta3", "zstd"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _cores() -> int:
    # The cores this process may use, not those of the machine: containers and ``taskset`` give fewer.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_cache_dir() -> Path:
    # Imported here: a client with its own cache_dir, and ``import deltaglider``, need not pay for it.
    import platformdirs

    return Path(platformdirs.user_cache_dir("deltaglider", appauthor=False))


def _variable(name: str, parse: Callable[[str], Any] = str, **kwargs: Any) -> Any:
    """A field read from the environment variable ``name``."""
    return dataclasses.field(metadata={"env": name, "parse": parse}, **kwargs)


def _shared(name: str, parse: Callable[[str], Any], otherwise: Any) -> Any:
    """A field that the AWS configuration may hold too, where it is not given here; ``otherwise`` is the default."""
    return dataclasses.field(default=None, metadata={"env": name, "parse": parse, "otherwise": otherwise})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client may be told. Each field is a keyword of ``create_client`` and, where noted, a ``DG_*`` variable.

    Credentials, region and profile left at ``None`` are botocore's business: its whole chain applies. A client on S3
    takes a limit that is not given here from the AWS configuration, before its default.

    Memory. A client holds at most ``max_concurrent_requests * multipart_chunksize`` bytes of bodies (64 MiB by
    default), 256 KiB of each of ``max_concurrent_objects`` small files, and about 70 MB of libraries; its xdelta3
    children together stay within ``codec_memory``. Disk for temporary files: up to three times the size of each
    object in flight, ``max_concurrent_objects`` of them at once; and where archives are unpacked, six times what is
    unpacked of each, up to ``max_concurrent_codecs`` of them at once.

    Attributes:
        endpoint_url: The store. ``None`` is AWS, or what the AWS configuration names; ``http(s)://host`` an
            S3-compatible server; ``file:///path`` the embedded store (``DG_ENDPOINT_URL``).
        region_name: The region.
        profile_name: A profile of the AWS configuration files.
        aws_access_key_id: An access key.
        aws_secret_access_key: Its secret.
        aws_session_token: The session token of temporary credentials.
        verify: TLS verification: ``False`` turns it off, a string names a bundle of certificates.
        sign_requests: ``False`` sends anonymous requests.
        checksums: Checksums of requests and responses. ``None``: ``when_supported`` on AWS, ``when_required``
            elsewhere (``DG_CHECKSUMS``).
        addressing_style: ``auto``, ``path`` or ``virtual`` (``DG_ADDRESSING_STYLE``).
        request_payer: ``requester`` confirms that the requester pays for requests and transfers
            (``DG_REQUEST_PAYER``).
        max_ratio: The largest delta kept, as a share of the file's size, over 0 and up to 1. A larger one is thrown
            away and the file stored whole (``DG_MAX_RATIO``).
        min_delta_size: Bytes. A smaller file is stored whole and never becomes a reference (``DG_MIN_DELTA_SIZE``).
        deltaspace: ``versioned`` shares a reference between version directories (``releases/v1/``, ``releases/v2/``);
            ``directory`` gives each directory its own (``DG_DELTASPACE``).
        delta: ``False`` stores every file whole (``DG_DELTA``).
        retire_references: ``False`` leaves references where they are when the last delta of a deltaspace is deleted:
            for stores whose listings cannot be trusted (``DG_RETIRE_REFERENCES``).
        archive: ``auto`` unpacks what two archives do not have in common before it makes a delta of them, where that is
            smaller by enough, and makes their headers alike; ``never`` makes plain deltas; 6.2.0 can read those of
            xdelta3. Both read everything (``DG_ARCHIVE``).
        archive_unpacked: Bytes that may be unpacked of a file for that, and of its reference; what would be more stays
            packed (``DG_ARCHIVE_UNPACKED``).
        archive_repacked: Bytes that reading a file may have to deflate again: a processor core does 20 to 50 MB of them
            a second. Where it would be more, a plain delta is made (``DG_ARCHIVE_REPACKED``).
        delta_suffixes: File name endings that are worth a delta besides the built-in ones, such as ``.model``
            (``DG_DELTA_SUFFIXES``, comma separated).
        cache_dir: Where references are kept, what ``verify`` proved, and what was learned of objects and files.
            ``None``: the user's cache directory (``DG_CACHE_DIR``).
        cache_size: Bytes of references kept there at most; the least recently used go first (``DG_CACHE_SIZE``).
        notes_size: Bytes of that directory which what was learned of stored objects and of local files may take; the
            oldest goes first. 0 keeps nothing of it (``DG_NOTES_SIZE``).
        temp_dir: Where files in flight are kept. ``None``: the system's temporary directory (``DG_TEMP_DIR``).
        max_concurrent_objects: Objects in flight at once in bulk work (``DG_CONCURRENCY``).
        max_concurrent_requests: Requests in flight at once, over all objects (``DG_MAX_CONCURRENT_REQUESTS``).
        max_concurrent_codecs: xdelta3 processes at once, and besides as many files that are hashed before they are
            sent. Default: the cores this process may use (``DG_MAX_CONCURRENT_CODECS``).
        page_size: Keys asked for in one request of a listing; stores give at most 1000 (``DG_PAGE_SIZE``).
        multipart_threshold: Bytes from which an object goes up and down in parts; at most 5 GiB. Where several objects
            move at once, one request brings up to eight parts; and where neither this nor ``multipart_chunksize`` was
            set, an object of up to eight goes up in one request (``DG_MULTIPART_THRESHOLD``).
        multipart_chunksize: Bytes a part, 5 MiB to 5 GiB. An object that would have over 1,000 of them has larger ones,
            up to twice this size by default: a quarter of the memory for bodies. Still larger ones where it would have
            over 10,000 (``DG_MULTIPART_CHUNKSIZE``).
        max_bandwidth: Bytes a second that bodies may take, up and down together, over all transfers of the client;
            ``None`` for no limit. The embedded store has none (``DG_MAX_BANDWIDTH``, such as ``10MB/s``).
        codec: What makes deltas: ``xdelta3``, or ``zstd``, which is many times faster, makes them some per cent
            larger, and needs a reader of version 7 or later. Both are read. Where xdelta3 is not installed, zstd takes
            its place (``DG_CODEC``).
        codec_memory: Bytes that all the work on deltas of a client may take together; zstd's inside its own process.
            xdelta3 takes 64 MiB and 3 bytes for each of the reference at level 6; where that is too much, 1.6 bytes at
            level 1; and where that is too much, it looks at less of the reference. zstd takes 48 MiB, the reference and
            the file; what is larger is xdelta3's (``DG_CODEC_MEMORY``).
        xdelta3: The program. ``None``: the first ``xdelta3`` on the PATH (``DG_XDELTA3``).
        connect_timeout: Seconds to wait for a connection; 0 waits for ever (``DG_CONNECT_TIMEOUT``).
        read_timeout: Seconds without a byte before a request is given up; 0 waits for ever (``DG_READ_TIMEOUT``).
        max_attempts: Tries of a request, the first one included (``DG_MAX_ATTEMPTS``).
        log_level: Level of the ``deltaglider`` logger; ``None`` leaves it alone (``DG_LOG_LEVEL``).
        given: No argument: which of the settings that the AWS configuration may hold too were given here, and so beat
            it.
    """

    endpoint_url: str | None = _variable("DG_ENDPOINT_URL", default=None)
    region_name: str | None = None
    profile_name: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = dataclasses.field(default=None, repr=False)
    aws_session_token: str | None = dataclasses.field(default=None, repr=False)
    verify: bool | str = True
    sign_requests: bool = True
    checksums: ChecksumMode | None = _variable("DG_CHECKSUMS", default=None)
    addressing_style: AddressingStyle = _shared("DG_ADDRESSING_STYLE", str, "auto")
    request_payer: RequestPayer | None = _variable("DG_REQUEST_PAYER", default=None)
    max_ratio: float = _variable("DG_MAX_RATIO", float, default=0.75)
    min_delta_size: int = _variable("DG_MIN_DELTA_SIZE", parse_size, default=4 * KIB)
    deltaspace: DeltaspaceMode = _variable("DG_DELTASPACE", default="versioned")
    delta: bool = _variable("DG_DELTA", parse_truth, default=True)
    retire_references: bool = _variable("DG_RETIRE_REFERENCES", parse_truth, default=True)
    archive: ArchiveMode = _variable("DG_ARCHIVE", default="auto")
    archive_unpacked: int = _variable("DG_ARCHIVE_UNPACKED", parse_size, default=2 * GIB)
    archive_repacked: int = _variable("DG_ARCHIVE_REPACKED", parse_size, default=GIB)
    delta_suffixes: tuple[str, ...] = _variable("DG_DELTA_SUFFIXES", default=())
    cache_dir: Path = _variable("DG_CACHE_DIR", default_factory=_default_cache_dir)
    cache_size: int = _variable("DG_CACHE_SIZE", parse_size, default=10 * GIB)
    notes_size: int = _variable("DG_NOTES_SIZE", parse_size, default=512 * MIB)
    temp_dir: Path | None = _variable("DG_TEMP_DIR", default=None)
    max_concurrent_objects: int = _variable("DG_CONCURRENCY", int, default=8)
    max_concurrent_requests: int = _shared("DG_MAX_CONCURRENT_REQUESTS", int, 8)
    max_concurrent_codecs: int = _variable("DG_MAX_CONCURRENT_CODECS", int, default_factory=_cores)
    page_size: int = _variable("DG_PAGE_SIZE", int, default=1000)
    multipart_threshold: int = _shared("DG_MULTIPART_THRESHOLD", parse_size, 8 * MIB)
    multipart_chunksize: int = _shared("DG_MULTIPART_CHUNKSIZE", parse_size, 8 * MIB)
    max_bandwidth: int | None = _shared("DG_MAX_BANDWIDTH", parse_rate, None)
    codec: CodecName = _variable("DG_CODEC", default="xdelta3")
    codec_memory: int = _variable("DG_CODEC_MEMORY", parse_size, default=GIB)
    xdelta3: str | None = _variable("DG_XDELTA3", default=None)
    connect_timeout: float = _variable("DG_CONNECT_TIMEOUT", float, default=20.0)
    read_timeout: float = _variable("DG_READ_TIMEOUT", float, default=60.0)
    max_attempts: int = _shared("DG_MAX_ATTEMPTS", int, 4)
    log_level: LogLevel | None = _variable("DG_LOG_LEVEL", default=None)
    given: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = []
        for field in (field for field in dataclasses.fields(self) if field.init):
            value = getattr(self, field.name)
            if "otherwise" in field.metadata:
                if value is None:
                    object.__setattr__(self, field.name, field.metadata["otherwise"])
                    continue
                given.append(field.name)
            object.__setattr__(self, field.name, _accept(field.name, value, field.name))
        object.__setattr__(self, "given", frozenset(given))

    @property
    def embedded_root(self) -> Path | None:
        """The directory of a ``file://`` endpoint; ``None`` for S3."""
        url = self.endpoint_url or ""
        return values.local_path(url) if values.is_local(url) else None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the ``DG_*`` variables, then from the keywords that are not ``None``.

        Args:
            environ: The environment. Default: that of the process.
            **overrides: Fields of this class. ``None`` leaves the variable or default in force.

        Returns:
            The settings.

        Raises:
            ConfigurationError: A variable in force or a keyword does not hold what it should.
            TypeError: An unknown keyword.
        """
        environ = os.environ if environ is None else environ
        given = {name: value for name, value in overrides.items() if value is not None}
        for field in dataclasses.fields(cls):
            variable = field.metadata.get("env", "")
            text = environ.get(variable, "").strip()
            if text and field.name not in given:
                given[field.name] = _accept(field.name, _parse(variable, text, field.metadata["parse"]), variable)
        if "endpoint_url" not in given:
            # The embedded store is ours alone, so botocore could not make sense of the standard variables naming it.
            standard = standard_endpoint(environ)
            if values.is_local(standard):
                given["endpoint_url"] = standard
        return cls(**given)


_KINDS: dict[Callable[[str], Any], str] = {
    parse_size: "a size such as 8MB",
    parse_rate: "a rate such as 10MB/s",
    parse_truth: "true or false",
    int: "a whole number",
    float: "a number",
}

_CHECKS: dict[str, values.Check] = {
    "endpoint_url": values.endpoint,
    "sign_requests": values.truth,
    "checksums": values.one_of(get_args(ChecksumMode), optional=True),
    "addressing_style": values.one_of(get_args(AddressingStyle)),
    "request_payer": values.one_of(get_args(RequestPayer), optional=True),
    "max_ratio": values.ratio,
    "min_delta_size": values.number(1),
    "deltaspace": values.one_of(get_args(DeltaspaceMode)),
    "delta": values.truth,
    "retire_references": values.truth,
    "archive": values.one_of(get_args(ArchiveMode)),
    "archive_unpacked": values.number(0),
    "archive_repacked": values.number(0),
    "delta_suffixes": values.suffixes,
    "cache_dir": lambda value: values.directory(_default_cache_dir() if value is None else value),
    "cache_size": values.number(0),
    "notes_size": values.number(0),
    "temp_dir": values.directory,
    "max_concurrent_objects": values.number(1),
    "max_concurrent_requests": values.number(1),
    "max_concurrent_codecs": values.number(1),
    "page_size": values.number(1),
    # S3 takes 5 GiB in one request, and refuses parts under 5 MiB but for the last one.
    "multipart_threshold": values.number(1, 5 * GIB),
    "multipart_chunksize": values.number(5 * MIB, 5 * GIB),
    "max_bandwidth": values.number(1),
    "codec": values.one_of(get_args(CodecName)),
    "codec_memory": values.number(64 * MIB),
    "connect_timeout": values.number(0.0),
    "read_timeout": values.number(0.0),
    "max_attempts": values.number(1),
    "log_level": values.one_of(get_args(LogLevel), optional=True, upper=True),
}


def _parse(variable: str, text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except ValueError:
        raise ConfigurationError(f"{variable} is {text!r}, not {_KINDS[parse]}", remedy="Correct or unset it") from None


def _accept(name: str, value: Any, label: str) -> Any:
    """A field's value as it is kept; ``label`` is what the user calls it: a keyword or a variable."""
    try:
        return _CHECKS[name](value) if name in _CHECKS else value
    except values.UnfitError as unfit:
        raise ConfigurationError(f"{label} is {unfit.problem}", remedy=unfit.remedy) from None


def standard_endpoint(environ: Mapping[str, str] | None = None) -> str:
    """The store that the standard variables name.

    Args:
        environ: The environment. Default: that of the process.

    Returns:
        A URL; empty if they name none, or are to be ignored.
    """
    environ = os.environ if environ is None else environ
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return ""
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""


def environment(name: str) -> str:
    """One variable of the process's environment, for the few that are not settings (``NO_COLOR``, ``COLUMNS``).

    Args:
        name: The variable.

    Returns:
        Its value, empty if unset.
    """
    return os.environ.get(name, "")


def names_a_proxy() -> bool:
    """Whether the environment says anything of proxies, as ``HTTPS_PROXY`` and ``no_proxy`` do."""
    return any(name.lower().endswith("_proxy") for name in os.environ)


def child_environment() -> dict[str, str]:
    """The environment of child processes: a path for the system's own programs, where their libraries lie, large pages.

    Nothing else of the caller's: ``XDELTA`` would inject arguments into xdelta3, ``GZIP`` into the gzip it may start;
    credentials are none of their business.

    Returns:
        Names and values.
    """
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    # Large pages for what glibc hands out: a third of xdelta3's time to decode was page faults. Others do not know it.
    set_here = {"PATH": os.defpath, "LC_ALL": "C", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    return set_here | kept if sys.platform != "win32" else kept
