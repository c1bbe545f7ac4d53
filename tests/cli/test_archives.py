"""Archives, from the command line: there and back, and what ``stats`` says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.archive.material import Member, content, gzipped, noise, tarred, zipped
from tests.cli.conftest import Cli


def payload(number: int) -> bytes:
    return tarred(**{f"f{each}": content(400, each) + noise(2_000, each) for each in range(number, number + 12)})


def wheel(number: int) -> bytes:
    jar = zipped(Member(b"a.class", payload(number)), Member(b"b.class", content(90)))
    return zipped(Member(b"lib.jar", jar), Member(b"version.txt", b"%d" % number * 50))


@pytest.mark.parametrize(("name", "pack"), [("a.whl", wheel), ("a.tar.gz", lambda number: gzipped(payload(number), 9))])
async def test_versions_of_an_archive_cost_little(name: str, pack: Callable[[int], bytes], cli: Cli) -> None:
    versions = [pack(number) for number in range(1, 5)]
    for number, data in enumerate(versions):
        cli.write(name, data)
        await cli.ok("cp", name, f"s3://bkt/v{number}/")

    (figures,) = (await cli.ok("stats", "s3://bkt", "--json")).objects
    deltas = figures["compressed_size"] - len(versions[0])
    assert deltas < 0.25 * sum(map(len, versions[1:]))
    assert (figures["object_count"], figures["delta_objects"]) == (4, 4)
    for number, data in enumerate(versions):
        await cli.ok("cp", f"s3://bkt/v{number}/{name}", "copy")
        assert Path("copy").read_bytes() == data
    await cli.ok("verify", "s3://bkt/")


async def test_never_makes_plain_deltas(cli: Cli) -> None:
    sizes = {}
    for mode in ("auto", "never"):
        for number in (1, 2):
            cli.write("a.tar.gz", gzipped(payload(number)))
            await cli.ok("cp", "a.tar.gz", f"s3://bkt/{mode}/v{number}/", "--archive", mode, "--max-ratio", "1")
        (figures,) = (await cli.ok("stats", f"s3://bkt/{mode}/", "--json")).objects
        sizes[mode] = figures["compressed_size"] - len(gzipped(payload(1)))

    assert sizes["auto"] < sizes["never"] / 3
