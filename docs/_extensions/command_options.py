"""The directive ``command-options``: what the options of a command mean, read from the command itself.

``{command-options} cp`` lists those of ``cp`` alone; ``{command-options} common`` those that all commands share.
"""

from __future__ import annotations

import asyncclick
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from deltaglider.cli.app import app
from deltaglider.cli.options import COMMON


def sections(name: str) -> dict[str, list[tuple[str, str]]]:
    """Headings, and under each the options with their help."""
    command = app if name == "common" else app.commands[name]
    ctx = asyncclick.Context(command, info_name=name)
    found: dict[str, list[tuple[str, str]]] = {}
    for option in COMMON if name == "common" else (param for param in command.params if param not in COMMON):
        record = option.get_help_record(ctx)
        if record is not None:
            found.setdefault(getattr(option, "section", "Options"), []).append(record)
    return found


class CommandOptions(SphinxDirective):
    """A list of options, under headings where there are several kinds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Builds the list."""
        result: list[nodes.Node] = []
        for heading, records in sections(self.arguments[0]).items():
            result.append(nodes.rubric("", heading))
            options = nodes.definition_list()
            for option, meaning in records:
                term = nodes.term("", "", nodes.literal("", option))
                options += nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", meaning)))
            result.append(options)
        return result


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("command-options", CommandOptions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
