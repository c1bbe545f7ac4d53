"""The printer for people: the lines of ``aws s3`` on stdout, and on stderr what it came to."""

from __future__ import annotations

import json
from collections.abc import Sequence

from deltaglider.cli.estimates import estimate_lines
from deltaglider.cli.output import Diagnosis, Listed, Printer, Style, Verified
from deltaglider.cli.screen import Screen
from deltaglider.cli.words import count, explain, human_size, local_time, place, printable, whole_place
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

_VERBS = {"mb": "make_bucket", "rb": "remove_bucket", "put-bucket-acl": "ACL updated for bucket"}


class TextPrinter(Printer):
    """Lines for people.

    Args:
        screen: Where they go.
        style: How they look.
    """

    def __init__(self, screen: Screen, style: Style) -> None:
        super().__init__(screen)
        self._style = style

    def outcome(self, outcome: Outcome) -> None:
        """One line: on stdout what was done or planned, on stderr what was not."""
        what = f"{place(outcome.source)} to {place(outcome.target)}" if outcome.target else place(outcome.source)
        if outcome.status == "skipped":
            self.warning(f"Skipping file {whole_place(outcome.source)}. {printable(outcome.message)}")
        elif outcome.status == "failed":
            message = printable(outcome.message)
            if outcome.error is not None:
                message = explain(outcome.error, outcome.source, outcome.target)
            self.screen.err(f"{outcome.action} failed: {what} {message}")
        elif outcome.status == "planned":
            self.screen.out(f"(dryrun) {outcome.action}: {what}", flush=True)
        elif outcome.status == "done" and not self._style.only_errors:
            self.screen.out(f"{outcome.action}: {what}", flush=True)

    def transferred(self, command: str, action: Action, summary: BulkSummary, *, dryrun: bool) -> None:
        """One line: how much, and how much of that was saved. A dry run has told all there is."""
        if not self._style.only_errors and not dryrun:
            self.screen.err(_transferred(action, summary))

    def migrated(self, summary: MigrationSummary, *, dryrun: bool) -> None:
        """One line on stderr, and the figures of the target as ``stats`` prints them."""
        self.transferred("migrate", "migrate", summary, dryrun=dryrun)
        if summary.figures is not None and not self._style.only_errors:
            self.stats(summary.figures)

    def buckets(self, buckets: Sequence[BucketInfo]) -> None:
        """One line a bucket: when it was made, and its name."""
        for bucket in buckets:
            created = local_time(bucket.created) if bucket.created else ""
            self.screen.out(f"{created:<19} {printable(bucket.name)}")

    def page(self, entries: Sequence[ObjectInfo | Prefix]) -> None:
        """First the prefixes, then the objects, as ``aws s3 ls`` has them in each page."""
        for entry in entries:
            if isinstance(entry, Prefix):
                self.screen.out(f"{'PRE':>30} {printable(_last_part(entry.prefix[:-1]))}/")
        for entry in entries:
            if isinstance(entry, ObjectInfo):
                name = entry.key if self._style.full_keys else _last_part(entry.key)
                self.screen.out(f"{local_time(entry.last_modified)} {self._size(entry.size):>10} {printable(name)}")

    def listed(self, listed: Listed) -> None:
        """The totals, if they were asked for."""
        if self._style.totals:
            self.screen.out(f"\nTotal Objects: {listed.objects}\n   Total Size: {self._size(listed.size)}")

    def _size(self, size: int) -> str:
        return human_size(size) if self._style.human_readable else str(size)

    def verified(self, result: VerifyResult) -> None:
        """One line: on stdout for a sound object, on stderr for another."""
        url = place(f"s3://{result.bucket}/{result.key}")
        message = printable(result.message.removeprefix(f"{url}: "))
        if result.state == "unread":
            self.warning(f"{url} could not be read: {message}")
        elif not result.valid:
            self.screen.err(f"verify failed: {url} {message}")
        elif not self._style.only_errors:
            plain = result.state in ("proven", "checked") and result.expected_sha256
            self.screen.out(f"verify: {url}" if plain else f"verify: {url} ({message})", flush=True)

    def verified_all(self, verified: Verified) -> None:
        """One line."""
        if not self._style.only_errors:
            self.screen.err(_verified(verified))

    def stats(self, stats: BucketStats) -> None:
        """A small table; what is estimated is marked."""
        about = "about " if stats.estimated else ""
        rows = [
            ("Objects", f"{stats.object_count}"),
            ("  stored as deltas", f"{stats.delta_objects}"),
            ("  stored whole", f"{stats.direct_objects}"),
            ("References", f"{stats.reference_objects} ({human_size(stats.reference_size)})"),
            ("Original size", f"{about}{_exact(stats.total_size)}"),
            ("Stored size", _exact(stats.compressed_size)),
            ("Saved", f"{about}{human_size(stats.space_saved)} ({stats.savings_percent:.1f} %)"),
        ]
        self.screen.out(place(f"s3://{stats.bucket}/{stats.prefix}"))
        for name, value in rows:
            self.screen.out(f"{name + ':':<20} {value}")

    def analysis(self, analysis: Analysis) -> None:
        """A table of the largest deltaspaces, and what all come to, with what that rests on."""
        for line in estimate_lines(analysis):
            self.screen.out(line)

    def checks(self, checks: Sequence[Check]) -> None:
        """One line a check."""
        for check in checks:
            if not (check.ok and self._style.only_errors):
                self.screen.out(f"{'ok' if check.ok else 'FAILED':<6}  {check.name}: {printable(check.detail)}")

    def finding(self, finding: Finding) -> None:
        """One line on stdout."""
        if self._style.only_errors and not finding.is_open:
            return
        state = "mended" if finding.repaired else "WRONG" if finding.is_open else "note"
        remedy = f". {finding.remedy}" if finding.remedy else ""
        line = f"{state:<6}  {place(finding.uri)}: {finding.message}{remedy} [{finding.code}]"
        self.screen.out(printable(line), flush=True)

    def diagnosed(self, checks: Sequence[Check], diagnosis: Diagnosis | None) -> None:
        """One line, if a bucket was looked into."""
        if diagnosis is not None and not self._style.only_errors:
            self.screen.err(_diagnosed(diagnosis))

    def presigned(self, url: PresignedUrl) -> None:
        """The URL."""
        self.screen.out(printable(url.url))

    def purged(self, summary: PurgeSummary, *, dryrun: bool) -> None:
        """One line. A dry run has told all there is."""
        if not self._style.only_errors and not dryrun:
            self.screen.err(_purged(summary))

    def rescued(self, summary: RescueSummary) -> None:
        """One line on stdout; and a warning, if these are not the bytes that were stored, or nothing proves it."""
        source = place(f"s3://{summary.bucket}/{summary.key}")
        if not (summary.exact and self._style.only_errors):
            self.screen.out(f"rescue: {source} to {place(summary.path)}")
        if not summary.exact:
            self.warning(f"{printable(summary.message)}. SHA-256 of {place(summary.path)}: {summary.sha256}")

    def acl(self, acl: BucketAcl) -> None:
        """A JSON document, as S3 names its parts."""
        self.screen.out(json.dumps({"Owner": dict(acl.owner), "Grants": list(acl.grants)}, indent=4))

    def bucket_done(self, command: str, bucket: str) -> None:
        """One line, where ``aws`` or the predecessor has one."""
        if command in _VERBS and not self._style.only_errors:
            self.screen.out(f"{_VERBS[command]}: {printable(bucket)}")

    def bucket_failed(self, command: str, url: str, error: Exception) -> None:
        """One line on stderr."""
        self.screen.err(f"{_VERBS[command]} failed: {place(url)} {explain(error, url, f'{url}/')}")

    def warning(self, text: str) -> None:
        """One line on stderr."""
        self.screen.err(f"warning: {text}")

    def error(self, error: BaseException, *, label: str, message: str, exit_code: int) -> None:
        """One line on stderr."""
        self.screen.err(f"{label}: {message}")


