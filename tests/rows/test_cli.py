"""D15 to D22, D26, D27, D42 to D46, D49, D51, D52: commands."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rows.gate import Gate
from tests.rows.material import V1, version
from tests.rows.tool import Tool, same, same_files, shows_the_defect, succeeded


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A directory on another file system than the temporary one, where the machine has one."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as path:
        yield Path(path)


async def test_d15_the_reference_is_fetched_once(tool: Tool, gate: Gate) -> None:
    await tool.put("p/a.zip", V1)
    tool.forget()
    for number in range(3):
        await tool.cp_up(f"p/{number}.zip", version(number))
        same(await tool.cp_down(f"p/{number}.zip"), version(number))
    with shows_the_defect(tool, "fetched 6 times"):
        fetched = gate.count("GET", r"/reference\.bin$")
        assert fetched <= 1, f"fetched {fetched} times"


async def test_d16_a_cache_in_memory_is_asked_for(tool: Tool) -> None:
    """The variable means nothing any more; it did not mean failure."""
    await tool.put("p/a.zip", V1)
    tool.setenv("DG_CACHE_BACKEND", "memory")
    with shows_the_defect(tool, "Encrypted cache file not found"):
        await tool.put("p/b.zip", version(1))
        await tool.reads({"p/a.zip": V1, "p/b.zip": version(1)})


async def test_d17_a_target_on_another_file_system(tool: Tool, elsewhere: Path) -> None:
    files = {"a.zip": V1, "b.zip": version(1)}
    await tool.put_all({f"p/{name}": data for name, data in files.items()})
    with shows_the_defect(tool, "Invalid cross-device link"):
        await tool.ok("cp", tool.url("p/b.zip"), elsewhere / "file")
        same((elsewhere / "file").read_bytes(), version(1))
    with shows_the_defect(tool, "Invalid cross-device link"):
        await tool.ok("sync", tool.url("p/"), elsewhere / "sync")
        same_files(elsewhere / "sync", files)


@pytest.mark.parametrize("target", ["./", "dir/", "dir"])
async def test_d18_a_directory_is_a_target(tool: Tool, target: str) -> None:
    (tool.here / "dir").mkdir()
    await tool.put_all({"p/base.zip": V1, "p/f.zip": version(1)})
    with shows_the_defect(tool, "resource busy|Is a directory"):
        await tool.ok("cp", tool.url("p/f.zip"), target)
        same((tool.here / target / "f.zip").read_bytes(), version(1))


async def test_d19_figures_are_kept_taken_and_renewed(tool: Tool, gate: Gate) -> None:
    await tool.put_all({f"p/{number}.zip": version(number) for number in range(5)})
    tool.forget()
    first = await tool.ok("stats", tool.bucket, "--detailed", "--json")
    with shows_the_defect(tool, r"\.deltaglider/stats"):
        assert any(key.startswith(".deltaglider/stats") for key in tool.stored()), ".deltaglider/stats"
    looks = gate.count("HEAD", r"\.delta$")
    tool.forget()
    second = await tool.ok("stats", tool.bucket, "--detailed", "--json")
    with shows_the_defect(tool, "looked at 5 more"):
        assert gate.count("HEAD", r"\.delta$") == looks, f"looked at {gate.count('HEAD', r'.delta$') - looks} more"
    assert second.json["total_size"] == first.json["total_size"]
    await tool.ok("stats", tool.bucket, "--detailed", "--json", "--refresh")
    assert gate.count("HEAD", r"\.delta$") >= looks + 5


async def test_d19_figures_follow_what_is_stored_and_nothing_complains(tool: Tool) -> None:
    await tool.put("p/note.txt", b"hello")
    first = await tool.ok("stats", tool.bucket, "--json")
    await tool.put("p/more.txt", b"more")
    second = await tool.ok("stats", tool.bucket, "--json")
    assert [ran.json["object_count"] for ran in (first, second)] == [1, 2]
    with shows_the_defect(tool, "unexpected keyword argument"):
        assert "unexpected" not in first.err + second.err


async def test_d20_temporary_objects_whose_time_is_over_are_removed(tool: Tool) -> None:
    for name, expires in {"old": "2001-02-03T04:05:06", "new": "2901-02-03T04:05:06"}.items():
        described = {"dg-expires-at": expires, "dg-original-key": "p/a.zip", "dg-rehydrated": "true"}
        tool.store(f".deltaglider/tmp/{name}_a.zip", V1, described)
    await tool.ok("purge", tool.bucket)
    with shows_the_defect(tool, "old_a.zip"):
        assert list(tool.stored()) == [".deltaglider/tmp/new_a.zip"]


async def test_d21_a_target_with_a_slash_is_a_directory(tool: Tool) -> None:
    file = tool.write("f.zip", V1)
    await tool.ok("cp", file, tool.url("dir/"))
    with shows_the_defect(tool, "dir/f.zip"):
        assert tool.has("dir/f.zip")
    await tool.ok("cp", "--no-delta", file, tool.url("whole/"))
    with shows_the_defect(tool, "whole/f.zip"):
        assert tool.has("whole/f.zip")


async def test_d22_a_target_without_one_is_the_name(tool: Tool) -> None:
    await tool.ok("cp", tool.write("a.zip", V1), tool.url("x/renamed.zip"))
    with shows_the_defect(tool, "renamed.zip"):
        assert tool.has("x/renamed.zip")
    tool.store("plain.zip", version(1))
    await tool.ok("cp", tool.url("plain.zip"), tool.url("x/copied.zip"))
    with shows_the_defect(tool, "copied.zip"):
        assert tool.has("x/copied.zip")
        await tool.reads({"x/renamed.zip": V1, "x/copied.zip": version(1)})


async def test_d26_names_of_any_script(tool: Tool) -> None:
    files = {"café.zip": V1, "naïve.txt": b"hello", "plain.zip": version(1)}
    for command in (["sync"], ["cp", "-r"]):
        source = tool.write_all("source", files)
        with shows_the_defect(tool, "(?i)non ascii"):
            await tool.ok(*command, source, tool.url(command[0]))
            await tool.reads({f"{command[0]}/{name}": data for name, data in files.items()})


async def test_d27_a_name_that_looks_like_an_option(tool: Tool) -> None:
    await tool.put("p/base.zip", V1)
    tool.write("-dash.zip", version(1))
    with shows_the_defect(tool, "xdelta3 encode failed"):
        await tool.ok("cp", "./-dash.zip", tool.url("p/-dash.zip"))
        await tool.reads({"p/-dash.zip": version(1)})


@pytest.mark.parametrize("command", ["rm", "sync"])
async def test_d42_a_reference_goes_with_the_last_delta(tool: Tool, command: str) -> None:
    await tool.put_all({"rl/a.zip": V1, "rl/note.txt": b"hello", "rl2/x.zip": version(1), "rl/sub/y.zip": version(2)})
    if command == "rm":
        await tool.ok("rm", tool.url("rl/a.zip"))
    else:
        kept = {"note.txt": b"hello", "sub/y.zip": version(2)}
        await tool.ok("sync", "--delete", tool.write_all("source", kept, mtime=1e9), tool.url("rl/"))
    left = [key for key in tool.stored() if key.startswith("rl/") and not key.startswith("rl/sub/")]
    with shows_the_defect(tool, r"rl/reference\.bin"):
        assert left == ["rl/note.txt"]
        await tool.reads({"rl2/x.zip": version(1), "rl/sub/y.zip": version(2)})


async def test_d42_a_bucket_emptied_is_empty(tool: Tool) -> None:
    await tool.put_all({"rl/a.zip": V1, "rl2/x.zip": version(1), "rl/sub/y.zip": version(2), "root.zip": version(3)})
    await tool.ok("rm", "-r", tool.url())
    with shows_the_defect(tool, r"reference\.bin"):
        assert tool.stored() == {}


async def test_d42_a_dry_run_shows_what_the_run_would_delete(tool: Tool) -> None:
    await tool.put_all({"p/a.txt": b"a", "pq/b.txt": b"b"})
    ran = await tool.ok("rm", "-r", "--dryrun", tool.url("p"))
    assert "p/a.txt" in ran.out
    with shows_the_defect(tool, "pq/b.txt"):
        assert "pq/b.txt" not in ran.out


async def test_d43_deleting_what_is_absent_is_success(tool: Tool) -> None:
    with shows_the_defect(tool, "(?i)not found"):
        await tool.sdk_delete("p/missing.zip")
    tool.store("p/", b"")
    await tool.ok("rm", tool.url("p/"))
    with shows_the_defect(tool, "p/"):
        assert tool.stored() == {}


@pytest.mark.parametrize("command", [["cp", "-r"], ["sync"]])
async def test_d44_copies_between_places_in_the_store(tool: Tool, command: list[str]) -> None:
    files = {"p/a.zip": V1, "p/b.zip": version(1), "p/note.txt": b"hello"}
    await tool.put_all(files)
    with shows_the_defect(tool, "(?i)not found"):
        await tool.ok("cp", tool.url("p/b.zip"), tool.url("one/b.zip"))
        await tool.reads({"one/b.zip": version(1)})
    # Its recursive copy is a migration, which keeps the last name of the source.
    place = "q/p/" if command == ["cp", "-r"] and not tool.is_ours else "q/"
    with shows_the_defect(tool, "p/a.zip|not yet implemented"):
        await tool.ok(*command, tool.url("p/"), tool.url("q/"))
        await tool.reads({key.replace("p/", place): data for key, data in files.items()})


async def test_d45_copies_that_fail_are_a_failure_and_keep_what_describes_the_others(tool: Tool, gate: Gate) -> None:
    for number in range(4):
        tool.store(f"p/{number}.txt", b"hello", {"team": "core"}, ContentType="text/plain")
    gate.refuse("PUT", "/q/(p/)?[12].txt")
    ran = await tool.run("cp", "-r", tool.url("p/"), tool.url("q/"))
    with shows_the_defect(tool, "code=0"):
        assert ran.code == 1, ran
    place = "q/" if tool.is_ours else "q/p/"
    assert [key for key in tool.stored() if key.startswith("q/")] == [f"{place}0.txt", f"{place}3.txt"]
    found = tool.endpoint.client().head_object(Bucket=tool.bucket, Key=f"{place}0.txt")
    with shows_the_defect(tool, "=="):
        assert found["ContentType"] == "text/plain"
    with shows_the_defect(tool, "=="):
        assert found["Metadata"].get("team") == "core"


async def test_d45_a_migration_that_fails_is_a_failure_and_keeps_what_describes_the_others(
    tool: Tool, gate: Gate
) -> None:
    for number in range(4):
        tool.store(f"p/{number}.txt", b"hello", {"team": "core"}, ContentType="text/plain")
    gate.refuse("PUT", "/q/p/[12].txt")
    ran = await tool.run("migrate", "--yes", tool.url("p/"), tool.url("q/"))
    with shows_the_defect(tool, "code=0"):
        assert ran.code == 1, ran
    assert [key for key in tool.stored() if key.startswith("q/")] == ["q/p/0.txt", "q/p/3.txt"]
    found = tool.endpoint.client().head_object(Bucket=tool.bucket, Key="q/p/0.txt")
    with shows_the_defect(tool, "=="):
        assert (found["ContentType"], found["Metadata"].get("team")) == ("text/plain", "core")


async def test_d46_verify_takes_every_object_by_its_name(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1), "p/note.txt": b"hello"})
    tool.store("p/plain.txt", b"of another tool")
    for key, defect in {
        "p/a.zip": "(?i)not found",
        "p/note.txt": "dg-ref-key",
        "p/plain.txt": "dg-tool",
    }.items():
        with shows_the_defect(tool, defect):
            await tool.ok("verify", tool.url(key))


async def test_d49_what_cannot_work_is_tried_once(tool: Tool, gate: Gate) -> None:
    """Twice over three seconds it slept, whatever the answer was."""
    assert (await tool.run("cp", tool.write("lost.txt", b"hello"), "s3://no-such-bucket-anywhere/lost.txt")).code != 0
    gate.refuse("PUT", r"/refused\.txt")
    assert (await tool.run("cp", tool.write("refused.txt", b"hello"), tool.url("refused.txt"))).code != 0
    for name in ("lost.txt", "refused.txt"):
        with shows_the_defect(tool, "3 <= 1"):
            assert gate.count("PUT", name) <= 1


async def test_d51_standard_input_and_output(tool: Tool) -> None:
    child = await tool.start("cp", "-", tool.url("p/a.zip"), stdin=asyncio.subprocess.PIPE)
    with shows_the_defect(tool, "File not found: -"):
        succeeded(await child.ended(V1))
        await tool.reads({"p/a.zip": V1})
    await tool.put("p/note.txt", b"hello")
    ran = await (await tool.start("cp", tool.url("p/note.txt"), "-")).ended()
    with shows_the_defect(tool, "=="):
        assert ran.out == "hello"
        assert not (tool.here / "-").exists()


async def test_d52_a_profile_brings_its_own_credentials(tool: Tool, gate: Gate) -> None:
    credentials = "[default]\naws_access_key_id=DEFAULTKEY\naws_secret_access_key=a\n"
    credentials += "[other]\naws_access_key_id=OTHERKEY\naws_secret_access_key=b\n"
    tool.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tool.write("credentials", credentials.encode())))
    tool.setenv("AWS_CONFIG_FILE", str(tool.write("config", b"[default]\n[profile other]\nregion=eu-west-1\n")))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        tool.setenv(name, None)
    await tool.ok("cp", tool.write("note.txt", b"hello"), tool.url("p/note.txt"), "--profile", "other")
    signed = {seen.headers["authorization"].split("Credential=")[1].split("/")[0] for seen in gate.seen}
    with shows_the_defect(tool, "DEFAULTKEY"):
        assert signed == {"OTHERKEY"}
