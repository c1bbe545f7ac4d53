"""The JSON Schemas (draft 2020-12) of the lines that ``--json`` prints.

One file a command; what several commands print alike is in ``common.json``, which they refer to. ``docs/json.md`` is
made of them.
"""

from __future__ import annotations

import importlib.resources
import json
from typing import Any

_COMMON = "common"


def commands() -> list[str]:
    """The commands that have a schema."""
    files = (entry.name for entry in importlib.resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in files if name.endswith(".json") and name != f"{_COMMON}.json")


def load(command: str) -> dict[str, Any]:
    """The schema of every line that a command prints with ``--json``.

    Args:
        command: Its name.

    Returns:
        The schema; what it has in common with others is in it, so that it stands alone.

    Raises:
        FileNotFoundError: The command has none.
    """
    schema, common = _read(command), definitions()
    own = schema.pop("$defs", {})
    used: dict[str, Any] = {}
    schema, own = _within(schema, common, used), _within(own, common, used)
    return {**schema, "$defs": {**own, **dict(sorted(used.items()))}}


def definitions() -> dict[str, Any]:
    """What the schemas of several commands have in common, by name."""
    found: dict[str, Any] = _read(_COMMON)["$defs"]
    return found


def _read(name: str) -> Any:
    text = importlib.resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def _within(part: Any, common: dict[str, Any], used: dict[str, Any]) -> Any:
    """A part of a schema that refers to the document itself only; ``used`` takes what has to be in there for that."""
    if isinstance(part, list):
        return [_within(each, common, used) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: _within(value, common, used) for key, value in part.items()}
    reference = part.get("$ref", "")
    name = reference.rpartition("/")[2]
    if reference.startswith(f"{_COMMON}.json#"):
        found["$ref"] = f"#/$defs/{name}"
        _take(name, common, used)
    return found


def _take(name: str, common: dict[str, Any], used: dict[str, Any]) -> None:
    if name not in used:
        used[name] = common[name]
        for inner in _references(common[name]):
            _take(inner, common, used)


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [name for each in part for name in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"].rpartition("/")[2]] if isinstance(part.get("$ref"), str) else []
    return [*own, *(name for value in part.values() for name in _references(value))]
