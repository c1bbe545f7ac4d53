"""The filesystem: bytes in and out of objects, by fsspec's names."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsspec.asyn import sync, sync_wrapper
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from deltaglider.engine.ranges import Ranges
from deltaglider.errors import NotFoundError, PreconditionFailedError
from deltaglider.fs import paths
from deltaglider.fs.files import AsyncReadFile, AsyncWriteFile, ReadFile, WriteFile
from deltaglider.fs.tree import TreeMethods
from deltaglider.models import BulkSummary

_ATTEMPTS = 5
_MOST_KEYS = 1000


class DeltaGliderFileSystem(TreeMethods):
    """Objects as files: ``dg://bucket/key``. Those stored as deltas are their original files, in each of their bytes.

    What writes takes the keywords of ``upload`` (``metadata``, ``content_type``, ``headers``, ``tags``, ``delta``,
    ``max_ratio``). Errors are those of ``deltaglider.errors``, which are ``FileNotFoundError``, ``PermissionError`` and
    ``FileExistsError`` where that is what they mean.
    """

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        bucket, key = self._object(path)
        if not start and end is None:
            return await self._client().read_all(bucket, key)
        for attempt in range(_ATTEMPTS):
            ranges = await self._client().ranges(bucket, key)
            try:
                return await ranges.read(*_span(start, end, ranges.info.size))
            except (PreconditionFailedError, NotFoundError):
                if attempt == _ATTEMPTS - 1:
                    raise  # Else it was replaced in that moment: look again.
            finally:
                await ranges.aclose()
        raise AssertionError("unreachable")

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        url = paths.url(*self._object(path))
        await self._client().upload(value, url, **_upload_keywords(kwargs), no_overwrite=mode == "create")

    async def _put_file(
        self,
        lpath: str | os.PathLike[str],
        rpath: str,
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **kwargs: Any,
    ) -> None:
        if Path(lpath).is_dir():
            return
        url = paths.url(*self._object(rpath))
        summary = await self._client().upload(lpath, url, **_upload_keywords(kwargs), no_overwrite=mode == "create")
        _tell(callback, summary.original_size)

    async def _get_file(
        self, rpath: str, lpath: str | os.PathLike[str], callback: Callback = DEFAULT_CALLBACK, **kwargs: Any
    ) -> None:
        if Path(lpath).is_dir() and await self._isdir(rpath):
            return
        if Path(lpath).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(lpath))
        try:
            summary = await self._client().download(paths.url(*self._object(rpath)), lpath)
        except (NotFoundError, IsADirectoryError):
            if not await self._isdir(rpath):
                raise
            Path(lpath).mkdir(parents=True, exist_ok=True)
        else:
            _tell(callback, summary.size)

    async def _cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        await self._client().copy(paths.url(*self._object(path1)), paths.url(*self._object(path2)), **kwargs)

    async def _mv_file(self, path1: str, path2: str) -> None:
        await self._client().copy(paths.url(*self._object(path1)), paths.url(*self._object(path2)), move=True)

    async def _rm_file(self, path: str, **kwargs: Any) -> None:
        summary = await self._client().delete(paths.url(*self._object(path)))
        if not summary.deleted:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    async def _rm(
        self,
        path: str | Sequence[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        expanded = await self._expand_path(path, recursive=recursive and maxdepth is not None, maxdepth=maxdepth)
        if "" in expanded:
            raise ValueError("this would delete all buckets: name the one that is meant")
        if recursive and maxdepth is None:
            for each in _tops(expanded):
                await self._rm_tree(each)
        elif len(expanded) == 1:
            await self._rm_file(expanded[0])
        else:
            await self._rm_files(expanded)

    async def _rm_tree(self, path: str) -> None:
        """Deletes an object and all that lies below its name; a bucket with all its objects."""
        bucket, key = paths.split(path)
        client = self._client()
        if not key:
            await client.remove_bucket(bucket, force=True)
            return
        below: BulkSummary = await client.delete_directory(paths.url(bucket, f"{key}/"))
        for failure in below.failures:
            raise failure.error or OSError(failure.message)
        itself = await client.delete(paths.url(bucket, key))
        if not itself.deleted and not below.done:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    async def _rm_files(self, names: Sequence[str]) -> None:
        """Deletes objects; names that are none of an object are passed over."""
        by_bucket: dict[str, list[str]] = {}
        for name in names:
            bucket, key = paths.split(name)
            if key:
                by_bucket.setdefault(bucket, []).append(key)
        for bucket, keys in by_bucket.items():
            for at in range(0, len(keys), _MOST_KEYS):
                batch = [{"Key": key} for key in keys[at : at + _MOST_KEYS]]
                answer = await self._client().delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
                for error in answer.get("Errors", ()):
                    raise OSError(errno.EIO, f"{error['Code']}: {error['Message']}", f"{bucket}/{error['Key']}")

    async def _touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        if not truncate and await self._exists(path):
            raise NotImplementedError("the time of an object is that of its storing: write it again")
        await self._pipe_file(path, b"", **kwargs)

    touch = sync_wrapper(_touch)

    async def _sign(self, path: str, expiration: int = 100, **kwargs: Any) -> str:
        presigned = await self._client().presign(paths.url(*self._object(path)), expires=expiration, **kwargs)
        return presigned.url

    sign = sync_wrapper(_sign)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> ReadFile | WriteFile:
        options: dict[str, Any] = {"block_size": block_size, "autocommit": autocommit, "cache_options": cache_options}
        caching = {name: kwargs.pop(name) for name in ("cache_type", "size") if name in kwargs}
        if mode == "rb":
            return ReadFile(self, path, sync(self.loop, self._ranges, path), **options, **caching, **kwargs)
        staged = sync(self.loop, self._staged, path, mode, kwargs)
        return WriteFile(self, path, mode, staged, **options)

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> AsyncReadFile | AsyncWriteFile:
        """Opens an object for reading or writing that is awaited; nothing is read ahead.

        Args:
            path: ``dg://bucket/key``.
            mode: ``rb``, ``wb``, ``ab`` or ``xb``.
            **kwargs: In writing, keywords of ``upload``.

        Returns:
            The file, an asynchronous context manager.

        Raises:
            ValueError: There is no such mode here; text and compression are for ``open``.
        """
        if "b" not in mode or kwargs.pop("compression", None):
            raise ValueError("only bytes are read and written asynchronously")
        block_size = kwargs.pop("block_size", None)
        path = self._strip_protocol(path)
        if mode == "rb":
            return AsyncReadFile(self, path, await self._ranges(path), block_size=block_size)
        return AsyncWriteFile(self, path, mode, await self._staged(path, mode, kwargs), block_size=block_size)

    async def _ranges(self, path: str) -> Ranges:
        return await self._client().ranges(*self._object(path))

    async def _staged(self, path: str, mode: str, options: dict[str, Any]) -> Any:
        if mode not in ("wb", "ab", "xb"):
            raise NotImplementedError(f"there is no mode {mode!r}: objects are read, or written as a whole")
        if mode == "xb" and await self._exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        return await self._client().stage(*self._object(path), mode=mode, options=options)

    def _object(self, path: str) -> tuple[str, str]:
        """The bucket and key of what must be an object."""
        path = self._strip_protocol(path)
        bucket, key = paths.split(path) if path else ("", "")
        if not key:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return bucket, key


def _span(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    """The bytes that fsspec means: negative numbers count from the end."""
    first, last, _ = slice(start, end).indices(size)
    return first, last


def _tops(names: Sequence[str]) -> list[str]:
    """Of sorted paths, those that lie in no other."""
    tops: list[str] = []
    for name in names:
        if not any(name.startswith(f"{top}/") for top in tops[-1:]):
            tops.append(name)
    return tops


def _upload_keywords(given: dict[str, Any]) -> dict[str, Any]:
    return {"guess_content_type": True, **given}


def _tell(callback: Callback, size: int) -> None:
    callback.set_size(size)
    callback.relative_update(size)
