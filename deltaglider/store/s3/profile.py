"""What the AWS configuration says of transfers: the ``s3`` section of a profile, and how often to try.

The rest of that section (``addressing_style``, ``use_accelerate_endpoint``, ``payload_signing_enabled``, ...) is
botocore's business. Keys that only tune the transfer machinery of ``aws`` have nothing to tune here: they are accepted.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from deltaglider.config import GIB, MIB, AddressingStyle, Settings
from deltaglider.errors import ConfigurationError
from deltaglider.late import dataclass
from deltaglider.values import parse_rate, parse_size

_REMEDY = "Correct or remove it"


@dataclass(frozen=True, slots=True)
class _Key:
    """A number of the section.

    Attributes:
        parse: From its text.
        example: What it should look like.
        least: The least that is used; less is raised to it.
        most: The most that is used; more is lowered to it.
    """

    parse: Callable[[str], int]
    example: str
    least: int = 1
    most: float = math.inf


_COUNT = _Key(int, "a whole number over 0")
_SIZE = _Key(parse_size, "a size such as 8MB")

# Whoever wrote the section wrote it for "aws", which takes any size and brings it within what S3 allows.
_NUMBERS = {
    "max_concurrent_requests": _COUNT,
    "multipart_threshold": dataclasses.replace(_SIZE, most=5 * GIB),
    "multipart_chunksize": dataclasses.replace(_SIZE, least=5 * MIB, most=5 * GIB),
    "max_bandwidth": _Key(parse_rate, "a rate such as 10MB/s"),
}
_UNUSED_NUMBERS = {"max_queue_size": _COUNT, "io_chunksize": _SIZE}
_CHOICES = {"addressing_style": get_args(AddressingStyle), "preferred_transfer_client": ("auto", "classic", "crt")}


def completed(settings: Settings, session: Any) -> Settings:
    """The settings with what the AWS configuration says where nothing was given.

    Args:
        settings: What the user asked for.
        session: A botocore session of the user's profile.

    Returns:
        The settings in force.

    Raises:
        ConfigurationError: The section holds what it should not.
    """
    found: dict[str, Any] = dict(_section(settings, session))
    attempts = None if "max_attempts" in settings.given else _max_attempts(session)
    if attempts is not None:
        found["max_attempts"] = attempts
    own = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.init and ("otherwise" not in field.metadata or field.name in settings.given)
    }
    return Settings(**(own | found))


def _section(settings: Settings, session: Any) -> dict[str, int]:
    section = session.get_scoped_config().get("s3") or {}
    place = f"of profile {session.profile or 'default'!r} in {session.get_config_variable('config_file')}"
    if not isinstance(section, Mapping):
        raise ConfigurationError(
            f"s3 {place} is {section!r}, not a section of indented lines such as 'max_concurrent_requests = 20'",
            remedy=_REMEDY,
        )
    place = f"in the s3 section {place}"
    wanted = {name: str(text).strip() for name, text in section.items() if name not in settings.given}
    for name, choices in _CHOICES.items():
        if name in wanted and wanted[name] not in choices:
            raise _unfit(name, place, wanted[name], f"one of {', '.join(choices)}")
    numbers = {
        name: _number(name, key, wanted[name], place)
        for name, key in (_NUMBERS | _UNUSED_NUMBERS).items()
        if name in wanted
    }
    return {name: number for name, number in numbers.items() if name in _NUMBERS}


def _number(name: str, key: _Key, text: str, place: str) -> int:
    try:
        number = key.parse(text)
    except ValueError:
        number = 0
    if number < 1:
        raise _unfit(name, place, text, key.example)
    return int(min(max(number, key.least), key.most))


def _unfit(name: str, place: str, text: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name} {place} is {text!r}, not {wanted}", remedy=_REMEDY)


def _max_attempts(session: Any) -> int | None:
    """What ``AWS_MAX_ATTEMPTS`` or ``max_attempts`` of the profile says."""
    try:
        attempts: int | None = session.get_config_variable("max_attempts")
    except ValueError:
        attempts = 0
    if attempts is not None and attempts < 1:
        raise ConfigurationError(
            "AWS_MAX_ATTEMPTS, or max_attempts in the AWS configuration, is not a whole number over 0", remedy=_REMEDY
        )
    return attempts
