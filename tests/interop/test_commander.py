"""A file manager's calls: what the real 6.2.0 answers with, ours answers with, too."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltaglider import create_client
from tests.earlier import commander
from tests.servers import S3Endpoint

WITHOUT = {
    # boto3 has these only where there is something to tell.
    "delete_object: DeleteMarker",
    "list_objects by directory: Contents",
    "list_objects: Delimiter",
    # How each was stored is told by nothing that boto3's answer has room for.
    "delete_objects: Deleted: Type",
    "delete_objects: DeltaGliderInfo: Details",
}
"""Keys that are not kept, beside DeltaGlider's own among an object's metadata."""


def test_no_key_is_lacking(program: Path, moto: S3Endpoint, tmp_path: Path) -> None:
    theirs, ours = _theirs(program, moto, tmp_path), _ours(moto, tmp_path)

    assert list(theirs) == list(ours)
    lacking = {path for name in theirs for path in _lacking(name, theirs[name], ours[name])}
    assert lacking == WITHOUT, sorted(lacking ^ WITHOUT)


def _bucket() -> str:
    return f"commander-{uuid.uuid4().hex[:12]}"


def _ours(moto: S3Endpoint, tmp_path: Path) -> dict[str, Any]:
    here = tmp_path / "ours"
    here.mkdir()
    with create_client(**moto.client_kwargs(), cache_dir=here / "cache", temp_dir=tmp_path) as client:
        return {name: commander.shape(answer) for name, answer in commander.calls(client, _bucket(), here)}


def _theirs(program: Path, moto: S3Endpoint, tmp_path: Path) -> dict[str, Any]:
    here = tmp_path / "theirs"
    here.mkdir()
    environ = {**moto.environ(), "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "DG_METRICS": "noop"}
    environ.pop("PYTHONPATH", None)  # Or it would import this tool.
    command = [str(program.with_name("python")), commander.__file__, _bucket(), str(here)]
    ended = subprocess.run(command, env=environ, cwd=here, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def _lacking(where: str, theirs: Any, ours: Any) -> Iterator[str]:
    """The keys of theirs, however deep, that ours has not."""
    if isinstance(theirs, dict):
        for key, each in theirs.items():
            if key.startswith("dg-"):
                continue
            if not isinstance(ours, dict) or key not in ours:
                yield f"{where}: {key}"
            else:
                yield from _lacking(f"{where}: {key}", each, ours[key])
    elif isinstance(theirs, list) and theirs and isinstance(ours, list) and ours:
        yield from _lacking(where, theirs[0], ours[0])
