"""Metadata: every dialect read, one written, nothing lost on the way."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deltaglider.errors import InvalidInputError, MetadataTooLargeError
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import directory_of, name_of, reference_key
from deltaglider.layout.metadata import (
    LIMIT,
    Description,
    check_user_metadata,
    metadata_size,
    recorded_content_type,
    user_metadata,
)
from tests.layout import dialects
from tests.layout.dialects import FILE, MD5, REFERENCE

DELTA_KEY = "rel/app-2.zip.delta"

# --- reading


@pytest.mark.parametrize("spelling", dialects.SPELLINGS)
@pytest.mark.parametrize("stem", [dialects.DELTA_620, dialects.ZERO_DIFF_620], ids=["delta", "zero-diff"])
def test_a_delta_of_the_predecessor_is_read_in_all_spellings(spelling: str, stem: dict[str, str]) -> None:
    description = Description.read(dialects.spelled(stem, spelling), stored_key=DELTA_KEY)

    assert description == Description(
        kind="delta",
        sha256=FILE,
        size=803602,
        created=datetime(2025, 8, 1, 10, 15, 0, 123456, tzinfo=UTC),
        name=stem["dg-original-name"],
        tool="deltaglider/6.2.0",
        reference_key="rel/reference.bin",
        reference_sha256=REFERENCE,
        delta_size=int(stem["dg-delta-size"]),
        command="xdelta3 -e -9 -s reference.bin app-2.zip app-2.zip.delta",
    )
    assert description.recompressed


@pytest.mark.parametrize("spelling", dialects.SPELLINGS)
def test_a_reference_of_the_predecessor_is_read_in_all_spellings(spelling: str) -> None:
    metadata = dialects.spelled(dialects.REFERENCE_620, spelling)

    assert Description.read(metadata, stored_key="rel/reference.bin") == Description(
        kind="reference",
        sha256=REFERENCE,
        size=None,
        created=datetime(2025, 8, 1, 10, 15, tzinfo=UTC),
        name="app-1.zip",
        tool="deltaglider/6.2.0",
    )


@pytest.mark.parametrize("spelling", dialects.SPELLINGS)
@pytest.mark.parametrize("stored_key", ["rel/hello.txt", "rel/fw.delta"])
def test_a_whole_object_of_the_predecessor_is_read_in_all_spellings(spelling: str, stored_key: str) -> None:
    metadata = dialects.spelled(dialects.WHOLE_620, spelling)

    assert Description.read(metadata, stored_key=stored_key) == Description(
        kind="whole",
        sha256=FILE,
        size=6,
        created=datetime(2025, 8, 1, 10, 15, 0, 123456, tzinfo=UTC),
        name="hello.txt",
        tool="deltaglider/6.2.0",
    )


def test_what_the_versions_before_wrote_is_read() -> None:
    whole = Description.read(dialects.WHOLE_612, stored_key="hello.txt")
    delta = Description.read(dialects.DELTA_522, stored_key=DELTA_KEY)
    reference = Description.read(dialects.REFERENCE_401, stored_key="reference.bin")

    assert whole is not None
    assert (whole.kind, whole.sha256, whole.size, whole.tool) == ("whole", FILE, 6, "deltaglider/6.1.2")
    assert delta is not None
    assert (delta.kind, delta.reference_key, delta.delta_size) == ("delta", "rel/reference.bin", 23185)
    assert delta.recompressed
    assert reference is not None
    assert (reference.kind, reference.name, reference.sha256) == ("reference", "app-1.zip", REFERENCE)
    assert reference.created == datetime(2025, 1, 1, 10, 15, 0, 500000, tzinfo=UTC)


def test_what_deltaglider_proxy_wrote_is_read() -> None:
    delta = Description.read(dialects.PROXY_DELTA, stored_key=DELTA_KEY)

    assert delta == Description(
        kind="delta",
        sha256=FILE,
        size=803602,
        md5=MD5,
        created=datetime(2026, 7, 10, 8, 0, 0, 1, tzinfo=UTC),
        name="app-2.zip",
        tool="deltaglider_proxy/1.19.0",
        reference_path="reference.bin",
        reference_sha256=REFERENCE,
        delta_size=23185,
        command="xdelta3 -e -9 -s reference.bin app-2.zip app-2.zip.delta",
    )
    reference = Description.read(dialects.PROXY_REFERENCE, stored_key="rel/reference.bin")
    assert reference is not None
    assert (reference.kind, reference.size, reference.name) == ("reference", 803000, "rel/app-1.zip")
    whole = Description.read(dialects.PROXY_WHOLE, stored_key="rel/hello.txt")
    assert whole is not None
    assert (whole.kind, whole.size, whole.md5) == ("whole", 6, MD5)


def test_older_proxies_named_the_reference_by_its_key() -> None:
    metadata = {**dialects.PROXY_DELTA, "dg-ref-key": "rel/reference.bin"}
    del metadata["dg-ref-path"]

    description = Description.read(metadata, stored_key=DELTA_KEY)

    assert description is not None
    assert (description.reference_key, description.reference_path) == ("rel/reference.bin", "")


def test_the_newest_spelling_that_is_not_blank_counts() -> None:
    metadata = {**dialects.DELTA_620, "dg_file_size": "1", "dg-delta-size": "  ", "dg_delta_size": "77"}

    description = Description.read(metadata, stored_key=DELTA_KEY)

    assert description is not None
    assert description.size == 803602
    assert description.delta_size == 77


def test_a_blank_name_with_the_prefix_does_not_hide_the_names_without() -> None:
    metadata = {**dialects.DELTA_522, "dg-file-sha256": " "}

    assert Description.read(metadata, stored_key=DELTA_KEY) == Description.read(
        dialects.DELTA_522, stored_key=DELTA_KEY
    )


@pytest.mark.parametrize(
    ("command", "recompressed"),
    [
        ("", True),
        ("xdelta3 -e -9 -s reference.bin a.gz a.gz.delta", True),
        ("xdelta3 -e -9 -s reference.bin my -D.gz my -D.gz.delta", True),
        ("xdelta3 -e -9 -s reference.bin -D -D.delta", True),
        ("xdelta3 -e -Dx -s reference.bin a a.delta", True),
        ("xdelta3 -e -D -S djw", False),
        ("xdelta3 -e -f -q -D -A= -S djw -6 -I 0 -B 1048576 -s", False),
        ("xdelta3 -e -D -s reference.bin a a.delta", False),
    ],
)
def test_the_flags_tell_whether_inputs_may_have_been_unpacked(command: str, recompressed: bool) -> None:
    delta = Description(kind="delta", sha256=FILE, command=command)

    assert delta.recompressed is recompressed
    assert not dataclasses.replace(delta, kind="whole").recompressed


# --- what says nothing


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"owner": "ci", "mtime": "1754043300.5"},
        {"dg-tool": "deltaglider/6.2.0", "dg-original-name": "a.zip"},
        {**dialects.WHOLE_620, "dg-file-sha256": ""},
        {**dialects.WHOLE_620, "dg-file-sha256": FILE[1:]},
        {**dialects.WHOLE_620, "dg-file-sha256": FILE + "0"},
        {**dialects.WHOLE_620, "dg-file-sha256": "g" * 64},
        {**dialects.WHOLE_620, "dg-file-sha256": "٣" * 64},
        # A hash another tool keeps for itself.
        {"file-sha256": FILE, "file-size": "6"},
        {"file_sha256": FILE, "original_name": "a.zip"},
        {"sha256": FILE, "tool": "rclone"},
    ],
)
def test_metadata_without_a_hash_of_ours_says_nothing(metadata: dict[str, str]) -> None:
    assert Description.read(metadata, stored_key="a.zip") is None
    assert Description.read(metadata, stored_key=DELTA_KEY) is None


@pytest.mark.parametrize("missing", ["dg-ref-sha256", "dg-ref-key", "dg-file-size", "dg-file-sha256"])
@pytest.mark.parametrize("value", [None, "", " ", "x"])
def test_a_delta_that_lacks_what_it_takes_to_read_it_says_nothing(missing: str, value: str | None) -> None:
    assume_useful = missing == "dg-ref-key" and value == "x"
    metadata = {**dialects.DELTA_620, "dg-note": "delta"}
    if value is None:
        del metadata[missing]
    else:
        metadata[missing] = value

    description = Description.read(metadata, stored_key=DELTA_KEY)

    assert (description is not None) is assume_useful


@pytest.mark.parametrize(
    ("note", "compression", "has_reference", "stored_key", "kind"),
    [
        ("", "", True, "a.delta", "delta"),
        ("delta", "", True, "a.delta", "delta"),
        ("zero-diff (reference identical)", "", True, "a.delta", "delta"),
        ("delta", "", False, "a.delta", None),
        ("zero-diff (reference identical)", "", False, "a.delta", None),
        ("", "", False, "a.delta", "whole"),
        ("passthrough", "", True, "a.delta", "whole"),
        ("direct", "", True, "a.delta", "whole"),
        ("", "none", True, "a.delta", "whole"),
        ("delta", "none", True, "a.delta", "whole"),
        ("", "lzma", True, "a.delta", "delta"),
        ("delta", "", True, "a", "whole"),
        ("reference", "", False, "reference.bin", "reference"),
        ("reference", "none", True, "a.delta", "reference"),
    ],
)
def test_note_compression_and_reference_tell_the_kind(
    note: str, compression: str, has_reference: bool, stored_key: str, kind: str | None
) -> None:
    metadata = {**dialects.DELTA_620, "dg-note": note, "dg-compression": compression}
    if not has_reference:
        del metadata["dg-ref-sha256"]

    description = Description.read(metadata, stored_key=stored_key)

    assert (description.kind if description else None) == kind


@pytest.mark.parametrize("size", ["-1", "+1", "1.5", "1e3", "0x10", "１", "9" * 20, "1_000", "six"])
def test_a_size_is_a_plain_number(size: str) -> None:
    whole = Description.read({**dialects.WHOLE_620, "dg-file-size": size}, stored_key="hello.txt")

    assert whole is not None
    assert whole.size is None
    assert Description.read({**dialects.DELTA_620, "dg-file-size": size}, stored_key=DELTA_KEY) is None


@pytest.mark.parametrize("md5", ["", "x", MD5[1:], MD5 + "0", "<b>" + MD5, MD5 + "-3"])
def test_an_md5_that_is_none_is_left_out(md5: str) -> None:
    whole = Description.read({**dialects.PROXY_WHOLE, "dg-md5": md5}, stored_key="hello.txt")

    assert whole is not None
    assert whole.md5 == ""


def test_hashes_are_read_in_either_case() -> None:
    metadata = {
        key: value.upper() if value in (FILE, REFERENCE, MD5) else value for key, value in dialects.PROXY_DELTA.items()
    }

    description = Description.read(metadata, stored_key=DELTA_KEY)

    assert description is not None
    assert (description.sha256, description.reference_sha256, description.md5) == (FILE, REFERENCE, MD5)


def test_a_delta_lies_under_the_key_of_a_delta_and_nowhere_else() -> None:
    # Renamed by another tool it is no delta any more; read as a whole file its hash gives it away.
    description = Description.read(dialects.DELTA_620, stored_key="rel/app-2.zip")

    assert description is not None
    assert description.kind == "whole"


_names = st.sampled_from(
    [spell(field) for spell in dialects.SPELLINGS.values() for field in (*dialects.FIELDS, "md5", "ref_path")]
    + ["dg-codec", "user-a", "user-dg-encrypted", "content-type", "", "dg-", "x"]
)
_values = (
    st.sampled_from(
        [FILE, FILE.upper(), "0", "1", "9" * 19, "delta", "reference", "passthrough", "none", "../../x", " ", ""]
    )
    | st.sampled_from(
        ["zero-diff", "=?utf-8?b?????=", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "deltaglider_proxy"]
    )
    | st.text(max_size=70)
)
_hostile = st.dictionaries(_names, _values, max_size=16) | st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from([dialects.DELTA_620, dialects.DELTA_522, dialects.PROXY_DELTA, dialects.REFERENCE_620]),
    st.dictionaries(_names, _values, max_size=3),
)


@given(_hostile, st.sampled_from(["a.zip", DELTA_KEY, "reference.bin", ".delta", ""]))
def test_hostile_metadata_never_raises_and_never_makes_a_delta_without_reference(
    metadata: dict[str, str], stored_key: str
) -> None:
    description = Description.read(metadata, stored_key=stored_key)
    own = user_metadata(metadata, description)
    recorded_content_type(metadata, description)

    assert not any(name.startswith(("dg-", "dg_")) for name in own)
    if description is None:
        return
    assert len(bytes.fromhex(description.sha256)) == 32
    assert description.md5 == "" or len(bytes.fromhex(description.md5)) == 16
    assert description.created is None or 1970 <= description.created.year < 9999
    if description.kind == "delta":
        assert stored_key.endswith(".delta")
        assert len(bytes.fromhex(description.reference_sha256)) == 32
        assert description.reference_key or description.reference_path
        assert description.size is not None
        assert description.size >= 0


# --- writing

_hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
_sizes = st.integers(0, 5 << 40)
_moments = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC))
_plain = st.from_regex(r"[!-~]{1,20}", fullmatch=True).filter(lambda text: not text.startswith("=?"))
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)
_common = {
    "sha256": _hashes,
    "size": _sizes,
    "md5": st.text("0123456789abcdef", min_size=32, max_size=32),
    "created": _moments,
    "name": _texts,
    "tool": _plain,
}
_deltas = st.builds(
    Description,
    kind=st.just("delta"),
    reference_key=_texts,
    reference_sha256=_hashes,
    delta_size=_sizes,
    command=st.sampled_from(["", "xdelta3 -e -D -S djw"]),
    codec=st.sampled_from(["", "vcdiff"]),
    **_common,
)
_references = st.builds(Description, kind=st.just("reference"), **_common)
_wholes = st.builds(Description, kind=st.just("whole"), **_common)
_header_names = st.from_regex(r"[a-z0-9!#$%&'*+.^_`|~-]{1,20}", fullmatch=True).filter(
    lambda name: name[:3] not in ("dg-", "dg_")
)
_user = st.dictionaries(
    _header_names
    | st.sampled_from(["tool", "note", "md5", "compression", "file-size", "user-a", "content-type", "ref_key"]),
    st.from_regex(r"[ -~]{0,40}", fullmatch=True),
    max_size=6,
)


def _stored_key(description: Description) -> str:
    return {"delta": DELTA_KEY, "reference": "reference.bin", "whole": "rel/app-2.zip"}[description.kind]


@given(_deltas | _references | _wholes, _user)
def test_what_is_written_is_read(description: Description, user: dict[str, str]) -> None:
    metadata = description.write(user)

    assert Description.read(metadata, stored_key=_stored_key(description)) == description
    assert user_metadata(metadata, description) == user


@given(_deltas | _references | _wholes, _user)
def test_what_is_written_is_what_headers_hold(description: Description, user: dict[str, str]) -> None:
    metadata = description.write(user)

    for name, value in metadata.items():
        assert name.isascii()
        assert name == name.lower()
        assert value.isascii()
        assert value.isprintable()
        assert value or name in user or name.removeprefix("user-") in user
    assert metadata_size(metadata) <= LIMIT


@given(_deltas | _wholes, _user)
def test_the_predecessor_reads_what_is_written(description: Description, user: dict[str, str]) -> None:
    metadata = description.write(user)

    assert dialects.predecessor_takes_it_for(metadata) == description.kind
    assert {name for name in dialects.PREDECESSOR_NEEDS[:5] if not dialects.resolve(metadata, name)} == set()
    assert dialects.resolve(metadata, "file_sha256") == description.sha256
    assert datetime.fromisoformat(dialects.resolve(metadata, "created_at").rstrip("Z")).tzinfo is None
    if description.kind == "delta":
        assert {name for name in dialects.PREDECESSOR_NEEDS if not dialects.resolve(metadata, name)} == set()
        assert int(dialects.resolve(metadata, "file_size")) == description.size
        assert int(dialects.resolve(metadata, "delta_size")) == description.delta_size
        assert dialects.resolve(metadata, "ref_sha256") == description.reference_sha256


@given(_deltas | _references | _wholes, _user)
def test_deltaglider_proxy_finds_what_it_demands(description: Description, user: dict[str, str]) -> None:
    metadata = description.write(user)

    assert all(
        metadata.get(name) for name in ("dg-tool", "dg-original-name", "dg-file-sha256", "dg-file-size", "dg-md5")
    )
    assert metadata["dg-note"] == {"delta": "delta", "reference": "reference", "whole": "passthrough"}[description.kind]
    if description.kind == "delta":
        assert all(metadata.get(name) for name in ("dg-ref-sha256", "dg-ref-key", "dg-delta-size"))
    if description.kind == "reference":
        # Any other name, and its migration takes the reference for one to replace.
        assert metadata["dg-original-name"] == "__reference__"


def test_the_words_written_are_those_of_the_bucket_format() -> None:
    created = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    common: dict[str, Any] = {"sha256": FILE, "size": 6, "md5": MD5, "created": created, "tool": "deltaglider/7.0.0"}
    shared = {
        "dg-tool": "deltaglider/7.0.0",
        "dg-file-sha256": FILE,
        "dg-file-size": "6",
        "dg-md5": MD5,
        "dg-created-at": "2026-11-22T10:15:00.000000Z",
    }

    delta = Description(
        kind="delta",
        name="app-2.zip",
        reference_key=f"rel/.deltaglider/references/{REFERENCE}/reference.bin",
        reference_sha256=REFERENCE,
        delta_size=46,
        command="xdelta3 -e -D -S djw",
        **common,
    )
    assert delta.write({"Owner": "ci"}) == shared | {
        "user-owner": "ci",
        "dg-original-name": "app-2.zip",
        "dg-ref-key": f"rel/.deltaglider/references/{REFERENCE}/reference.bin",
        "dg-ref-sha256": REFERENCE,
        "dg-delta-size": "46",
        "dg-delta-cmd": "xdelta3 -e -D -S djw",
        "dg-note": "delta",
    }
    assert Description(kind="reference", name="app-1.zip", **common).write() == shared | {
        "dg-source-name": "app-1.zip",
        "dg-original-name": "__reference__",
        "dg-note": "reference",
    }
    assert Description(kind="whole", name="café.txt", **common).write({"Owner": "ci"}) == shared | {
        "owner": "ci",
        "dg-original-name": "=?utf-8?b?Y2Fmw6kudHh0?=",
        "dg-compression": "none",
        "dg-note": "passthrough",
    }


@pytest.mark.parametrize("lost", [{"size": None}, {"reference_key": ""}, {"reference_sha256": ""}])
def test_a_delta_is_not_described_without_what_it_takes_to_read_it(lost: dict[str, Any]) -> None:
    delta = Description(kind="delta", sha256=FILE, size=6, reference_key="reference.bin", reference_sha256=REFERENCE)

    with pytest.raises(InvalidInputError, match=r"^s3://b/k: the description of a delta lacks"):
        dataclasses.replace(delta, **lost).write(uri="s3://b/k")


# --- the 2 KB limit


def test_the_limit_is_2048_bytes_and_not_one_more() -> None:
    whole = Description(kind="whole", sha256=FILE, tool="t", name="n")
    room = LIMIT - metadata_size(whole.write({"a": ""}))

    assert metadata_size(whole.write({"a": "x" * room})) == LIMIT
    with pytest.raises(MetadataTooLargeError) as raised:
        whole.write({"a": "x" * (room + 1)}, uri="s3://b/k")

    assert f"s3://b/k: the metadata takes 2049 bytes of the 2048 S3 allows, {room + 2} of them" in str(raised.value)
    assert raised.value.remedy


def test_the_prefix_of_users_names_on_deltas_counts() -> None:
    delta = Description(kind="delta", sha256=FILE, size=6, reference_key="r", reference_sha256=REFERENCE)
    room = LIMIT - metadata_size(delta.write({"a": ""}))

    assert metadata_size(delta.write({"a": "x" * room})) == LIMIT
    with pytest.raises(MetadataTooLargeError):
        delta.write({"a": "x" * (room + 1)})


@given(st.text(st.sampled_from("a/é\U0001f600 "), min_size=1, max_size=1024))
def test_every_key_that_s3_takes_can_be_described(key: str) -> None:
    assume(len(key.encode()) <= 1024 and name_of(key).strip())
    common: dict[str, Any] = {"sha256": FILE, "size": 5 << 40, "md5": MD5, "created": datetime(2026, 1, 1, tzinfo=UTC)}
    for space in (deltaspace_of(key), directory_of(key)):
        delta = Description(
            kind="delta",
            tool="deltaglider/10.10.10",
            name=name_of(key),
            reference_key=reference_key(space, REFERENCE),
            reference_sha256=REFERENCE,
            delta_size=5 << 40,
            command="xdelta3 -e -D -S djw",
            **common,
        )
        assert metadata_size(delta.write()) <= LIMIT


def test_bytes_count_not_characters() -> None:
    assert metadata_size({"é": "日本"}) == 2 + 6
    assert metadata_size({}) == 0


# --- the user's own metadata


@pytest.mark.parametrize(
    ("user", "cause"),
    [
        ({"name": "café"}, "is not ASCII"),
        ({"náme": "x"}, "is not ASCII"),
        ({"": "x"}, "no HTTP header can hold"),
        ({"a b": "x"}, "no HTTP header can hold"),
        ({"a:b": "x"}, "no HTTP header can hold"),
        ({"a\n": "x"}, "no HTTP header can hold"),
        ({"a": "x\r\nx-amz-acl: public-read"}, "no HTTP header can hold"),
        ({"a": "x\0"}, "no HTTP header can hold"),
        ({"dg-tool": "x"}, "DeltaGlider's own"),
        ({"DG-Tool": "x"}, "DeltaGlider's own"),
        ({"dg_note": "x"}, "DeltaGlider's own"),
        ({"Owner": "a", "owner": "b"}, "is there twice"),
        ({"build": 118}, "is not text"),
        ({7: "x"}, "is not text"),
        ({"a": None}, "is not text"),
    ],
)
def test_metadata_that_cannot_be_stored_is_refused(user: dict[str, str], cause: str) -> None:
    with pytest.raises(InvalidInputError, match=cause) as raised:
        check_user_metadata(user, uri="s3://b/k")

    assert str(raised.value).startswith("s3://b/k: ")
    assert raised.value.remedy
    with pytest.raises(InvalidInputError, match=cause):
        Description(kind="whole", sha256=FILE).write(user)


def test_names_are_lower_case_and_values_as_they_are() -> None:
    assert check_user_metadata({"Build-Id": " A\tb ", "x": ""}) == {"build-id": " A\tb ", "x": ""}


def test_users_words_that_were_ours_once_stay_the_users() -> None:
    user = {"tool": "gcc", "note": "reference", "compression": "lzma", "file_sha256": REFERENCE, "content-type": "x"}
    whole = Description(kind="whole", sha256=FILE, tool="deltaglider/7.0.0", name="n")

    metadata = whole.write(user)

    assert Description.read(metadata, stored_key="n") == whole
    assert user_metadata(metadata, whole) == user


def test_before_the_prefix_such_words_are_ours() -> None:
    metadata = {**dialects.WHOLE_612, "owner": "ci"}

    assert user_metadata(metadata, Description.read(metadata, stored_key="hello.txt")) == {"owner": "ci"}
    metadata = {**dialects.DELTA_522, "owner": "ci"}
    assert user_metadata(metadata, Description.read(metadata, stored_key=DELTA_KEY)) == {}


def test_the_proxys_own_marks_are_not_the_users() -> None:
    for metadata, stored_key in ((dialects.PROXY_DELTA, DELTA_KEY), (dialects.PROXY_WHOLE, "rel/hello.txt")):
        description = Description.read(metadata, stored_key=stored_key)

        assert user_metadata(metadata, description) == {"owner": "ci"}
        assert recorded_content_type(metadata, description) == metadata["content-type"]


def test_a_content_type_in_anothers_metadata_is_just_metadata() -> None:
    whole = Description(kind="whole", sha256=FILE, tool="deltaglider/7.0.0", name="n")
    metadata = whole.write({"content-type": "text/x"})

    assert recorded_content_type(metadata, whole) is None
    assert recorded_content_type({"content-type": "text/x"}, None) is None
    assert (
        recorded_content_type(dialects.PROXY_REFERENCE, Description.read(dialects.PROXY_REFERENCE, stored_key="r"))
        is None
    )


def test_an_object_of_another_tool_keeps_its_metadata_but_not_scraps_of_ours() -> None:
    assert user_metadata({"mtime": "1", "note": "x", "user-a": "b"}, None) == {"mtime": "1", "note": "x", "user-a": "b"}
    assert user_metadata({"mtime": "1", "dg-tool": "deltaglider/6.2.0"}, None) == {"mtime": "1"}
