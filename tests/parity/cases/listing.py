"""``ls``, ``mb`` and ``rb``."""

from __future__ import annotations

from tests.parity.case import case, obj, v

_TREE = {"a.zip": v(1), "a.zip.asc": "sig", "b/c.zip": v(2), "b/d/e.txt": "text", "bb.txt": "more", "z.bin": v(3)}
_SIZES = {"none": "", "one": "x", "kib.zip": v(1) + bytes(100_000), "kib1.txt": "x" * 1536, "dir/many": "y" * 1_200_000}

LS = (
    case("ls: all buckets", "ls", objects=_TREE, buckets="bc", ordered=True),
    case("ls: all buckets, with s3://", "ls s3://", buckets="bc", ordered=True),
    case("ls: no buckets", "ls", buckets=""),
    case("ls: a bucket", "ls s3://$b", objects=_TREE, ordered=True),
    case("ls: a bucket and a slash", "ls s3://$b/", objects=_TREE, ordered=True),
    case("ls: without s3://", "ls $b", objects=_TREE, ordered=True),
    case("ls: without s3://, a place", "ls $b/b/", objects=_TREE, ordered=True),
    case("ls: a place", "ls s3://$b/b/", objects=_TREE, ordered=True),
    case("ls: a prefix", "ls s3://$b/b", objects=_TREE, ordered=True),
    case("ls: an object", "ls s3://$b/a.zip", objects=_TREE, ordered=True),
    case("ls: an object below", "ls s3://$b/b/c.zip", objects=_TREE, ordered=True),
    case("ls: recursive", "ls s3://$b --recursive", objects=_TREE, ordered=True),
    case("ls: recursive place", "ls s3://$b/b/ --recursive", objects=_TREE, ordered=True),
    case("ls: recursive prefix", "ls s3://$b/b --recursive", objects=_TREE, ordered=True),
    case("ls: nothing matches", "ls s3://$b/nothing", objects=_TREE),
    case("ls: nothing matches, recursive", "ls s3://$b/nothing/ --recursive", objects=_TREE),
    case("ls: nothing matches, summarize", "ls s3://$b/nothing --summarize", objects=_TREE, ordered=True),
    case("ls: empty bucket", "ls s3://$b"),
    case("ls: empty bucket, summarize", "ls s3://$b --summarize", ordered=True),
    case("ls: missing bucket", "ls s3://$d"),
    case("ls: missing bucket, recursive", "ls s3://$d/x --recursive"),
    case("ls: summarize", "ls s3://$b --summarize", objects=_TREE, ordered=True),
    case("ls: summarize recursive", "ls s3://$b --summarize --recursive", objects=_TREE, ordered=True),
    case("ls: human readable", "ls s3://$b --human-readable --recursive", objects=_SIZES, ordered=True),
    case("ls: all in one", "ls s3://$b --human-readable --recursive --summarize", objects=_SIZES, ordered=True),
    case("ls: page size", "ls s3://$b --recursive --page-size 2", objects=_TREE, ordered=True),
    case("ls: page size, not recursive", "ls s3://$b --page-size 2", objects=_TREE, ordered=True),
    case("ls: markers", "ls s3://$b/p/", objects={"p/": "", "p/a": "x", "p/q/": ""}, ordered=True),
    case("ls: markers, recursive", "ls s3://$b --recursive", objects={"p/": "", "p/a": "x", "p/q/": ""}, ordered=True),
    case("ls: unicode", "ls s3://$b/ä/", objects={"ä/日本.zip": v(1), "ä/ö/x": "x"}, ordered=True),
    case(
        "ls: odd names",
        "ls s3://$b --recursive",
        objects={"a b": "x", "a+b%41": "x", "x//y": "x", "..": "x"},
        ordered=True,
    ),
    case("ls: empty segment", "ls s3://$b//", objects={"/a": "x", "/b/c": "x"}, ordered=True),
    case("ls: another time zone", "ls s3://$b", objects=_TREE, environ={"TZ": "Asia/Tokyo"}, ordered=True),
    case(
        "ls: a user's own delta", "ls s3://$b", objects={"fw.delta": "mine", "reference.bin": "mine too"}, ordered=True
    ),
    case("ls: reserved bucket name with slash only", "ls s3:///"),
    case("ls: bad bucket name", "ls s3://UPPER_case!"),
    case("ls: unknown option", "ls s3://$b --nonsense"),
    case("ls: two places", "ls s3://$b s3://$b"),
    case("ls: no credentials", "ls s3://$b", environ={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}),
    case("ls: unknown profile", "ls s3://$b --profile nobody"),
    case("ls: buckets by prefix", "ls --bucket-name-prefix nothing-begins-so", buckets="bc", ordered=True),
    case("ls: a bucket in spite of a prefix", "ls s3://$b --bucket-name-prefix x", objects=_TREE, ordered=True),
    case("ls: cold storage", "ls s3://$b", objects={"a.zip": obj(v(1), StorageClass="GLACIER")}, ordered=True),
)

BUCKETS = (
    case("mb", "mb s3://$b", buckets=""),
    case("mb: with a slash", "mb s3://$b/", buckets=""),
    case("mb: with a key", "mb s3://$b/key", buckets=""),
    case("mb: without s3://", "mb $b", buckets=""),
    case("mb: it exists", "mb s3://$b"),
    case("mb: in a region", "mb s3://$b --region eu-west-1", buckets=""),
    case("mb: bad name", "mb s3://Upper_Case!", buckets=""),
    case("mb: nothing", "mb", buckets=""),
    case("mb: then put and list", "mb s3://$b", "cp a.txt s3://$b", "ls s3://$b", files={"a.txt": "x"}, buckets=""),
    case("rb", "rb s3://$b"),
    case("rb: with a slash", "rb s3://$b/"),
    case("rb: with a key", "rb s3://$b/key"),
    case("rb: without s3://", "rb $b"),
    case("rb: missing", "rb s3://$d"),
    case("rb: not empty", "rb s3://$b", objects={"a.zip": v(1), "b.txt": "x"}),
    case("mb: with tags", "mb s3://$b --tags team core --tags cost 42", buckets=""),
    case("mb: with half a tag", "mb s3://$b --tags team", buckets=""),
    case("rb: by force", "rb s3://$b --force", objects={"a.zip": v(1), "d/b.txt": "x", "d/": ""}),
    case("rb: by force, empty", "rb s3://$b --force"),
    case("rb: by force, missing", "rb s3://$d --force"),
    case("rb: emptied before", "rm s3://$b --recursive", "rb s3://$b", objects={"a.zip": v(1), "b.txt": "x"}),
)

CASES = (*LS, *BUCKETS)
