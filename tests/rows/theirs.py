"""The real 6.2.0, behind the face of ``tests.rows.tool``: its commands and SDK calls are processes."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.rows.tool import Got, Ran, Tool
from tests.servers import S3Endpoint

VARIABLE = "DG_TEST_PREDECESSOR"
VERSION = "6.2.0"
CACHES = Path("/tmp")
"""Where its caches are, whatever TMPDIR says."""

SDK = Path(__file__).with_name("theirs_sdk.py")


def _caches() -> set[Path]:
    """Its own: eight characters follow the name. Directories of living clients of ours have a longer one."""
    return set(CACHES.glob("deltaglider-????????"))


class Theirs(Tool):
    """The predecessor."""

    name = "theirs"

    def __init__(self, endpoint: S3Endpoint, home: Path, program: Path) -> None:
        super().__init__(endpoint, home)
        self._program = program
        self._caches_before = _caches()
        self._environ = {
            **endpoint.environ(),
            "TMPDIR": str(self.temporary),
            "HOME": str(home),
            "DG_METRICS": "noop",
            "DG_DISABLE_EC2_DETECTION": "1",
        }
        self._environ.pop("PYTHONPATH", None)  # Or it would import this tool.

    def setenv(self, name: str, value: str | None) -> None:
        if value is None:
            self._environ.pop(name, None)
        else:
            self._environ[name] = value

    def forget(self) -> None:
        """It forgets by itself (D15)."""

    async def run(self, *arguments: str | os.PathLike[str]) -> Ran:
        return await (await self.start(*arguments)).ended()

    def leftovers(self) -> list[Path]:
        caches = _caches() - self._caches_before
        return super().leftovers() + [path for cache in caches for path in cache.rglob("*") if path.is_file()]

    async def aclose(self) -> None:
        for cache in _caches() - self._caches_before:
            shutil.rmtree(cache, ignore_errors=True)

    @property
    def command(self) -> list[str]:
        return [str(self._program)]

    @property
    def python(self) -> str:
        return str(self._program.with_name("python"))

    @property
    def environ(self) -> dict[str, str]:
        return self._environ

    async def sdk_put(
        self, key: str, body: bytes, *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        await self._sdk("put", key=key, body=_text(body), metadata=dict(metadata or {}), content_type=content_type)

    async def sdk_put_as(self, kind: str, key: str, body: bytes) -> None:
        await self._sdk("put_as", kind=kind, key=key, body=_text(body))

    async def sdk_upload(self, path: Path, key: str) -> None:
        await self._sdk("upload", path=str(path), url=self.url(key))

    async def sdk_upload_batch(self, paths: Sequence[Path], prefix: str) -> None:
        await self._sdk("upload_batch", paths=[str(path) for path in paths], url=self.url(prefix))

    async def sdk_get(self, key: str, span: str | None = None) -> Got:
        return _got(await self._sdk("get", key=key, span=span))

    async def sdk_head(self, key: str) -> Got:
        return _got(await self._sdk("head", key=key))

    async def sdk_delete(self, key: str) -> None:
        await self._sdk("delete", key=key)

    async def sdk_page(self, prefix: str, count: int) -> list[str]:
        return await self.sdk_pages(prefix, count, limit=1)

    async def sdk_pages(self, prefix: str, count: int, limit: int) -> list[str]:
        return [str(key) for key in await self._sdk("pages", prefix=prefix, count=count, limit=limit)]

    async def sdk_url(self, key: str) -> str:
        return str(await self._sdk("url", key=key))

    async def _sdk(self, verb: str, **arguments: Any) -> Any:
        ran = await self.script(SDK, verb, self.bucket, json.dumps(arguments))
        if ran.code:
            raise AssertionError(f"{verb}: {ran.err}")
        return json.loads(ran.out.splitlines()[-1])


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _got(found: dict[str, Any]) -> Got:
    return Got(
        body=base64.b64decode(found.get("body", "")),
        etag=str(found["etag"]).strip('"'),
        content_type=found.get("content_type"),
        metadata=found["metadata"],
        size=found["size"],
        modified=found.get("modified", ""),
    )
