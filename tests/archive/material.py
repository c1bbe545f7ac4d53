"""Archives of all shapes, made by hand as no library would; and the way there and back without a codec."""

from __future__ import annotations

import dataclasses
import io
import struct
import tarfile
import zlib
from pathlib import Path

from deltaglider.archive.comparison import Side, compare
from deltaglider.archive.container import Head
from deltaglider.archive.encoder import Encoder
from deltaglider.archive.expanding import recipe, write
from deltaglider.archive.inflating import Spool
from deltaglider.archive.limits import Ledger, Limits
from deltaglider.archive.makers import Makers
from deltaglider.archive.parts import parts_of
from deltaglider.archive.rebuilding import Rebuilding
from deltaglider.archive.restoring import restore_source
from deltaglider.archive.search import Search
from deltaglider.archive.survey import survey
from deltaglider.archive.tree import walk
from deltaglider.archive.view import File
from tests.codec.material import noise, text


def deflated(content: bytes, level: int = 6, memory: int = 8, strategy: int = 0) -> bytes:
    machine = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
    return machine.compress(content) + machine.flush()


def content(lines: int, change: int = 0) -> bytes:
    """Text, with something new in the middle for each ``change``."""
    plain = text(lines)
    return plain[: len(plain) // 2] + text(3, seed=change) + plain[len(plain) // 2 :] if change else plain


@dataclasses.dataclass(frozen=True)
class Member:
    """A member of a zip, and how it is to be written, truthfully or not."""

    name: bytes
    data: bytes
    method: int = 8
    level: int = 6
    memory: int = 8
    strategy: int = 0
    flags: int = 0
    described: bool = False
    large: bool = False
    extra: bytes = b""
    says_packed: int | None = None
    starts_at: int | None = None


def zipped(
    *members: Member, before: bytes = b"", comment: bytes = b"", directory: bool = True, shift: int = 0, cut: int = 0
) -> bytes:
    """A zip.

    Args:
        *members: What is in it.
        before: Bytes in front, as a program that unpacks itself has.
        comment: Of the zip.
        directory: Whether it has a central directory.
        shift: By how much its offsets are wrong.
        cut: Bytes missing at its end.
    """
    out, central = io.BytesIO(), io.BytesIO()
    out.write(before)
    for member in members:
        packed = member.data
        if member.method == 8:
            packed = deflated(member.data, member.level, member.memory, member.strategy)
        offset = out.tell() - len(before)
        flags = member.flags | (8 if member.described else 0)
        size = len(packed) if member.says_packed is None else member.says_packed
        numbers = (zlib.crc32(member.data), size, len(member.data))
        written = (0, 0, 0) if member.described else numbers
        extra = member.extra
        if member.large:
            extra += struct.pack("<HHQQ", 1, 16, len(member.data), size)
            written = (numbers[0], 0xFFFFFFFF, 0xFFFFFFFF)
            numbers = written
        fixed = (20, flags, member.method, 0, 33)
        out.write(struct.pack("<4s5H3I2H", b"PK\x03\x04", *fixed, *written, len(member.name), len(extra)))
        out.write(member.name + extra + packed)
        if member.described:
            out.write(struct.pack("<4s3I", b"PK\x07\x08", zlib.crc32(member.data), size, len(member.data)))
        offset = offset if member.starts_at is None else member.starts_at
        lengths = (len(member.name), len(extra), 0, 0, 0, 0, offset + shift)
        central.write(struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *fixed, *numbers, *lengths))
        central.write(member.name + extra)
    if directory:
        start = out.tell() - len(before)
        out.write(central.getvalue())
        end = (0, 0, len(members), len(members), central.tell(), start + shift, len(comment))
        out.write(struct.pack("<4s4H2IH", b"PK\x05\x06", *end) + comment)
    whole = out.getvalue()
    return whole[: len(whole) - cut]


def gzipped(
    data: bytes,
    level: int = 6,
    *,
    memory: int = 8,
    strategy: int = 0,
    name: bytes = b"",
    extra: bytes = b"",
    comment: bytes = b"",
    checked: bool = False,
    time: int = 0,
    effort: int = 0,
    system: int = 255,
) -> bytes:
    flags = (2 if checked else 0) | (4 if extra else 0) | (8 if name else 0) | (16 if comment else 0)
    head = struct.pack("<3sBIBB", b"\x1f\x8b\x08", flags, time, effort, system)
    head += struct.pack("<H", len(extra)) + extra if extra else b""
    head += name + b"\0" if name else b""
    head += comment + b"\0" if comment else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if checked else b""
    trailer = struct.pack("<II", zlib.crc32(data), len(data))
    return head + deflated(data, level, memory, strategy) + trailer


def tarred(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a pair of files.

    Attributes:
        source: The reference, expanded; ``None`` if nothing was unpacked.
        expanded: The target, expanded.
        encoders: What makes each stream of the target again.
        head: Bytes of the head.
    """

    source: bytes | None
    expanded: bytes
    encoders: list[Encoder]
    head: int


def there_and_back(
    reference: bytes, target: bytes, home: Path, *, makers: Makers | None = None, limits: Limits | None = None
) -> Result:
    """Unpacks a pair and packs it again as a reader does; asserts that every byte comes back."""
    makers, limits = makers or Makers(), limits or Limits()
    paths = {name: home / name for name in ("reference", "target", "source", "expanded", "source again", "result")}
    paths["reference"].write_bytes(reference)
    paths["target"].write_bytes(target)
    with File(paths["reference"]) as old, File(paths["target"]) as new, Spool(home / "spool") as spool:
        sides = [
            Side(file.view(), survey(file.view(), ledger), ledger)
            for file, ledger in ((old, Ledger(limits)), (new, Ledger(limits)))
        ]
        compare(sides[0], sides[1], spool, Search(makers, home, 2))
        theirs, ours = sides
        if not ours.nodes:
            return Result(None, target, [], 0)
        write(theirs.view, theirs.nodes, paths["source"])
        write(ours.view, ours.nodes, paths["expanded"])
        encoders = [node.encoder for node in walk(ours.nodes)]
        with File(paths["expanded"]) as file:
            steps = recipe(theirs.view, theirs.nodes, file.view(), ours.nodes)
    source, expanded = paths["source"].read_bytes(), paths["expanded"].read_bytes()
    stored = bytes(Head("", len(target), len(source), len(expanded), steps))

    head = Head.read(io.BytesIO(stored))
    head.check(len(reference), len(target))
    with File(paths["reference"]) as old:
        restore_source(old.view(), head.recipe, head.source, paths["source again"], home / "spool")
    assert paths["source again"].read_bytes() == source
    out = io.BytesIO()
    with File(paths["expanded"]) as file:
        Rebuilding(makers, home, 2).write(file.view(), parts_of(file.view(), head.recipe), out)
    assert out.getvalue() == target
    return Result(source, expanded, [encoder for encoder in encoders if encoder is not None], len(stored))


__all__ = ["Member", "Result", "content", "deflated", "gzipped", "noise", "tarred", "text", "there_and_back", "zipped"]
