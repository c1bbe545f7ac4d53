"""D4, D5, D12 to D14, D38 to D40: ``sync`` and recursive copies."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from tests.rows.gate import Gate
from tests.rows.material import V1, version
from tests.rows.tool import Tool, same, same_files, shows_the_defect

LONG_AGO = 1_000_000_000.0
HOUR = 3600


async def test_d04_a_second_sync_of_a_whole_bucket(tool: Tool) -> None:
    files = {"a.zip": V1, "b.zip": version(1)}
    source = tool.write_all("source", files, mtime=LONG_AGO)
    await tool.ok("sync", source, tool.url())
    await tool.ok("sync", "--delete", source, tool.url())
    with shows_the_defect(tool, r"reference\.bin"):
        await tool.reads(files)


async def test_d05_sync_with_delete_touches_no_sibling(tool: Tool) -> None:
    siblings = {"rel-old/a-1.zip": V1, "release/hello.txt": b"hello"}
    await tool.put_all(siblings)
    source = tool.write_all("source", {"new.zip": version(1)})
    await tool.ok("sync", "--delete", source, tool.url("rel"))
    with shows_the_defect(tool, r"rel-old/a-1\.zip"):
        await tool.reads({**siblings, "rel/new.zip": version(1)})


async def test_d12_a_sync_by_size_leaves_local_edits_of_that_size(tool: Tool) -> None:
    """What aws does, too; without ``--size-only`` it fetches what is newer here, as aws does."""
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    edited = b"edited" + version(1)[6:]
    files = {"base.zip": V1, "a.zip": edited}
    mirror = tool.write_all("mirror", files, mtime=time.time() + HOUR)
    await tool.ok("sync", "--size-only", tool.url("p/"), mirror)
    with shows_the_defect(tool, r"a\.zip: other bytes"):
        same_files(mirror, files)


async def test_d13_a_newer_object_of_another_size_is_fetched(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    mirror = tool.write_all("mirror", {"base.zip": V1, "a.zip": b"stale"}, mtime=LONG_AGO)
    await tool.ok("sync", tool.url("p/"), mirror)
    with shows_the_defect(tool, r"a\.zip: other bytes"):
        same_files(mirror, {"base.zip": V1, "a.zip": version(1)})


async def test_d14_changed_content_with_an_older_time_goes_up(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1), "p/b.zip": version(2)})
    changed = {"base.zip": V1, "a.zip": version(3) + b"more", "b.zip": version(4) + b"more"}
    source = tool.write_all("source", changed, mtime=LONG_AGO)
    await tool.ok("sync", source, tool.url("p"), "--exclude", "b.zip")
    await tool.ok("sync", "--size-only", source, tool.url("p"))
    for name in ("a.zip", "b.zip"):
        with shows_the_defect(tool, f"{name}: other bytes"):
            await tool.reads({f"p/{name}": changed[name]})


async def test_d38_a_whole_bucket_comes_down(tool: Tool) -> None:
    files = {"a.zip": V1, "b.zip": version(1), "z.txt": b"hello"}
    await tool.put_all(files)
    for command in (["sync"], ["cp", "-r"]):
        target = tool.here / command[0]
        with shows_the_defect(tool, "dg-original-name"):
            await tool.ok(*command, tool.url(), target)
            same_files(target, files)


async def test_d39_a_second_sync_down_has_nothing_to_do(tool: Tool, gate: Gate) -> None:
    gate.older = timedelta(hours=1)
    files = {"a.zip": V1, "b.zip": version(1), "z.txt": b"hello"}
    await tool.put_all({f"p/{name}": data for name, data in files.items()})
    mirror = tool.here / "mirror"
    await tool.ok("sync", tool.url("p/"), mirror)
    for source, target in ((tool.url("p/"), str(mirror)), (str(mirror), tool.url("p/"))):
        again = await tool.ok("sync", source, target)
        with shows_the_defect(tool, "load: "):
            assert "load: " not in again.out
    same_files(mirror, files)


async def test_d40_a_new_time_alone_sends_nothing_by_size_or_content(tool: Tool, gate: Gate) -> None:
    """Without ``--size-only`` it goes up, as with aws."""
    files = {"a.zip": V1, "b.zip": version(1)}
    source = tool.write_all("source", files, mtime=LONG_AGO)
    await tool.ok("sync", source, tool.url("p/"))
    for name in files:
        os.utime(source / name, (time.time() + HOUR,) * 2)
    before = gate.count("PUT", "/p/")
    for option in ["--size-only", *(["--checksum"] if tool.is_ours else [])]:
        again = await tool.ok("sync", option, source, tool.url("p/"))
        with shows_the_defect(tool, "sent again"):
            assert gate.count("PUT", "/p/") == before, "sent again"
            assert "upload: " not in again.out
    same(await tool.get("p/a.zip"), V1)
