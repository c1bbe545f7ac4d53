"""What the predecessor wrote is read here; what we write is read there; neither loses the other's files."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest

from deltaglider import DeltaGliderClient, ObjectInfo
from tests.interop.predecessor import Predecessor

_BASE = random.Random(6).randbytes(300_000)
FIRST = _BASE
SECOND = _BASE[:100_000] + b"second" + _BASE[100_000:]
THIRD = b"third" + _BASE
TEXT = b"not worth a delta\n" * 100


def fetch(client: DeltaGliderClient, url: str) -> bytes:
    target = io.BytesIO()
    client.download(url, target)
    return target.getvalue()


def stored(s3: Any, bucket: str) -> dict[str, int]:
    return {entry["Key"]: entry["Size"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def keys(client: DeltaGliderClient, bucket: str) -> list[str]:
    return [entry.key for entry in client.list(f"s3://{bucket}/") if isinstance(entry, ObjectInfo)]


@pytest.mark.parametrize("prefix", ["", "rel/", "deep/er/"])
def test_what_it_wrote_reads_here_and_can_be_added_to(
    old: Predecessor, new: DeltaGliderClient, bucket: str, s3: Any, prefix: str
) -> None:
    place = f"s3://{bucket}/{prefix}"
    old.put("a-1.zip", FIRST, place)
    old.put("a-2.zip", SECOND, place)
    old.put("notes.txt", TEXT, place)
    assert f"{prefix}reference.bin" in stored(s3, bucket)
    assert f"{prefix}a-2.zip.delta" in stored(s3, bucket)

    assert keys(new, bucket) == [f"{prefix}{name}" for name in ("a-1.zip", "a-2.zip", "notes.txt")]
    assert [fetch(new, place + name) for name in ("a-1.zip", "a-2.zip", "notes.txt")] == [FIRST, SECOND, TEXT]
    assert new.verify(f"{place}a-2.zip").valid

    summary = new.upload(THIRD, f"{place}a-3.zip")

    assert summary.is_delta
    assert summary.stored_size < 1000
    assert fetch(new, f"{place}a-3.zip") == THIRD
    assert old.get(f"{place}a-3.zip") == THIRD
    assert old.get(f"{place}a-2.zip") == SECOND


SPELLINGS = {
    "dg-dashed": lambda name: name,
    "dg_underscored": lambda name: "dg_" + name.removeprefix("dg-").replace("-", "_"),
    "bare_underscored": lambda name: name.removeprefix("dg-").replace("-", "_"),
    "bare-dashed": lambda name: name.removeprefix("dg-"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_its_metadata_is_understood(
    old: Predecessor, new: DeltaGliderClient, bucket: str, s3: Any, spelling: str
) -> None:
    place = f"s3://{bucket}/rel/"
    old.put("a-1.zip", FIRST, place)
    old.put("a-2.zip", SECOND, place)
    old.put("notes.txt", TEXT, place)
    for key in stored(s3, bucket):
        metadata = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
        s3.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": bucket, "Key": key},
            MetadataDirective="REPLACE",
            Metadata={SPELLINGS[spelling](name): value for name, value in metadata.items()},
        )

    assert [fetch(new, place + name) for name in ("a-1.zip", "a-2.zip", "notes.txt")] == [FIRST, SECOND, TEXT]
    sizes = {entry.key: entry.size for entry in new.list(place) if isinstance(entry, ObjectInfo)}
    assert sizes == {"rel/a-1.zip": len(FIRST), "rel/a-2.zip": len(SECOND), "rel/notes.txt": len(TEXT)}
    assert new.upload(THIRD, f"{place}a-3.zip").is_delta
    assert old.get(f"{place}a-3.zip") == THIRD


def test_what_we_write_reads_there_across_version_directories_too(
    old: Predecessor, new: DeltaGliderClient, bucket: str
) -> None:
    files = {
        "v1.0.0/app.zip": FIRST,
        "v2.0.0/app.zip": SECOND,
        "apps/v1.0.0/app.zip": FIRST,
        "apps/v2.0.0/app.tar": THIRD,
        "apps/readme.txt": TEXT,
        "root.zip": THIRD,
    }
    for key, data in files.items():
        new.upload(data, f"s3://{bucket}/{key}")

    for key, data in files.items():
        assert old.get(f"s3://{bucket}/{key}") == data, key


def test_its_deletes_syncs_and_uploads_leave_ours_readable(
    old: Predecessor, new: DeltaGliderClient, bucket: str, tmp_path: Path
) -> None:
    ours = {
        "v1.0.0/app.zip": FIRST,
        "v2.0.0/app.zip": SECOND,
        "rel/ours-1.zip": THIRD,
        "rel/ours-2.zip": SECOND,
        "root-1.zip": FIRST,
        "root-2.zip": THIRD,
    }
    old.put("theirs-1.zip", FIRST, f"s3://{bucket}/rel/")
    old.put("theirs-2.zip", SECOND, f"s3://{bucket}/rel/")
    old.put("gone.zip", FIRST, f"s3://{bucket}/old/")
    for key, data in ours.items():
        new.upload(data, f"s3://{bucket}/{key}")

    old.run("rm", f"s3://{bucket}/rel/theirs-1.zip")
    old.run("rm", f"s3://{bucket}/rel/theirs-2.zip")
    old.run("rm", "-r", f"s3://{bucket}/old/")
    old.put("theirs-3.zip", THIRD, f"s3://{bucket}/rel/")
    old.put("root-theirs.zip", SECOND, f"s3://{bucket}/")

    for key, data in ours.items():
        assert fetch(new, f"s3://{bucket}/{key}") == data, key
        assert old.get(f"s3://{bucket}/{key}") == data, key
    assert fetch(new, f"s3://{bucket}/rel/theirs-3.zip") == THIRD


def test_its_sync_with_delete_of_a_whole_bucket_leaves_ours_readable(
    old: Predecessor, new: DeltaGliderClient, bucket: str
) -> None:
    tree = old.directory / "tree"
    files = {"a.zip": FIRST, "b.zip": SECOND, "rel/v1.0/c.zip": THIRD, "rel/v2.0/d.zip": FIRST, "notes.txt": TEXT}
    for name, data in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    old.put("extra.zip", FIRST, f"s3://{bucket}/")  # Leaves a classic reference at the root, which we adopt.
    new.sync(tree, f"s3://{bucket}/")
    new.upload(TEXT, f"s3://{bucket}/unwanted.txt")

    # It deletes the classic reference at the bucket's root here: its known defect, which must not reach our files.
    old.run("sync", "--delete", "tree", f"s3://{bucket}/")
    old.run("sync", "--delete", "tree", f"s3://{bucket}/")

    for name, data in files.items():
        assert fetch(new, f"s3://{bucket}/{name}") == data, name
    assert "unwanted.txt" not in keys(new, bucket)


def test_our_deletes_and_syncs_leave_its_files_readable_there(
    old: Predecessor, new: DeltaGliderClient, bucket: str, tmp_path: Path
) -> None:
    old.put("a-1.zip", FIRST, f"s3://{bucket}/rel/")
    old.put("a-2.zip", SECOND, f"s3://{bucket}/rel/")
    new.upload(THIRD, f"s3://{bucket}/rel/ours.zip")

    new.delete(f"s3://{bucket}/rel/ours.zip")
    new.delete(f"s3://{bucket}/rel/a-1.zip")
    assert old.get(f"s3://{bucket}/rel/a-2.zip") == SECOND

    kept = tmp_path / "kept"
    kept.mkdir()
    new.download(f"s3://{bucket}/rel/a-2.zip", kept / "a-2.zip")
    new.sync(kept, f"s3://{bucket}/rel/", delete=True, size_only=True)
    assert keys(new, bucket) == ["rel/a-2.zip"]
    assert old.get(f"s3://{bucket}/rel/a-2.zip") == SECOND
