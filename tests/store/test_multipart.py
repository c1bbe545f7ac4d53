"""Objects in parts: planned right, bounded in memory, and never left half done."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.config import GIB, MIB, Settings
from deltaglider.errors import (
    AccessDeniedError,
    ChecksumMismatchError,
    LocalFileError,
    NotFoundError,
    PreconditionFailedError,
    StoreError,
    StoreUnavailableError,
)
from deltaglider.store.s3 import S3Store, multipart
from deltaglider.store.s3.multipart import MOST_PARTS, plan_parts
from deltaglider.store.s3.session import S3Session
from tests.contract.tools import md5, noise, sha256
from tests.store.fakes3 import LAST_MODIFIED, FakeS3, Reply, Request, document, refusal

PART = 5 * MIB
PARTS = {"multipart_threshold": PART, "multipart_chunksize": PART}
BODY = noise(3 * PART + 4321)


@given(st.integers(1, 6 * 1024 * GIB), st.integers(5 * MIB, GIB))
def test_parts_are_contiguous_and_few_enough(size: int, part: int) -> None:
    parts = list(plan_parts(size, part))
    assert len(parts) <= MOST_PARTS
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    position = 0
    for _, start, length in parts:
        assert start == position
        position += length
    assert position == size
    lengths = {length for _, _, length in parts[:-1]}
    assert len(lengths) <= 1
    assert all(length >= part for length in lengths)
    assert 0 < parts[-1][2] <= max(part, *lengths, 0)


@pytest.mark.parametrize(
    ("size", "part"), [(9 * MIB, 8 * MIB), (8000 * MIB, 8 * MIB), (12_000 * MIB, 12 * MIB), (64 * GIB, 16 * MIB)]
)
def test_large_objects_have_larger_parts_of_which_four_fit_into_memory(size: int, part: int) -> None:
    session = S3Session(Settings(max_concurrent_requests=8, multipart_chunksize=8 * MIB))
    assert session.part_size(size) == part
    assert session.buffers.total >= 4 * part


class Parts:
    """A store that knows multipart uploads and nothing else."""

    def __init__(self) -> None:
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.begun: list[Request] = []
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.overrides: dict[str, list[Any]] = {}
        self.sums = False

    def refuse(self, name: str, *answers: Any) -> None:
        self.overrides[name] = list(answers)

    async def __call__(self, request: Request) -> Reply:
        planned = self.overrides.get(request.name)
        if planned:
            answer = planned.pop(0)
            if callable(answer):
                answer = await answer(request)
            if answer is not None:
                return answer
        return self.answer(request)

    def answer(self, request: Request) -> Reply:
        upload_id = request.query.get("uploadId", "")
        match request.name:
            case "POST object uploads":
                upload_id = f"u{len(self.begun)}"
                self.begun.append(request)
                self.uploads[upload_id] = {}
                return document(
                    f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
                )
            case "PUT object partNumber uploadId":
                self.uploads[upload_id][int(request.query["partNumber"])] = request.body
                headers = {"ETag": f'"{md5(request.body)}"'}
                if self.sums:
                    headers["x-amz-checksum-crc32"] = f"sum{request.query['partNumber']}"
                return Reply(200, headers=headers)
            case "POST object uploadId":
                return self.complete(request, upload_id)
            case "DELETE object uploadId":
                if self.uploads.pop(upload_id, None) is None:
                    return refusal("NoSuchUpload", 404)
                return Reply(204)
            case "HEAD object":
                if request.key not in self.objects:
                    return Reply(404)
                body, headers = self.objects[request.key]
                return Reply(200, body, {"Last-Modified": LAST_MODIFIED, **headers})
        return Reply(200)

    def complete(self, request: Request, upload_id: str) -> Reply:
        parts = self.uploads.pop(upload_id, None)
        if parts is None:
            return refusal("NoSuchUpload", 404)
        numbers = [int(number) for number in re.findall(r"<PartNumber>(\d+)</PartNumber>", request.body.decode())]
        assert numbers == sorted(parts)
        sums = b"".join(bytes.fromhex(md5(parts[number])) for number in numbers)
        etag = f"{hashlib.md5(sums).hexdigest()}-{len(numbers)}"
        metadata = {name: text for name, text in self.begun[-1].headers.items() if name.startswith("x-amz-meta-")}
        self.objects[request.key] = (b"".join(parts[number] for number in numbers), {"ETag": f'"{etag}"', **metadata})
        return document(f'<CompleteMultipartUploadResult><ETag>"{etag}"</ETag></CompleteMultipartUploadResult>')


PUT_PART, COMPLETE, ABORT = "PUT object partNumber uploadId", "POST object uploadId", "DELETE object uploadId"


async def put(store: S3Store, source: bytes | Path = BODY, **options: Any):
    fields = {"sha256": sha256(BODY), "metadata": {"when": "now"}, **options}
    return await store.put("b", "k", source, **fields)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    return path


async def test_a_file_goes_up_in_parts(file: Path) -> None:
    parts = Parts()
    told: list[int] = []
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        result = await put(
            store, file, moved=told.append, headers={"ContentType": "x/y", "StorageClass": "STANDARD_IA"}
        )
        for request in server.requests:
            if request.name == PUT_PART:
                assert request.headers["content-md5"]
                assert "expect" not in request.headers
    body, headers = parts.objects["k"]
    assert body == BODY
    assert headers["x-amz-meta-when"] == "now"
    assert f'"{result.etag}"' == headers["ETag"]
    assert result.etag.endswith("-4")
    assert sum(told) == len(BODY)
    assert parts.begun[0].headers["content-type"] == "x/y"
    assert parts.begun[0].headers["x-amz-storage-class"] == "STANDARD_IA"
    assert parts.uploads == {}


async def test_bytes_go_up_in_parts_too() -> None:
    parts = Parts()
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        await put(store)
        assert store._session.buffers.held == 0
    assert parts.objects["k"][0] == BODY


async def test_the_store_gets_its_checksums_back() -> None:
    parts = Parts()
    parts.sums = True
    async with FakeS3(parts) as server, server.store(**PARTS, checksums="when_supported") as store:
        await put(store)
        [complete] = [request for request in server.requests if request.name == COMPLETE]
    assert [f"<ChecksumCRC32>sum{n}</ChecksumCRC32>" in complete.body.decode() for n in (1, 2, 3, 4)] == [True] * 4


async def test_each_part_has_the_checksum_that_was_asked_for() -> None:
    async with FakeS3(Parts()) as server, server.store(**PARTS, checksums="when_supported") as store:
        await put(store, headers={"ChecksumAlgorithm": "SHA256"})
        [begun] = [request for request in server.requests if request.name == "POST object uploads"]
        sent = [request for request in server.requests if request.name == PUT_PART]
    assert begun.headers["x-amz-checksum-algorithm"] == "SHA256"
    for part in sent:
        told = {name: text for name, text in part.headers.items() if name.startswith("x-amz-checksum-")}
        assert told == {"x-amz-checksum-sha256": b64encode(hashlib.sha256(part.body).digest()).decode()}
    assert len(sent) == 4


async def test_conditions_are_for_the_end() -> None:
    async with FakeS3(Parts()) as server, server.store(**PARTS) as store:
        await put(store, if_none_match=True)
        await put(store, if_match="abc")
        sent = [
            (r.headers.get("if-none-match"), r.headers.get("if-match")) for r in server.requests if r.name == COMPLETE
        ]
        others = [r for r in server.requests if r.name != COMPLETE and {"if-match", "if-none-match"} & set(r.headers)]
    assert sent == [("*", None), (None, '"abc"')]
    assert others == []


@pytest.mark.parametrize("name", [PUT_PART, COMPLETE])
async def test_an_upload_that_fails_is_aborted(file: Path, name: str) -> None:
    parts = Parts()
    parts.refuse(name, None, refusal("AccessDenied", 403)) if name == PUT_PART else parts.refuse(
        name, refusal("AccessDenied", 403)
    )
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(AccessDeniedError, match="s3://b/k"):
            await put(store, file)
        assert store._session.buffers.held == 0
        assert server.names().count(ABORT) == 1
    assert (parts.uploads, parts.objects) == ({}, {})


async def test_a_file_that_changed_leaves_nothing(file: Path) -> None:
    parts = Parts()
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(ChecksumMismatchError, match=str(file)):
            await put(store, file, sha256=sha256(b"before"))
        assert COMPLETE not in server.names()
    assert (parts.uploads, parts.objects) == ({}, {})


async def test_a_file_cut_short_while_it_is_read_leaves_nothing(file: Path) -> None:
    parts = Parts()

    async def cut(_: Request) -> None:
        file.write_bytes(b"")

    parts.refuse("POST object uploads", cut)
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(ChecksumMismatchError, match=str(file)):
            await put(store, file)
        assert ABORT in server.names()
    assert (parts.uploads, parts.objects) == ({}, {})


async def test_a_file_that_fails_while_it_is_read_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def fail(_: int, buffers: list[memoryview], offset: int) -> int:
        if len(buffers[0]) > 1:  # Not yet when it is opened.
            raise OSError(5, "Input/output error")
        return 1

    parts = Parts()
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        monkeypatch.setattr(os, "preadv", fail)
        with pytest.raises(LocalFileError, match=f"{file}: .*Input/output error"):
            await put(store, file)
        assert ABORT in server.names()
    assert parts.uploads == {}


@pytest.mark.parametrize("name", ["POST object uploads", PUT_PART, COMPLETE])
async def test_a_cancelled_upload_is_aborted(file: Path, name: str) -> None:
    parts = Parts()
    scope = anyio.CancelScope()

    async def cancel(request: Request) -> Reply:
        scope.cancel()
        await asyncio.sleep(0.05)
        # The beginning is seen through; what comes after is cut off, though the store goes on.
        return parts.answer(request) if name == "POST object uploads" else Reply(500)

    parts.refuse(name, cancel)
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with scope:
            await put(store, file)
        assert scope.cancelled_caught
        # Not "last": the server may get to see a part that was cut off only after the abort.
        assert ABORT in server.names()
        assert (store._session.buffers.held, store._session.requests.borrowed_tokens) == (0, 0)
    assert (parts.uploads, parts.objects) == ({}, {})


async def test_an_abort_that_fails_does_not_hide_the_reason(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    parts = Parts()
    parts.refuse(PUT_PART, *[refusal("AccessDenied", 403)] * 9)
    parts.refuse(ABORT, refusal("AccessDenied", 403))
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(AccessDeniedError):
            await put(store, file)
        assert server.names().count(ABORT) == 1
    assert "s3://b/k stays behind" in caplog.text


@pytest.mark.parametrize("failures", [1, 3])
async def test_an_abort_is_tried_again(file: Path, failures: int, caplog: pytest.LogCaptureFixture) -> None:
    """The network that made the upload fail may make the abort fail, and nobody comes back to it."""
    parts = Parts()
    parts.refuse(PUT_PART, *[refusal("AccessDenied", 403)] * 9)
    parts.refuse(ABORT, *[refusal("InternalError", 500)] * failures)
    async with FakeS3(parts) as server, server.store(**PARTS, max_attempts=1) as store:
        with pytest.raises(AccessDeniedError):
            await put(store, file)
        assert server.names().count(ABORT) == min(failures + 1, 3)
    assert (parts.uploads == {}) == (failures < 3)
    assert ("s3://b/k stays behind" in caplog.text) == (failures == 3)


async def test_a_completion_whose_answer_was_lost_counts(file: Path) -> None:
    parts = Parts()

    async def do_and_hang_up(request: Request) -> Reply:
        parts.answer(request)
        return Reply(drop=True)

    parts.refuse(COMPLETE, do_and_hang_up)
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        result = await put(store, file)
        assert ABORT not in server.names()
    assert f'"{result.etag}"' == parts.objects["k"][1]["ETag"]
    assert parts.objects["k"][0] == BODY


async def test_a_repeated_completion_that_finds_no_upload_counts(file: Path) -> None:
    parts = Parts()

    async def do_and_fail(request: Request) -> Reply:
        parts.answer(request)
        return refusal("InternalError", 500)

    parts.refuse(COMPLETE, do_and_fail)
    async with FakeS3(parts) as server, server.store(**PARTS, max_attempts=2) as store:
        await put(store, file)
        assert server.names()[-3:] == [COMPLETE, COMPLETE, "HEAD object"]
    assert parts.objects["k"][0] == BODY


@pytest.mark.parametrize("there", ["nothing", "another size", "other metadata", "another body"])
async def test_a_completion_that_left_nothing_of_ours_is_an_error(file: Path, there: str) -> None:
    parts = Parts()
    foreign = {"ETag": '"x"', "x-amz-meta-when": "now"}
    if there == "another size":
        parts.objects["k"] = (b"short", foreign)
    if there == "other metadata":
        parts.objects["k"] = (BODY, {**foreign, "x-amz-meta-when": "then"})
    if there == "another body":
        parts.objects["k"] = (BODY, {"ETag": '"x"'})
    parts.refuse(COMPLETE, refusal("InternalError", 500))
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(StoreUnavailableError):
            await put(store, file, metadata={} if there == "another body" else {"when": "now"})
        assert server.names()[-1] == ABORT
    assert parts.uploads == {}


async def test_a_condition_that_fails_at_the_end_leaves_what_was_there(file: Path) -> None:
    parts = Parts()
    parts.refuse(COMPLETE, refusal("PreconditionFailed", 412))
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(PreconditionFailedError):
            await put(store, file, if_none_match=True)
        assert "HEAD object" not in server.names()
    assert (parts.uploads, parts.objects) == ({}, {})


async def test_many_uploads_share_one_budget(tmp_path: Path) -> None:
    parts = Parts()
    peak = [0]
    async with FakeS3(parts) as server, server.store(max_concurrent_requests=2, **PARTS) as store:
        buffers = store._session.buffers

        async def look(_: Request) -> None:
            peak[0] = max(peak[0], buffers.held)

        parts.refuse(PUT_PART, *[look] * 99)
        async with anyio.create_task_group() as group:
            for index in range(4):
                path = tmp_path / str(index)
                path.write_bytes(BODY)
                group.start_soon(put, store, path)
        assert buffers.held == 0
    assert peak[0] == 2 * PART
    assert server.names().count(COMPLETE) == 4


async def test_an_object_in_one_piece_stays_within_the_budget(file: Path) -> None:
    parts = Parts()
    settings = {"multipart_threshold": GIB, "multipart_chunksize": PART, "max_concurrent_requests": 2}
    async with FakeS3(parts) as server, server.store(**settings) as store:
        await put(store, file)  # More than the 10 MiB that may be held.
        assert server.names()[0] == "POST object uploads"
    assert parts.objects["k"][0] == BODY


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "COPY_LIMIT", 1000)
    monkeypatch.setattr(multipart, "COPY_PART", 400)


class Copies(Parts):
    """The same with copies of parts of one source."""

    SOURCE = noise(1001)

    def __init__(self) -> None:
        super().__init__()
        self.tags = 0

    def answer(self, request: Request) -> Reply:
        if request.name == "HEAD object" and request.key == "k é+%":
            tags = {"x-amz-tagging-count": str(self.tags)} if self.tags else {}
            headers = {"ETag": '"s1"', "Last-Modified": LAST_MODIFIED, "Content-Type": "x/y", "x-amz-meta-a": "1"}
            return Reply(200, self.SOURCE, {**headers, "Cache-Control": "no-cache", "Expires": "0", **tags})
        if request.name == "GET object tagging":
            return document("<Tagging><TagSet><Tag><Key>k 1</Key><Value>v&amp;1</Value></Tag></TagSet></Tagging>")
        if "x-amz-copy-source-range" in request.headers:
            first, last = map(int, request.headers["x-amz-copy-source-range"].removeprefix("bytes=").split("-"))
            body = self.SOURCE[first : last + 1]
            self.uploads[request.query["uploadId"]][int(request.query["partNumber"])] = body
            return document(f'<CopyPartResult><ETag>"{md5(body)}"</ETag></CopyPartResult>')
        return super().answer(request)


@pytest.mark.usefixtures("small_limits")
async def test_a_big_copy_goes_in_parts_and_keeps_all() -> None:
    copies = Copies()
    copies.tags = 1
    async with FakeS3(copies) as server, server.store() as store:
        result = await store.copy("b", "k é+%", "b", "to")
        sources = {
            (r.headers["x-amz-copy-source"], r.headers["x-amz-copy-source-if-match"])
            for r in server.requests
            if r.name == PUT_PART
        }
    assert copies.objects["to"][0] == copies.SOURCE
    assert result.etag.endswith("-3")
    begun = copies.begun[0].headers
    kept = [begun.get(name) for name in ("x-amz-meta-a", "content-type", "cache-control", "expires", "x-amz-tagging")]
    assert kept == ["1", "x/y", "no-cache", "0", "k+1=v%261"]
    assert sources == {("b/k%20%C3%A9%2B%25", '"s1"')}


@pytest.mark.usefixtures("small_limits")
async def test_a_big_copy_with_new_metadata_keeps_none_of_the_old() -> None:
    copies = Copies()
    async with FakeS3(copies) as server, server.store() as store:
        await store.copy("b", "k é+%", "b", "to", metadata={"new": "2"}, headers={"ContentType": "n/n"})
        assert "GET object tagging" not in server.names()
    begun = copies.begun[0].headers
    assert [begun.get(n) for n in ("x-amz-meta-a", "x-amz-meta-new", "content-type", "cache-control")] == [
        None,
        "2",
        "n/n",
        None,
    ]


@pytest.mark.usefixtures("small_limits")
async def test_a_big_copy_that_fails_is_aborted() -> None:
    copies = Copies()
    copies.refuse(PUT_PART, None, refusal("PreconditionFailed", 412))
    async with FakeS3(copies) as server, server.store() as store:
        with pytest.raises(PreconditionFailedError):
            await store.copy("b", "k é+%", "b", "to")
        assert ABORT in server.names()
    assert (copies.uploads, copies.objects) == ({}, {})


async def test_a_small_copy_is_one_request_and_a_look() -> None:
    def handler(request: Request) -> Reply:
        if request.method == "HEAD":
            headers = {"x-amz-website-redirect-location": "/x", "x-amz-meta-a": "1", "Last-Modified": LAST_MODIFIED}
            return Reply(200, b"x", {"ETag": '"s1"', **headers})
        # Had it another ETag, one more look at the source would tell whether it is a copy of what was asked for.
        return document('<CopyObjectResult><ETag>"s1"</ETag></CopyObjectResult>')

    async with FakeS3(handler) as server, server.store() as store:
        result = await store.copy("b", "k?é+%", "b", "to", headers={"StorageClass": "STANDARD_IA"}, if_match="s1")
        assert result.etag == "s1"
        head, copy = server.requests
        names = ["copy-source", "copy-source-if-match", "metadata-directive", "website-redirect-location"]
        assert [copy.headers[f"x-amz-{name}"] for name in names] == ["b/k%3F%C3%A9%2B%25", '"s1"', "COPY", "/x"]
        assert copy.headers["x-amz-storage-class"] == "STANDARD_IA"
        assert "x-amz-meta-a" not in copy.headers
        with pytest.raises(PreconditionFailedError, match="s3://b/k"):
            await store.copy("b", "k", "b", "to", if_match="other")
        assert head.method == "HEAD"
        assert server.names().count("PUT object") == 1


async def test_dropping_an_upload_that_is_gone_is_fine() -> None:
    parts = Parts()
    async with FakeS3(parts) as server, server.store() as store:
        await store.abort_upload("b", "k", "gone")
        parts.refuse(ABORT, refusal("AccessDenied", 403))
        with pytest.raises(AccessDeniedError):
            await store.abort_upload("b", "k", "gone")


async def test_an_upload_that_cannot_begin_leaves_nothing_to_abort(file: Path) -> None:
    parts = Parts()
    parts.refuse("POST object uploads", refusal("NoSuchBucket", 404))
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(NotFoundError):
            await put(store, file)
        assert server.names() == ["POST object uploads"]


async def test_a_part_that_finds_no_upload_is_no_missing_object(file: Path) -> None:
    parts = Parts()
    parts.refuse(PUT_PART, *[refusal("NoSuchUpload", 404)] * 9)
    async with FakeS3(parts) as server, server.store(**PARTS) as store:
        with pytest.raises(StoreError, match="upload is gone") as caught:
            await put(store, file)
        assert not isinstance(caught.value, NotFoundError)
