"""The directive ``settings-table``: every field of ``Settings`` with its variable, default and meaning.

It reads the class itself, so that the table cannot disagree with the code.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from deltaglider.config import GIB, KIB, MIB, Settings

MADE_AT_RUN_TIME = {"cache_dir": "the user's cache directory", "max_concurrent_codecs": "the cores of the process"}


def meanings() -> dict[str, str]:
    """The "Attributes:" section of the class's docstring, one text a field, without the variable's name."""
    section = inspect.getdoc(Settings).split("Attributes:\n", 1)[1]  # type: ignore[union-attr]
    entries = re.split(r"^(\w+):", textwrap.dedent(section), flags=re.MULTILINE)[1:]
    texts = (" ".join(text.split()) for text in entries[1::2])
    return dict(zip(entries[::2], (re.sub(r" \(``DG_\w+``(, [^)]*)?\)", "", text) for text in texts), strict=True))


def default(field: dataclasses.Field[Any]) -> str:
    """The default as a person would write it."""
    if field.name in MADE_AT_RUN_TIME:
        return MADE_AT_RUN_TIME[field.name]
    value = field.metadata.get("otherwise", field.default)
    if isinstance(value, int) and not isinstance(value, bool):
        for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
            if value >= unit and value % unit == 0:
                return f"``{value // unit} {name}``"
    return "" if value in (None, ()) else f"``{value}``"


class SettingsTable(SphinxDirective):
    """Three columns: setting and variable, default, meaning."""

    def run(self) -> list[nodes.Node]:
        """Builds the table from the class."""
        texts = meanings()
        del texts["given"]  # Not a setting.
        fields = [field for field in dataclasses.fields(Settings) if field.init]
        if different := {field.name for field in fields} ^ texts.keys():
            raise self.error(f"the docstring of Settings and its fields disagree on {sorted(different)}")
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 33 20 47", ""]
        lines += ["   * - Setting, variable", "     - Default", "     - Meaning"]
        for field in fields:
            names = [f"``{name}``" for name in (field.name, field.metadata.get("env")) if name]
            lines += [f"   * - | {names[0]}", *(f"       | {name}" for name in names[1:])]
            lines += [f"     - {default(field)}".rstrip(), f"     - {texts[field.name]}"]
        box = nodes.container()
        self.state.nested_parse(StringList(lines, source="deltaglider.config.Settings"), self.content_offset, box)
        return box.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("settings-table", SettingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
