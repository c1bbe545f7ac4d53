"""Is this machine, and this store, fit for the work?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial

from deltaglider.codec.base import Codec
from deltaglider.engine.context import Context
from deltaglider.errors import DeltaGliderError
from deltaglider.files import local_errors
from deltaglider.models import Check


async def examine(ctx: Context, bucket: str | None = None) -> list[Check]:
    """Looks at all that later work rests on.

    Args:
        ctx: The client's parts.
        bucket: A bucket to look into; ``None`` to ask for the list of buckets.

    Returns:
        One check for each part, failed or not; this raises nothing that a check can tell.
    """
    checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        *((codec.label, partial(_codec, ctx, codec)) for codec in ctx.codecs),
        ("cache", lambda: _cache(ctx)),
        ("temporary files", lambda: _spool(ctx)),
        ("store", lambda: _store(ctx, bucket)),
    ]
    results = []
    for name, check in checks:
        try:
            results.append(Check(name, True, await check()))
        except DeltaGliderError as error:
            results.append(Check(name, False, str(error)))
    return results


async def _codec(ctx: Context, codec: Codec) -> str:
    version = await codec.self_test()
    writes = "; it makes the deltas" if ctx.codecs.writer(0, 0) is codec else ""
    return f"version {version} gives back what it is given{writes}"


async def _cache(ctx: Context) -> str:
    count, size = await ctx.thread(ctx.cache.usage)
    return f"{ctx.cache.directory}: {count} references, {size} of {ctx.settings.cache_size} bytes"


async def _spool(ctx: Context) -> str:
    with ctx.spool.file() as path, local_errors(str(path.parent), "the free space cannot be told"):
        free = shutil.disk_usage(path.parent).free
    return f"{ctx.settings.temp_dir or tempfile.gettempdir()}: {free} bytes free"


async def _store(ctx: Context, bucket: str | None) -> str:
    if bucket is None:
        buckets = await ctx.store.list_buckets()
        return f"{ctx.store.identity}: {len(buckets)} buckets"
    async for _ in ctx.store.list_objects(bucket, page_size=1):
        break
    return f"{ctx.store.identity}: the bucket {bucket} can be listed"
