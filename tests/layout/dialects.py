"""Metadata as each tool of the past wrote it, word for word, and what each of them needs to read an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping

FILE = "0f" * 32
REFERENCE = "1e" * 32
MD5 = "2d" * 16

FIELDS = (
    "tool",
    "original_name",
    "file_sha256",
    "file_size",
    "created_at",
    "ref_key",
    "ref_sha256",
    "delta_size",
    "delta_cmd",
    "note",
    "compression",
    "source_name",
)

# The four spellings the predecessor reads, by what becomes of ``ref_key``.
SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "dg-dashed": lambda field: "dg-" + field.replace("_", "-"),
    "dg_underscored": lambda field: "dg_" + field,
    "underscored": lambda field: field,
    "dashed": lambda field: field.replace("_", "-"),
}

DELTA_620 = {
    "dg-tool": "deltaglider/6.2.0",
    "dg-original-name": "app-2.zip",
    "dg-file-sha256": FILE,
    "dg-file-size": "803602",
    "dg-created-at": "2025-08-01T10:15:00.123456Z",
    "dg-ref-key": "rel/reference.bin",
    "dg-ref-sha256": REFERENCE,
    "dg-delta-size": "23185",
    "dg-delta-cmd": "xdelta3 -e -9 -s reference.bin app-2.zip app-2.zip.delta",
}

ZERO_DIFF_620 = {**DELTA_620, "dg-original-name": "app-1.zip", "dg-delta-size": "311"} | {
    "dg-note": "zero-diff (reference identical)"
}

REFERENCE_620 = {
    "dg-tool": "deltaglider/6.2.0",
    "dg-source-name": "app-1.zip",
    "dg-file-sha256": REFERENCE,
    "dg-created-at": "2025-08-01T10:15:00Z",
    "dg-note": "reference",
}

WHOLE_620 = {
    "dg-tool": "deltaglider/6.2.0",
    "dg-original-name": "hello.txt",
    "dg-file-sha256": FILE,
    "dg-file-size": "6",
    "dg-created-at": "2025-08-01T10:15:00.123456",
    "dg-compression": "none",
}

# 6.0 and 6.1: references and deltas with "dg-", whole objects still without.
WHOLE_612 = {
    "tool": "deltaglider/6.1.2",
    "original_name": "hello.txt",
    "file_sha256": FILE,
    "file_size": "6",
    "created_at": "2025-08-01T10:15:00.123456",
    "compression": "none",
}

# 4.x and 5.x: underscores, no prefix.
DELTA_522 = {
    "tool": "deltaglider/5.2.2",
    "original_name": "app-2.zip",
    "file_sha256": FILE,
    "file_size": "803602",
    "created_at": "2025-03-01T10:15:00.123456Z",
    "ref_key": "rel/reference.bin",
    "ref_sha256": REFERENCE,
    "delta_size": "23185",
    "delta_cmd": "xdelta3 -e -9 -s reference.bin app-2.zip app-2.zip.delta",
}

REFERENCE_401 = {
    "tool": "deltaglider/4.0.1",
    "source_name": "app-1.zip",
    "file_sha256": REFERENCE,
    "created_at": "2025-01-01T10:15:00.5Z",
    "note": "reference",
}

PROXY_DELTA = {
    "dg-tool": "deltaglider_proxy/1.19.0",
    "dg-original-name": "app-2.zip",
    "dg-file-sha256": FILE,
    "dg-file-size": "803602",
    "dg-md5": MD5,
    "dg-created-at": "2026-07-10T08:00:00.000001Z",
    "dg-note": "delta",
    "dg-ref-path": "reference.bin",
    "dg-ref-sha256": REFERENCE,
    "dg-delta-size": "23185",
    "dg-delta-cmd": "xdelta3 -e -9 -s reference.bin app-2.zip app-2.zip.delta",
    "content-type": "application/zip",
    "user-owner": "ci",
    "user-dg-no-delta": "false",
}

PROXY_REFERENCE = {
    "dg-tool": "deltaglider_proxy/1.19.0",
    "dg-original-name": "__reference__",
    "dg-source-name": "rel/app-1.zip",
    "dg-file-sha256": REFERENCE,
    "dg-file-size": "803000",
    "dg-md5": MD5,
    "dg-created-at": "2026-07-10T08:00:00.000001Z",
    "dg-note": "reference",
}

PROXY_WHOLE = {
    "dg-tool": "deltaglider_proxy/1.19.0",
    "dg-original-name": "hello.txt",
    "dg-file-sha256": FILE,
    "dg-file-size": "6",
    "dg-md5": MD5,
    "dg-multipart-etag": '"2d2d-3"',
    "dg-created-at": "2026-07-10T08:00:00.000001Z",
    "dg-note": "passthrough",
    "content-type": "text/plain",
    "user-owner": "ci",
    "user-dg-encrypted": "aes-256-gcm-v1",
}


def spelled(metadata: Mapping[str, str], spelling: str) -> dict[str, str]:
    """The same metadata in another of the four spellings."""
    name = SPELLINGS[spelling]
    return {name(key.removeprefix("dg-").replace("-", "_")): value for key, value in metadata.items()}


def resolve(metadata: Mapping[str, str], field: str) -> str:
    """What the predecessor takes for a field: the first spelling that is not empty."""
    return next((metadata[spell(field)] for spell in SPELLINGS.values() if metadata.get(spell(field))), "")


def predecessor_takes_it_for(metadata: Mapping[str, str]) -> str:
    """As 6.2.0 decides on reading: no hash, no object of its own; ``none`` as compression, whole; else a delta."""
    if not resolve(metadata, "file_sha256"):
        return "foreign"
    return "whole" if resolve(metadata, "compression") == "none" else "delta"


PREDECESSOR_NEEDS = (
    "tool",
    "original_name",
    "file_sha256",
    "file_size",
    "created_at",
    "ref_key",
    "ref_sha256",
    "delta_size",
)
"""Without one of these 6.2.0 ends a delta's reading with a ``KeyError``."""
