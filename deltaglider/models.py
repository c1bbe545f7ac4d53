"""What users get back: plain frozen values, sizes in bytes, times in UTC."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from deltaglider.earlier import CompressionEstimate as CompressionEstimate
from deltaglider.earlier import EarlierNames
from deltaglider.earlier import ListObjectsResponse as ListObjectsResponse
from deltaglider.figures import Analysis as Analysis
from deltaglider.figures import BucketStats as BucketStats
from deltaglider.figures import SpaceEstimate as SpaceEstimate
from deltaglider.figures import StatsMode as StatsMode
from deltaglider.findings import Check as Check
from deltaglider.findings import Finding as Finding
from deltaglider.findings import RescueSummary as RescueSummary
from deltaglider.findings import Severity as Severity
from deltaglider.findings import VerifyResult as VerifyResult
from deltaglider.findings import VerifyState as VerifyState
from deltaglider.late import dataclass
from deltaglider.records import Record, percent_saved

_MB = 1024 * 1024

UploadOperation = Literal["create_reference", "create_delta", "upload_direct"]


@dataclass(frozen=True, slots=True)
class UploadSummary(Record):
    """What one upload stored.

    Attributes:
        operation: ``create_reference`` (the first file of its deltaspace: stored whole, plus a delta of some hundred
            bytes), ``create_delta``, or ``upload_direct`` (stored whole, as it is).
        bucket: The bucket.
        key: The object's key, as users name it.
        original_size: Bytes of the file.
        stored_size: Bytes this upload added to the bucket.
        is_delta: Whether the file is a delta against a reference that was there before.
        delta_ratio: Bytes of the delta by bytes of the file; 0.0 where there is no delta.
        sha256: Of the file, in hex.
        etag: Of the object, as ``head`` and ``list`` give it: MD5 in hex where the object is a delta.
        version_id: Of what was stored, where the bucket keeps versions.
    """

    operation: UploadOperation
    bucket: str
    key: str
    original_size: int
    stored_size: int
    is_delta: bool
    delta_ratio: float = 0.0
    sha256: str = ""
    etag: str = ""
    version_id: str | None = None

    @property
    def url(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def original_size_mb(self) -> float:
        """MiB of the file."""
        return self.original_size / _MB

    @property
    def stored_size_mb(self) -> float:
        """MiB this upload added to the bucket."""
        return self.stored_size / _MB

    @property
    def savings_percent(self) -> float:
        """Percent of the file's size that was not stored, to two decimals; slightly negative for a first file."""
        return percent_saved(self.stored_size, self.original_size)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with ``savings_percent``."""
        return {**Record.to_dict(self), "savings_percent": self.savings_percent}


@dataclass(frozen=True, slots=True)
class DownloadSummary(Record):
    """What one download brought.

    Attributes:
        bucket: The bucket.
        key: The object's key.
        path: The file written; ``None`` where the target was a stream.
        size: Bytes of the file.
        fetched: Bytes that came over the network for it: a delta's, and its reference's where that was not cached.
        sha256: Of the file, in hex.
        verified: Whether a recorded hash was there to compare with; objects of other tools may have none.
    """

    bucket: str
    key: str
    path: str | None
    size: int
    fetched: int
    sha256: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ObjectInfo(EarlierNames, Record):
    """One object, as users see it.

    Attributes:
        bucket: The bucket.
        key: The key.
        size: Bytes of the original file.
        last_modified: When it was stored.
        etag: Its ETag without quotes.
        storage_class: As S3 names it.
        stored_size: Bytes it takes in the bucket, its share of a reference not counted.
        is_delta: Whether it is stored as a delta.
        stored_key: The key it is stored under.
        sha256: Of the original file in hex; empty where none is recorded, or where a listing did not ask for it.
        content_type: The media type; ``None`` in listings of whole objects.
        headers: The other HTTP headers kept with it, by boto3's names (``CacheControl``, ...).
        metadata: The user's own metadata.
        reference_key: Key of the reference of a delta.
        archived: Whether it lies in an archive and has to be restored before it can be read. A listing does not tell
            what was restored.
    """

    bucket: str
    key: str
    size: int
    last_modified: datetime
    etag: str
    storage_class: str = "STANDARD"
    stored_size: int = 0
    is_delta: bool = False
    stored_key: str = ""
    sha256: str = ""
    content_type: str | None = None
    # Not hashed: equal objects have equal keys and ETags, and mappings have no hash.
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    reference_key: str | None = None
    archived: bool = False

    @property
    def url(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Prefix(Record):
    """A common prefix in a listing: what ``aws s3 ls`` shows as ``PRE name/``.

    Attributes:
        bucket: The bucket.
        prefix: The prefix, with its delimiter.
    """

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class BucketInfo(Record):
    """One bucket.

    Attributes:
        name: Its name.
        created: When it was made; ``None`` if the store does not say.
    """

    name: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class BucketAcl(Record):
    """Who may do what with a bucket.

    Attributes:
        bucket: The bucket.
        owner: Its owner: ``ID``, and ``DisplayName`` where the store has it.
        grants: As S3 names their parts: ``Grantee`` and ``Permission``.
    """

    bucket: str
    owner: Mapping[str, str] = dataclasses.field(hash=False)
    grants: tuple[Mapping[str, Any], ...] = dataclasses.field(hash=False)


@dataclass(frozen=True, slots=True)
class DeleteSummary(Record):
    """What one delete removed.

    Attributes:
        bucket: The bucket.
        key: The key.
        deleted: Whether there was anything; deleting what is absent is success, as in S3.
        was_delta: Whether the object was stored as a delta.
        version_id: Where the bucket keeps versions: of the one that was deleted, or of the marker put in its place.
        delete_marker: Whether that is a delete marker.
    """

    bucket: str
    key: str
    deleted: bool
    was_delta: bool = False
    version_id: str | None = None
    delete_marker: bool = False


@dataclass(frozen=True, slots=True)
class PresignedUrl(Record):
    """A URL that gives an object's bytes without credentials; as text it is the URL.

    Attributes:
        bucket: The bucket.
        key: The object's key.
        url: The URL. Whoever has it can read the object; it is left out where this is printed for debugging.
        expires_at: When it ends.
        stored_key: What it leads to: the object itself, or for one stored as a delta a file made for this.
    """

    bucket: str
    key: str
    url: str = dataclasses.field(repr=False)
    expires_at: datetime
    stored_key: str

    def __str__(self) -> str:
        return self.url

    @property
    def rehydrated(self) -> bool:
        """Whether a file was made for it, since the object is stored as a delta."""
        return self.stored_key != self.key

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with ``rehydrated``."""
        return {**Record.to_dict(self), "rehydrated": self.rehydrated}


