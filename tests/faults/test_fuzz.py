"""Hostile data: 20,000 damaged deltas, references and sets of metadata, before every verb.

The answer is the right bytes or an error of ours, in time, with nothing left behind. Each case is made from its number
alone: what fails says which one it was.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.config import GIB
from deltaglider.layout.keys import reference_key
from deltaglider.layout.text import encode_text
from tests.engine.world import noise, sha256
from tests.faults.bench import BASE, NEWER, ORIGINAL, SIBLING, WHOLE, Bench, Stored, pick
from tests.faults.leaks import children, largest_child
from tests.faults.memory import MemoryStore, PlainCodec
from tests.faults.mutate import HASHES, KEYS, SIZES, TIMES, damaged, lying
from tests.faults.scale import scaled
from tests.servers import Endpoint

BUCKET = "bucket"
Record = Callable[[str, object], None]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]


def deltas_of(home: Path, secondary: str) -> tuple[bytes, bytes]:
    """Deltas as some tool made them."""
    home.mkdir(exist_ok=True)
    paths = {name: home / name for name in ("base", "target", "delta")}
    paths["base"].write_bytes(BASE)
    made = []
    for data in (ORIGINAL, SIBLING):
        paths["target"].write_bytes(data)
        options = ["-e", "-f", "-q", "-D", "-A=", "-S", secondary, "-s"]
        subprocess.run(["xdelta3", *options, *map(str, paths.values())], check=True, timeout=60)
        made.append(paths["delta"].read_bytes())
    return made[0], made[1]


@contextmanager
def telling(number: int) -> Iterator[None]:
    """Says which case it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case {number}")
        raise


@contextmanager
def no_child_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def tell(record: Record, what: str, cases: int, bench: Bench) -> None:
    counts = f"{bench.counts['right']} reads right, {bench.counts['refused']} refused"
    record("figure", f"fuzz of {what}: {cases} cases, {counts}, 0 wrong, nothing left behind")


@pytest.mark.parametrize("secondary", ["djw", "lzma", "none"])
async def test_a_damaged_delta_is_right_or_refused(secondary: str, tmp_path: Path, record_property: Record) -> None:
    cases = scaled(25, 2_700)
    deltas = deltas_of(tmp_path / "made", secondary)
    bench = Bench(MemoryStore(BUCKET), Xdelta3(), BUCKET, tmp_path, deltas)
    with no_child_left():
        for number in range(cases):
            chance = random.Random(f"{secondary} {number}")
            objects = bench.objects("d/")
            objects["delta"].data = damaged(deltas[0], deltas[1], chance)
            await bench.set("d/", objects)
            with telling(number):
                spared = "b.zip" if number % 8 == 0 else ""
                await bench.examine(bench.ctx, "d/", "a.zip", ORIGINAL, pick(chance), spared=spared)
            await bench.clear("d/")
    bench.close()
    assert bench.counts["refused"] > cases // 2
    assert largest_child() < 2 * GIB
    tell(record_property, f"deltas ({secondary})", cases, bench)
    record_property("figure", f"fuzz of deltas: the largest child used {largest_child() >> 20} MiB")


async def test_a_damaged_reference_is_right_or_refused(tmp_path: Path, record_property: Record) -> None:
    cases = scaled(30, 3_000)
    deltas = deltas_of(tmp_path / "made", "djw")
    bench = Bench(MemoryStore(BUCKET), Xdelta3(), BUCKET, tmp_path, deltas)
    with no_child_left():
        for number in range(cases):
            chance = random.Random(f"reference {number}")
            objects = bench.objects("d/")
            objects["reference"].data = damaged(BASE, NEWER, chance)
            await bench.set("d/", objects)
            with telling(number):
                await bench.examine(bench.cold(), "d/", "a.zip", ORIGINAL, pick(chance))
            await bench.clear("d/")
    bench.close()
    assert bench.counts["refused"] > cases // 2
    tell(record_property, "references", cases, bench)


async def test_a_damaged_whole_file_is_right_or_refused(tmp_path: Path, record_property: Record) -> None:
    cases = scaled(30, 1_000)
    bench = Bench(MemoryStore(BUCKET), PlainCodec(), BUCKET, tmp_path, plain_deltas())
    for number in range(cases):
        chance = random.Random(f"whole {number}")
        objects = bench.objects("d/")
        objects["whole"].data = damaged(WHOLE, BASE, chance)
        await bench.set("d/", objects)
        with telling(number):
            await bench.examine(bench.ctx, "d/", "w.txt", WHOLE, pick(chance, 2), spared="b.zip")
        await bench.clear("d/")
    bench.close()
    assert bench.counts["refused"] > cases // 2
    tell(record_property, "whole files", cases, bench)


def plain_deltas() -> tuple[bytes, bytes]:
    magic = b"\xd6\xc3\xc4" + bytes.fromhex(sha256(BASE))
    return magic + ORIGINAL, magic + SIBLING


