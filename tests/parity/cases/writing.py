"""What is said of an object when it is written or copied, and what becomes of those in archives."""

from __future__ import annotations

from tests.parity.case import case, obj, v

_SAID = {"Metadata": {"a": "1"}, "ContentType": "text/x-mine", "CacheControl": "no-store", "Tagging": "t=1"}
_THERE = {"p/a.zip": obj(v(1), **_SAID), "p/b.txt": obj("text", **_SAID)}
_COLD = {
    "p/a.txt": obj("cold", StorageClass="GLACIER"),
    "p/b.txt": obj("colder", StorageClass="DEEP_ARCHIVE"),
    "p/c.zip": obj(v(1), StorageClass="GLACIER"),
    "p/d.txt": obj("warm"),
}
_EVERYONE = "uri=http://acs.amazonaws.com/groups/global/AllUsers"

UP = (
    case("write: encoding", "cp a.txt s3://$b/ --content-encoding gzip", files={"a.txt": "x"}),
    case("write: redirect", "cp a.txt s3://$b/ --website-redirect /there", files={"a.txt": "x"}),
    case(
        "write: expires with an offset", "cp a.txt s3://$b/ --expires 2030-01-01T01:00:00+02:00", files={"a.txt": "x"}
    ),
    case("write: one grant", f"cp a.txt s3://$b/ --grants read={_EVERYONE}", access=True, files={"a.txt": "x"}),
    case(
        "write: two grants",
        f"cp a.txt s3://$b/ --grants read={_EVERYONE} readacl={_EVERYONE}",
        access=True,
        files={"a.txt": "x"},
    ),
    case("write: bad grant", "cp a.txt s3://$b/ --grants nothing", files={"a.txt": "x"}),
    case("write: key of KMS", "cp a.txt s3://$b/ --sse aws:kms --sse-kms-key-id k", files={"a.txt": "x"}),
    case("write: checksum", "cp a.txt s3://$b/ --checksum-algorithm SHA256", files={"a.txt": "x"}),
    case("write: checksum, wrong way", "cp s3://$b/a.txt . --checksum-algorithm SHA256", objects={"a.txt": "x"}),
    case("write: checksum mode", "cp s3://$b/a.txt . --checksum-mode ENABLED", objects={"a.txt": "x"}),
    case("write: checksum mode, wrong way", "cp a.txt s3://$b/ --checksum-mode ENABLED", files={"a.txt": "x"}),
    case("write: half a customer key", "cp a.txt s3://$b/ --sse-c", files={"a.txt": "x"}),
    case(
        "write: tree with headers",
        "cp d s3://$b/d --recursive --cache-control no-store --metadata k=v",
        files={"d/a.txt": "x", "d/b.zip": v(1)},
    ),
    case("write: sync with headers", "sync d s3://$b/d --content-language de --metadata k=v", files={"d/a.txt": "x"}),
    case(
        "write: stdin with headers",
        "cp - s3://$b/k --content-type text/x --metadata k=v --expected-size 4",
        stdin=b"data",
    ),
)

ACROSS = tuple(
    case(f"copy: {name}", f"{verb} {options}".strip(), access=True, objects=_THERE, buckets="bc")
    for form, verb in (
        ("one", "cp s3://$b/p/a.zip s3://$c/q/a.zip"),
        ("whole", "cp s3://$b/p/b.txt s3://$c/q/b.txt"),
        ("tree", "cp s3://$b/p s3://$c/q --recursive"),
    )
    for name, options in (
        (f"{form}, as it is", ""),
        (f"{form}, type alone", "--content-type text/y"),
        (f"{form}, metadata", "--metadata b=2"),
        (f"{form}, metadata and type", "--metadata b=2 --content-type text/y"),
        (f"{form}, replace", "--metadata-directive REPLACE"),
        (f"{form}, replace with headers", "--metadata-directive REPLACE --cache-control x --metadata b=2"),
        (f"{form}, copy", "--metadata-directive COPY --metadata b=2"),
        (f"{form}, storage class", "--storage-class STANDARD_IA"),
        (f"{form}, acl", "--acl public-read"),
    )
)

SYNCED = (
    case("copy: sync, metadata", "sync s3://$b/p s3://$c/q --metadata b=2", access=True, objects=_THERE, buckets="bc"),
    case("copy: mv, as it is", "mv s3://$b/p/a.zip s3://$c/q/", access=True, objects=_THERE, buckets="bc"),
    case(
        "copy: onto itself, replace",
        "cp s3://$b/p/b.txt s3://$b/p/b.txt --metadata-directive REPLACE --metadata b=2",
        objects=_THERE,
    ),
)

ARCHIVED = tuple(
    case(f"archive: {name}{how and ', '}{how[2:]}", f"{command} {how}".strip(), objects=_COLD, buckets=buckets)
    for how in ("", "--ignore-glacier-warnings", "--force-glacier-transfer")
    for name, command, buckets in (
        ("one", "cp s3://$b/p/a.txt out", "b"),
        ("tree", "cp s3://$b/p out --recursive", "b"),
        ("sync", "sync s3://$b/p out", "b"),
        ("copy", "cp s3://$b/p s3://$c/p --recursive", "bc"),
        ("mv", "mv s3://$b/p/a.txt out", "b"),
    )
)

CASES = (*UP, *ACROSS, *SYNCED, *ARCHIVED)
