"""The methods that count what is saved, and those that save more."""

from __future__ import annotations

from deltaglider.bulk.filters import Filters
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.run import Report, no_report
from deltaglider.client.arguments import place_uri, upload_options
from deltaglider.client.base import ClientBase
from deltaglider.client.means import FilterPairs
from deltaglider.client.sources import Directory, local_path
from deltaglider.engine import stats as counting
from deltaglider.layout.uri import S3Uri, is_s3_uri
from deltaglider.models import Analysis, BucketStats, MigrationSummary, StatsMode


class SavingMethods(ClientBase):
    """What is stored, what that saves, and what could."""

    async def stats(
        self, s3_url: str, *, mode: StatsMode = "detailed", use_cache: bool = True, refresh: bool = False
    ) -> BucketStats:
        """What a bucket or prefix holds and what that costs, references counted.

        A listing tells what is stored; only a look at each delta tells the size of the file it stands for. Figures that
        were counted before are kept in the bucket, and taken if nothing there has changed since, which the listing
        proves.

        Args:
            s3_url: ``s3://bucket`` or ``s3://bucket/prefix``; a bare bucket name will do.
            mode: ``detailed`` looks at every delta and is exact. ``sampled`` looks at three deltas of each deltaspace
                and estimates the others. ``quick`` looks at none: what this machine does not remember is taken to be as
                large as its reference. What is stored is exact in all of them; ``estimated`` tells of the rest.
            use_cache: ``False`` neither takes nor keeps figures in the bucket.
            refresh: Count anew whatever was kept, and keep that.

        Returns:
            The figures.

        Raises:
            BucketNotFoundError: There is no such bucket.
            InvalidInputError: There is no such mode.
        """
        uri = place_uri(s3_url)
        return await counting.stats(
            self._context(), uri.bucket, uri.key, mode=mode, use_cache=use_cache, refresh=refresh
        )

    async def analyze(self, target: Directory, *, sample: int = 3, max_bytes: int = 1 << 30) -> Analysis:
        """What delta storage would save of a bucket, a prefix or a local directory: some files are really encoded.

        Nothing is written to the store.

        Args:
            target: ``s3://bucket/prefix``, or a directory.
            sample: Files of each deltaspace that are encoded, at most, besides the one that would be the reference.
            max_bytes: Bytes read in all, at most. The largest deltaspaces go first.

        Returns:
            The estimate, its range, and what it rests on.

        Raises:
            BucketNotFoundError: There is no such bucket.
            InvalidInputError: The sample would be empty.
            LocalFileError: The directory cannot be listed.
        """
        from deltaglider.bulk.analyze import AnalyzeOptions, analyze  # Imported here: few ask for it.

        place = S3Uri.parse(str(target)) if is_s3_uri(target) else local_path(target)
        return await analyze(self._context(), place, AnalyzeOptions(sample=sample, max_bytes=max_bytes))

    async def migrate(
        self,
        source_url: str,
        target_url: str,
        *,
        filters: FilterPairs = (),
        dryrun: bool = False,
        fail_fast: bool = False,
        delta: bool | None = None,
        max_ratio: float | None = None,
        report: Report = no_report,
    ) -> MigrationSummary:
        """Brings plain objects into delta storage: to another place, or, if both are the same, where they lie.

        Content, metadata, headers and tags are kept; access control lists are not. What the target holds already is
        passed over, so an interrupted migration is run again to finish it. Where they lie, objects stay readable all
        the time: the whole one goes when its delta can be read, and whoever writes it meanwhile wins.

        Args:
            source_url: ``s3://bucket/prefix``; ``p`` and ``p/`` are the same, and mean nothing of ``p2/``.
            target_url: ``s3://bucket/prefix``: names below the source stay as they are below the target.
            filters: As for ``upload_directory``.
            dryrun: Only find out what would be done.
            fail_fast: Begin nothing more after the first failure.
            delta: ``False`` stores all whole. ``None``: the client's setting.
            max_ratio: The largest delta kept, as a share of the file's size. ``None``: the client's setting.
            report: Called with each outcome as it happens.

        Returns:
            What it came to, and what the target now holds and costs, as ``stats`` tells it.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        from deltaglider.bulk.migrate import migrate_tree  # Imported here: few ask for it.

        ctx, source, target = self._context(), S3Uri.parse(source_url), S3Uri.parse(target_url)
        storing = upload_options(delta=delta, max_ratio=max_ratio)
        options = BulkOptions(filters=Filters.of(*filters), dryrun=dryrun, fail_fast=fail_fast)
        return await migrate_tree(ctx, source, target, options, storing=storing, report=report)
