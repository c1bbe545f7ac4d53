"""D10, D11, D14b, D24, D25, D50: an object has one form, and a file keeps its name."""

from __future__ import annotations

from tests.engine.world import noise
from tests.rows.material import V1, version
from tests.rows.tool import Tool, files_below, shows_the_defect


async def test_d10_a_delta_over_a_whole_object(tool: Tool) -> None:
    await tool.put("p/base.zip", V1)
    await tool.cp_up("p/x.zip", version(1), "--no-delta")
    await tool.put("p/x.zip", version(2))
    listed = (await tool.ok("ls", "-r", tool.url("p/"))).out
    with shows_the_defect(tool, "p/x.zip: other bytes"):
        await tool.reads({"p/x.zip": version(2)})
    with shows_the_defect(tool, "2 == 1"):
        assert listed.count("x.zip") == 1


async def test_d11_a_deleted_object_does_not_come_back(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/x.zip": version(1)})
    await tool.cp_up("p/x.zip", version(2), "--no-delta")
    await tool.sdk_delete("p/x.zip")
    with shows_the_defect(tool, "it is back"):
        assert not tool.has("p/x.zip"), "it is back"
        assert (await tool.run("cp", tool.url("p/x.zip"), tool.here / "out")).code != 0


async def test_d14b_a_file_whose_name_ends_with_delta(tool: Tool) -> None:
    files = {"fw.delta": b"the user's own", "a.zip": V1}
    source = tool.write_all("source", files, mtime=1_000_000_000)
    await tool.ok("sync", source, tool.url("p"))
    again = await tool.ok("sync", source, tool.url("p"))
    with shows_the_defect(tool, "sent again"):
        assert "upload: " not in again.out, "sent again"
    await tool.ok("sync", "--delete", source, tool.url("p"))
    with shows_the_defect(tool, r"fw\.delta"):
        await tool.reads({f"p/{name}": data for name, data in files.items()})
    await tool.ok("cp", source / "fw.delta", tool.url("q/fw.delta"))
    with shows_the_defect(tool, r"fw\.delta"):
        assert "fw.delta" in (await tool.ok("ls", tool.url("q/"))).out
    await tool.ok("cp", tool.url("q/fw.delta"), ".")
    with shows_the_defect(tool, r"fw\.delta"):
        assert "fw.delta" in files_below(tool.here)


async def test_d24_a_delta_over_the_ratio_is_not_kept(tool: Tool) -> None:
    half = V1[: len(V1) // 2] + noise("another half", len(V1) // 2)
    await tool.put("p/base.zip", V1)
    await tool.cp_up("p/half.zip", half, "--max-ratio", "0.1")
    tool.setenv("DG_MAX_RATIO", "0.1")
    await tool.put("p/other.zip", half)
    await tool.reads({"p/half.zip": half, "p/other.zip": half})
    with shows_the_defect(tool, r"half\.zip\.delta"):
        assert not {"p/half.zip.delta", "p/other.zip.delta"} & tool.stored().keys()


async def test_d25_empty_files(tool: Tool) -> None:
    await tool.put("p/first.zip", V1)
    with shows_the_defect(tool, "division by zero"):
        await tool.put("p/empty.zip", b"")
        await tool.reads({"p/first.zip": V1, "p/empty.zip": b""})
    # And one that comes first is nobody's reference: the file after it would be a delta of its own size.
    await tool.put_all({"q/empty.zip": b"", "q/a.zip": V1, "q/b.zip": version(1)})
    await tool.reads({"q/empty.zip": b"", "q/a.zip": V1, "q/b.zip": version(1)})
    with shows_the_defect(tool, "as much as two"):
        held = sum(size for key, size in tool.stored().items() if key.startswith("q/"))
        assert held < 1.5 * len(V1), "as much as two"


async def test_d50_a_file_that_ends_with_delta_is_not_another_one(tool: Tool) -> None:
    tool.store("q/foo.delta", b"of some other tool")
    ran = await tool.run("cp", tool.url("q/foo"), tool.here / "out")
    with shows_the_defect(tool, "code=0"):
        assert ran.code != 0, ran
        assert not (tool.here / "out").exists()
