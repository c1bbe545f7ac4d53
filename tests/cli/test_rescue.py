"""``rescue``: what it writes, what it says, and how it ends."""

from __future__ import annotations

import pytest

from deltaglider.client.aio import AsyncDeltaGliderClient
from tests.cli.conftest import BUCKET, Cli
from tests.engine.world import noise, sha256

V1 = noise("rescue")
V2 = V1[:9_000] + b"another" + V1[9_000:]


@pytest.fixture
async def stripped(cli: Cli, client: AsyncDeltaGliderClient) -> Cli:
    """Two files; the second one's delta has lost its metadata."""
    for name, data in (("a.zip", V1), ("b.zip", V2)):
        await cli.ok("cp", cli.write(name, data), f"s3://{BUCKET}/p/{name}")
        (cli.here / name).unlink()
    store = client._context().store
    async with store.open(BUCKET, "p/b.zip.delta") as body:
        delta = b"".join([chunk async for chunk in body])
    await store.put(BUCKET, "p/b.zip.delta", delta, sha256=sha256(delta), metadata={}, headers={})
    return cli


async def test_an_object_that_is_sound(stripped: Cli) -> None:
    ran = await stripped.ok("rescue", "s3://bkt/p/a.zip")
    assert (ran.out, ran.err) == ("rescue: s3://bkt/p/a.zip to ./a.zip\n", "")
    assert (stripped.here / "a.zip").read_bytes() == V1
    ran = await stripped("rescue", "s3://bkt/p/a.zip")
    assert ran.code == 1
    assert "a.zip: exists already. Add --overwrite" in ran.err
    await stripped.ok("rescue", "s3://bkt/p/a.zip", "--overwrite", "--only-show-errors")


async def test_what_nothing_proves_is_a_warning(stripped: Cli) -> None:
    ran = await stripped("rescue", "s3://bkt/p/b.zip", "out/")
    assert ran.code == 2
    assert ran.out == "rescue: s3://bkt/p/b.zip to out/b.zip\n"
    assert ran.err.startswith("warning: this is probably b.zip: its SHA-256 is not recorded any more")
    assert ran.err.endswith(f"SHA-256 of out/b.zip: {sha256(V2)}\n")
    assert (stripped.here / "out/b.zip").read_bytes() == V2


async def test_for_programs(stripped: Cli) -> None:
    ran = await stripped("rescue", "s3://bkt/p/b.zip", "x.zip", "--json")
    assert ran.code == 2
    (summary,) = ran.objects
    assert summary.pop("message").startswith("this is probably b.zip")
    assert summary == {
        "type": "summary",
        "command": "rescue",
        "bucket": BUCKET,
        "key": "p/b.zip",
        "path": "x.zip",
        "size": len(V2),
        "sha256": sha256(V2),
        "exact": False,
        "expected_sha256": "",
    }


async def test_a_reference_by_hand(stripped: Cli) -> None:
    stripped.write("first.zip", V1)
    stripped.write("other.zip", noise("other"))
    assert (await stripped("rescue", "s3://bkt/p/b.zip", "--reference", "first.zip")).code == 2
    assert (stripped.here / "b.zip").read_bytes() == V2
    ran = await stripped("rescue", "s3://bkt/p/b.zip", "x", "--reference", "other.zip")
    assert ran.code == 1
    assert "fatal error" in ran.err
    assert not (stripped.here / "x").exists()


@pytest.mark.parametrize(
    "arguments",
    [["b.zip"], ["s3://bkt/p/"], ["s3://bkt/p/b.zip", ".", "--reference", "none"], ["s3://bkt/p/b.zip", "a", "b"], []],
)
async def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    assert (await cli("rescue", *arguments)).code == 252


async def test_what_is_not_there(cli: Cli) -> None:
    ran = await cli("rescue", "s3://bkt/none")
    assert ran.code == 1
    assert "fatal error: s3://bkt/none: no such object" in ran.err
