"""The tree of errors: what its docstring draws, and what a reader of one line learns."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider import errors
from deltaglider.errors import (
    DeltaGliderError,
    IntegrityError,
    InvalidInputError,
    LocalFileNotFoundError,
    NotFoundError,
    StoreError,
)

CLASSES: list[type[DeltaGliderError]] = [
    thing
    for thing in vars(errors).values()
    if inspect.isclass(thing) and issubclass(thing, DeltaGliderError) and thing.__module__ == errors.__name__
]

CODES = {
    "AccessDeniedError": "access_denied",
    "AlreadyExistsError": "already_exists",
    "BucketNotFoundError": "bucket_not_found",
    "ChecksumMismatchError": "checksum_mismatch",
    "ClientStateError": "client_state",
    "CodecError": "codec",
    "CodecFailedError": "codec_failed",
    "CodecMissingError": "codec_missing",
    "CodecTimeoutError": "codec_timeout",
    "ConfigurationError": "configuration",
    "DeltaCorruptError": "delta_corrupt",
    "DeltaGliderError": "error",
    "IntegrityError": "integrity",
    "InvalidInputError": "invalid_input",
    "InvalidUriError": "invalid_uri",
    "LocalFileError": "local_file",
    "LocalFileNotFoundError": "local_file_not_found",
    "MetadataLostError": "metadata_lost",
    "UnknownFormatError": "unknown_format",
    "MetadataTooLargeError": "metadata_too_large",
    "NotFoundError": "not_found",
    "NotSupportedError": "not_supported",
    "PreconditionFailedError": "precondition_failed",
    "ReferenceCorruptError": "reference_corrupt",
    "ReferenceMissingError": "reference_missing",
    "ReservedKeyError": "reserved_key",
    "DeletesRefusedError": "deletes_refused",
    "SourceRemainsError": "source_remains",
    "StoreError": "store",
    "StoreUnavailableError": "store_unavailable",
    "TransferBrokenError": "transfer_broken",
    "ArchivedError": "archived",
    "LocalFileExistsError": "local_file_exists",
}
"""Programs compare with these: a change here breaks them."""


def drawn_tree() -> dict[str, list[str]]:
    """The tree of the docstring: each class with its bases, the drawn parent first."""
    tree: dict[str, list[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    (?P<branch>[│├└─ ]*)(?P<name>\w+Error)(?: +\((?P<builtin>\w+)\))?(?:  .*)?", line)
        if match:
            path = [*path[: len(match["branch"]) // 4], match["name"]]
            tree[match["name"]] = [*path[-2:-1], *filter(None, [match["builtin"]])]
    return tree


def test_the_tree_is_as_it_is_drawn() -> None:
    tree = drawn_tree()

    assert tree.pop("DeltaGliderError") == []
    assert DeltaGliderError.__bases__ == (Exception,)
    assert tree == {
        kind.__name__: [base.__name__ for base in kind.__bases__] for kind in CLASSES if kind is not DeltaGliderError
    }


def test_there_are_no_errors_beside_the_tree() -> None:
    others = [
        name for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, BaseException)
    ]

    assert sorted(others) == sorted(kind.__name__ for kind in CLASSES)


def test_codes_are_stable_and_no_two_are_the_same() -> None:
    assert {kind.__name__: kind.code for kind in CLASSES} == CODES
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_a_process_pool(kind: type[DeltaGliderError]) -> None:
    error = kind("it failed", uri="s3://bucket/a  b\n", remedy="Try again")
    if isinstance(error, StoreError):
        error.status, error.s3_code = 503, "SlowDown"
    error.add_note("seen by the test")

    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is kind
        assert str(other) == str(error)
        assert other.args == error.args
        assert vars(other) == vars(error)


def test_a_store_error_knows_what_the_service_said() -> None:
    error = NotFoundError("no such object", uri="s3://b/k", status=404, s3_code="NoSuchKey")

    assert (error.status, error.s3_code, error.code) == (404, "NoSuchKey", "not_found")
    assert isinstance(error, FileNotFoundError)
    assert (StoreError("x").status, StoreError("x").s3_code) == (0, "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DeltaGliderError("it failed"), "it failed"),
        (NotFoundError("no such object", uri="s3://b/k"), "s3://b/k: no such object"),
        (
            NotFoundError("no such object", uri="s3://b/k", remedy="Check the key with 'deltaglider ls'"),
            "s3://b/k: no such object. Check the key with 'deltaglider ls'",
        ),
        (InvalidInputError("ends with a dot.", remedy="Fix it"), "ends with a dot. Fix it"),
        (InvalidInputError("two\nlines  and\ttabs", remedy="Fix\nit"), "two lines and tabs. Fix it"),
        # A location is named once ...
        (NotFoundError("cannot read s3://b/k: it is gone", uri="s3://b/k"), "cannot read s3://b/k: it is gone"),
        (NotFoundError("cannot read 's3://b/k'.", uri="s3://b/k", remedy="Go"), "cannot read 's3://b/k'. Go"),
        # ... but not taken for a part of another, or for a word.
        (
            IntegrityError("its delta s3://b/k.delta is damaged", uri="s3://b/k"),
            "s3://b/k: its delta s3://b/k.delta is damaged",
        ),
        (IntegrityError("not in s3://b/k/x", uri="s3://b/k"), "s3://b/k: not in s3://b/k/x"),
        (LocalFileNotFoundError("no such file", uri="f"), "f: no such file"),
        (LocalFileNotFoundError("a file is missing", uri="a"), "a: a file is missing"),
        # Odd names stay recognisable, and harmless on a terminal.
        (LocalFileNotFoundError("no such file", uri="a  b.zip"), "a  b.zip: no such file"),
        (LocalFileNotFoundError("no such file", uri="a\nb\x1b[31m"), r"a\nb\x1b[31m: no such file"),
        (LocalFileNotFoundError("no such file", uri="caf\udce9"), r"caf\udce9: no such file"),
        (LocalFileNotFoundError("cannot open \x1b[2J", uri="x"), r"x: cannot open \x1b[2J"),
        (LocalFileNotFoundError("no such file", uri="日本.zip"), "日本.zip: no such file"),
    ],
)
def test_an_error_says_in_one_line_what_failed_on_what_and_what_to_do(error: DeltaGliderError, line: str) -> None:
    assert str(error) == line
    assert error.args == (line,)


@given(st.sampled_from(CLASSES), st.text(), st.none() | st.text(), st.none() | st.text())
def test_a_message_is_one_printable_line_whatever_it_is_made_of(
    kind: type[DeltaGliderError], message: str, uri: str | None, remedy: str | None
) -> None:
    error = kind(message, uri=uri, remedy=remedy)

    assert str(error).isprintable()
    str(error).encode()  # No surrogate is left that a stream could not write.
    assert (error.message, error.uri, error.remedy) == (message, uri, remedy)