OutcomeStatus = Literal["done", "planned", "skipped", "failed", "unchanged"]
Action = Literal["upload", "download", "copy", "move", "delete", "migrate"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item of bulk work.

    Attributes:
        action: What was to be done.
        status: ``done``; ``planned`` in a dry run; ``skipped`` with a warning; ``failed``; ``unchanged`` where nothing
            was to be done after all, or what is there was to be left alone.
        source: Path or URI it came from; for a delete, the thing deleted.
        target: Path or URI it went to; ``None`` for a delete.
        size: Bytes of the file.
        stored: Bytes stored or fetched for it.
        message: Why it was skipped or failed.
        error: The error of a failed item.
    """

    action: Action
    status: OutcomeStatus
    source: str
    target: str | None = None
    size: int = 0
    stored: int = 0
    message: str = ""
    error: Exception | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what failed has the ``code`` of its error."""
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "error"}
        if self.status == "failed":
            data["code"] = getattr(self.error, "code", "error")
        return data


@dataclass(frozen=True, slots=True)
class PurgeSummary(Record):
    """What ``purge`` came to.

    Attributes:
        bucket: The bucket.
        removed: Files and uploads removed; in a dry run those that would be.
        kept: Those whose time is not over.
        failed: Those that could not be looked at or removed.
        size: Bytes of the files removed.
        failures: The first hundred outcomes that failed.
    """

    bucket: str
    removed: int = 0
    kept: int = 0
    failed: int = 0
    size: int = 0
    failures: tuple[Outcome, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {**Record.to_dict(self), "failures": [failure.to_dict() for failure in self.failures]}


@dataclass(frozen=True, slots=True)
class BulkSummary(Record):
    """What bulk work came to.

    Attributes:
        done: Items done.
        skipped: Items skipped with a warning.
        failed: Items that failed.
        unchanged: Items that needed nothing, or were to be left as they are.
        deleted: Of the done ones, those that were deletes.
        size: Bytes of the files transferred.
        stored: Bytes stored or fetched for them.
        failures: The first hundred outcomes that failed.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    unchanged: int = 0
    deleted: int = 0
    size: int = 0
    stored: int = 0
    failures: tuple[Outcome, ...] = ()

    def __add__(self, other: BulkSummary) -> BulkSummary:
        """What two pieces of work came to together."""
        return BulkSummary(
            done=self.done + other.done,
            skipped=self.skipped + other.skipped,
            failed=self.failed + other.failed,
            unchanged=self.unchanged + other.unchanged,
            deleted=self.deleted + other.deleted,
            size=self.size + other.size,
            stored=self.stored + other.stored,
            failures=(self.failures + other.failures)[:100],
        )

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def savings_percent(self) -> float:
        """Percent of the size of the files transferred that was not stored or fetched."""
        return percent_saved(self.stored, self.size)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with ``savings_percent``."""
        data = {**Record.to_dict(self), "savings_percent": self.savings_percent}
        data["failures"] = [failure.to_dict() for failure in self.failures]
        return data


@dataclass(frozen=True, slots=True)
class MigrationSummary(BulkSummary):
    """What a migration came to.

    Attributes:
        source: The place migrated.
        target: Where to; the same for objects that were migrated where they lie.
        figures: What the target now holds and what that costs, as ``stats`` tells it; ``None`` of a dry run.
    """

    source: str = ""
    target: str = ""
    figures: BucketStats | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data, the figures too."""
        return {**BulkSummary.to_dict(self), "figures": self.figures.to_dict() if self.figures else None}