def _diagnosed(diagnosis: Diagnosis) -> str:
    if not diagnosis.problems and not diagnosis.notes:
        return "All is well"
    mended = f", {diagnosis.repaired} mended" if diagnosis.repaired else ""
    tidied = f", {diagnosis.tidied} tidied" if diagnosis.tidied else ""
    return f"{count(diagnosis.problems, 'problem')}{mended}; {count(diagnosis.notes, 'note')}{tidied}"


def _purged(summary: PurgeSummary) -> str:
    parts = [
        f"Removed {count(summary.removed, 'file')} ({human_size(summary.size)})" if summary.removed else "Nothing to do"
    ]
    parts += [f"{number} {words}" for number, words in ((summary.kept, "kept"), (summary.failed, "failed")) if number]
    return ", ".join(parts)


def _last_part(key: str) -> str:
    return key.rsplit("/", 1)[-1]


def _exact(size: int) -> str:
    return human_size(size) if size < 1024 else f"{human_size(size)} ({size} bytes)"


def _transferred(action: Action, summary: BulkSummary) -> str:
    files = summary.done - summary.deleted
    parts = []
    if files or summary.failed:
        parts.append(f"Completed {count(files, 'file')}{_sizes(action, summary)}")
    if summary.deleted:
        parts.append(f"{'deleted' if parts else 'Deleted'} {count(summary.deleted, 'file')}")
    if not parts:
        parts.append("Nothing to do")
    for number, word in ((summary.unchanged, "unchanged"), (summary.skipped, "skipped"), (summary.failed, "failed")):
        if number:
            parts.append(f"{number} {word}")
    return ", ".join(parts)


def _sizes(action: Action, summary: BulkSummary) -> str:
    if not summary.size:
        return ""
    how = "fetched" if action == "download" else "stored"
    text = f", {human_size(summary.size)} {how} as {human_size(summary.stored)}"
    # A first file adds its reference; a share under a tenth of a percent is nothing to tell.
    return f"{text} ({summary.savings_percent:.1f} % saved)" if summary.savings_percent >= 0.1 else text


def _verified(verified: Verified) -> str:
    what = count(verified.objects, "object")
    if verified.references:
        what += f" and {count(verified.references, 'reference')}"
    sound = verified.proven + verified.read
    if verified.checked and not sound:
        parts = [f"Checked {what}: {verified.checked} complete"]
    else:
        parts = [f"Verified {what}: {sound} sound ({human_size(verified.size)})"]
    for number, words in (
        (verified.earlier, "proven before"),
        (verified.invalid, "not"),
        (verified.unread, "could not be read"),
        (verified.read, "of the sound ones without a recorded hash"),
    ):
        if number:
            parts.append(f"{number} {words}")
    return ", ".join(parts)
