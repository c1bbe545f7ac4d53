"""``cp``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli


async def test_two_versions_go_up_and_come_back(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    cli.write("app-v1.zip", versions[0])
    cli.write("app-v2.zip", versions[1])
    first = await cli.ok("cp", "app-v1.zip", "s3://bkt/v1.0.0/")
    second = await cli.ok("cp", "app-v2.zip", "s3://bkt/v2.0.0/")

    assert first.out == "upload: ./app-v1.zip to s3://bkt/v1.0.0/app-v1.zip\n"
    assert first.err == "Completed 1 file, 97.7 KiB stored as 97.7 KiB\n"
    assert second.err.startswith("Completed 1 file, 97.7 KiB stored as ")
    assert second.err.endswith("(99.9 % saved)\n") or second.err.endswith("(100.0 % saved)\n")

    await cli.ok("cp", "s3://bkt/v2.0.0/app-v2.zip", "copy.zip")
    assert Path("copy.zip").read_bytes() == versions[1]


async def test_a_download_has_the_time_of_its_object(
    cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]
) -> None:
    cli.write("app.zip", versions[0])
    await cli.ok("cp", "app.zip", "s3://bkt/")
    await cli.ok("cp", "s3://bkt/app.zip", "copy.zip")
    async with client:
        stored = (await client.head("s3://bkt/app.zip")).last_modified.timestamp()
    assert Path("copy.zip").stat().st_mtime == pytest.approx(stored, abs=0.001)


async def test_metadata_and_headers_are_kept(cli: Cli, client: AsyncDeltaGliderClient) -> None:
    cli.write("page.html", b"<p>")
    options = ["--metadata", "a=1,b=x=y", "--cache-control", "max-age=60"]
    await cli.ok("cp", "page.html", "s3://bkt/", *options)
    await cli.ok("cp", "page.html", "s3://bkt/typed", "--content-type", "text/x", "--metadata", '{"c": "1,2"}')
    await cli.ok("cp", "page.html", "s3://bkt/plain.html", "--no-guess-mime-type")
    await cli.ok("cp", "s3://bkt/page.html", "s3://bkt/copy", "--storage-class", "STANDARD_IA")
    await cli.ok("cp", "s3://bkt/page.html", "s3://bkt/other", "--metadata", "z=26")
    async with client:
        page, typed, plain, copy, other = [
            await client.head(f"s3://bkt/{key}") for key in ("page.html", "typed", "plain.html", "copy", "other")
        ]
    assert (page.metadata, page.content_type) == ({"a": "1", "b": "x=y"}, "text/html")
    assert page.headers == {"CacheControl": "max-age=60"}
    assert (typed.metadata, typed.content_type) == ({"c": "1,2"}, "text/x")
    assert plain.content_type != "text/html"
    assert (copy.metadata, copy.content_type, copy.headers) == (page.metadata, "text/html", page.headers)
    assert (other.metadata, other.content_type, other.headers) == ({"z": "26"}, None, {})


async def test_no_delta_stores_whole(cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]) -> None:
    cli.write("app.zip", versions[0])
    await cli.ok("cp", "app.zip", "s3://bkt/a/", "--no-delta")
    await cli.ok("cp", "app.zip", "s3://bkt/b/")
    async with client:
        assert not (await client.head("s3://bkt/a/app.zip")).is_delta
        assert (await client.head("s3://bkt/b/app.zip")).is_delta


async def test_max_ratio_decides_what_is_kept(
    cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]
) -> None:
    cli.write("app.zip", versions[0])
    cli.write("half.zip", versions[0][:50_000] + os.urandom(50_000))
    await cli.ok("cp", "app.zip", "s3://bkt/p/")
    await cli.ok("cp", "half.zip", "s3://bkt/p/whole.zip", "--max-ratio", "0.1")
    await cli.ok("cp", "half.zip", "s3://bkt/p/delta.zip", "--max-ratio", "0.9")
    async with client:
        assert not (await client.head("s3://bkt/p/whole.zip")).is_delta
        assert (await client.head("s3://bkt/p/delta.zip")).is_delta


async def test_deltaspace_directory_keeps_versions_apart(
    cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]
) -> None:
    cli.write("app.zip", versions[0])
    await cli.ok("cp", "app.zip", "s3://bkt/v1/")
    await cli.ok("cp", "app.zip", "s3://bkt/v2/", "--deltaspace", "directory")
    async with client:
        keys = [(await client.head(f"s3://bkt/{version}/app.zip")).reference_key or "" for version in ("v1", "v2")]
    assert keys[0].startswith(".deltaglider/")
    assert keys[1].startswith("v2/.deltaglider/")


@pytest.mark.parametrize("path", ["nofile", "no/such/file", "broken"])
async def test_a_missing_source_is_said_before_anything_is_done(cli: Cli, path: str) -> None:
    Path("broken").symlink_to("nowhere")
    ran = await cli("cp", path, "s3://nobucket/")
    assert ran == type(ran)(255, "", f"deltaglider: error: The user-provided path {path} does not exist.\n")


async def test_a_missing_source_is_said_even_when_quiet(cli: Cli) -> None:
    ran = await cli("cp", "nofile", "s3://bkt/", "--quiet", "-r")
    assert (ran.code, ran.err) == (255, "deltaglider: error: The user-provided path nofile does not exist.\n")


async def test_a_directory_needs_recursive(cli: Cli) -> None:
    Path("d").mkdir()
    ran = await cli("cp", "d", "s3://bkt/p/")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "upload failed: d/ to s3://bkt/p/ [Errno 21] Is a directory. Add --recursive for all that is in it",
        "Completed 0 files, 1 failed",
    ]


async def test_a_file_is_no_directory(cli: Cli) -> None:
    cli.write("f", b"content")
    ran = await cli("cp", "f", "s3://bkt/p/", "-r")
    assert ran.code == 1
    assert ran.err.startswith("fatal error: f: it is a file, not a directory")
    assert await cli.keys() == []


async def test_special_files_are_skipped_with_a_warning(cli: Cli) -> None:
    os.mkfifo("pipe")
    ran = await cli("cp", "pipe", "s3://bkt/")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        (
            f"warning: Skipping file {Path.cwd()}/pipe. "
            "File is character special device, block special device, FIFO, or socket."
        ),
        "Nothing to do, 1 skipped",
    ]


async def test_what_cannot_be_read_is_skipped_with_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("f", b"content").chmod(0)
    # Tests may run as root, to whom everything is readable.
    monkeypatch.setattr(os, "access", lambda *arguments, **keywords: False)
    ran = await cli("cp", "f", "s3://bkt/")
    told = f"warning: Skipping file {Path.cwd()}/f. File/Directory is not readable."
    assert (ran.code, ran.err.splitlines()[0]) == (2, told)


async def test_links_are_left_out_if_asked(cli: Cli) -> None:
    cli.write("f", b"content")
    Path("link").symlink_to("f")
    await cli.ok("cp", "link", "s3://bkt/followed")
    ran = await cli.ok("cp", "link", "s3://bkt/not", "--no-follow-symlinks")
    assert (ran.out, ran.err) == ("", "Nothing to do\n")
    assert await cli.keys() == ["followed"]


async def test_a_missing_object_is_a_fatal_error(cli: Cli) -> None:
    for target in ("x", "s3://bkt/y"):
        ran = await cli("cp", "s3://bkt/nokey", target)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("fatal error: s3://bkt/nokey: no such object."), ran.err
    assert os.listdir() == []


async def test_a_missing_object_is_a_failure_of_a_stream(cli: Cli) -> None:
    ran = await cli("cp", "s3://bkt/nokey", "-")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("download failed: s3://bkt/nokey to - no such object."), ran.err


async def test_a_dry_run_to_stdout_is_told_there(cli: Cli) -> None:
    ran = await cli.ok("cp", "s3://bkt/key", "-", "--dryrun")
    assert (ran.out, ran.err) == ("(dryrun) download: s3://bkt/key to -\n", "")


async def test_the_type_is_that_of_the_file_not_of_the_key(cli: Cli, client: AsyncDeltaGliderClient) -> None:
    cli.write("a.html", b"content")
    await cli.ok("cp", "a.html", "s3://bkt/page.txt")
    await cli.ok("cp", "a.html", "s3://bkt/page")
    async with client:
        assert (await client.head("s3://bkt/page.txt")).content_type == "text/html"
        assert (await client.head("s3://bkt/page")).content_type == "text/html"


async def test_a_marker_does_not_become_a_directory(cli: Cli, endpoint_url: str) -> None:
    os.mkdir("d")
    await _put_marker(endpoint_url, "p/")
    ran = await cli("cp", "s3://bkt/p/", "d")
    assert ran.code == 1
    assert ran.err.startswith("download failed: s3://bkt/p/ to d/ [Errno 21] Is a directory."), ran.err


async def test_a_prefix_needs_recursive(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/p/")
    for source, message in (
        ("s3://bkt/p/", "s3://bkt/p/: no such object. Add --recursive for all that is in it"),
        ("s3://bkt", "s3://bkt/: a bucket is not an object. Add --recursive for all that is in it"),
    ):
        ran = await cli("cp", source, "x")
        assert (ran.code, ran.err) == (1, f"fatal error: {message}\n")
    assert os.listdir() == ["f"]


async def test_a_directory_marker_is_an_object(cli: Cli, endpoint_url: str) -> None:
    await _put_marker(endpoint_url, "mark/")
    ran = await cli.ok("cp", "s3://bkt/mark/", "file")
    assert ran.out == "download: s3://bkt/mark/ to ./file\n"
    assert Path("file").read_bytes() == b""
    await cli.ok("cp", "s3://bkt/mark/", "s3://bkt/mark2/")
    assert await cli.keys() == ["mark/", "mark2/"]
    ran = await cli.ok("cp", "s3://bkt/", "tree", "-r")
    assert ran.out == ""
    assert os.listdir("tree") == []
    assert (await cli.ok("rm", "s3://bkt/mark/")).out == "delete: s3://bkt/mark/\n"
    assert (await cli.ok("rm", "s3://bkt/", "-r")).out == "delete: s3://bkt/mark2/\n"


async def _put_marker(endpoint_url: str, key: str) -> None:
    from deltaglider.config import Settings
    from deltaglider.store.directory import DirectoryStore

    root = Settings(endpoint_url=endpoint_url).embedded_root
    assert root is not None
    store = DirectoryStore(root)
    empty = root.parent / "empty"
    empty.touch()
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    try:
        await store.put("bkt", key, empty, sha256=digest, metadata={}, headers={})
    finally:
        await store.aclose()


async def test_a_directory_in_the_place_of_the_file_is_left_alone(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/f")
    Path("d/f").mkdir(parents=True)
    ran = await cli("cp", "s3://bkt/f", "d")
    assert ran.code == 1
    assert ran.err.startswith("download failed: s3://bkt/f to d/f [Errno 21] Is a directory.")
    assert os.listdir("d/f") == []


async def test_a_missing_bucket_fails_the_item(cli: Cli) -> None:
    cli.write("f.txt", b"content")
    await cli.ok("cp", "f.txt", "s3://bkt/")
    upload = await cli("cp", "f.txt", "s3://nobucket/f")
    assert upload.code == 1
    assert upload.err.startswith("upload failed: ./f.txt to s3://nobucket/f s3://nobucket/: the bucket does not exist.")
    copy = await cli("cp", "s3://bkt/f.txt", "s3://nobucket/f")
    assert copy.code == 1
    assert copy.err.startswith("copy failed: s3://bkt/f.txt to s3://nobucket/f s3://nobucket/: the bucket")
    download = await cli("cp", "s3://nobucket/", "x", "-r")
    assert download.code == 1
    assert download.err.startswith("fatal error: s3://nobucket/: the bucket does not exist.")


async def test_one_that_fails_does_not_stop_the_others(cli: Cli) -> None:
    cli.write("d/good", b"content")
    cli.write("d/.deltaglider/bad", b"content")
    ran = await cli("cp", "d", "s3://bkt/", "-r")
    assert ran.code == 1
    assert ran.out == "upload: d/good to s3://bkt/good\n"
    assert ran.err.splitlines()[0].startswith(
        "upload failed: d/.deltaglider/bad to s3://bkt/.deltaglider/bad keys in a '.deltaglider/' directory"
    )
    assert ran.err.splitlines()[1:] == ["Completed 1 file, 7 Bytes stored as 7 Bytes, 1 failed"]


async def test_keys_that_leave_the_target_are_skipped(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/p/../../evil")
    await cli.ok("cp", "f", "s3://bkt/p/good")
    ran = await cli("cp", "s3://bkt/p", "a/b", "-r")
    assert ran.code == 2
    assert ran.out == "download: s3://bkt/p/good to a/b/good\n"
    assert "warning: Skipping file s3://bkt/p/../../evil. File references a parent directory.\n" in ran.err
    assert sorted(str(path) for path in Path().rglob("*") if path.is_file()) == ["a/b/good", "f"]


async def test_a_dry_run_does_nothing(cli: Cli) -> None:
    cli.write("d/f", b"content")
    await cli.ok("cp", "d/f", "s3://bkt/there")
    for arguments, line in (
        (["d/f", "s3://bkt/p/"], "(dryrun) upload: d/f to s3://bkt/p/f"),
        (["d", "s3://bkt/p/", "-r"], "(dryrun) upload: d/f to s3://bkt/p/f"),
        (["s3://bkt/there", "x"], "(dryrun) download: s3://bkt/there to ./x"),
        (["s3://bkt", "tree", "-r"], "(dryrun) download: s3://bkt/there to tree/there"),
        (["s3://bkt/there", "s3://bkt/x/"], "(dryrun) copy: s3://bkt/there to s3://bkt/x/there"),
        (["-", "s3://bkt/x"], "(dryrun) upload: - to s3://bkt/x"),
    ):
        ran = await cli.ok("cp", *arguments, "--dryrun")
        assert (ran.out, ran.err) == (f"{line}\n", "")
    assert await cli.keys() == ["there"]
    assert os.listdir() == ["d"]


async def test_a_dry_run_looks_whether_the_object_is_there(cli: Cli) -> None:
    ran = await cli("cp", "s3://bkt/nokey", "x", "--dryrun")
    assert (ran.code, ran.out) == (1, "")


async def test_filters_apply_in_the_order_of_the_command_line(cli: Cli) -> None:
    for name in ("a.txt", "a.zip", "sub/b.txt", "sub/b.zip"):
        cli.write(f"d/{name}", b"content")
    await cli.ok("cp", "d", "s3://bkt/1", "-r", "--exclude", "*", "--include", "*.txt")
    await cli.ok("cp", "d", "s3://bkt/2", "-r", "--include", "*.txt", "--exclude", "*")
    await cli.ok("cp", "d", "s3://bkt/3", "-r", "--exclude=*.zip", "--include", "sub/*", "--exclude", "*/b.t?t")
    assert await cli.keys() == ["1/a.txt", "1/sub/b.txt", "3/a.txt", "3/sub/b.zip"]


async def test_filters_apply_to_single_files_too(cli: Cli) -> None:
    cli.write("f.txt", b"content")
    assert (await cli.ok("cp", "f.txt", "s3://bkt/", "--exclude", "*")).out == ""
    assert await cli.keys() == []
    await cli.ok("cp", "f.txt", "s3://bkt/", "--exclude", "*", "--include", "f*")
    assert (await cli.ok("cp", "s3://bkt/f.txt", "x", "--exclude", "*.txt")).out == ""
    assert (await cli.ok("rm", "s3://bkt/f.txt", "--exclude", "*")).out == ""
    assert await cli.keys() == ["f.txt"]


async def test_quiet_prints_nothing_at_all(cli: Cli) -> None:
    cli.write("f", b"content")
    ran = await cli("cp", "f", "s3://bkt/", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    for arguments in (["f", "s3://nobucket/"], ["s3://bkt/nokey", "x"], ["s3://nobucket/", "x", "-r"]):
        ran = await cli("cp", *arguments, "--quiet")
        assert (ran.code, ran.out, ran.err) == (1, "", "")


async def test_only_show_errors_prints_failures_alone(cli: Cli) -> None:
    cli.write("d/good", b"content")
    cli.write("d/.deltaglider/bad", b"content")
    ran = await cli("cp", "d", "s3://bkt/", "-r", "--only-show-errors")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    ran = await cli.ok("cp", "d", "s3://bkt/", "-r", "--only-show-errors", "--dryrun", "--exclude", ".d*")
    assert (ran.out, ran.err) == ("(dryrun) upload: d/good to s3://bkt/good\n", "")


async def test_a_corrupt_object_is_never_half_written(cli: Cli, versions: tuple[bytes, bytes], tmp_path: Path) -> None:
    cli.write("app-v1.zip", versions[0])
    cli.write("app-v2.zip", versions[1])
    await cli.ok("cp", "app-v1.zip", "s3://bkt/v1/")
    await cli.ok("cp", "app-v2.zip", "s3://bkt/v2/")
    damage_blobs(tmp_path / "store", larger_than=1000)
    ran = await cli("cp", "s3://bkt/v2/app-v2.zip", "out/x.zip", "--cache-dir", tmp_path / "other cache")
    assert ran.code == 1
    assert ran.err.startswith("download failed: s3://bkt/v2/app-v2.zip to out/x.zip ")
    assert os.listdir("out") == []


def damage_blobs(root: Path, *, larger_than: int) -> None:
    """Flips a byte in every large blob of an embedded store, as a failing disk would."""
    blobs = [path for path in root.rglob("*") if path.is_file() and path.stat().st_size > larger_than]
    damaged = [path for path in blobs if "index" not in path.name]
    assert damaged
    for path in damaged:
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
