"""Writes ``docs/commands/*.md`` and ``docs/json.md`` from the commands and their schemas: ``nox -s reference``.

The pages are part of the repository, so that they can be read without building anything; a test fails if they are not
what this module would write.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncclick

from deltaglider.cli import schemas, sections
from deltaglider.cli.app import GROUPS, app
from deltaglider.cli.options import COMMON

DOCS = Path(__file__).parents[1]
_MADE = "<!-- Made by docs/_extensions/reference.py: nox -s reference -->"
_LINK = "https://json-schema.org/draft/2020-12"


def pages() -> dict[Path, str]:
    """All pages with their texts."""
    names = [name for group in GROUPS.values() for name in group]
    made = {DOCS / "commands" / f"{name}.md": command_page(name) for name in names}
    made[DOCS / "commands" / "index.md"] = index_page()
    made[DOCS / "json.md"] = json_page()
    return made


def index_page() -> str:
    """All commands, and what they have in common."""
    ctx = asyncclick.Context(app, info_name="deltaglider")
    lines = ["# Reference", "", _MADE, "", *_wrapped(str(app.help)), ""]
    for heading, names in GROUPS.items():
        lines += [f"## {heading}", "", "| Command | |", "|---|---|"]
        lines += [f"| [`{name}`]({name}.md) | {_cell(str(app.commands[name].short_help))} |" for name in names]
        lines.append("")
    lines += ["## Common options", "", "They may stand before or after the command.", ""]
    lines += _options(sections.option_sections(app, ctx), level="###")
    lines += ["## Environment", "", *_wrapped(_ENVIRONMENT), "", "## Exit codes", "", *_exits(app), ""]
    hidden = "\n".join(name for names in GROUPS.values() for name in names)
    return "\n".join([*lines, "```{toctree}", ":hidden:", "", hidden, "```", ""])


_ENVIRONMENT = """Every setting has a variable whose name begins with `DG_`: [Configuration](../configuration.md) has
them all. `AWS_PROFILE`, `AWS_REGION`, the credentials and the other variables of AWS mean what they mean there.
`NO_COLOR` takes the colors away, and `TERM=dumb` the progress bar."""


def command_page(name: str) -> str:
    """The page of a command."""
    command = app.commands[name]
    ctx = asyncclick.Context(command, info_name=name)
    usage = " ".join(["deltaglider", name, *command.collect_usage_pieces(ctx)]).strip()
    details = str(command.help).partition("\n\n")[2].strip()
    lines = [f"# {name}", "", _MADE, "", "## Name", "", f"`deltaglider {name}` - {_lower(str(command.short_help))}", ""]
    lines += ["## Synopsis", "", "```text", usage, "```", ""]
    if details:
        lines += ["## Description", "", *_wrapped(details), ""]
    lines += ["## Examples", "", "```console", *(f"$ {example}" for example in command.examples), "```", ""]
    lines += ["## Options", "", *_options(sections.option_sections(command, ctx, without=COMMON), level="###")]
    has_common = COMMON[0] in command.params
    if has_common:
        lines += ["The [common options](index.md#common-options) may be given, too.", ""]
        lines += ["## Output with --json", "", f"See [JSON lines](../json.md#{name}).", ""]
    lines += ["## Exit codes", "", *_exits(command), "", "## See also", "", *_see_also(name), ""]
    return "\n".join(lines)


def _see_also(name: str) -> Iterator[str]:
    beside = next(names for names in GROUPS.values() if name in names)
    links = [f"[`{other}`]({other}.md)" for other in beside if other != name]
    links += ["[all commands](index.md)", "[the guide](../cli.md)", "[settings](../configuration.md)"]
    yield from textwrap.wrap(", ".join(links), 118, break_long_words=False, break_on_hyphens=False)


def _options(found: dict[str, list[tuple[str, str]]], *, level: str) -> Iterator[str]:
    for heading, records in found.items():
        if heading != sections.OWN:
            yield from (f"{level} {heading}", "")
        for names, text in records:
            yield from textwrap.wrap(
                f"- `{names}`: {_plain(text)}",
                118,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        yield ""


def _exits(command: Any) -> Iterator[str]:
    yield from ("| Code | Meaning |", "|---|---|")
    for code, meaning in sections.exit_codes(command):
        yield f"| {code} | {_cell(meaning)} |"


def _wrapped(text: str) -> Iterator[str]:
    for at, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if at:
            yield ""
        whole = _plain(" ".join(paragraph.split()))
        yield from textwrap.wrap(whole, 118, break_long_words=False, break_on_hyphens=False)


_LITERAL = re.compile(r"(?<![`\w./-])(--?[a-z][\w-]*|s3://[\w./-]*[\w/]|DG_\w+|\$\([^)]*\))(?![`\w])")


def _plain(text: str) -> str:
    """Text of the help as Markdown: nothing in it is markup, and what is typed is code."""
    parts = re.split(r"(`[^`]*`|\[[^]]*\]\([^)]*\))", text)
    for at in range(0, len(parts), 2):
        escaped = re.sub(r"([*<>_\\])", r"\\\1", parts[at])
        parts[at] = _LITERAL.sub(lambda found: f"`{found[1]}`", escaped.replace("\\_", "_"))
    return "".join(parts)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def json_page() -> str:
    """Every line of ``--json``, field by field."""
    common = {name: part for name, part in schemas.definitions().items() if "properties" in part}
    lines = ["# JSON lines", "", _MADE, "", *_wrapped(_JSON), "", "## Common lines", ""]
    for name in sorted(common):
        lines += [f"### {_title(name)}", "", *_line(common[name])]
    lines += ["### codes of errors", "", *_wrapped(", ".join(f"`{code}`" for code in _error_codes())), ""]
    for command in schemas.commands():
        lines += [f"## {command}", ""]
        parts = schemas.load(command)
        alternatives = [each["$ref"].rpartition("/")[2] for each in parts["oneOf"]]
        shared = [f"[{_title(name)}](#{_title(name).replace(' ', '-')})" for name in alternatives if name in common]
        lines += [*textwrap.wrap(f"Prints {', '.join(shared)}; and:" if shared else "Prints:", 118), ""]
        own = [name for name in alternatives if name not in common]
        if not own:
            lines[-2] = lines[-2].replace("; and:", ".")
        for name in own:
            lines += _line(parts["$defs"][name])
    return "\n".join(lines).rstrip("\n") + "\n"


_JSON = f"""With `--json`, commands print one JSON object a line on stdout, and nothing else there. Each has a `type`.
The last line is a `summary`, or the `error` that ended the command early: after Ctrl-C and SIGTERM, too, once what was
begun is cleaned up (`interrupted`). Output that ends with neither was cut off.
The lines are ASCII, whatever the terminal can show; sizes are bytes, and times UTC.

