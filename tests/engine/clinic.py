"""Buckets to damage on purpose, and what the doctor says of them."""

from __future__ import annotations

from typing import Any

from deltaglider.engine.context import Context
from deltaglider.engine.doctor import Survey, survey
from deltaglider.models import Finding
from tests.engine.world import World, noise, revised, sha256

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")
OTHER = noise("another thing")


async def look(ctx: Context, world: World, prefix: str = "", **asked: Any) -> list[Finding]:
    """All findings, each of which must say something printable."""
    findings = [finding async for finding in survey(ctx, world.bucket, prefix, Survey(**asked))]
    for finding in findings:
        assert finding.message
        assert finding.message.isprintable()
        assert finding.remedy or finding.repaired or finding.code == "not_examined"
    return findings


def said(world: World, findings: list[Finding]) -> list[tuple[str, str, str]]:
    """``(code, key, state)`` of each, state being ``wrong``, ``note`` or ``mended``."""
    start = f"s3://{world.bucket}/"
    return [
        (
            finding.code,
            finding.uri.removeprefix(start),
            "mended" if finding.repaired else "wrong" if finding.is_open else "note",
        )
        for finding in findings
    ]


async def diagnose(ctx: Context, world: World, prefix: str = "", **asked: Any) -> list[tuple[str, str, str]]:
    return said(world, await look(ctx, world, prefix, **asked))


async def mend(world: World, prefix: str = "", **asked: Any) -> list[tuple[str, str, str]]:
    """A repair by a client that has nothing in its cache; then a second one, which must find nothing to do."""
    found = await diagnose(world.client(), world, prefix, repair=True, **asked)
    again = await diagnose(world.client(), world, prefix, repair=True, **asked)
    assert [one for one in again if one[2] == "mended"] == []
    assert again == [one for one in found if one[2] != "mended"]
    return found


async def put_as_620(
    world: World, ctx: Context, place: str, name: str, data: bytes, reference: bytes, **changes: str
) -> None:
    """A delta as deltaglider 6.2.0 stores it, and its reference if there is none yet."""
    key = f"{place}reference.bin"
    if key not in await world.stored():
        await put_reference_as_620(world, place, reference)
    delta = await encoded(world, ctx, reference, data)
    metadata = {
        "dg-tool": "deltaglider/6.2.0",
        "dg-original-name": name,
        "dg-file-sha256": sha256(data),
        "dg-file-size": str(len(data)),
        "dg-created-at": "2025-01-02T03:04:06.123456Z",
        "dg-ref-key": key,
        "dg-ref-sha256": sha256(reference),
        "dg-delta-size": str(len(delta)),
        "dg-delta-cmd": f"xdelta3 -e -9 -s reference.bin {name} {name}.delta",
        **changes,
    }
    await world.put_raw(f"{place}{name}.delta", delta, metadata)


async def put_reference_as_620(world: World, place: str, data: bytes) -> None:
    metadata = {
        "dg-tool": "deltaglider/6.2.0",
        "dg-source-name": "first.zip",
        "dg-file-sha256": sha256(data),
        "dg-created-at": "2025-01-02T03:04:05.678901Z",
        "dg-note": "reference",
    }
    await world.put_raw(f"{place}reference.bin", data, metadata)


async def encoded(world: World, ctx: Context, reference: bytes, data: bytes) -> bytes:
    """A plain delta, as every tool makes it."""
    target = world.place("delta")
    plain = next(codec for codec in ctx.codecs if codec.name == "")
    assert await plain.encode(world.file(reference), world.file(data), target, limit=10**9)
    return target.read_bytes()


async def strip(world: World, key: str, *names: str) -> None:
    """Takes metadata away: the names given, or all."""
    found = await world.store.head(world.bucket, key)
    kept = {name: value for name, value in found.metadata.items() if names and name not in names}
    await world.put_raw(key, await world.body(key), kept, found.headers)
