"""What users write, read: URLs and options."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from deltaglider.bulk.escape import unescaped
from deltaglider.engine.options import Directive, UploadOptions
from deltaglider.errors import InvalidInputError
from deltaglider.layout.uri import S3Uri, is_s3_uri

CopyProps = Literal["none", "metadata-directive", "default", "all"]
"""What goes along with a copy, as ``aws s3`` names it."""

MOST_TAGS = 10
"""Tags an object may have."""

# Checksums that Python's standard library lacks.
_OF_AWSCRT = frozenset({"CRC32C", "CRC64NVME", "XXHASH64", "XXHASH3", "XXHASH128"})


def object_uri(text: str, name: str | None = None, *, marker: bool = False) -> S3Uri:
    """The object a URL means.

    Args:
        text: ``s3://bucket/key``.
        name: What a URL that names a place is completed with; ``None`` if such a URL will not do.
        marker: A URL that ends with a slash means the object of exactly that key.

    Returns:
        Bucket and key.

    Raises:
        InvalidInputError: It names no object.
    """
    uri = S3Uri.parse(text)
    if not uri.is_directory or (marker and uri.key):
        return uri
    if name is None:
        raise InvalidInputError("the URL names a place, not an object", uri=str(text), remedy="Add the object's name")
    return uri.child(name)


def place_uri(text: str) -> S3Uri:
    """The bucket or prefix a URL means; ``s3://`` may be left out.

    Args:
        text: ``s3://bucket/prefix`` or ``bucket/prefix``.

    Returns:
        Bucket and prefix.

    Raises:
        InvalidUriError: It is none.
    """
    return S3Uri.parse(text if is_s3_uri(text) else f"s3://{text}")


def bucket_name(text: str) -> str:
    """The bucket that a bare name or ``s3://name`` means.

    Args:
        text: Either.

    Returns:
        The name.

    Raises:
        InvalidInputError: It means something else.
    """
    uri = S3Uri.parse(text if is_s3_uri(text) else f"s3://{text}")
    if uri.key:
        raise InvalidInputError("a bucket is wanted, not an object", uri=text, remedy=f"Give s3://{uri.bucket}")
    return uri.bucket


def check_sources(sources: Sequence[str], target: str, *, escape_names: bool = False) -> None:
    """Checks that several sources can go to one place, each under its own name.

    Args:
        sources: Paths, or ``s3://`` URLs.
        target: A path or URL.
        escape_names: Names of files stand for others, as ``bulk.escape`` has it.

    Raises:
        InvalidInputError: They cannot.
    """
    remote = [is_s3_uri(source) for source in sources]
    if any(remote) and not all(remote):
        raise InvalidInputError("some sources are files here, some are objects", remedy="Transfer them apart")
    if not any(remote) and not is_s3_uri(target):
        raise InvalidInputError(f"{target!r} is not an s3:// URI", remedy="Write it as s3://bucket/prefix")
    names: dict[str, str] = {}
    for source in sources:
        name = source.rsplit("/", 1)[-1] if is_s3_uri(source) else Path(source).absolute().name
        if escape_names and not any(remote):
            name = unescaped(name)
        if any(remote) and not S3Uri.parse(source).key:
            raise InvalidInputError("a bucket is not an object", uri=source, remedy="Name the object")
        if name in names:
            raise InvalidInputError(
                f"{names[name]} and {source} would have the same name there", remedy="Transfer one under another name"
            )
        names[name] = source


def upload_options(
    *,
    metadata: Mapping[str, str] | None = None,
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    delta: bool | None = None,
    max_ratio: float | None = None,
    guess_content_type: bool = False,
    no_overwrite: bool = False,
    metadata_directive: Directive | None = None,
    copy_props: CopyProps | None = None,
) -> UploadOptions:
    """The engine's options from the keywords of a method.

    Args:
        metadata: The user's metadata.
        content_type: The media type; another spelling of the header.
        headers: Headers to keep, by boto3's parameter names.
        tags: The object's tags.
        delta: Whether a delta may be made; ``None`` leaves it to the settings.
        max_ratio: The largest share of the size a delta may have; ``None`` leaves it to the settings.
        guess_content_type: Whether the name of the file tells the media type where nothing else does.
        no_overwrite: Whether an existing object is to be left alone.
        metadata_directive: Of copies: where metadata and headers come from.
        copy_props: Of copies: what goes along. Means nothing beside ``metadata_directive``.

    Returns:
        The options.

    Raises:
        InvalidInputError: An option that cannot be kept to.
    """
    all_headers = {**(headers or {}), **({"ContentType": content_type} if content_type else {})}
    _check_headers(all_headers)
    _check_word("metadata_directive", metadata_directive, get_args(Directive))
    _check_word("copy_props", copy_props, get_args(CopyProps))
    directive, keep_tags = _what_goes_along(bool(metadata), metadata_directive, copy_props)
    return UploadOptions(
        metadata=metadata or {},
        headers=all_headers,
        delta=delta,
        max_ratio=max_ratio,
        guess_content_type=guess_content_type,
        tags=_checked_tags(tags),
        keep_tags=keep_tags,
        directive=directive,
        no_overwrite=no_overwrite,
    )


def _what_goes_along(
    metadata: bool, directive: Directive | None, copy_props: CopyProps | None
) -> tuple[Directive | None, bool]:
    """The directive, and whether tags go along: the rules of ``aws s3``, version 2."""
    if directive is not None or copy_props is None:
        return directive, True
    if copy_props == "none":
        return "REPLACE", False
    return "REPLACE" if metadata else "COPY", copy_props != "metadata-directive"


def _check_headers(headers: Mapping[str, str]) -> None:
    for name in headers:
        if "SSECustomer" in name:
            raise InvalidInputError(
                "encryption with a key of one's own (SSE-C) is not supported: references would need it, and every "
                "reader of their deltas",
                remedy="Use SSE-KMS (ServerSideEncryption='aws:kms'), or encrypt the file itself",
            )


def check_summable(headers: Mapping[str, str] | None) -> None:
    """Checks that the checksum asked for can be made on this machine: before the first of many files is read.

    Args:
        headers: Headers and write parameters of files that are uploaded. Of copies the store makes the checksum.

    Raises:
        InvalidInputError: It cannot.
    """
    name = (headers or {}).get("ChecksumAlgorithm", "")
    if name.upper() in _OF_AWSCRT and importlib.util.find_spec("awscrt") is None:
        raise InvalidInputError(
            f"a checksum of the kind {name} needs the package awscrt, which is not installed",
            remedy="Install deltaglider[crt], or take CRC32, SHA1, SHA256 or SHA512",
        )


def _check_word(name: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise InvalidInputError(f"{name} is {value!r}", remedy=f"Give one of {', '.join(known)}")


def _checked_tags(tags: Mapping[str, str] | None) -> dict[str, str] | None:
    if tags is None:
        return None
    for item in tags.items():
        if not all(isinstance(text, str) for text in item) or not item[0]:
            raise InvalidInputError(f"the tag {item!r} is not a name and a text", remedy="Give two strings")
    if len(tags) > MOST_TAGS:
        raise InvalidInputError(f"{len(tags)} tags are more than the {MOST_TAGS} an object may have")
    return dict(tags)
