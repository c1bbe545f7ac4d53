"""The methods that work on many objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from deltaglider.bulk import trees
from deltaglider.bulk.caseconflict import CaseConflict
from deltaglider.bulk.options import Archived
from deltaglider.bulk.run import Report, no_report
from deltaglider.client.arguments import CopyProps, check_sources, check_summable
from deltaglider.client.base import ClientBase
from deltaglider.client.means import FilterPairs, bulk_options, verbs_of
from deltaglider.client.sources import Directory, local_path
from deltaglider.engine.options import Directive
from deltaglider.layout.uri import S3Uri, is_s3_uri
from deltaglider.models import BulkSummary


class TreeMethods(ClientBase):
    """Directories and prefixes as wholes: to and fro, and away."""

    async def upload_directory(
        self,
        directory: Directory,
        s3_url: str,
        *,
        names: Iterable[str] | None = None,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        move: bool = False,
        follow_symlinks: bool = True,
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        guess_content_type: bool = True,
        delta: bool | None = None,
        max_ratio: float | None = None,
        no_overwrite: bool = False,
        preserve: bool = False,
        escape_names: bool = False,
        report: Report = no_report,
    ) -> BulkSummary:
        """Uploads all files of a directory, several at once; one that fails does not stop the others.

        Args:
            directory: The directory.
            s3_url: ``s3://bucket/prefix``, with or without the slash at the end.
            names: Upload only these, relative to the directory, with ``/`` between segments; a missing one is a failure
                of its own. Drawn in a worker thread.
            filters: Pairs of ``"include"`` or ``"exclude"`` and a pattern, as ``aws s3`` takes them: everything starts
                included, the last
                match wins.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            move: Remove from the source what was transferred, each once its target is proven to be there.
            follow_symlinks: Upload what symbolic links lead to.
            metadata: User metadata of every object.
            headers: Headers and write parameters of every object.
            tags: Tags of every object.
            guess_content_type: Keep the media type that each name suggests.
            delta: ``False`` stores all whole. ``None``: the client's setting.
            max_ratio: The largest delta kept, as a share of the file's size. ``None``: the client's setting.
            no_overwrite: Leave alone objects that exist.
            preserve: Keep the time and mode of each file with its object, as the metadata ``mtime`` and ``mode``.
            escape_names: Read names of files as ``download_directory`` writes them with this option.
            report: Called with each outcome as it happens.

        Returns:
            What it came to; ``ok`` tells whether nothing failed.

        Raises:
            LocalFileError: The directory cannot be listed.
        """
        check_summable(headers)
        options = bulk_options(
            filters,
            escape_names=escape_names,
            names=names,
            dryrun=dryrun,
            fail_fast=fail_fast,
            follow_symlinks=follow_symlinks,
            no_overwrite=no_overwrite,
            move=move,
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
            move=move,
        )
        return await trees.upload_tree(verbs, local_path(directory), S3Uri.parse(s3_url), options, report=report)

    async def download_directory(
        self,
        s3_url: str,
        directory: Directory,
        *,
        names: Iterable[str] | None = None,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        move: bool = False,
        no_overwrite: bool = False,
        archived: Archived = "skip",
        preserve: bool = False,
        escape_names: bool = False,
        case_conflict: CaseConflict = "ignore",
        report: Report = no_report,
    ) -> BulkSummary:
        """Downloads all objects of a prefix into a directory; their times become those of the files.

        Args:
            s3_url: ``s3://bucket/prefix``; ``p`` and ``p/`` are the same, and mean nothing of ``p2/``.
            directory: The directory, made if need be. Nothing outside it is touched, whatever the keys say.
            names: Only these objects, by what their keys have behind the prefix; a missing one is a failure of its own.
                Drawn in a worker thread.
            filters: As for ``upload_directory``.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            move: Remove from the source what was transferred, each once its target is proven to be there.
            no_overwrite: Leave alone files that exist.
            archived: What becomes of objects that lie in an archive: ``skip`` with a warning, ``ignore`` without, or
                ``force``: try, and fail where the store refuses.
            preserve: Give each file the time and mode that were kept with its object; the object's time, if none was.
            escape_names: Write what no file can be called everywhere as ``%`` and two hexadecimal digits; uploading
                with this option gives back the keys.
            case_conflict: Downloading, what becomes of objects whose names differ only by case: ``ignore``, ``skip``
                with a warning, ``warn``, or ``error``, which ends the work.
            report: Called with each outcome as it happens.

        Returns:
            What it came to.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        options = bulk_options(
            filters,
            escape_names=escape_names,
            case_conflict=case_conflict,
            names=names,
            dryrun=dryrun,
            fail_fast=fail_fast,
            no_overwrite=no_overwrite,
            archived=archived,
            move=move,
        )
        return await trees.download_tree(
            verbs_of(self._context(), move=move, preserve=preserve),
            S3Uri.parse(s3_url),
            local_path(directory),
            options,
            report=report,
        )

    async def copy_directory(
        self,
        source_url: str,
        target_url: str,
        *,
        names: Iterable[str] | None = None,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        move: bool = False,
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        metadata_directive: Directive | None = None,
        copy_props: CopyProps | None = None,
        delta: bool | None = None,
        max_ratio: float | None = None,
        no_overwrite: bool = False,
        archived: Archived = "skip",
        report: Report = no_report,
    ) -> BulkSummary:
        """Copies all objects of a prefix to another one.

        Args:
            source_url: ``s3://bucket/prefix``.
            target_url: ``s3://bucket/prefix``.
            names: Only these objects, by what their keys have behind the prefix; a missing one is a failure of its own.
                Drawn in a worker thread.
            filters: As for ``upload_directory``.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            move: Remove from the source what was transferred, each once its target is proven to be there.
            metadata: Replaces the user metadata of every object.
            headers: Replace the headers of every object.
            tags: Replace the tags of every object.
            metadata_directive: As for ``copy``.
            copy_props: As for ``copy``.
            delta: ``False`` stores plain files whole. ``None``: the client's setting.
            max_ratio: As for ``upload_directory``.
            no_overwrite: As for ``upload_directory``.
            archived: As for ``download_directory``.
            report: Called with each outcome as it happens.

        Returns:
            What it came to.

        Raises:
            InvalidInputError: Both are the same.
        """
        options = bulk_options(
            filters,
            names=names,
            dryrun=dryrun,
            fail_fast=fail_fast,
            no_overwrite=no_overwrite,
            archived=archived,
            move=move,
        )
        verbs = verbs_of(
            self._context(),
            metadata=metadata,
            headers=headers,
            tags=tags,
            delta=delta,
            max_ratio=max_ratio,
            no_overwrite=no_overwrite,
            metadata_directive=metadata_directive,
            copy_props=copy_props,
            move=move,
        )
        return await trees.copy_tree(verbs, S3Uri.parse(source_url), S3Uri.parse(target_url), options, report=report)

    async def transfer(
        self,
        sources: Iterable[Directory],
        target: Directory,
        *,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        move: bool = False,
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
        """Brings several files, or several objects, to one place, each under its own name.

        Args:
            sources: Files, or ``s3://bucket/key`` URLs; all of one kind.
            target: ``s3://bucket/prefix``; or, for objects, a directory, made if need be.
            filters: As for ``upload_directory``, applied to the names.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            move: Remove each source once its target is proven to be there.
            follow_symlinks: Upload what symbolic links lead to.
            metadata: User metadata of what is stored.
            headers: Headers and write parameters of what is stored.
            tags: Tags of what is stored.
            metadata_directive: Of objects copied, as for ``copy``.
            copy_props: Of objects copied, as for ``copy``.
            guess_content_type: Of files, keep the media type that each name suggests.
            delta: ``False`` stores all whole. ``None``: the client's setting.
            max_ratio: As for ``upload_directory``.
            no_overwrite: Leave alone what the target has.
            archived: As for ``download_directory``.
            preserve: Keep times and modes of files with their objects, and give them back.
            escape_names: As for ``upload_directory`` and ``download_directory``.
            case_conflict: As for ``download_directory``.
            report: Called with each outcome as it happens.

        Returns:
            What it came to. A source that is not there is a failure of its own.

        Raises:
            InvalidInputError: Sources of both kinds, two of one name, or a target that cannot take them.
            BucketNotFoundError: There is no such bucket.
        """
        here, there = [os.fspath(source) for source in sources], os.fspath(target)
        uris = [S3Uri.parse(text) for text in here if is_s3_uri(text)]
        check_sources(here, there, escape_names=escape_names)
        options = bulk_options(
            filters,
            dryrun=dryrun,
            fail_fast=fail_fast,
            move=move,
            follow_symlinks=follow_symlinks,
            no_overwrite=no_overwrite,
            archived=archived,
            escape_names=escape_names,
            case_conflict=case_conflict,
        )
        verbs = verbs_of(
            self._context(),
            preserve=preserve,
            metadata=metadata,
            headers=headers,
            tags=tags,
            delta=delta,
            max_ratio=max_ratio,
            guess_content_type=guess_content_type and not uris,
            no_overwrite=no_overwrite,
            metadata_directive=metadata_directive,
            copy_props=copy_props,
            move=move,
        )
        if not uris:
            check_summable(headers)
            files = [local_path(text) for text in here]
            return await trees.upload_files(verbs, files, S3Uri.parse(there), options, report=report)
        if is_s3_uri(there):
            return await trees.copy_objects(verbs, uris, S3Uri.parse(there), options, report=report)
        return await trees.download_objects(verbs, uris, local_path(there), options, report=report)

    async def delete_directory(
        self,
        s3_url: str,
        *,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        report: Report = no_report,
    ) -> BulkSummary:
        """Deletes all objects of a prefix, and the references that nothing needs any more.

        Args:
            s3_url: ``s3://bucket/prefix``; ``p`` and ``p/`` are the same, and mean nothing of ``p2/``.
            filters: As for ``upload_directory``.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            report: Called with each outcome as it happens.

        Returns:
            What it came to.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        options = bulk_options(filters, dryrun=dryrun, fail_fast=fail_fast)
        return await trees.delete_tree(
            verbs_of(
                self._context(),
            ),
            S3Uri.parse(s3_url),
            options,
            report=report,
        )
