"""No key, link or special file makes a command write or delete outside of the directory it was told."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider import create_async_client
from deltaglider.bulk.destination import Destination
from deltaglider.cli.main import execute
from deltaglider.errors import InvalidInputError, LocalFileError
from deltaglider.store.directory import DirectoryStore

OUTWARD = [
    "../x",
    "a/../../x",
    "/../x",
    "//../x",
    "/x",
    "//x",
    "a/..",
    "..",
    "./../x",
    "a/./../../x",
    "../out-side/x",  # A sibling whose name begins like the destination's.
    "a//x",
    ".",
]
"""Keys below the prefix that are no file below the destination."""

ODD = [
    "..\\x",
    "C:\\x",
    "C:x",
    "\\\\?\\C:\\x",
    "\\x",
    "CON",
    "a:b",
    "%2e%2e/x",
    "..%2fx",
    "-rf",
    "--delete",
    "~",
    "$(id)",
]
"""Keys that are a way out elsewhere, or where they are decoded once more. Here they are names like any."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    made = DirectoryStore(tmp_path / "store")
    await made.create_bucket("bkt")
    yield made
    await made.aclose()


async def put(store: DirectoryStore, key: str, data: bytes = b"evil", **metadata: str) -> None:
    names = {name.replace("_", "-"): value for name, value in metadata.items()}
    await store.put("bkt", key, data, sha256=hashlib.sha256(data).hexdigest(), metadata=names)


def everything(root: Path) -> dict[str, bytes]:
    """All that lies below a directory, but for the store."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "store" not in path.relative_to(root).parts[:1]
    }


async def down(how: str, here: Path) -> int:
    """Brings ``s3://bkt/p/`` to ``deep/out``: the exit code."""
    url, target = (here / "store").as_uri(), here / "deep" / "out"
    if how == "client":
        async with create_async_client(url, cache_dir=here / "store" / "cache") as client:
            summary = await client.download_directory("s3://bkt/p/", target)
            return 1 if summary.failed else 2 if summary.skipped else 0
    verb = {"cp": ["cp", "-r"], "sync": ["sync"], "sync --delete": ["sync", "--delete"]}[how]
    return await execute([*verb, "s3://bkt/p/", str(target), "--endpoint-url", url, "--quiet"])


WAYS = ["cp", "sync", "sync --delete", "client"]


@pytest.mark.parametrize("how", WAYS)
async def test_no_key_leaves_the_destination_on_any_way_down(store: DirectoryStore, how: str, tmp_path: Path) -> None:
    for name in OUTWARD:
        await put(store, f"p/{name}")
    await put(store, "p/good", b"good")
    assert await down(how, tmp_path) == 2
    assert everything(tmp_path) == {"deep/out/good": b"good"}


@pytest.mark.parametrize("name", ["..", "."])
async def test_a_name_cannot_leave_the_directory_that_one_object_is_put_into(
    store: DirectoryStore, name: str, tmp_path: Path
) -> None:
    """On Windows a name may hold backslashes besides; the same function knows them."""
    await put(store, f"p/{name}")
    out, url = tmp_path / "deep" / "out", (tmp_path / "store").as_uri()
    out.mkdir(parents=True)
    assert await execute(["cp", f"s3://bkt/p/{name}", f"{out}/", "--endpoint-url", url, "--quiet"]) == 2
    async with create_async_client(url, cache_dir=tmp_path / "store" / "cache") as client:
        with pytest.raises(InvalidInputError, match="cannot be that of a file"):
            await client.download(f"s3://bkt/p/{name}", out)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("how", WAYS)
async def test_names_are_decoded_no_further(store: DirectoryStore, how: str, tmp_path: Path) -> None:
    for name in ODD:
        await put(store, f"p/{name}", name.encode())
    assert await down(how, tmp_path) == 0
    assert everything(tmp_path) == {f"deep/out/{name}": name.encode() for name in ODD}


