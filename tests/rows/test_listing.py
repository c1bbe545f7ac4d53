"""D34 to D37, D41, D47: what is listed and counted."""

from __future__ import annotations

from tests.rows.gate import Gate
from tests.rows.material import V1, version
from tests.rows.tool import Tool, files_below, one_of, shows_the_defect


async def test_d34_pages_come_to_an_end_and_hold_each_key_once(tool: Tool) -> None:
    keys = [f"p/{number:02}.txt" for number in range(12)]
    for key in keys:
        tool.store(key, b"x")
    listed = await tool.sdk_pages("p/", 5, limit=10)
    with shows_the_defect(tool, "=="):
        assert listed == keys


async def test_d35_a_page_holds_as_many_as_were_asked_for(tool: Tool) -> None:
    # The reference comes first, in the order of stored keys.
    files = {"p/z.zip": V1, "p/zz.zip": version(1)}
    await tool.put_all(files)
    listed = await tool.sdk_page("p/", 1)
    with shows_the_defect(tool, r"\[\] =="):
        assert listed == ["p/z.zip"]


async def test_d36_a_listing_of_many_pages_is_whole(tool: Tool, gate: Gate) -> None:
    names = [f"{number}.txt" for number in range(8)]
    for name in names:
        tool.store(f"p/{name}", b"x")
    gate.max_keys = 3
    ran = await tool.ok("ls", tool.url("p/"), "--summarize")
    with shows_the_defect(tool, r"\['0.txt', '1.txt', '2.txt'\] =="):
        assert one_of(names, ran.out) == names
        assert "Total Objects: 8" in ran.out


async def test_d37_one_object_is_listed_and_temporary_ones_are_not(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/file.zip": version(1)})
    tool.store(".deltaglider/tmp/abc_file.zip", V1, {"dg-rehydrated": "true"})
    with shows_the_defect(tool, r"file\.zip"):
        assert "file.zip" in (await tool.run("ls", tool.url("p/file.zip"))).out
    with shows_the_defect(tool, r"\.deltaglider"):
        assert ".deltaglider" not in (await tool.ok("ls", tool.url())).out


async def test_d41_temporary_objects_are_neither_listed_synced_nor_counted(tool: Tool) -> None:
    await tool.put("p/note.txt", b"hello")
    tool.store(".deltaglider/tmp/abc_file.zip", V1, {"dg-rehydrated": "true"})
    with shows_the_defect(tool, r"abc_file\.zip"):
        assert "abc_file.zip" not in (await tool.ok("ls", "-r", tool.url())).out
    target = tool.here / "target"
    await tool.ok("sync", tool.url(), target)
    with shows_the_defect(tool, r"abc_file\.zip"):
        assert list(files_below(target)) == ["p/note.txt"]
    with shows_the_defect(tool, "2 == 1"):
        assert (await tool.ok("stats", tool.bucket, "--json")).json["object_count"] == 1


async def test_d47_figures_are_those_of_the_files(tool: Tool) -> None:
    files = {"p/a.zip": V1, "p/b.zip": version(1), "p/c.zip": version(2), "p/note.txt": b"hello"}
    await tool.put_all(files)
    original, held = sum(map(len, files.values())), sum(tool.stored().values())
    figures = (await tool.ok("stats", tool.bucket, "--json")).json
    with shows_the_defect(tool, "=="):
        assert figures["total_size"] == original
        assert (figures["object_count"], figures["delta_objects"], figures["direct_objects"]) == (4, 3, 1)
        assert (figures["compressed_size"], figures["space_saved"]) == (held, original - held)


async def test_d47_a_sample_is_no_guess_from_one_file(tool: Tool) -> None:
    """The first file of a directory says nothing of the others."""
    files = {"p/a.zip": V1, "p/b.zip": V1 * 2, "p/c.zip": V1 * 3}
    await tool.put_all(files)
    held = sum(tool.stored().values())
    figures = (await tool.ok("stats", tool.bucket, "--sampled", "--json")).json
    original = sum(map(len, files.values()))
    with shows_the_defect(tool, "=="):
        assert (figures["total_size"], figures["space_saved"]) == (original, original - held)


async def test_d47_a_loss_is_said_and_a_missing_bucket_is_an_error(tool: Tool) -> None:
    await tool.put("p/a.zip", V1)
    held = sum(tool.stored().values())
    figures = await tool.ok("stats", tool.bucket, "--detailed", "--json")
    with shows_the_defect(tool, "0 =="):
        assert figures.json["space_saved"] == len(V1) - held
    with shows_the_defect(tool, "code=0"):
        ran = await tool.run("stats", "no-such-bucket-anywhere")
        assert ran.code != 0, ran
