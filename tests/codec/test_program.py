"""Is there an xdelta3, and is it one?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from deltaglider.codec import xdelta3
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import CodecError, CodecFailedError, CodecMissingError, LocalFileError
from tests.codec.material import script

REAL = 'exec xdelta3 "$@"'


async def test_the_self_test_tells_the_version(codec: Xdelta3) -> None:
    assert (await codec.self_test()).startswith("3.")


async def test_the_self_test_leaves_nothing(codec: Xdelta3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await codec.self_test()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "command"),
    [("linux", "apt-get install xdelta3"), ("darwin", "brew install xdelta"), ("win32", "scoop install xdelta")],
)
async def test_a_missing_program_comes_with_the_command_to_install_it(
    platform: str, command: str, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(xdelta3, "sys", SimpleNamespace(platform=platform))
    codec = Xdelta3()
    for call in (
        codec.self_test(),
        codec.encode(reference, reference, tmp_path / "delta", limit=1000),
        codec.decode(reference, reference, tmp_path / "result", size=1000),
    ):
        with pytest.raises(CodecMissingError, match=command) as raised:
            await call
        assert "'xdelta3' is not installed" in str(raised.value)
        assert "--no-delta" in str(raised.value)


async def test_a_program_that_was_asked_for_is_named_when_missing(tmp_path: Path) -> None:
    with pytest.raises(CodecMissingError, match="no-such-program"):
        await Xdelta3(str(tmp_path / "no-such-program")).self_test()


async def test_a_program_that_may_not_be_run_is_missing(tmp_path: Path) -> None:
    (tmp_path / "xdelta3").write_text("#!/bin/sh\n")
    with pytest.raises(CodecMissingError):
        await Xdelta3(str(tmp_path / "xdelta3")).self_test()


async def test_a_program_is_found_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    codec = Xdelta3(str(tmp_path / "xdelta3"))
    script(tmp_path / "xdelta3", REAL)
    assert await codec.self_test()


async def test_a_relative_program_is_found_from_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "my-xdelta3", REAL)
    monkeypatch.chdir(tmp_path)
    assert await Xdelta3("./my-xdelta3").self_test()


async def test_a_program_that_vanished_or_is_none_is_told(reference: Path, tmp_path: Path) -> None:
    program = tmp_path / "xdelta3"
    codec = Xdelta3(script(program, REAL))
    assert codec.program
    program.unlink()
    with pytest.raises(CodecFailedError, match="could not be started: No such file"):
        await codec.encode(reference, reference, tmp_path / "delta", limit=1000)


@pytest.mark.parametrize("body", ["exit 0", "exit 3", "echo 'GNU cat 9.1'", "echo 'version'", "exec cat"])
async def test_the_self_test_knows_what_is_no_xdelta3(body: str, tmp_path: Path) -> None:
    with pytest.raises(CodecFailedError, match="is not xdelta3"):
        await Xdelta3(script(tmp_path / "other", body)).self_test()


@pytest.mark.parametrize("version", ["3.0.8", "3.0.0z", "2.99"])
async def test_the_self_test_knows_an_xdelta3_that_deltas_can_take_over(version: str, tmp_path: Path) -> None:
    body = f'if [ "$1" = -V ]; then echo "Xdelta version {version}"; exit 0; fi; {REAL}'
    with pytest.raises(CodecError, match=r"CVE-2014-9765.*3\.0\.11"):
        await Xdelta3(script(tmp_path / "old", body)).self_test()


VERSION = 'if [ "$1" = -V ]; then echo "Xdelta version 3.0.11"; exit 0; fi; for last; do :; done;'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("echo broken >&2; exit 1", "could not encode it: broken"),
        ('echo nonsense > "$last"', "does not give back what it was given"),
        ('[ "$1" = -e ] && exec xdelta3 "$@"; echo broken >&2; exit 1', "does not give back what it was given"),
    ],
)
async def test_the_self_test_knows_an_xdelta3_that_does_not_work(body: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=problem):
        await Xdelta3(script(tmp_path / "xdelta3", f"{VERSION} {body}")).self_test()


async def test_an_xdelta3_that_unpacks_what_it_must_not_is_found_out(tmp_path: Path) -> None:
    body = 'n=$#; while [ $n -gt 0 ]; do a=$1; shift; [ "$a" = -D ] || set -- "$@" "$a"; n=$((n-1)); done; ' + REAL
    with pytest.raises(CodecError, match="does not give back"):
        await Xdelta3(script(tmp_path / "xdelta3", f"{VERSION} {body}")).self_test()


async def test_a_self_test_without_room_for_its_files_is_an_error_of_ours(
    codec: Xdelta3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(LocalFileError, match="nowhere"):
        await codec.self_test()