@pytest.mark.parametrize("how", WAYS)
async def test_the_name_in_the_metadata_names_no_file(store: DirectoryStore, how: str, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    name = "../../../evil"
    await put(store, "p/f", b"data", dg_tool="x", dg_file_sha256=digest, dg_file_size="4", dg_original_name=name)
    assert await down(how, tmp_path) == 0
    assert everything(tmp_path) == {"deep/out/f": b"data"}


@pytest.mark.parametrize("how", WAYS)
async def test_planted_links_are_not_followed(store: DirectoryStore, how: str, tmp_path: Path) -> None:
    out, outside = tmp_path / "deep" / "out", tmp_path / "outside"
    out.mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    os.utime(outside / "victim", (1_000_000, 1_000_000))
    (out / "directory").symlink_to(outside)
    (out / "file").symlink_to(outside / "victim")
    (out / "new").symlink_to(outside / "not there yet")
    for name in ("directory/victim", "directory/planted", "file", "new"):
        await put(store, f"p/{name}")
    assert await down(how, tmp_path) == 2
    assert everything(outside) == {"victim": b"precious"}
    assert (outside / "victim").stat().st_mtime == 1_000_000
    assert stat.S_IMODE((outside / "victim").stat().st_mode) == stat.S_IMODE((out / "file").stat().st_mode)
    for name in ("file", "new"):
        assert not (out / name).is_symlink()
        assert (out / name).read_bytes() == b"evil"


@pytest.mark.parametrize("how", ["sync --delete"])
async def test_a_local_delete_stays_inside_and_takes_files_only(
    store: DirectoryStore, how: str, tmp_path: Path
) -> None:
    out, outside = tmp_path / "deep" / "out", tmp_path / "outside"
    (out / "empty").mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    (out / "directory").symlink_to(outside)
    (out / "link").symlink_to(outside / "victim")
    (out / "above").symlink_to("..")
    os.mkfifo(out / "pipe")
    (out / "old").write_bytes(b"old")
    (tmp_path / "deep" / "beside").write_bytes(b"precious")
    await put(store, "p/good", b"good")
    await down(how, tmp_path)
    assert everything(outside) == {"victim": b"precious"}
    assert (tmp_path / "deep" / "beside").read_bytes() == b"precious"
    assert stat.S_ISFIFO((out / "pipe").stat().st_mode)
    assert not (out / "old").exists()
    assert (out / "directory").is_symlink()
    assert (out / "empty").is_dir()


@pytest.mark.parametrize("name", ["mode", "file-permissions", "dg-mode", "mtime", "uid", "gid"])
async def test_no_mode_or_owner_comes_from_metadata(store: DirectoryStore, name: str, tmp_path: Path) -> None:
    """A set-user-id bit in a bucket must not become one on a disk."""
    await store.put("bkt", "p/f", b"x", sha256=hashlib.sha256(b"x").hexdigest(), metadata={name: "104755"})
    assert await down("cp", tmp_path) == 0
    found = (tmp_path / "deep/out/f").stat()
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(found.st_mode) == 0o666 & ~mask
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


def test_the_root_of_the_file_system_is_a_destination_like_any() -> None:
    root = Destination(Path("/"))
    assert root.refusal("nobody/has/this") == ""
    with pytest.raises(LocalFileError, match="a directory is in its place"):
        root.refusal("tmp")
    assert root.remove("dev/null") == "It is not a file."


async def test_a_link_planted_under_a_temporary_name_is_not_written_through(
    store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name cannot be guessed; should it be, O_EXCL and O_NOFOLLOW refuse."""
    await put(store, "p/f")
    out, victim = tmp_path / "deep" / "out", tmp_path / "victim"
    out.mkdir(parents=True)
    victim.write_bytes(b"precious")
    monkeypatch.setattr("deltaglider.engine.beside.secrets.token_hex", lambda size: "0" * 2 * size)
    (out / f".deltaglider-{'0' * 16}.part").symlink_to(victim)
    assert await down("cp", tmp_path) == 1
    assert victim.read_bytes() == b"precious"
    assert not (out / "f").exists()


async def test_temporary_names_cannot_be_guessed(store: DirectoryStore, tmp_path: Path) -> None:
    await put(store, "p/f")
    names = set()
    with contextlib.suppress(FileNotFoundError):
        for number in range(3):
            target = tmp_path / f"out{number}"
            async with create_async_client((tmp_path / "store").as_uri(), temp_dir=tmp_path / "tmp") as client:
                await client.download("s3://bkt/p/f", target)
                stream = client.stream("s3://bkt/p/f")
                async for _ in stream:
                    names |= {path.name for path in (tmp_path / "tmp").iterdir()}
                    names |= {path.name for path in (tmp_path / "tmp").rglob("*") if path.name != ".lock"}
    assert len(names) == 6  # A directory and a file each.
    assert all(len(name) >= 8 for name in names)
