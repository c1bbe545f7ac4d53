"""The methods for handing objects to others, and for tidying up after that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from deltaglider.bulk.purge import purge
from deltaglider.bulk.run import Report, no_report
from deltaglider.client.arguments import bucket_name, object_uri
from deltaglider.client.base import ClientBase
from deltaglider.engine.presign import presign
from deltaglider.errors import InvalidInputError
from deltaglider.models import PresignedUrl, PurgeSummary
from deltaglider.store.base import HEADER_NAMES

_RESPONSE_HEADERS = frozenset(HEADER_NAMES) - {"WebsiteRedirectLocation"}


class SharingMethods(ClientBase):
    """URLs for those who have no credentials."""

    async def presign(
        self, s3_url: str, *, expires: int = 3600, response_headers: Mapping[str, str] | None = None
    ) -> PresignedUrl:
        """A URL that gives the original bytes of an object to anyone, for a while.

        For an object stored as a delta, its file is put into the bucket under ``.deltaglider/tmp/``, with its own name,
        media type and metadata; it is used again while it is there, and ``purge`` removes it when its time is over. Of
        a key under which nothing is stored the URL is made all the same, as ``aws s3 presign`` does.

        Args:
            s3_url: ``s3://bucket/key``.
            expires: Seconds the URL is valid, 1 to 604800; it also ends with the credentials it was signed with.
            response_headers: Headers of the answer that are to differ from the stored ones, by boto3's names
                (``ContentType``, ``ContentDisposition``, ...).

        Returns:
            The URL.

        Raises:
            InvalidInputError: The URL names no object, or ``expires`` or a header cannot mean anything.
            NotFoundError: What lies there is DeltaGlider's own.
            NotSupportedError: The embedded store has no URLs.
            IntegrityError: The file cannot be had.
        """
        uri = object_uri(s3_url, marker=True)
        for name in response_headers or {}:
            if name not in _RESPONSE_HEADERS:
                raise InvalidInputError(
                    f"{name!r} is no header that an answer can be told to have",
                    remedy=f"Give {', '.join(sorted(_RESPONSE_HEADERS))}",
                )
        parameters = {f"Response{name}": value for name, value in (response_headers or {}).items()}
        return await presign(self._context(), uri.bucket, uri.key, expires=expires, parameters=parameters)

    async def purge(
        self,
        bucket: str,
        *,
        older_than: float | timedelta = timedelta(days=1),
        dryrun: bool = False,
        report: Report = no_report,
    ) -> PurgeSummary:
        """Removes the files made for presigned URLs whose time is over, and what else is left over in their place.

        Nothing is removed whose time is not over, and nothing outside ``.deltaglider/tmp/`` at the bucket's root.

        Args:
            bucket: Its name, or ``s3://name``.
            older_than: How old a thing has to be of which nothing says how long it stays, and an upload in parts that
                was not completed; in seconds, if it is a number.
            dryrun: Only find out what would be removed.
            report: Called with each outcome as it happens.

        Returns:
            What it came to.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        seconds = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        return await purge(self._context(), bucket_name(bucket), older_than=seconds, dryrun=dryrun, report=report)
