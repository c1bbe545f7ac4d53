"""The methods that look at many objects: they list, prove and examine."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from datetime import timedelta

from deltaglider.client.base import ClientBase
from deltaglider.client.sources import Directory, local_path
from deltaglider.engine import listing
from deltaglider.findings import LEFTOVER_AGE
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Check, Finding, ObjectInfo, Prefix, VerifyResult


class LookingMethods(ClientBase):
    """Prefixes and buckets as wholes: what is in them, and whether it is sound."""

    async def list(
        self, s3_url: str, *, recursive: bool = True, start_after: str = ""
    ) -> AsyncIterator[ObjectInfo | Prefix]:
        """The objects whose keys begin with what the URL says, in the byte order of keys, with their original sizes.

        Args:
            s3_url: ``s3://bucket/prefix``; the prefix is a string, not a directory.
            recursive: ``False`` stops at the next slash and gives a ``Prefix`` for what lies deeper.
            start_after: Only keys after this one.

        Yields:
            Objects and prefixes.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        uri = S3Uri.parse(s3_url)
        delimiter = "" if recursive else "/"
        entries = listing.list_objects(
            self._context(), uri.bucket, uri.key, delimiter=delimiter, start_after=start_after
        )
        async for entry in entries:
            yield entry

    async def verify_directory(
        self,
        s3_url: str,
        *,
        quick: bool = False,
        resume: bool = False,
        older_than: timedelta | float | None = None,
        record: Directory | None = None,
    ) -> AsyncIterator[VerifyResult]:
        """Reads back every object of a prefix, as ``verify`` does one; each reference is read once.

        What is proven is recorded in the cache directory, so that an interrupted run can be resumed and a later one
        pass over what was proven lately.

        Args:
            s3_url: ``s3://bucket/prefix``; the prefix is a string, not a directory.
            quick: Only look whether what is recorded of each fits together and its reference is there; read no bytes.
            resume: Go on where the last run of the same URL was interrupted. If it was not, begin anew.
            older_than: Pass over what was proven within this time; a number is one of seconds. Of those, only that they
                and their references are there is checked.
            record: The file to record in, in place of one in the cache directory.

        Yields:
            What was proven of each, in the order of keys. One that could not be read is a result, too.

        Raises:
            BucketNotFoundError: There is no such bucket.
            LocalFileError: The record was asked for and cannot be kept.
        """
        from deltaglider.bulk.verify import VerifyOptions, verify_tree

        age = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        path = local_path(record) if record is not None else None
        options = VerifyOptions(quick=quick, resume=resume, older_than=age, record=path)
        ctx, uri = self._context(), S3Uri.parse(s3_url)
        async with aclosing(verify_tree(ctx, uri.bucket, uri.key, options)) as results:
            async for result in results:
                yield result

    async def doctor(self, s3_url: str | None = None) -> builtins.list[Check]:
        """Looks whether this machine and the store are fit for the work: xdelta3, cache, temporary files, store.

        Args:
            s3_url: A bucket to look into.

        Returns:
            One check a part, failed or not.

        Raises:
            InvalidUriError: The URL names no bucket.
        """
        from deltaglider.engine.doctor import examine  # Imported here: much of it, and few ask for it.

        bucket = S3Uri.parse(s3_url).bucket if s3_url is not None else None
        return await examine(self._context(), bucket)

    async def survey(
        self,
        s3_url: str,
        *,
        repair: bool = False,
        quick: bool = False,
        sources: Iterable[Directory] = (),
        older_than: float = LEFTOVER_AGE,
    ) -> AsyncIterator[Finding]:
        """Looks through a bucket or prefix for what is lost, damaged or left over; and mends it, if that is asked for.

        Nothing is removed that anything in the bucket could still need, and nothing before it is proven that it is not
        needed. Other clients may go on writing meanwhile.

        Args:
            s3_url: ``s3://bucket`` or ``s3://bucket/prefix``; ``p`` and ``p/`` are the same, and mean nothing of
                ``p2/``.
            repair: Mend what can be mended; else only tell of it.
            quick: Look at metadata and presence only. Otherwise every object is read, and proven.
            sources: Files, and directories of files, that may hold the bytes of lost references.
            older_than: Seconds. Leftovers younger than that may belong to work that goes on, and are left alone.

        Yields:
            What was found; ``is_open`` tells whether something is wrong and not mended.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        from deltaglider.engine.doctor import Survey, survey

        ctx, uri = self._context(), S3Uri.parse(s3_url)
        prefix = uri.as_directory().key if uri.key else ""
        asked = Survey(repair, quick, older_than, tuple(local_path(source) for source in sources))
        async with aclosing(survey(ctx, uri.bucket, prefix, asked)) as findings:
            async for finding in findings:
                yield finding
