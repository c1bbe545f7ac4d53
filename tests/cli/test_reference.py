"""The reference in the documents is what the commands and their schemas say today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from deltaglider.cli import schemas
from deltaglider.cli.app import app

GENERATOR = Path(__file__).parents[2] / "docs" / "_extensions" / "reference.py"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_fresh(reference: ModuleType) -> None:
    made = reference.pages()
    stale = [
        str(path.relative_to(reference.DOCS))
        for path, text in made.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run nox -s reference"
    assert set((reference.DOCS / "commands").glob("*.md")) <= made.keys(), "run nox -s reference"


@pytest.mark.parametrize("name", sorted(app.commands))
def test_a_page_reads_like_a_manual(reference: ModuleType, name: str) -> None:
    text = reference.command_page(name)
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading not in ("Description", "Output with --json")] == [
        "Name",
        "Synopsis",
        "Examples",
        "Options",
        "Exit codes",
        "See also",
    ]
    assert all(f"$ {example}" in text for example in app.commands[name].examples)
    assert all(len(line) <= 120 for line in text.splitlines() if not line.startswith("|"))


def test_every_field_of_every_line_is_told(reference: ModuleType) -> None:
    text = reference.json_page()
    for command in schemas.commands():
        assert f"\n## {command}\n" in text
        for part in schemas.load(command)["$defs"].values():
            for field in part.get("properties", {}):
                assert field == "type" or f"| `{field}` |" in text


def test_what_is_no_markup_is_not_taken_for_it(reference: ModuleType) -> None:
    assert reference._plain("a*b <c> --deep s3://x/ $(y) `*`") == "a\\*b \\<c\\> `--deep` `s3://x/` `$(y)` `*`"
