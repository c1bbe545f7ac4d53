"""``get_object_info``, ``get_bucket_stats``, ``find_similar_files``, ``estimate_compression`` and ``clear_cache``."""

from __future__ import annotations

import heapq
import re
from contextlib import aclosing
from difflib import SequenceMatcher
from typing import Any

from deltaglider.client.arguments import bucket_name
from deltaglider.client.objects import ObjectMethods
from deltaglider.client.saving import SavingMethods
from deltaglider.client.sources import Directory, local_path
from deltaglider.engine.estimate import estimate
from deltaglider.engine.listing import list_objects
from deltaglider.layout.keys import name_of
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BucketStats, CompressionEstimate, ObjectInfo, StatsMode

_LEAST_SIMILARITY = 0.5


class LookMethods(ObjectMethods, SavingMethods):
    """What is there, and what would become of a file."""

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint of the settings; ``None`` for AWS."""
        return self.settings.endpoint_url

    async def get_object_info(self, s3_url: str) -> ObjectInfo:
        """One object without its bytes: ``head``, by its earlier name.

        Args:
            s3_url: ``s3://bucket/key``.

        Returns:
            Its original size, time, metadata and headers, and how it is stored.

        Raises:
            NotFoundError: There is no such object.
        """
        return await self.head(s3_url)

    async def get_bucket_stats(
        self, bucket: str, mode: StatsMode = "quick", use_cache: bool = True, refresh_cache: bool = False
    ) -> BucketStats:
        """What a bucket holds and what that costs: ``stats``, by its earlier name and with its earlier default.

        Args:
            bucket: The bucket.
            mode: ``quick`` estimates the sizes of originals, ``sampled`` looks at a few of them, ``detailed`` at all.
            use_cache: ``False`` neither takes nor keeps figures in the bucket.
            refresh_cache: Count anew whatever was kept, and keep that.

        Returns:
            The figures.

        Raises:
            BucketNotFoundError: There is no such bucket.
            InvalidInputError: There is no such mode.
        """
        return await self.stats(bucket_name(bucket), mode=mode, use_cache=use_cache, refresh=refresh_cache)

    async def find_similar_files(self, bucket: str, prefix: str, filename: str, limit: int = 5) -> list[dict[str, Any]]:
        """The objects whose names resemble a file's the most. Numbers in names, such as versions, count for little.

        It is no preparation for an upload: which reference a file is stored against follows from its key.

        Args:
            bucket: The bucket.
            prefix: Only keys that begin with it.
            filename: The file's name, or its path.
            limit: Objects at most.

        Returns:
            ``Key``, ``Size`` (of the original, in bytes), ``Similarity`` (0.5 to 1) and ``LastModified`` of each, the
            most similar first, and of equals the newest.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        wanted = _Likeness(local_path(filename).name)
        best: list[tuple[float, float, str, ObjectInfo]] = []
        listing = list_objects(self._context(), bucket_name(bucket), prefix)
        async with aclosing(listing) as entries:
            async for entry in entries:
                if isinstance(entry, ObjectInfo) and (similarity := wanted.of(name_of(entry.key))) >= _LEAST_SIMILARITY:
                    heapq.heappush(best, (similarity, entry.last_modified.timestamp(), entry.key, entry))
                    if len(best) > max(0, limit):
                        heapq.heappop(best)
        return [
            {"Key": key, "Size": info.size, "Similarity": similarity, "LastModified": info.last_modified}
            for similarity, _, key, info in sorted(best, reverse=True)
        ]

    async def estimate_compression(
        self, file_path: Directory, bucket: str, prefix: str = "", sample_size: int = 1 << 20
    ) -> CompressionEstimate:
        """What an upload of a file would store. A sample is really encoded; nothing is written to the store.

        ``analyze`` does this for directories and prefixes.

        Args:
            file_path: The file.
            bucket: The bucket it would go to.
            prefix: What its key would have before its own name, with or without the slash at the end.
            sample_size: Bytes of the file that are encoded, at most; they are taken from all over it.

        Returns:
            The estimate.

        Raises:
            BucketNotFoundError: There is no such bucket.
            InvalidInputError: The sample would be empty.
            LocalFileError: The file cannot be read.
        """
        path = local_path(file_path)
        uri = S3Uri(bucket_name(bucket), prefix).child(path.name)
        return await estimate(self._context(), path, uri.bucket, uri.key, sample=sample_size)

    async def clear_cache(self) -> None:
        """Removes all references that are kept on this machine, for all clients that share the cache directory.

        Nothing needs it: what is kept cannot be stale, is proven before each use, and has a bounded size
        (``cache_size``).

        Raises:
            LocalFileError: The cache directory cannot be used, nor a temporary one.
        """
        ctx = self._context()
        await ctx.thread(ctx.cache.clear)


class _Likeness:
    """How much names resemble one."""

    def __init__(self, name: str) -> None:
        # SequenceMatcher keeps what it finds out about its second sequence.
        self._exact = SequenceMatcher(b=name.lower(), autojunk=False)
        self._numberless = SequenceMatcher(b=_numberless(name), autojunk=False)

    def of(self, name: str) -> float:
        """0 to 1: the mean of how much the names and the names without their numbers have in common."""
        self._exact.set_seq1(name.lower())
        self._numberless.set_seq1(_numberless(name))
        return round((self._exact.ratio() + self._numberless.ratio()) / 2, 4)


def _numberless(name: str) -> str:
    return re.sub(r"\d+([._]\d+)*", "0", name.lower())
