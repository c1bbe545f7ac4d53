"""Streams that cannot show every character: names are written with escapes, and nothing fails."""

from __future__ import annotations

import io
import json

import pytest

from deltaglider.cli.screen import prepare_streams
from tests.cli.conftest import Cli

NAME = "\u4e2d\u6587 \u00e9.txt"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "\\u4e2d\\u6587 \\xe9.txt"),
        ("latin-1", "\\u4e2d\\u6587 \u00e9.txt"),
        ("cp1252", "\\u4e2d\\u6587 \u00e9.txt"),
        ("utf-8", NAME),
    ],
)
async def test_what_a_stream_cannot_show_is_escaped(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str
) -> None:
    cli.write(NAME, b"content")

    async def printed(*arguments: str) -> tuple[str, str]:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", streams[0])
            patch.setattr("sys.stderr", streams[1])
            prepare_streams()
            await cli(*arguments)
            for stream in streams:
                stream.flush()
        out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)
        return out, err

    out, _ = await printed("cp", NAME, "s3://bkt/d/")
    assert out == f"upload: ./{shown} to s3://bkt/d/{shown}\n"
    out, _ = await printed("ls", "s3://bkt/d/")
    assert out.endswith(f" 7 {shown}\n")
    out, _ = await printed("ls", "s3://bkt/d/", "--json")
    assert json.loads(out.splitlines()[0])["key"] == f"d/{NAME}"
    _, err = await printed("cp", f"s3://bkt/no {NAME}", ".")
    assert shown in err
