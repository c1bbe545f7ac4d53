"""What users write type-checks under ``mypy --strict``, and their mistakes do not."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import deltaglider.types

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SNIPPETS = HERE / "snippets"

Found = set[tuple[str, int, str]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The file, line and code of each of mypy's complaints; one run for all tests."""
    config = tmp_path_factory.mktemp("mypy") / "mypy.ini"
    # As of a user: nothing of this project's own settings. Libraries that come without types are no fault of ours.
    config.write_text(
        "[mypy]\nstrict = True\ndisable_error_code = import-untyped\n"
        "[mypy-deltaglider.*]\nfollow_imports = silent\nignore_errors = True\n"
    )
    ended = subprocess.run(
        [
            *[sys.executable, "-m", "mypy", "--config-file", str(config), "--no-error-summary", "--show-error-codes"],
            *["--cache-dir", str(ROOT / ".mypy_cache" / "snippets"), str(SNIPPETS), str(ROOT / "examples")],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ended.stderr == ""
    lines = re.findall(r"^(.+?):(\d+): error: .*\[([\w-]+)\]$", ended.stdout, re.MULTILINE)
    assert len(lines) == ended.stdout.count(" error: "), ended.stdout
    return {(Path(name).name, int(number), code) for name, number, code in lines}


def test_what_is_right_passes(found: Found) -> None:
    assert {each for each in found if each[0] != "wrong.py"} == set()


def test_each_mistake_is_told_of(found: Found) -> None:
    lines = (SNIPPETS / "wrong.py").read_text().splitlines()
    expected = {
        ("wrong.py", number, comment[1])
        for number, line in enumerate(lines, start=1)
        if (comment := re.search(r"# error: ([\w-]+)$", line))
    }
    assert len(expected) >= 10
    assert {each for each in found if each[0] == "wrong.py"} == expected


def test_every_shape_is_offered() -> None:
    offered = {name: getattr(deltaglider.types, name) for name in deltaglider.types.__all__}
    assert list(deltaglider.types.__all__) == sorted(offered)
    shapes = {name for name, kind in offered.items() if typing.is_typeddict(kind)}
    assert {"GetObjectOutput", "ListObjectsV2Output", "ResponseMetadata"} <= shapes
    for name in shapes:
        assert typing.get_type_hints(offered[name])
