"""D1 to D3, D6 to D9, D14c to D14e: what was lost, or came back as other bytes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.engine.world import noise
from tests.rows.gate import Gate
from tests.rows.material import V1, classic, gzipped, version
from tests.rows.tool import Tool, same, shows_the_defect


async def test_d01_packed_files_come_back_byte_for_byte(tool: Tool) -> None:
    files = {"p/a-1.tgz": gzipped(V1 * 3), "p/a-2.tgz": gzipped(version(1) * 3)}
    await tool.put_all(files)
    with shows_the_defect(tool, "SHA256 mismatch"):
        await tool.reads(files)


async def test_d02_first_uploads_at_the_same_time(tool: Tool, gate: Gate) -> None:
    """One process is about to store its reference when another one does the whole of its upload."""
    files = {"p/a.zip": noise("a"), "p/b.zip": noise("b")}
    held = gate.hold("PUT", r"/p/.*reference\.bin$")
    first = await tool.start("cp", tool.write("a.zip", files["p/a.zip"]), tool.url("p/a.zip"))
    await asyncio.to_thread(held.arrived)
    tool.forget()
    await tool.ok("cp", tool.write("b.zip", files["p/b.zip"]), tool.url("p/b.zip"))
    held.release()
    assert (await first.ended()).code == 0
    with shows_the_defect(tool, "(?i)mismatch"):
        await tool.reads(files)


async def test_d03_an_upload_while_the_last_delta_is_deleted(tool: Tool, gate: Gate) -> None:
    """The upload has made its delta when another process deletes the only other one."""
    await tool.put("p/a.zip", V1)
    held = gate.hold("PUT", r"/p/c\.zip\.delta$")
    upload = await tool.start("cp", tool.write("c.zip", version(1)), tool.url("p/c.zip"))
    await asyncio.to_thread(held.arrived)
    tool.forget()
    await tool.ok("rm", tool.url("p/a.zip"))
    held.release()
    assert (await upload.ended()).code == 0
    with shows_the_defect(tool, r"reference\.bin"):
        await tool.reads({"p/c.zip": version(1)})


async def test_d06_a_users_own_reference_bin(tool: Tool) -> None:
    files = {"p/a.zip": V1, "p/b.zip": version(1)}
    await tool.put_all(files)
    await tool.put("p/reference.bin", b"the user's own")
    with shows_the_defect(tool, "(?i)mismatch"):
        await tool.reads({**files, "p/reference.bin": b"the user's own"})


async def test_d07_deleting_a_reference_that_is_needed(tool: Tool, tmp_path: Path) -> None:
    files = {"a.zip": V1, "b.zip": version(1)}
    logical = {f"p/{name}": data for name, data in files.items()}
    classic(tool, "p/", files, tmp_path)
    await tool.reads(logical)
    await tool.run("rm", tool.url("p/reference.bin"))
    with shows_the_defect(tool, r"reference\.bin"):
        await tool.reads(logical)


async def test_d08_a_file_of_the_users_in_the_temporary_directory(tool: Tool) -> None:
    mine = tool.temporary / "dgvictim.zip"
    mine.write_bytes(b"mine")
    await tool.sdk_put("v/dgvictim.zip", V1)
    with shows_the_defect(tool, "is gone"):
        assert mine.exists(), "it is gone"
        same(mine.read_bytes(), b"mine")


async def test_d09_puts_of_one_name_at_the_same_time(tool: Tool, gate: Gate) -> None:
    """One is under way when another one, of the same name in another place, begins and ends."""
    files = {"p1/x.zip": noise("one"), "p2/x.zip": noise("two")}
    held = gate.hold("*", "p1/")
    first = asyncio.create_task(tool.sdk_put("p1/x.zip", files["p1/x.zip"]))
    await asyncio.to_thread(held.arrived)
    await tool.sdk_put("p2/x.zip", files["p2/x.zip"])
    held.release()
    with shows_the_defect(tool, r"x\.zip"):
        await first
        await tool.reads(files)


async def test_d14c_a_stored_delta_copied_by_its_stored_name(tool: Tool) -> None:
    """It is refused, or what arrives is the file: never the delta's own bytes as if they were the file."""
    await tool.put_all({"p/base.zip": V1, "p/a-1.zip": version(1)})
    copied = await tool.run("cp", tool.url("p/a-1.zip.delta"), tool.url("c/x"))
    assert tool.is_ours or copied.code == 0
    with shows_the_defect(tool, "c/a-1.zip: other bytes"):
        for key in ("c/a-1.zip", "c/x"):
            ran = await tool.run("cp", tool.url(key), tool.here / "out")
            if ran.code == 0:
                same((tool.here / "out").read_bytes(), version(1), key)


async def test_d14d_an_upload_that_dies_between_its_two_objects(tool: Tool, gate: Gate) -> None:
    held = gate.hold("PUT", r"/p/a\.zip\.delta$")
    upload = await tool.start("cp", tool.write("a.zip", V1), tool.url("p/a.zip"))
    await asyncio.to_thread(held.arrived)
    upload.process.kill()
    await upload.ended()
    counted = (await tool.ok("stats", tool.bucket, "--json")).json["compressed_size"]
    with shows_the_defect(tool, "what it left is not counted"):
        assert counted == sum(tool.stored().values()), "what it left is not counted"
    # And what it left hinders nobody.
    await tool.put_all({"p/b.zip": version(1), "p/a.zip": version(2)})
    await tool.reads({"p/b.zip": version(1), "p/a.zip": version(2)})


async def test_d14d_an_upload_without_xdelta3_leaves_nothing(tool: Tool) -> None:
    empty = tool.here / "no programs"
    empty.mkdir()
    file = tool.write("a.zip", V1)
    tool.setenv("PATH", str(empty))
    tool.setenv("DG_XDELTA3", "xdelta3")  # One that is named must be there: zstd does not take its place.
    assert (await tool.run("cp", file, tool.url("p/a.zip"))).code != 0
    with shows_the_defect(tool, r"p/reference\.bin"):
        assert tool.stored() == {}
    if tool.is_ours:
        tool.setenv("DG_XDELTA3", None)  # Any will do, and where there is none, zstd does.
        files = {"p/a.zip": V1, "p/b.zip": version(1)}
        await tool.put_all(files)
        await tool.reads(files)
        assert sum(tool.stored().values()) < 1.2 * len(V1)


async def test_d14e_a_deltaspace_moved_by_another_tool(tool: Tool, tmp_path: Path) -> None:
    await tool.put_all({"p/a.zip": V1, "p/b.zip": version(1)})
    tool.move("p/", "q/")
    with shows_the_defect(tool, r"p/reference\.bin"):
        await tool.reads({"q/a.zip": V1, "q/b.zip": version(1)})

    classic(tool, "old/", {"a.zip": V1, "b.zip": version(1)}, tmp_path)
    tool.move("old/", "new/")
    with shows_the_defect(tool, r"old/reference\.bin"):
        await tool.reads({"new/a.zip": V1, "new/b.zip": version(1)})
