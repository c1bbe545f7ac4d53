"""D23, D28 to D33, D48: what programs call."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

import pytest

from deltaglider import NotFoundError
from deltaglider.engine.locate import VCDIFF_MAGIC
from tests.engine.world import md5
from tests.rows.material import V1, version
from tests.rows.tool import SECONDS, Tool, same, shows_the_defect

METADATA = {"team": "core"}


async def test_d23_uploads_by_full_name_share_a_reference(tool: Tool) -> None:
    files = {"p/app-1.zip": V1, "p/app-2.zip": version(1), "p/app-3.zip": version(2)}
    for key, data in files.items():
        await tool.sdk_upload(tool.write(key, data), key)
    with shows_the_defect(tool, "nothing saved"):
        assert sum(tool.stored().values()) < 1.5 * len(V1), "nothing saved"
    with shows_the_defect(tool, "(?i)not found"):
        await tool.reads(files)


async def test_d23_files_of_a_batch_share_a_reference(tool: Tool) -> None:
    files = {"app-1.zip": V1, "app-2.zip": version(1), "app-3.zip": version(2)}
    await tool.sdk_upload_batch([tool.write(name, data) for name, data in files.items()], "p/")
    with shows_the_defect(tool, "nothing saved"):
        assert sum(tool.stored().values()) < 1.5 * len(V1), "nothing saved"
    with shows_the_defect(tool, "(?i)not found"):
        await tool.reads({f"p/{name}": data for name, data in files.items()})


@pytest.mark.parametrize("kind", ["file", "BytesIO", "bytearray"])
async def test_d28_bodies_of_every_kind(tool: Tool, kind: str) -> None:
    with shows_the_defect(tool, "Invalid Body parameter"):
        await tool.sdk_put_as(kind, "p/a.zip", V1)
        await tool.reads({"p/a.zip": V1})


async def test_d29_metadata_and_media_type_are_kept(tool: Tool) -> None:
    await tool.put("p/base.zip", V1)
    await tool.sdk_put("p/note.txt", b"hello", metadata=METADATA, content_type="text/x-mine")
    await tool.sdk_put("p/a.zip", version(1), metadata=METADATA, content_type="application/x-mine")
    for key, content_type in {"p/note.txt": "text/x-mine", "p/a.zip": "application/x-mine"}.items():
        with shows_the_defect(tool, "(?i)not found|binary/octet-stream"):
            assert (await tool.sdk_head(key)).content_type == content_type
            assert (await tool.sdk_head(key)).metadata == METADATA


async def test_d30_the_head_of_a_delta_is_that_of_the_file(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    with shows_the_defect(tool, "FileNotFoundError"):
        found = await tool.sdk_head("p/a.zip")
        assert (found.size, found.etag) == (len(version(1)), md5(version(1)))
        assert found.modified


async def test_d31_what_is_read_has_the_etag_and_metadata_of_the_file(tool: Tool) -> None:
    await tool.put("p/base.zip", V1)
    await tool.sdk_put("p/a.zip", version(1), metadata=METADATA)
    found = await tool.sdk_get("p/a.zip")
    same(found.body, version(1))
    with shows_the_defect(tool, "=="):
        assert found.etag == md5(version(1))
    with shows_the_defect(tool, "=="):
        assert found.metadata == METADATA


@pytest.mark.parametrize(("span", "part"), [("bytes=0-9", slice(0, 10)), ("bytes=-10", slice(-10, None))])
async def test_d31_a_range_is_read(tool: Tool, span: str, part: slice) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    found = await tool.sdk_get("p/a.zip", span)
    with shows_the_defect(tool, "=="):
        assert len(found.body) == 10
        same(found.body, version(1)[part])


async def test_d32_reading_leaves_no_file(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1), "p/note.txt": b"hello"})
    before = tool.leftovers()
    for key in ("p/a.zip", "p/note.txt"):
        await tool.sdk_get(key)
    with shows_the_defect(tool, "=="):
        assert tool.leftovers() == before


@pytest.mark.parametrize("key", ["dir/", "a//b.txt", "/lead.txt", "x/..", "a/./b.txt"])
async def test_d33_keys_are_kept_as_they_are(tool: Tool, key: str) -> None:
    with shows_the_defect(tool, "==|OSError|Is a directory|is not in the subpath|NotFound"):
        await tool.sdk_put(key, b"hello")
        assert list(tool.stored()) == [key]
        same((await tool.sdk_get(key)).body, b"hello")


async def test_d48_the_url_of_a_delta_gives_the_file(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    url = await tool.sdk_url("p/a.zip")
    with shows_the_defect(tool, "404"):
        same(await asyncio.to_thread(_fetched, url), version(1))


async def test_d48_there_is_no_url_of_how_an_object_is_stored(tool: Tool) -> None:
    await tool.put_all({"p/base.zip": V1, "p/a.zip": version(1)})
    if tool.is_ours:
        with pytest.raises(NotFoundError, match="ask for that"):
            await tool.sdk_url("p/a.zip.delta")
        return
    url = await tool.sdk_url("p/a.zip.delta")
    with shows_the_defect(tool, "raw delta"):
        assert not (await asyncio.to_thread(_fetched, url)).startswith(VCDIFF_MAGIC), "raw delta"


def _fetched(url: str) -> bytes:
    """What anybody gets; an answer that is no success fails the test."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        raise AssertionError(f"{error.code} for {url}") from None