Every line is valid against the [JSON Schema]({_LINK}/schema) of its command, which `deltaglider schema COMMAND` prints
and the package has in `deltaglider/cli/schemas`. Within a major version fields may be added; none is taken away or
changes its meaning.

`cp s3://bucket/key -` prints the object on stdout, so its lines go to stderr. With `--only-show-errors` lines of what
went well are left out, with `--quiet` all lines but an early `error`."""


def _error_codes() -> list[str]:
    return list(schemas.definitions()["error_code"]["enum"])


def _title(name: str) -> str:
    return name.replace("_", " ")


def _line(part: dict[str, Any]) -> Iterator[str]:
    properties = part["properties"]
    yield f"`{properties['type']['const']}`: {_plain(_lower(part['description']))}"
    yield from ("", "| Field | Type | Meaning |", "|---|---|---|")
    for field, meaning in properties.items():
        if field != "type":
            optional = "" if field in part["required"] else " Not always there."
            text = meaning.get("description") or schemas.definitions()[_name(meaning)]["description"]
            yield f"| `{field}` | {_kind(meaning)} | {_cell(text)}{optional} |"
    yield ""


def _kind(part: dict[str, Any]) -> str:
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part and len(part["enum"]) < 10:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "oneOf" in part:
        return " or ".join(_kind(each) for each in part["oneOf"])
    if "$ref" in part and _name(part) in schemas.definitions():
        return {"time": "time", "error_code": "[code](#codes-of-errors)"}.get(_name(part)) or _kind(
            schemas.definitions()[_name(part)]
        )
    kinds = part.get("type", "object")
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)


def _name(part: dict[str, Any]) -> str:
    return str(part.get("$ref", "")).rpartition("/")[2]


def main() -> None:
    """Writes all pages, and removes those of commands that are gone."""
    made = pages()
    (DOCS / "commands").mkdir(exist_ok=True)
    for old in set((DOCS / "commands").glob("*.md")) - made.keys():
        old.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
