"""Metadata that name what cannot be: each object is judged on its own, and bulk work goes on."""

from __future__ import annotations

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.retire import Retirement
from deltaglider.engine.verify import verify
from deltaglider.errors import ReferenceMissingError
from deltaglider.layout.text import encode_text
from tests.engine.world import World, noise, revised

V1 = noise("v1")
V2 = revised(V1, "v2")

# No key of S3: half a character, and too long.
IMPOSSIBLE = ["q/\ud800/reference.bin", "q/" + "x" * 1_100 + "/reference.bin", "\udcff"]


async def rename_reference(world: World, key: str, name: str) -> None:
    """Makes a delta say that its reference lies elsewhere, and removes the one it was made against."""
    stored = await world.stored()
    data, found = await world.body(key), stored[key]
    await world.put_raw(key, data, {**found.metadata, "dg-ref-key": encode_text(name)}, found.headers)


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("name", IMPOSSIBLE, ids=["half", "long", "byte"])
async def test_a_reference_that_cannot_be_is_missing(any_world: World, name: str) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    await rename_reference(world, "p/a.zip.delta", name)
    # It is found where it should be, and there alone.
    assert await world.get(world.client(), "p/a.zip") == V1
    for key in [key for key in await world.stored() if key.endswith("reference.bin")]:
        await world.store.delete(world.bucket, key)
    fresh = world.client()
    with pytest.raises(ReferenceMissingError):
        await download(fresh, world.bucket, "p/a.zip", world.place())
    assert not (await verify(fresh, world.bucket, "p/a.zip")).valid


@pytest.mark.parametrize("name", IMPOSSIBLE, ids=["half", "long", "byte"])
async def test_it_does_not_keep_other_references_from_going(world: World, ctx: Context, name: str) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "z/a.zip", V2)
    await rename_reference(world, "p/a.zip.delta", name)
    retirement = Retirement()
    for key in ("p/a.zip", "z/a.zip"):
        await delete(ctx, world.bucket, key, retirement=retirement)
    await retirement.finish(ctx)
    assert not [key for key in await world.stored() if key.startswith("z/")]
