"""Settings: every knob, its unit, its ``DG_*`` variable; and the only place that reads the environment."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from deltaglider.errors import ConfigurationError

DeltaspaceMode = Literal["versioned", "directory"]
ChecksumMode = Literal["when_required", "when_supported"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def _cores() -> int:
    # The cores this process may use, not those of the machine: containers and ``taskset`` give fewer.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_cache_dir() -> Path:
    # Imported here: a client with its own cache_dir, and ``import deltaglider``, need not pay for it.
    import platformdirs

    return Path(platformdirs.user_cache_dir("deltaglider", appauthor=False))


def _variable(name: str, **kwargs: Any) -> Any:
    """A field read from the environment variable ``name``."""
    return dataclasses.field(metadata={"env": name}, **kwargs)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client may be told. Each field is a keyword of ``create_client`` and, where noted, a ``DG_*`` variable.

    Credentials, region and profile left at ``None`` are botocore's business: its whole chain applies.

    Memory. A client holds at most ``max_concurrent_requests * multipart_chunksize`` bytes of bodies (64 MiB by default)
    and about 70 MB of libraries; its xdelta3 children together stay within ``codec_memory``. Disk for temporary files:
    up to
    three times the size of each object in flight, ``max_concurrent_objects`` of them at once.

    Attributes:
        endpoint_url: The store. ``None`` is AWS, or what the AWS configuration names; ``http(s)://host`` an
            S3-compatible server;
            ``file:///path`` the embedded store (``DG_ENDPOINT_URL``).
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
        max_ratio: The largest delta kept, as a share of the file's size, over 0 and up to 1. A larger one is thrown
            away and the file
            stored whole (``DG_MAX_RATIO``).
        min_delta_size: Bytes. A smaller file is stored whole and never becomes a reference (``DG_MIN_DELTA_SIZE``).
        deltaspace: ``versioned`` shares a reference between version directories (``releases/v1/``, ``releases/v2/``);
            ``directory`` gives each directory its own (``DG_DELTASPACE``).
        delta: ``False`` stores every file whole (``DG_DELTA``).
        delta_suffixes: File name endings, with their dots, that are worth a delta besides the built-in ones
            (``DG_DELTA_SUFFIXES``, comma
            separated).
        cache_dir: Where references are kept. ``None``: the user's cache directory (``DG_CACHE_DIR``).
        cache_size: Bytes kept there at most; the least recently used go first (``DG_CACHE_SIZE``).
        temp_dir: Where files in flight are kept. ``None``: the system's temporary directory (``DG_TEMP_DIR``).
        max_concurrent_objects: Objects in flight at once in bulk work (``DG_CONCURRENCY``).
        max_concurrent_requests: Requests in flight at once, over all objects (``DG_MAX_CONCURRENT_REQUESTS``).
        max_concurrent_codecs: xdelta3 processes at once. Default: the cores this process may use
        (``DG_MAX_CONCURRENT_CODECS``).
        multipart_threshold: Bytes from which an object goes up and down in parts (``DG_MULTIPART_THRESHOLD``).
        multipart_chunksize: Bytes a part; raised where an object would need over 10,000 of them
            (``DG_MULTIPART_CHUNKSIZE``).
        codec_memory: Bytes all xdelta3 processes of a client may use together (``DG_CODEC_MEMORY``).
        xdelta3: The program. ``None``: the first ``xdelta3`` on the PATH (``DG_XDELTA3``).
        connect_timeout: Seconds to wait for a connection (``DG_CONNECT_TIMEOUT``).
        read_timeout: Seconds without a byte before a request is given up (``DG_READ_TIMEOUT``).
        max_attempts: Tries of a request, the first one included (``DG_MAX_ATTEMPTS``).
        log_level: Level of the ``deltaglider`` logger; ``None`` leaves it alone (``DG_LOG_LEVEL``).
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
    addressing_style: Literal["auto", "path", "virtual"] = _variable("DG_ADDRESSING_STYLE", default="auto")
    max_ratio: float = _variable("DG_MAX_RATIO", default=0.75)
    min_delta_size: int = _variable("DG_MIN_DELTA_SIZE", default=4 * KIB)
    deltaspace: DeltaspaceMode = _variable("DG_DELTASPACE", default="versioned")
    delta: bool = _variable("DG_DELTA", default=True)
    delta_suffixes: tuple[str, ...] = _variable("DG_DELTA_SUFFIXES", default=())
    cache_dir: Path = _variable("DG_CACHE_DIR", default_factory=_default_cache_dir)
    cache_size: int = _variable("DG_CACHE_SIZE", default=10 * GIB)
    temp_dir: Path | None = _variable("DG_TEMP_DIR", default=None)
    max_concurrent_objects: int = _variable("DG_CONCURRENCY", default=8)
    max_concurrent_requests: int = _variable("DG_MAX_CONCURRENT_REQUESTS", default=8)
    max_concurrent_codecs: int = _variable("DG_MAX_CONCURRENT_CODECS", default_factory=_cores)
    multipart_threshold: int = _variable("DG_MULTIPART_THRESHOLD", default=8 * MIB)
    multipart_chunksize: int = _variable("DG_MULTIPART_CHUNKSIZE", default=8 * MIB)
    codec_memory: int = _variable("DG_CODEC_MEMORY", default=GIB)
    xdelta3: str | None = _variable("DG_XDELTA3", default=None)
    connect_timeout: float = _variable("DG_CONNECT_TIMEOUT", default=20.0)
    read_timeout: float = _variable("DG_READ_TIMEOUT", default=60.0)
    max_attempts: int = _variable("DG_MAX_ATTEMPTS", default=4)
    log_level: LogLevel | None = _variable("DG_LOG_LEVEL", default=None)

    def __post_init__(self) -> None:
        for name in ("cache_dir", "temp_dir"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, Path(value).expanduser().absolute())
        if not 0 < self.max_ratio <= 1:
            raise ConfigurationError(
                f"max_ratio is {self.max_ratio}, not over 0 and at most 1",
                remedy="Give the largest delta worth keeping as a share of the file's size, such as 0.75",
            )
        if self.deltaspace not in get_args(DeltaspaceMode):
            raise ConfigurationError(f"deltaspace is {self.deltaspace!r}", remedy="Use 'versioned' or 'directory'")
        if self.checksums not in (None, *get_args(ChecksumMode)):
            raise ConfigurationError(
                f"checksums is {self.checksums!r}", remedy="Use 'when_required' or 'when_supported'"
            )
        if self.addressing_style not in ("auto", "path", "virtual"):
            raise ConfigurationError(
                f"addressing_style is {self.addressing_style!r}", remedy="Use 'auto', 'path' or 'virtual'"
            )
        if isinstance(self.log_level, str):
            object.__setattr__(self, "log_level", self.log_level.upper())
        if self.log_level not in (None, *get_args(LogLevel)):
            raise ConfigurationError(
                f"log_level is {self.log_level!r}", remedy=f"Use one of {', '.join(get_args(LogLevel))}"
            )
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value < least:
                raise ConfigurationError(f"{name} is {value}", remedy=f"Give at least {least}")

    @property
    def embedded_root(self) -> Path | None:
        """The directory of a ``file://`` endpoint; ``None`` for S3."""
        if not (self.endpoint_url or "").startswith("file:"):
            return None
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        parts = urlsplit(self.endpoint_url or "")
        path = url2pathname(parts.path)
        if parts.netloc not in ("", "localhost") or not path or not os.path.isabs(path):
            raise ConfigurationError(
                f"the endpoint {self.endpoint_url!r} is not an absolute local path", remedy="Write it as file:///path"
            )
        return Path(path)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the ``DG_*`` variables, then from the keywords that are not ``None``.

        Args:
            environ: The environment. Default: that of the process.
            **overrides: Fields of this class. ``None`` leaves the variable or default in force.

        Returns:
            The settings.

        Raises:
            ConfigurationError: A variable or keyword does not hold what it should.
            TypeError: An unknown keyword.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            text = environ.get(field.metadata.get("env", ""), "").strip()
            if text:
                values[field.name] = _parse(field.metadata["env"], text, str(field.type))
        if "endpoint_url" not in values:
            # The embedded store is ours alone, so botocore could not make sense of the standard variables naming it.
            standard = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
            if standard.startswith("file:"):
                values["endpoint_url"] = standard
        values.update({name: value for name, value in overrides.items() if value is not None})
        return cls(**values)


