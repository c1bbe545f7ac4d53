"""Tags, and copies under a condition on their target."""

from __future__ import annotations

import pytest

from deltaglider.errors import NotFoundError, PreconditionFailedError
from tests.contract.tools import Box

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")

TAGS = {"team": "core", "a b": "x+y=z"}
TAGGING = "team=core&a+b=x%2By%3Dz"


async def test_what_is_put_with_tags_has_them_and_what_is_put_without_has_none(box: Box) -> None:
    await box.put("k", b"body", headers={"Tagging": TAGGING, "ContentType": "text/x"})
    info = await box.head("k")
    assert (info.tag_count, info.headers["ContentType"]) == (2, "text/x")
    assert "Tagging" not in info.headers
    assert await box.store.tags(box.bucket, "k") == TAGS
    await box.put("k", b"body")
    assert (await box.head("k")).tag_count == 0
    assert await box.store.tags(box.bucket, "k") == {}


async def test_tags_are_replaced_as_a_whole(box: Box) -> None:
    await box.put("k", b"body", metadata={"a": "1"}, headers={"Tagging": "old=1"})
    await box.store.set_tags(box.bucket, "k", TAGS)
    assert await box.store.tags(box.bucket, "k") == TAGS
    assert (await box.head("k")).metadata == {"a": "1"}
    await box.store.set_tags(box.bucket, "k", {})
    assert await box.store.tags(box.bucket, "k") == {}


async def test_what_is_absent_has_no_tags_and_gets_none(box: Box) -> None:
    with pytest.raises(NotFoundError):
        await box.store.tags(box.bucket, "k")
    with pytest.raises(NotFoundError):
        await box.store.set_tags(box.bucket, "k", TAGS)


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("metadata", [None, {"new": "1"}])
@pytest.mark.parametrize(
    ("headers", "expected"), [({}, {"old": "1"}), ({"Tagging": "new=2"}, {"new": "2"}), ({"Tagging": ""}, {})]
)
async def test_a_copy_has_the_tags_of_its_source_or_those_it_is_given(
    box: Box, metadata: dict[str, str] | None, headers: dict[str, str], expected: dict[str, str]
) -> None:
    await box.put("k", b"body", headers={"Tagging": "old=1"})
    await box.store.copy(box.bucket, "k", box.bucket, "copy", metadata=metadata, headers=headers)
    assert await box.store.tags(box.bucket, "copy") == expected
    assert (await box.head("copy")).metadata == (metadata or {})


@pytest.mark.endpoints("directory", "moto")
async def test_a_copy_may_be_held_to_an_absent_target(box: Box) -> None:
    await box.put("k", b"body")
    await box.store.copy(box.bucket, "k", box.bucket, "copy", if_none_match=True)
    assert await box.read("copy") == b"body"
    await box.put("k", b"other")
    with pytest.raises(PreconditionFailedError):
        await box.store.copy(box.bucket, "k", box.bucket, "copy", metadata={}, if_none_match=True)
    assert await box.read("copy") == b"body"
