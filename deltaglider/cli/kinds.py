"""Kinds of values on the command line that asyncclick does not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import asyncclick


class Setting(asyncclick.ParamType[Any]):
    """A value for a field of ``Settings``, held to the same rules, so that a bad one is wrong usage.

    Args:
        field: The field.
        parse: From text to what the field holds.
        name: What the value is called in the help.
    """

    def __init__(self, field: str, parse: Callable[[str], Any] = str, *, name: str = "text") -> None:
        self.field = field
        self.parse = parse
        self.name = name

    def convert(self, value: Any, param: asyncclick.Parameter | None, ctx: asyncclick.Context | None) -> Any:
        """The value as the field keeps it."""
        from deltaglider.config import Settings
        from deltaglider.errors import ConfigurationError

        try:
            return getattr(Settings(**{self.field: self.parse(value)}), self.field)
        except ConfigurationError as error:
            self.fail(str(error).removeprefix(f"{self.field} is "), param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)


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
