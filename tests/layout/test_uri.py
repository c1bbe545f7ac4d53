"""``s3://`` URIs: what is read is what was written, byte for byte."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.errors import InvalidUriError
from deltaglider.layout.uri import S3Uri, check_key, is_s3_uri

ACCESS_POINTS = [
    "arn:aws:s3:us-west-2:123456789012:accesspoint/my-point",
    "arn:aws:s3:us-west-2:123456789012:accesspoint:my-point",
    "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/my-point",
    "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/my-point",
    "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
    "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/my-point",
    "arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-01ac5d28a6a232904:accesspoint:my-point",
]

_bucket_letters = string.ascii_letters + string.digits
_buckets = st.tuples(st.sampled_from(_bucket_letters), st.text(_bucket_letters + "._-", min_size=1, max_size=62)).map(
    "".join
) | st.sampled_from(ACCESS_POINTS)
_keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@given(_buckets, _keys)
def test_a_uri_comes_back_as_it_was_written(bucket: str, key: str) -> None:
    written = f"s3://{bucket}/{key}"

    uri = S3Uri.parse(written)

    assert (uri.bucket, uri.key) == (bucket, key)
    assert str(uri) == written
    assert len({uri, S3Uri(bucket, key)}) == 1
    assert is_s3_uri(written)


@pytest.mark.parametrize(
    "key",
    [
        "a//b",
        "//a",
        "/a",
        "a/",
        "a/../b",
        "../a",
        "./a",
        "a/.",
        "a b",
        " a ",
        "a  b",
        "a%20b",
        "a%2Fb",
        "a+b",
        "a?b=c#d",
        "a\nb",
        "a\n",
        "a\\b",
        "a\tb\x7f\x1b[31m",
        "é",
        "e\u0301",
        "日本/語.zip",
        "\U0001f600",
        "\u00a0\u3000",
        "*?[x]",
        "s3://other/key",
        "arn:aws:s3:x",
        "~",
        "-rf.zip",
        "a:b",
        "x" * 1024,
        "é" * 512,
    ],
)
@pytest.mark.parametrize("bucket", ["bucket", ACCESS_POINTS[0]])
def test_odd_keys_stay_as_they_are(bucket: str, key: str) -> None:
    assert S3Uri.parse(f"s3://{bucket}/{key}") == S3Uri(bucket, key)


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://bucket", "bucket", ""),
        ("s3://bucket/", "bucket", ""),
        ("s3://bucket//", "bucket", "/"),
        ("s3://My_Old.Bucket/k", "My_Old.Bucket", "k"),
        ("s3://ab/k", "ab", "k"),
        (f"s3://{ACCESS_POINTS[0]}", ACCESS_POINTS[0], ""),
        (f"s3://{ACCESS_POINTS[0]}/", ACCESS_POINTS[0], ""),
        (f"s3://{ACCESS_POINTS[1]}/a/b", ACCESS_POINTS[1], "a/b"),
        (f"s3://{ACCESS_POINTS[5]}/a/b", ACCESS_POINTS[5], "a/b"),
    ],
)
def test_bucket_and_key_are_told_apart(text: str, bucket: str, key: str) -> None:
    assert S3Uri.parse(text) == S3Uri(bucket, key)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "not an s3:// URI"),
        ("bucket/key", "not an s3:// URI"),
        ("/bucket/key", "not an s3:// URI"),
        ("S3://bucket/key", "not an s3:// URI"),
        ("s3:/bucket/key", "not an s3:// URI"),
        ("https://bucket.s3.amazonaws.com/key", "not an s3:// URI"),
        ("file:///bucket/key", "not an s3:// URI"),
        ("s3://", "the bucket is missing"),
        ("s3:///key", "the bucket is missing"),
        ("s3://b/key", "'b' is not a bucket name"),
        ("s3://-bucket/key", "'-bucket' is not a bucket name"),
        ("s3://buck et/key", "'buck et' is not a bucket name"),
        ("s3://bucket\n/key", r"'bucket\n' is not a bucket name"),
        ("s3://bücket/key", "'bücket' is not a bucket name"),
        ("s3://user@bucket/key", "'user@bucket' is not a bucket name"),
        ("s3://bucket:9000/key", "'bucket:9000' is not a bucket name"),
        ("s3://" + "b" * 256 + "/key", "is not a bucket name"),
        ("s3://arn:aws:s3:::bucket/key", "'arn:aws:s3:::bucket' is not a bucket name"),
        ("s3://arn:aws:s3:us-west-2:123456789012:accesspoint/my-point\n", "is not a bucket name"),
        ("s3://arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/olap/key", "cannot hold deltas"),
        ("s3://bucket/a\0b", "the key holds a NUL character"),
        (f"s3://{ACCESS_POINTS[0]}/a\0b", "the key holds a NUL character"),
        ("s3://bucket/a\udcffb", "the key is not valid UTF-8"),
        ("s3://bucket/" + "x" * 1025, "the key takes 1,025 bytes of the 1,024 S3 allows"),
        ("s3://bucket/" + "é" * 513, "the key takes 1,026 bytes of the 1,024 S3 allows"),
        (f"s3://{ACCESS_POINTS[0]}/" + "x" * 1025, "the key takes 1,025 bytes"),
    ],
)
def test_what_is_no_uri_is_refused_with_its_name_the_cause_and_a_remedy(text: str, cause: str) -> None:
    with pytest.raises(InvalidUriError) as raised:
        S3Uri.parse(text)

    assert cause in str(raised.value)
    assert raised.value.uri == text
    assert raised.value.remedy
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("thing", [None, 7, b"s3://bucket/key", object()])
def test_only_text_can_be_a_uri(thing: object) -> None:
    assert not is_s3_uri(thing)
    with pytest.raises(InvalidUriError):
        S3Uri.parse(thing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "is_directory"),
    [("s3://bucket", True), ("s3://bucket/", True), ("s3://bucket/a/", True), ("s3://bucket/a", False)],
)
def test_a_place_for_files_has_no_key_or_one_that_ends_with_a_slash(text: str, is_directory: bool) -> None:
    assert S3Uri.parse(text).is_directory is is_directory


@given(_buckets, _keys, _keys.filter(bool))
def test_children_lie_inside(bucket: str, key: str, name: str) -> None:
    place = S3Uri(bucket, key)

    child = place.child(name)

    assert child.key.startswith(place.as_directory().key)
    assert child.key[len(place.as_directory().key) :] == name
    assert place.as_directory().is_directory
    assert place.as_directory().as_directory() == place.as_directory()


def test_the_children_of_a_prefix_are_not_those_of_its_neighbour() -> None:
    assert S3Uri("bucket", "p").child("x") == S3Uri("bucket", "p/x")
    assert S3Uri("bucket", "p/").child("x") == S3Uri("bucket", "p/x")
    assert S3Uri("bucket").child("x") == S3Uri("bucket", "x")
    assert S3Uri("bucket").as_directory() == S3Uri("bucket", "")


@given(_keys)
def test_a_key_of_up_to_1024_bytes_is_taken(key: str) -> None:
    check_key(key, uri="here")  # At most 800 bytes.
    with pytest.raises(InvalidUriError, match=r"here: the key takes 1,\d{3} bytes"):
        check_key(key + "x" * (1025 - len(key.encode())), uri="here")
