"""The printer for programs: one JSON object a line on stdout, each with its ``type``, a summary last."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import asyncclick

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.output import Diagnosis, Listed, Printer, Verified
from deltaglider.cli.screen import Screen
from deltaglider.cli.words import printable
from deltaglider.models import (
    Action,
    Analysis,
    BucketAcl,
    BucketInfo,
    BucketStats,
    BulkSummary,
    Check,
    Finding,
    MigrationSummary,
    ObjectInfo,
    Outcome,
    Prefix,
    PresignedUrl,
    PurgeSummary,
    RescueSummary,
    VerifyResult,
)

_SAVED = ("object_count", "total_size", "compressed_size", "space_saved", "savings_percent")


class JsonPrinter(Printer):
    """Lines for programs.

    Args:
        screen: Where they go.
        only_errors: Leave out the items that went well.
    """

    def __init__(self, screen: Screen, *, only_errors: bool = False) -> None:
        super().__init__(screen)
        self._only_errors = only_errors

    def _line(self, kind: str, *, flush: bool = False, **fields: Any) -> None:
        self.screen.out(json.dumps({"type": kind, **fields}), flush=flush)

    def outcome(self, outcome: Outcome) -> None:
        """``{"type": "item", "action": ..., "status": ..., "source": ..., "target": ..., ...}``."""
        if not (self._only_errors and outcome.status == "done"):
            self._line("item", flush=True, **outcome.to_dict())

    def transferred(self, command: str, action: Action, summary: BulkSummary, *, dryrun: bool) -> None:
        """The counts; failures were told as items."""
        figures = summary.to_dict()
        figures.pop("failures")
        self._line("summary", command=command, dryrun=dryrun, **figures)

    def migrated(self, summary: MigrationSummary, *, dryrun: bool) -> None:
        """The counts, and of the figures of the target those that tell what is saved."""
        told = summary.to_dict()
        del told["failures"], told["deleted"]
        if told["figures"] is not None:
            told["figures"] = {name: told["figures"][name] for name in _SAVED}
        self._line("summary", command="migrate", dryrun=dryrun, **told)

    def buckets(self, buckets: Sequence[BucketInfo]) -> None:
        """``{"type": "bucket", "name": ..., "created": ...}``, and their number."""
        for bucket in buckets:
            self._line("bucket", **bucket.to_dict())
        self._line("summary", command="ls", buckets=len(buckets))

    def page(self, entries: Sequence[ObjectInfo | Prefix]) -> None:
        """``{"type": "object", "key": ..., "size": ..., ...}`` or ``{"type": "prefix", ...}``."""
        for entry in entries:
            self._line("prefix" if isinstance(entry, Prefix) else "object", **entry.to_dict())

    def listed(self, listed: Listed) -> None:
        """The totals, always."""
        self._line("summary", command="ls", **dataclasses.asdict(listed))

    def verified(self, result: VerifyResult) -> None:
        """``{"type": "verified", "key": ..., "valid": ..., "state": ..., ...}``."""
        if not (self._only_errors and result.valid):
            self._line("verified", flush=True, **result.to_dict())

    def verified_all(self, verified: Verified) -> None:
        """The counts."""
        self._line("summary", command="verify", **verified.to_dict())

    def stats(self, stats: BucketStats) -> None:
        """The figures, which are all there is."""
        self._line("summary", command="stats", **stats.to_dict())

    def analysis(self, analysis: Analysis) -> None:
        """``{"type": "deltaspace", ...}``, the largest first, and what they come to."""
        for space in analysis.spaces:
            self._line("deltaspace", **space.to_dict())
        told = analysis.to_dict()
        del told["spaces"]
        self._line("summary", command="analyze", **told)

    def checks(self, checks: Sequence[Check]) -> None:
        """``{"type": "check", "name": ..., "ok": ..., "detail": ...}``."""
        for check in checks:
            if not (check.ok and self._only_errors):
                self._line("check", **check.to_dict())

    def finding(self, finding: Finding) -> None:
        """``{"type": "finding", "code": ..., "uri": ..., "severity": ..., "repaired": ..., ...}``."""
        if finding.is_open or not self._only_errors:
            self._line("finding", flush=True, **finding.to_dict())

    def diagnosed(self, checks: Sequence[Check], diagnosis: Diagnosis | None) -> None:
        """How many checks failed, and how many findings there were."""
        found = {} if diagnosis is None else {**dataclasses.asdict(diagnosis), "open": diagnosis.open}
        self._line("summary", command="doctor", failed=sum(not check.ok for check in checks), **found)

    def presigned(self, url: PresignedUrl) -> None:
        """A summary alone."""
        self._line("summary", command="presign", **url.to_dict())

    def purged(self, summary: PurgeSummary, *, dryrun: bool) -> None:
        """The counts; failures were told as items."""
        figures = summary.to_dict()
        figures.pop("failures")
        self._line("summary", command="purge", dryrun=dryrun, **figures)

    def rescued(self, summary: RescueSummary) -> None:
        """A summary alone."""
        self._line("summary", command="rescue", **summary.to_dict())

    def acl(self, acl: BucketAcl) -> None:
        """A summary alone."""
        self._line("summary", command="get-bucket-acl", **acl.to_dict())

    def bucket_done(self, command: str, bucket: str) -> None:
        """A summary alone."""
        self._line("summary", command=command, bucket=bucket)

    def bucket_failed(self, command: str, url: str, error: Exception) -> None:
        """An error, as what ends any command early."""
        self.error(error, label=command, message=printable(str(error)), exit_code=ExitCode.FAILED, uri=url)

    def warning(self, text: str) -> None:
        """``{"type": "warning", "message": ...}``."""
        self._line("warning", message=text)

    def error(self, error: BaseException, *, label: str, message: str, exit_code: int, uri: str | None = None) -> None:
        """``{"type": "error", "code": ..., "message": ..., "uri": ..., "exit_code": ...}``."""
        code = "usage" if isinstance(error, asyncclick.ClickException) else getattr(error, "code", "error")
        uri = uri or getattr(error, "uri", None)
        self._line("error", code=code, message=message, uri=uri, exit_code=int(exit_code))
