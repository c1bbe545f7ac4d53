"""``delete_objects_recursive``."""

from __future__ import annotations

import dataclasses
from typing import Any

from deltaglider.bulk.trees import delete_tree
from deltaglider.bulk.verbs import engine_verbs
from deltaglider.client.arguments import bucket_name
from deltaglider.client.base import ClientBase
from deltaglider.client.boto.exceptions import client_errors, response_metadata
from deltaglider.engine.delete import delete
from deltaglider.engine.retire import Retirement
from deltaglider.errors import BucketNotFoundError, DeltaGliderError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import DeleteSummary


class DeleteMethods(ClientBase):
    """Places emptied."""

    async def delete_objects_recursive(self, Bucket: str, Prefix: str) -> dict[str, Any]:
        """Deletes the object of a name, and all below it; and the references that nothing needs any more.

        ``delete_directory`` has more to say.

        Args:
            Bucket: The bucket.
            Prefix: A key, and a directory: ``p`` and ``p/`` mean nothing of ``p2/``, and only ``p`` means the object
                of that key. Empty for all of the bucket.

        Returns:
            ``DeletedCount`` and ``FailedCount`` of objects; ``DeltaGliderInfo`` with ``DeltasDeleted``,
            ``DirectDeleted``, ``ReferencesDeleted``, ``OtherDeleted`` (always 0) and, if the prefix was an object,
            ``SingleDeletes``; ``Errors`` and ``Warnings`` as texts, if there are any.

        Raises:
            ClientError: ``NoSuchBucket``, or the listing failed.
        """
        with client_errors("DeleteObjects", Bucket):
            return await self._emptied(S3Uri(bucket_name(Bucket), Prefix))

    async def _emptied(self, place: S3Uri) -> dict[str, Any]:
        ctx, retirement, counted = self._context(), Retirement(), _Counted()

        async def counting(uri: S3Uri) -> DeleteSummary:
            return counted.take(await delete(ctx, uri.bucket, uri.key, retirement=retirement))

        if not place.is_directory:
            try:
                summary = await counting(place)
            except BucketNotFoundError:
                raise
            except DeltaGliderError as error:
                counted.errors.append(str(error))
            else:
                counted.single = summary if summary.deleted else None
        verbs = dataclasses.replace(engine_verbs(ctx, retirement=retirement), delete=counting)
        summary_of_all = await delete_tree(verbs, place)
        return counted.answer(
            deleted=summary_of_all.deleted,
            errors=[failure.message for failure in summary_of_all.failures],
            failed=summary_of_all.failed,
            references=retirement.removed,
        )


class _Counted:
    """What a call has deleted one by one; the others were plain."""

    def __init__(self) -> None:
        self.deltas = 0
        self.errors: list[str] = []
        self.single: DeleteSummary | None = None

    def take(self, summary: DeleteSummary) -> DeleteSummary:
        self.deltas += summary.was_delta
        return summary

    def answer(self, *, deleted: int, failed: int, errors: list[str], references: int) -> dict[str, Any]:
        """In the words of the retired SDK."""
        count = deleted + (self.single is not None)
        told: dict[str, Any] = {
            "DeltasDeleted": self.deltas,
            "ReferencesDeleted": references,
            "DirectDeleted": count - self.deltas,
            "OtherDeleted": 0,
        }
        if self.single is not None:
            kind = "delta" if self.single.was_delta else "direct"
            told["SingleDeletes"] = [{"Key": self.single.key, "Type": kind, "DependentDeltas": 0, "Warnings": []}]
        errors = self.errors + errors
        return {
            "ResponseMetadata": response_metadata(200),
            "DeletedCount": count,
            "FailedCount": failed + len(self.errors),
            "DeltaGliderInfo": told,
            **({"Errors": errors} if errors else {}),
        }