_LEAST: dict[str, float] = {
    "min_delta_size": 1,
    "cache_size": 0,
    "max_concurrent_objects": 1,
    "max_concurrent_requests": 1,
    "max_concurrent_codecs": 1,
    "multipart_threshold": 1,
    "multipart_chunksize": 5 * MIB,  # S3 refuses smaller parts but for the last one.
    "codec_memory": 64 * MIB,
    "connect_timeout": 0.001,
    "read_timeout": 0.001,
    "max_attempts": 1,
}

_UNITS = {"k": KIB, "m": MIB, "g": GIB, "t": GIB * KIB}


def parse_size(text: str) -> int:
    """Bytes from ``1048576``, ``8MB``, ``8MiB`` or ``2g``; units are powers of 1024, as in the AWS configuration.

    Args:
        text: A number and an optional unit.

    Returns:
        Bytes.

    Raises:
        ValueError: It is not a size.
    """
    number = text.strip().lower().removesuffix("b").removesuffix("i")
    factor = 1
    if number and number[-1] in _UNITS:
        factor = _UNITS[number[-1]]
        number = number[:-1]
    return int(float(number) * factor)


def _parse(variable: str, text: str, kind: str) -> Any:
    try:
        if kind.startswith("bool"):
            return {
                "1": True,
                "true": True,
                "yes": True,
                "on": True,
                "0": False,
                "false": False,
                "no": False,
                "off": False,
            }[text.lower()]
        if kind.startswith("tuple"):
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if kind.startswith("int"):
            return parse_size(text)
        if kind.startswith("float"):
            return float(text)
        return text
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"the environment variable {variable} is {text!r}, which is not a {kind}", remedy="Correct or unset it"
        ) from None


def environment(name: str) -> str:
    """One variable of the process's environment, for the few that are not settings (``NO_COLOR``, ``COLUMNS``).

    Args:
        name: The variable.

    Returns:
        Its value, empty if unset.
    """
    return os.environ.get(name, "")


def child_environment() -> dict[str, str]:
    """The environment of child processes: a path for the system's own programs, and nothing of the caller's.

    ``XDELTA`` would inject arguments into xdelta3, ``GZIP`` into the gzip it may start; credentials are none of their
    business.
    """
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", **kept} if sys.platform != "win32" else kept
