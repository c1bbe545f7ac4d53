"""Nothing of the caller's environment reaches the child."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from tests.codec.material import script, text, write

HOSTILE = {
    "XDELTA": "-n",
    "GZIP": "-1",
    "BZIP2": "-1",
    "XZ_OPT": "-0",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "LD_PRELOAD": "",
    "PATH_OF_MINE": "x",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=1",
}


async def test_variables_do_not_change_the_delta(
    codec: Xdelta3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, target = write(tmp_path / "r", text(2_000)), write(tmp_path / "t", text(2_500, 3))
    plain, injected = tmp_path / "plain", tmp_path / "injected"
    assert await codec.encode(reference, target, plain, limit=1 << 20)
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    assert await codec.encode(reference, target, injected, limit=1 << 20)
    assert injected.read_bytes() == plain.read_bytes()
    result = tmp_path / "result"
    await codec.decode(reference, injected, result, size=target.stat().st_size)
    assert result.read_bytes() == target.read_bytes()


async def test_a_broken_variable_does_not_break_it(
    codec: Xdelta3, reference: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDELTA", "-V")
    assert await codec.encode(reference, target, tmp_path / "delta", limit=1 << 20)
    assert 0 < (tmp_path / "delta").stat().st_size < 2_000


async def test_the_child_gets_a_path_a_locale_and_large_pages_and_no_more(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    out = tmp_path / "environment"
    # "env -u": what the shell adds by itself.
    program = script(tmp_path / "telling", f'env -u PWD -u SHLVL -u _ > "{out}"; pwd > "{out}-pwd"; exec xdelta3 "$@"')
    assert await Xdelta3(program).encode(reference, reference, tmp_path / "delta", limit=1 << 20)
    assert sorted(out.read_text().split()) == [
        "GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
        "LC_ALL=C",
        f"PATH={os.defpath}",
    ]
    assert Path(f"{out}-pwd").read_text() == "/\n"
