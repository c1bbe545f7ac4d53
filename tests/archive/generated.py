"""Pairs of archives by the thousand: each shape, flag and lie of ``material``, drawn by hypothesis."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from tests.archive.material import Member, content, gzipped, noise, tarred, zipped

_PLAIN = st.one_of(
    st.builds(content, st.integers(0, 300), st.integers(0, 3)),
    st.builds(noise, st.integers(0, 2_000), st.integers(0, 3)),
    st.builds(lambda byte, size: bytes([byte]) * size, st.integers(0, 255), st.integers(0, 40_000)),
    st.binary(max_size=100),
)


@st.composite
def _zips(draw: st.DrawFn, inside: st.SearchStrategy[bytes]) -> bytes:
    members = draw(st.lists(st.builds(_member, inside, st.fixed_dictionaries({}, optional=_MEMBER)), max_size=5))
    return zipped(*members, **draw(st.fixed_dictionaries({}, optional=_ZIP)))


_MEMBER: dict[str, st.SearchStrategy[Any]] = {
    "name": st.binary(max_size=20),
    "method": st.sampled_from([0, 8, 8, 8, 93]),
    "level": st.integers(1, 9),
    "memory": st.integers(8, 9),
    "strategy": st.integers(0, 3),
    "flags": st.sampled_from([0, 0, 0, 1, 2, 4, 6, 0x800]),
    "described": st.booleans(),
    "large": st.booleans(),
    "extra": st.sampled_from([b"", b"\x01\x00\x00\x00", noise(30)]),
    "says_packed": st.one_of(st.none(), st.none(), st.integers(0, 1 << 32)).map(lambda size: size and size % (1 << 32)),
    "starts_at": st.one_of(st.none(), st.none(), st.none(), st.integers(0, 1 << 16)),
}
_ZIP: dict[str, st.SearchStrategy[Any]] = {
    "before": st.one_of(st.just(b""), st.just(noise(500)), st.binary(max_size=50)),
    "comment": st.one_of(st.just(b""), st.binary(max_size=80), st.just(b"PK\x05\x06" + bytes(30))),
    "directory": st.sampled_from([True, True, True, False]),
    "shift": st.sampled_from([0, 0, 0, 0, 1, -3, 500]).map(lambda shift: max(shift, 0)),
    "cut": st.sampled_from([0, 0, 0, 1, 25, 200]),
}
_GZIP: dict[str, st.SearchStrategy[Any]] = {
    "level": st.integers(1, 9),
    "memory": st.integers(8, 9),
    "strategy": st.integers(0, 3),
    "name": st.sampled_from([b"", b"a name"]),
    "extra": st.sampled_from([b"", noise(20)]),
    "comment": st.sampled_from([b"", b"a comment"]),
    "checked": st.booleans(),
    "time": st.integers(0, 3),
    "effort": st.sampled_from([0, 2, 4, 77]),
    "system": st.sampled_from([0, 3, 255]),
}


def _member(data: bytes, how: dict[str, Any]) -> Member:
    return Member(**{"name": b"m", "data": data, **how})


def _containers(inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    gzips = st.builds(lambda data, how: gzipped(data, **how), inside, st.fixed_dictionaries({}, optional=_GZIP))
    return st.one_of(
        _zips(inside),
        gzips,
        st.lists(gzips, min_size=2, max_size=4).map(b"".join),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inside, max_size=3).map(lambda files: tarred(**files)),
    )


FILES = st.recursive(_PLAIN, _containers, max_leaves=8)
"""A file: plain, or an archive of files."""


@dataclasses.dataclass(frozen=True)
class Damage:
    """What befalls a file on its way."""

    cut: int
    spot: int
    byte: int

    def done_to(self, data: bytes) -> bytes:
        data = data[: len(data) - self.cut] if self.cut else data
        if not data or not self.byte:
            return data
        spot = self.spot % len(data)
        return data[:spot] + bytes([data[spot] ^ self.byte]) + data[spot + 1 :]


DAMAGES = st.one_of(
    st.just(Damage(0, 0, 0)),
    st.builds(Damage, st.integers(0, 300), st.integers(0, 1 << 20), st.sampled_from([0, 1, 0x80, 0xFF])),
)
