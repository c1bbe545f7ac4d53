"""Every example runs as its docstring says, offline, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

EXPECTED = {
    "quickstart_sync": [
        r"^s3://releases/v2\.0\.0/app\.zip: 2,117,152 bytes, [\d,]{3,6} stored$",
        r"^Saved 99\.\d\d %$",
    ],
    "quickstart_async": [
        r"^build-8/app\.bin: 1,048,592 bytes, ",
        r"^8 objects, 8[67]\.\d\d % saved, references counted$",
    ],
    "backup_rotation": [r"^2026-01-14: ", r"^  removed s3://backups/shop/2026-01-07/shop\.sql$", r"^\d\d\.\d % saved$"],
    "fsspec_files": [
        r"^s3://data/v1/measures\.csv: 1,\d{3},\d{3} bytes, \d{2,4} stored$",
        r"^s3://data/v2/measures\.csv: 1,\d{3},\d{3} bytes, \d{2,4} stored$",
        r"^The last line is 49999,",
    ],
    "ci_release_publish": [r"^1\.1\.0: 4 files, ", r"^1\.2\.0: 4 files, [\d,]+ bytes, 99\.\d % not stored$"],
}


def run(name: str, *arguments: str | Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """One example as a process, with its temporary files and caches under ``scratch``."""
    temporary = scratch / "temporary"
    temporary.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DG_", "AWS_"))}
    environment |= {"TMPDIR": str(temporary), "DG_CACHE_DIR": str(scratch / "cache"), "PYTHONWARNINGS": "error"}
    command = [sys.executable, EXAMPLES / f"{name}.py", *arguments]
    return subprocess.run(
        command, cwd=scratch, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def versions(directory: Path) -> list[Path]:
    """Three versions of a file of a megabyte, in which little changes."""
    content = bytearray(random.Random(7).randbytes(1 << 20))
    paths = []
    for number in range(3):
        content[number * 1000 : number * 1000 + 10] = b"0123456789"
        path = directory / f"{number}" / "app.zip"
        path.parent.mkdir()
        path.write_bytes(content)
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_run() -> None:
    elsewhere = {"fastapi_app", "lambda_handler", "notebook", "worker_pool"}  # In test_applications.
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*EXPECTED, "demo", *elsewhere}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_example(name: str, tmp_path: Path) -> None:
    result = run(name, scratch=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    for line in EXPECTED[name]:
        assert re.search(line, result.stdout, re.MULTILINE), (line, result.stdout)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_examples_use_the_endpoint_they_are_given(tmp_path: Path) -> None:
    store = tmp_path / "store"

    result = run("ci_release_publish", "--endpoint-url", store.as_uri(), scratch=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert store.is_dir()

    build = tmp_path / "build"
    build.mkdir()
    (build / "shop.tar").write_bytes(b"x" * 10_000)
    again = tmp_path / "again"
    again.mkdir()
    result = run("ci_release_publish", build, "--version", "1.2.0", "--endpoint-url", store.as_uri(), scratch=again)
    assert result.returncode == 1
    assert "s3://releases/shop/1.2.0/ is published already" in result.stderr


def test_demo_stores_and_proves_each_version(tmp_path: Path) -> None:
    files = versions(tmp_path)

    result = run("demo", "--files", *files, scratch=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    table = re.findall(
        r"^(v\d|together) +([\d,]+) +([\d,]+) +(-?\d+\.\d\d) % +\d+\.\d\d s$", result.stdout, re.MULTILINE
    )
    assert [name for name, *_ in table] == ["v1", "v2", "v3", "together"]
    assert [int(size.replace(",", "")) for _, size, *_ in table] == [1 << 20, 1 << 20, 1 << 20, 3 << 20]
    stored = [int(size.replace(",", "")) for _, _, size, _ in table]
    assert stored[0] > 1 << 20  # The reference is counted.
    assert all(size < 1000 for size in stored[1:3])
    assert stored[3] == sum(stored[:3])
    assert float(table[3][3]) > 66
    assert f"3 objects of 3,145,728 bytes take {stored[3]:,} bytes, the" in result.stdout
    for number, path in enumerate(files, start=1):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert re.search(rf"^v{number} +{digest}  identical  ", result.stdout, re.MULTILINE)
    assert "3 of 3 releases came back byte for byte." in result.stdout
    assert list((tmp_path / "temporary").iterdir()) == []


def test_demo_tells_a_file_that_came_back_different(
    demo: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class OneByteOff:
        def download(self, url: str, path: Path) -> None:
            content = bytearray(files[int(url[len("s3://b/v")]) - 1].read_bytes())
            content[-1] ^= "v2" in url
            path.write_bytes(content)

    files = versions(tmp_path)
    releases = [(f"v{number}", path) for number, path in enumerate(files, start=1)]

    assert demo.read_back(OneByteOff(), "b", releases, tmp_path / "copies") == 1
    verdicts = [line.split()[2] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["identical", "DIFFERENT,", "identical"]
