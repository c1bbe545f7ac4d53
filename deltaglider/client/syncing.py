"""The method that makes one tree like another."""

from __future__ import annotations

import os
from collections.abc import Mapping

from deltaglider.bulk import trees
from deltaglider.bulk.caseconflict import CaseConflict
from deltaglider.bulk.guard import DeleteLimit
from deltaglider.bulk.options import Archived, BulkOptions
from deltaglider.bulk.run import Report, no_report
from deltaglider.bulk.verbs import Verbs
from deltaglider.client.arguments import CopyProps, check_summable
from deltaglider.client.base import ClientBase
from deltaglider.client.means import FilterPairs, bulk_options, verbs_of
from deltaglider.client.sources import Directory, local_path
from deltaglider.engine.options import Directive
from deltaglider.errors import InvalidInputError
from deltaglider.layout.uri import S3Uri, is_s3_uri
from deltaglider.models import BulkSummary


class SyncMethods(ClientBase):
    """Trees held against each other."""

    async def sync(
        self,
        source: Directory,
        target: Directory,
        *,
        delete: bool = False,
        max_delete: int | str | None = None,
        force: bool = False,
        filters: FilterPairs = (),
        dryrun: bool = False,
        size_only: bool = False,
        exact_timestamps: bool = False,
        checksum: bool = False,
        fail_fast: bool = False,
        follow_symlinks: bool = True,
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        metadata_directive: Directive | None = None,
        copy_props: CopyProps | None = None,
        guess_content_type: bool = True,
        delta: bool | None = None,
        max_ratio: float | None = None,
        no_overwrite: bool = False,
        archived: Archived = "skip",
        preserve: bool = False,
        escape_names: bool = False,
        case_conflict: CaseConflict = "ignore",
        report: Report = no_report,
    ) -> BulkSummary:
        """Makes a target hold what a source holds, as ``aws s3 sync``: sizes and times decide what is transferred.

        Args:
            source: A directory or ``s3://bucket/prefix``.
            target: The other kind, or another prefix.
            delete: Delete what only the target has. What filters exclude is left alone. If the source is empty, nothing
                is deleted, and that counts as a failure.
            max_delete: Delete nothing, which counts as a failure, if more than this would be deleted: a number, or a
                share of what the target holds, such as ``"10%"``. Transfers are done all the same.
            force: Delete everything if the source is empty.
            filters: As for ``upload_directory``.
            dryrun: Only find out what would be done.
            size_only: Sizes alone decide.
            exact_timestamps: Downloading, any difference of the times counts.
            checksum: Of files of one size, let the content decide and not the times: the SHA-256 where it is recorded,
                else the MD5 where the ETag is one, else size and time. Not with the two before.
            fail_fast: Begin nothing more after the first failure.
            follow_symlinks: Upload what symbolic links lead to.
            metadata: User metadata of what is stored.
            headers: Headers and write parameters of what is stored.
            tags: Tags of what is stored.
            metadata_directive: Between prefixes, as for ``copy``.
            copy_props: Between prefixes, as for ``copy``.
            guess_content_type: Keep the media type that each name suggests.
            delta: ``False`` stores all whole. ``None``: the client's setting.
            max_ratio: As for ``upload_directory``.
            no_overwrite: Transfer nothing that the target has, however it differs.
            archived: As for ``download_directory``.
            preserve: Keep times and modes of files with their objects, and give them back. Files are compared by their
                sizes and, where they are known, these times.
            escape_names: As for ``upload_directory`` and ``download_directory``.
            case_conflict: Downloading, what becomes of objects whose names differ only by case: ``ignore``, ``skip``
                with a warning, ``warn``, or ``error``, which ends the work.
            report: Called with each outcome as it happens.

        Returns:
            What it came to.

        Raises:
            InvalidInputError: Both are local, or both the same; or ``checksum`` shall decide, and another rule.
            StoreError: A listing failed; then nothing was deleted.
        """
        rules = {"size_only": size_only, "exact_timestamps": exact_timestamps, "checksum": checksum}
        options = bulk_options(
            filters,
            escape_names=escape_names,
            case_conflict=case_conflict,
            dryrun=dryrun,
            fail_fast=fail_fast,
            follow_symlinks=follow_symlinks,
            preserve=preserve,
            delete=delete,
            max_delete=DeleteLimit.of(max_delete) if max_delete is not None else None,
            force=force,
            **rules,
            no_overwrite=no_overwrite,
            archived=archived,
        )
        verbs = verbs_of(
            self._context(),
            preserve=preserve,
            metadata=metadata,
            headers=headers,
            tags=tags,
            delta=delta,
            max_ratio=max_ratio,
            guess_content_type=guess_content_type,
            no_overwrite=no_overwrite,
            metadata_directive=metadata_directive,
            copy_props=copy_props,
        )
        return await _sync(verbs, os.fspath(source), os.fspath(target), options, report, headers)


async def _sync(
    verbs: Verbs, here: str, there: str, options: BulkOptions, report: Report, headers: Mapping[str, str] | None
) -> BulkSummary:
    if is_s3_uri(here) and is_s3_uri(there):
        return await trees.sync_across(verbs, S3Uri.parse(here), S3Uri.parse(there), options, report=report)
    if is_s3_uri(there):
        check_summable(headers)
        return await trees.sync_up(verbs, local_path(here), S3Uri.parse(there), options, report=report)
    if is_s3_uri(here):
        return await trees.sync_down(verbs, S3Uri.parse(here), local_path(there), options, report=report)
    raise InvalidInputError(
        f"neither {here!r} nor {there!r} is an s3:// URI", remedy="Write one of them as s3://bucket/prefix"
    )
