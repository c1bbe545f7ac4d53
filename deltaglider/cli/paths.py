"""What the paths of the command line mean, as ``aws s3`` has it. Pure, but for what it is told of the local side."""

from __future__ import annotations

import os
from pathlib import Path

import asyncclick

from deltaglider.layout.uri import S3Uri, is_s3_uri
from deltaglider.models import Action

STREAM = "-"
"""Standard input or output, in the place of a path."""


def direction(source: str, target: str, *, usage: str) -> Action:
    """What a transfer between two places is called.

    Args:
        source: As the user wrote it.
        target: As the user wrote it.
        usage: The command, for the message.

    Returns:
        ``upload``, ``download`` or ``copy``.

    Raises:
        asyncclick.UsageError: Both are local.
        InvalidUriError: One is an ``s3://`` URI that cannot be.
    """
    for text in (source, target):
        if is_s3_uri(text):
            S3Uri.parse(text)
    if is_s3_uri(source):
        return "copy" if is_s3_uri(target) else "download"
    if is_s3_uri(target):
        return "upload"
    raise asyncclick.UsageError(
        f"{usage} takes <LocalPath> <S3Uri>, <S3Uri> <LocalPath> or <S3Uri> <S3Uri>; neither {source!r} nor "
        f"{target!r} begins with s3://"
    )


def bucket_or_prefix(text: str) -> S3Uri:
    """A place in the store, for commands that can mean nothing else: ``s3://`` may be left out.

    Raises:
        InvalidUriError: It is none.
    """
    return S3Uri.parse(text if is_s3_uri(text) else f"s3://{text}")


def only_s3(text: str, *, usage: str) -> S3Uri:
    """A place in the store, for commands that delete or make: ``s3://`` must be there, lest a path is taken for one.

    Raises:
        asyncclick.UsageError: It is a local path.
        InvalidUriError: It is an ``s3://`` URI that cannot be.
    """
    if not is_s3_uri(text):
        raise asyncclick.UsageError(f"{usage} takes <S3Uri>; {text!r} does not begin with s3://")
    return S3Uri.parse(text)


def only_bucket(text: str, *, usage: str) -> S3Uri:
    """A bucket without a key.

    Raises:
        asyncclick.UsageError: It is anything else.
        InvalidUriError: It is an ``s3://`` URI that cannot be.
    """
    uri = only_s3(text, usage=usage)
    if uri.key:
        raise asyncclick.UsageError(f"{usage} takes a bucket only, such as s3://{uri.bucket}")
    return uri


def object_target(text: str, name: str) -> S3Uri:
    """The object that a single file becomes: a place takes the file's name, anything else is the key as it is written.

    Args:
        text: ``s3://bucket``, ``s3://bucket/place/`` or ``s3://bucket/key``.
        name: The file's name.

    Returns:
        The object.
    """
    uri = S3Uri.parse(text)
    return uri.child(name) if uri.is_directory else uri


def file_target(text: str, key: str) -> Path:
    """The file that a single object becomes: a directory takes the object's name, anything else is the file.

    Args:
        text: A local path.
        key: The object's key.

    Returns:
        The file.
    """
    path = Path(text)
    return path / key.rsplit("/", 1)[-1] if takes_name(text) else path


def takes_several(text: str) -> bool:
    """Whether a target is a directory or a place in the store, so that it can take several files."""
    return S3Uri.parse(text).is_directory if is_s3_uri(text) else takes_name(text)


def takes_name(text: str) -> bool:
    """Whether a local target is a directory, so that the file in it is called as the object."""
    return text.endswith(("/", os.sep)) or Path(text).is_dir()
