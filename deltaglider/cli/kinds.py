"""Kinds of values on the command line that asyncclick does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import asyncclick


class Setting(asyncclick.ParamType[Any]):
    """A value for a field of ``Settings``, held to the same rules, so that a bad one is wrong usage.

    Args:
        field: The field.
        parse: From text to what the field holds.
        name: What the value is called in the help.
        kind: What a text that cannot be parsed is not.
    """

    def __init__(
        self, field: str, parse: Callable[[str], Any] = str, *, name: str = "text", kind: str = "a number"
    ) -> None:
        self.field = field
        self.parse = parse
        self.name = name
        self.kind = kind

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> Any:
        """The value as the field keeps it."""
        from deltaglider.config import Settings
        from deltaglider.errors import ConfigurationError

        try:
            return getattr(Settings(**{self.field: self.parse(value)}), self.field)
        except ConfigurationError as error:
            self.fail(str(error).removeprefix(f"{self.field} is "), param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not {self.kind}.", param, ctx)


class Age(asyncclick.ParamType[float]):
    """A time as a number and a unit: ``90s``, ``30m``, ``12h``, ``7d``, ``2w``."""

    name = "age"
    _UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", value.strip().lower(), re.ASCII)
        if found is None:
            self.fail(f"{value!r} is not an age such as 7d, 12h or 30m.", param, ctx)
        return float(found[1]) * self._UNITS[found[2]]


class Size(asyncclick.ParamType[int]):
    """Bytes as ``1048576``, ``8MB`` or ``2GiB``; at least one."""

    name = "size"

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> int:
        """Bytes."""
        from deltaglider.config import parse_size

        try:
            size = value if isinstance(value, int) else parse_size(value)
        except ValueError:
            size = 0
        if not size:
            self.fail(f"{value!r} is not a size such as 500MB.", param, ctx)
        return size


class Metadata(asyncclick.ParamType[dict[str, str]]):
    """User metadata: ``k=v,k2=v2``, or a JSON object of strings."""

    name = "metadata"

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> dict[str, str]:
        """Names and values."""
        if isinstance(value, dict):
            return value
        return self._json(value, param, ctx) if value.lstrip().startswith("{") else self._pairs(value, param, ctx)

    def _json(self, text: str, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> dict[str, str]:
        try:
            found = json.loads(text)
        except ValueError as error:
            self.fail(f"{text!r} is not JSON ({error}).", param, ctx)
        if not all(isinstance(each, str) for each in found.values()):
            self.fail(f"{text!r} holds values that are not strings.", param, ctx)
        return dict(found)

    def _pairs(self, text: str, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> dict[str, str]:
        found = {}
        for pair in text.split(","):
            name, equals, value = pair.partition("=")
            if not equals or not name.strip():
                self.fail(f"{pair!r} is not name=value; write values with commas as JSON.", param, ctx)
            found[name.strip()] = value
        return found


class JsonObject(asyncclick.ParamType[dict[str, Any]]):
    """A JSON object."""

    name = "json"

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> dict[str, Any]:
        """What it holds."""
        if isinstance(value, dict):
            return value
        try:
            found = json.loads(value)
        except ValueError as error:
            self.fail(f"it is not JSON ({error}).", param, ctx)
        if not isinstance(found, dict) or not found:
            self.fail("it is not a JSON object with anything in it.", param, ctx)
        return found


class Grant(asyncclick.ParamType[tuple[str, str]]):
    """A grant: ``read=uri=...``, ``full=id=...``."""

    name = "grant"
    _PARAMETERS: ClassVar = {
        "read": "GrantRead",
        "full": "GrantFullControl",
        "readacl": "GrantReadACP",
        "writeacl": "GrantWriteACP",
    }

    def convert(
        self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None
    ) -> tuple[str, str]:
        """The write parameter, and who is granted it."""
        if isinstance(value, tuple):
            return value
        permission, equals, grantee = value.partition("=")
        if not equals:
            self.fail("grants should be of the form permission=principal", param, ctx)
        if permission not in self._PARAMETERS:
            self.fail("permission must be one of: read|readacl|writeacl|full", param, ctx)
        return self._PARAMETERS[permission], grantee


class HttpDate(asyncclick.ParamType[str]):
    """A time, as ISO 8601, as HTTP has it, or as seconds since 1970."""

    name = "time"

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> str:
        """The time as HTTP has it."""
        from email.utils import format_datetime, parsedate_to_datetime

        def from_seconds(text: str) -> datetime:
            return datetime.fromtimestamp(float(text), UTC)

        for read in (datetime.fromisoformat, parsedate_to_datetime, from_seconds):
            try:
                moment = read(value)
                # What has no zone is meant in UTC.
                moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            except (ValueError, OverflowError, OSError):
                continue
            return format_datetime(moment, usegmt=True)
        return self.fail(f"{value!r} is not a time such as 2030-01-31T12:00:00Z.", param, ctx)
