"""This tool, behind the face of ``tests.rows.tool``: its commands run in the test's own process and loop."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from deltaglider import AsyncDeltaGliderClient, create_async_client
from deltaglider.cli.main import execute
from tests.rows.tool import Got, Ran, Tool
from tests.servers import S3Endpoint


class Ours(Tool):
    """Our tool. Variables set for it are those of the test's process."""

    name = "ours"

    def __init__(
        self, endpoint: S3Endpoint, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        super().__init__(endpoint, home)
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._clients: list[AsyncDeltaGliderClient] = []
        self._changed = True
        monkeypatch.chdir(self.here)
        for name, value in {**endpoint.environ(), "DG_TEMP_DIR": str(self.temporary)}.items():
            monkeypatch.setenv(name, value)

    def setenv(self, name: str, value: str | None) -> None:
        self._changed = True
        if value is None:
            self._monkeypatch.delenv(name, raising=False)
        else:
            self._monkeypatch.setenv(name, value)

    def forget(self) -> None:
        self.setenv("DG_CACHE_DIR", str(self._home / f"cache-{next(self._numbers)}"))

    async def run(self, *arguments: str | os.PathLike[str]) -> Ran:
        self._capsys.readouterr()
        code = await execute([os.fspath(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "deltaglider"]

    @property
    def python(self) -> str:
        return sys.executable

    @property
    def environ(self) -> dict[str, str]:
        return dict(os.environ)

    async def put(self, key: str, data: bytes) -> None:
        # Not one client a file: making them takes most of the time.
        await self._client().upload(data, self.url(key))

    async def get(self, key: str) -> bytes:
        body = io.BytesIO()
        await self._client().download(self.url(key), body)
        return body.getvalue()

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def sdk_put(
        self, key: str, body: bytes, *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        more = {"ContentType": content_type} if content_type else {}
        await self._client().put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=metadata or {}, **more)

    async def sdk_put_as(self, kind: str, key: str, body: bytes) -> None:
        source: IO[bytes] | bytearray
        if kind == "bytearray":
            source = bytearray(body)
        else:
            source = self.write("body", body).open("rb") if kind == "file" else io.BytesIO(body)
        await self._client().put_object(Bucket=self.bucket, Key=key, Body=source)
        if not isinstance(source, bytearray):
            source.close()

    async def sdk_upload(self, path: Path, key: str) -> None:
        await self._client().upload(path, self.url(key))

    async def sdk_upload_batch(self, paths: Sequence[Path], prefix: str) -> None:
        await self._client().upload_batch(paths, self.url(prefix))

    async def sdk_get(self, key: str, span: str | None = None) -> Got:
        more = {"Range": span} if span else {}
        found = await self._client().get_object(Bucket=self.bucket, Key=key, **more)
        return _got(found, await found["Body"].read())

    async def sdk_head(self, key: str) -> Got:
        return _got(await self._client().head_object(Bucket=self.bucket, Key=key))

    async def sdk_delete(self, key: str) -> None:
        await self._client().delete_object(Bucket=self.bucket, Key=key)

    async def sdk_page(self, prefix: str, count: int) -> list[str]:
        return await self.sdk_pages(prefix, count, limit=1)

    async def sdk_pages(self, prefix: str, count: int, limit: int) -> list[str]:
        keys: list[str] = []
        token = None
        for _ in range(limit):
            page = await self._client().list_objects(
                Bucket=self.bucket, Prefix=prefix, MaxKeys=count, ContinuationToken=token
            )
            keys += [entry["Key"] for entry in page["Contents"]]
            token = page.get("NextContinuationToken")
            if not page["IsTruncated"]:
                break
        return keys

    async def sdk_url(self, key: str) -> str:
        return (await self._client().presign(self.url(key))).url

    def _client(self) -> AsyncDeltaGliderClient:
        """A client as the environment now says."""
        if self._changed:
            self._clients.append(create_async_client())
            self._changed = False
        return self._clients[-1]


def _got(found: Mapping[str, Any], body: bytes = b"") -> Got:
    return Got(
        body,
        found["ETag"].strip('"'),
        found["ContentType"],
        found["Metadata"],
        found["ContentLength"],
        found["LastModified"].isoformat(),
    )
