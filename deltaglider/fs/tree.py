"""Directories that are none: what fsspec asks of a tree, answered by listings, which are never remembered."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from fsspec.asyn import sync_wrapper
from fsspec.utils import tokenize

from deltaglider.errors import AlreadyExistsError, NotFoundError
from deltaglider.fs import paths
from deltaglider.fs.base import FileSystemBase
from deltaglider.fs.paths import Info
from deltaglider.models import Prefix
from deltaglider.tasks import map_bounded


class TreeMethods(FileSystemBase):
    """What there is, and what is known of it."""

    async def _info(self, path: str, **kwargs: Any) -> Info:
        path = self._strip_protocol(path)
        if not path:
            return paths.directory("")
        bucket, key = paths.split(path)
        if key:
            with contextlib.suppress(NotFoundError):
                return paths.file(await self._client().head(paths.url(bucket, key)))
        if await self._client().holds(bucket, f"{key}/" if key else "") or not key:
            return paths.directory(path)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    async def _isfile(self, path: str) -> bool:
        return await self._type(path) == "file"

    async def _isdir(self, path: str) -> bool:
        return await self._type(path) == "directory"

    async def _type(self, path: str) -> str:
        """``file``, ``directory`` or nothing. A store that does not answer is an error, not nothing."""
        try:
            return str((await self._info(path))["type"])
        except FileNotFoundError:
            return ""

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Info] | list[str]:
        path = self._strip_protocol(path)
        found = await self._level(path)
        if not found and (info := await self._info(path))["type"] == "file":
            found = [info]
        return found if detail else [info["name"] for info in found]

    async def _walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> AsyncIterator[tuple[str, Any, Any]]:
        heed = _heed if on_error == "omit" else on_error
        async for step in super()._walk(path, maxdepth, topdown=topdown, on_error=heed, **kwargs):
            yield step

    async def _find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        prefix: str = "",
        **kwargs: Any,
    ) -> list[str] | dict[str, Info]:
        if maxdepth is not None and maxdepth < 1:
            raise ValueError("maxdepth must be at least 1")
        path = self._strip_protocol(path)
        found: dict[str, Info] = {}
        with contextlib.suppress(FileNotFoundError):
            if maxdepth is None:
                await self._collect(path, prefix, found)
            else:
                await self._collect_levels(path, prefix, maxdepth, found)
        if not found or (withdirs and path and path not in found):
            with contextlib.suppress(FileNotFoundError):
                info = await self._info(path)
                if path or info["type"] == "file":
                    found[path] = info
        chosen = {name: found[name] for name in sorted(found) if withdirs or found[name]["type"] == "file"}
        return chosen if detail else list(chosen)

    async def _collect(self, path: str, prefix: str, found: dict[str, Info]) -> None:
        """All below a path whose names go on with a prefix; one listing a bucket."""
        if not path:
            for info in await self._level("", prefix):
                found[info["name"]] = info
                await self._collect(info["name"], "", found)
            return
        bucket, key = paths.split(path)
        async for entry in self._client().list(paths.url(bucket, f"{key}/{prefix}" if key else prefix)):
            assert not isinstance(entry, Prefix)
            name = f"{bucket}/{entry.key}"
            for above in paths.above(name, path):
                found.setdefault(above, paths.directory(above))
            if not name.endswith("/"):
                found[name] = paths.file(entry)

    async def _collect_levels(self, path: str, prefix: str, depth: int, found: dict[str, Info]) -> None:
        places = [(path, prefix)]
        for _ in range(depth):
            levels = await map_bounded(
                lambda place: self._level(*place), places, limit=self.settings.max_concurrent_requests
            )
            infos = [info for level in levels for info in level]
            found.update({info["name"]: info for info in infos if info["type"] == "directory"})
            found.update({info["name"]: info for info in infos if info["type"] == "file"})
            places = [(info["name"], "") for info in infos if info["type"] == "directory"]

    async def _level(self, path: str, prefix: str = "") -> list[Info]:
        """What lies directly in a directory and begins with a prefix."""
        if not path:
            return [paths.directory(bucket.name) for bucket in await self._client().buckets(prefix=prefix)]
        bucket, key = paths.split(path)
        within = f"{key}/" if key else ""
        found: list[Info] = []
        async for entry in self._client().list(paths.url(bucket, within + prefix), recursive=False):
            if isinstance(entry, Prefix):
                name = f"{bucket}/{entry.prefix.rstrip('/')}"
                if len(name) > len(path):  # Empty names, as in ``a//b``, are no names of directories.
                    found.append(paths.directory(name))
            elif not entry.key.endswith("/"):  # An object of that name is what other tools keep for the directory.
                found.append(paths.file(entry))
        return found

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        bucket, key = paths.split(self._strip_protocol(path))
        if not key:
            await self._client().make_bucket(bucket, **kwargs)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        bucket, key = paths.split(self._strip_protocol(path))
        if key or (exist_ok and await self._exists(bucket)):
            return
        with contextlib.suppress(*(AlreadyExistsError,) if exist_ok else ()):
            await self._client().make_bucket(bucket)

    async def _rmdir(self, path: str) -> None:
        path = self._strip_protocol(path)
        bucket, key = paths.split(path)
        if not key:
            await self._client().remove_bucket(bucket)
        elif await self._ls(path):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        else:
            await self._client().delete(paths.url(bucket, f"{key}/"), marker=True)

    rmdir = sync_wrapper(_rmdir)

    async def _modified(self, path: str) -> datetime:
        info = await self._info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        modified: datetime = info["LastModified"]
        return modified

    # An object is never changed, only replaced.
    modified = created = sync_wrapper(_modified)

    async def _ukey(self, path: str) -> str:
        info = await self._info(path)
        told = (info["etag"], info["size"]) if info["type"] == "file" else (info["name"],)
        return str(tokenize(*told))

    ukey = sync_wrapper(_ukey)

    def checksum(self, path: str) -> int:
        """A number that changes with the content of an object.

        Args:
            path: ``bucket/key``.

        Returns:
            The number.
        """
        return int(self.ukey(path), 16)


def _heed(error: OSError) -> None:
    """What is gone is left out of a walk; what could not be read is told of."""
    if not isinstance(error, FileNotFoundError):
        raise error
