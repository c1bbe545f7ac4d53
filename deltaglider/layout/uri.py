"""``s3://bucket/key``, read and written."""

from __future__ import annotations

import re

from deltaglider.errors import InvalidUriError
from deltaglider.late import dataclass
from deltaglider.layout.keys import LONGEST

_SCHEME = "s3://"
# An access point stands where a bucket does, and holds slashes or colons of its own.
_NAME = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_ARN = re.compile(
    rf"(arn:aws[a-z-]*:s3[a-z-]*:[a-z0-9-]*:[0-9]*:(?:outpost[:/]{_NAME}[:/])?accesspoint[:/]{_NAME})(?:/(.*))?",
    re.DOTALL,
)
_OBJECT_LAMBDA = re.compile(r"arn:aws[a-z-]*:s3-object-lambda:")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class S3Uri:
    """A bucket and what follows it: a key, a prefix, or nothing.

    Attributes:
        bucket: The bucket, or the ARN of an access point.
        key: The key, byte for byte as written: no decoding, no normalising, ``a//b`` and ``../`` included.
    """

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"

    @property
    def is_directory(self) -> bool:
        """Whether it names a place for files, not one object: no key, or one that ends with a slash."""
        return not self.key or self.key.endswith("/")

    def child(self, name: str) -> S3Uri:
        """The URI of ``name`` inside this place; ``a/b`` for ``b`` in ``a``, whether or not ``a`` ends with a slash."""
        return S3Uri(self.bucket, self.as_directory().key + name)

    def as_directory(self) -> S3Uri:
        """The same place with the slash that recursive work gives it: ``p`` never means ``p2/x``."""
        return self if self.is_directory else S3Uri(self.bucket, self.key + "/")

    @classmethod
    def parse(cls, text: str) -> S3Uri:
        """Reads ``s3://bucket``, ``s3://bucket/key`` or ``s3://arn:.../key``.

        Args:
            text: The URI.

        Returns:
            Its parts.

        Raises:
            InvalidUriError: It is none of these.
        """
        if not is_s3_uri(text):
            raise InvalidUriError("not an s3:// URI", uri=str(text), remedy="Write it as s3://bucket/key")
        rest = text[len(_SCHEME) :]
        if _OBJECT_LAMBDA.match(rest):
            raise InvalidUriError(
                "S3 Object Lambda access points change bytes on the way and cannot hold deltas",
                uri=text,
                remedy="Use the bucket or a plain access point",
            )
        arn = _ARN.fullmatch(rest)
        bucket, key = (arn[1], arn[2] or "") if arn else rest.partition("/")[::2]
        if not arn and not _BUCKET.fullmatch(bucket):
            problem = f"{bucket!r} is not a bucket name" if bucket else "the bucket is missing"
            raise InvalidUriError(problem, uri=text, remedy="Write it as s3://bucket/key")
        check_key(key, uri=text)
        return cls(bucket, key)


def check_key(key: str, *, uri: str) -> None:
    """Refuses a key that no store takes; for keys made of file names, which may hold anything.

    Args:
        key: The key.
        uri: What to name in the error.

    Raises:
        InvalidUriError: It holds a NUL character or bytes that are not UTF-8, or is too long.
    """
    if "\0" in key:
        raise InvalidUriError("the key holds a NUL character", uri=uri, remedy="Rename it")
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidUriError("the key is not valid UTF-8, as S3 demands", uri=uri, remedy="Rename it") from None
    if length > LONGEST:
        raise InvalidUriError(
            f"the key takes {length:,} bytes of the {LONGEST:,} S3 allows", uri=uri, remedy="Shorten it"
        )


def is_s3_uri(text: object) -> bool:
    """Whether something is meant as an ``s3://`` URI.

    Args:
        text: Anything.

    Returns:
        Whether it is a string that begins with ``s3://``.
    """
    return isinstance(text, str) and text.startswith(_SCHEME)