def untruths(prefix: str) -> dict[str, tuple[str, ...]]:
    """What the fields of a delta in a directory may say instead of the truth."""
    elsewhere = (
        prefix + "a.zip.delta",  # Itself.
        prefix + "b.zip.delta",  # A delta; and if that names this one, a circle.
        prefix + "a.zip",
        prefix + "w.txt",
        prefix + "reference.bin",
        reference_key("victims/", sha256(BASE)),
        reference_key(prefix, sha256(NEWER)),
        f"{BUCKET}/{reference_key(prefix, sha256(BASE))}",
        f"{prefix}.deltaglider/trash/{sha256(BASE)}/x/reference.bin",
    )
    hashes = (*HASHES, sha256(BASE), sha256(SIBLING), sha256(WHOLE), sha256(ORIGINAL).upper())
    return {
        "dg-ref-key": (*elsewhere, *KEYS),
        "dg-ref-path": (*elsewhere, *KEYS),
        "dg-file-size": SIZES,
        "dg-delta-size": SIZES,
        "dg-file-sha256": hashes,
        "dg-ref-sha256": hashes,
        "dg-md5": HASHES,
        "dg-created-at": TIMES,
    }


async def lie(bench: Bench, prefix: str, chance: random.Random, *, headers: bool) -> tuple[str, bytes]:
    """Sets a case up of which one object's metadata are not true; its name and what it is."""
    objects = bench.objects(prefix)
    which = chance.choice(("delta", "delta", "delta", "reference", "whole"))
    metadata = lying(objects[which].metadata, untruths(prefix), chance)
    objects[which] = Stored(objects[which].data, fit_for_headers(metadata) if headers else metadata)
    await bench.set(prefix, objects)
    return ("w.txt", WHOLE) if which == "whole" else ("a.zip", ORIGINAL)


def fit_for_headers(metadata: dict[str, str]) -> dict[str, str]:
    """The same, as far as HTTP can bring it: any text, encoded, but not too much of it."""
    fit: dict[str, str] = {}
    for name, value in metadata.items():
        encoded = encode_text(value)
        if sum(len(key) + len(held) for key, held in fit.items()) + len(name) + len(encoded) <= 2_000:
            fit[name] = encoded
    return fit


async def victims(bench: Bench) -> None:
    """Objects that nobody is to touch, in a directory of their own."""
    await bench.set("victims/", bench.objects("victims/"))


async def test_lying_metadata_are_seen_through(tmp_path: Path, record_property: Record) -> None:
    cases = scaled(150, 6_400)
    bench = Bench(MemoryStore(BUCKET), PlainCodec(), BUCKET, tmp_path, plain_deltas())
    await victims(bench)
    for number in range(cases):
        chance = random.Random(f"metadata {number}")
        name, original = await lie(bench, "d/", chance, headers=False)
        with telling(number):
            await bench.examine(bench.ctx, "d/", name, original, pick(chance, 2), spared="b.zip")
            if number % 10 == 0:
                await bench.reads(bench.cold(), "victims/a.zip", ORIGINAL, surely=True)
        await bench.clear("d/")
    bench.close()
    assert min(bench.counts.values()) > cases // 6
    tell(record_property, "metadata", cases, bench)


async def test_lying_metadata_are_seen_through_on_a_store(
    endpoint: Endpoint, bucket: str, store: Any, tmp_path: Path, record_property: Record
) -> None:
    """The store, too, is asked for keys that cannot be, and answers with an error of ours."""
    cases = scaled(10, 750)
    bench = Bench(store, Xdelta3(), bucket, tmp_path / "home", deltas_of(tmp_path / "made", "djw"))
    await victims(bench)
    with no_child_left():
        for number in range(cases):
            chance = random.Random(f"{endpoint.name} {number}")
            name, original = await lie(bench, "d/", chance, headers=True)
            with telling(number):
                await bench.examine(bench.cold(), "d/", name, original, pick(chance), spared="b.zip")
            await bench.clear("d/")
        await bench.reads(bench.cold(), "victims/a.zip", ORIGINAL, surely=True)
    bench.close()
    tell(record_property, f"metadata on {endpoint.name}", cases, bench)


async def test_a_bomb_is_stopped_at_the_recorded_size(tmp_path: Path) -> None:
    """64 MiB of zeros in a few hundred bytes: the decoder is stopped, and nothing of it is left."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "zeros").write_bytes(b"")
    with (made / "zeros").open("r+b") as file:
        file.truncate(64 << 20)
    (made / "base").write_bytes(BASE)
    subprocess.run(
        ["xdelta3", "-e", "-f", "-q", "-D", "-A=", "-s", made / "base", made / "zeros", made / "delta"],
        check=True,
        timeout=60,
    )
    bench = Bench(MemoryStore(BUCKET), Xdelta3(), BUCKET, tmp_path, ((made / "delta").read_bytes(), noise("none", 10)))
    await bench.set("d/", bench.objects("d/"))
    await bench.examine(bench.ctx, "d/", "a.zip", ORIGINAL, ("verify", "copy near", "upload"))
    assert bench.counts["refused"] >= 2
    bench.close()
