"""The options on how objects are written, copied and read: those of ``aws s3``, by the same names."""

from __future__ import annotations

from typing import Any

import asyncclick

from deltaglider.cli.framework import Option, WordsOption
from deltaglider.cli.kinds import Grant, HttpDate, Metadata
from deltaglider.cli.options import Given, flag, option

_STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
)
_ACLS = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
)
_CHECKSUMS = (
    "CRC64NVME",
    "CRC32",
    "CRC32C",
    "SHA1",
    "SHA256",
    "SHA512",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
)


def _keep_grants(ctx: asyncclick.Context, parameter: asyncclick.Parameter, value: Any) -> Any:
    ctx.ensure_object(Given).headers.update(value)
    return value


def _keep_tags(ctx: asyncclick.Context, parameter: asyncclick.Parameter, value: Any) -> Any:
    if value:
        ctx.ensure_object(Given).storing["tags"] = dict(value)
    return value


def _refuse_keys(ctx: asyncclick.Context, parameter: asyncclick.Parameter, value: Any) -> Any:
    if value is not None:
        raise asyncclick.UsageError(
            f"{parameter.opts[0]}: encryption with a key of one's own (SSE-C) is not supported: references would need "
            "it, and every reader of their deltas. Use --sse aws:kms, or encrypt the file itself",
            ctx,
        )
    return value


def _own_key(name: str, **attributes: Any) -> Option:
    text = "Refused: references would need the key, and every reader of their deltas."
    return Option(name, callback=_refuse_keys, expose_value=False, default=None, hidden=True, help=text, **attributes)


def _header(parameter: str, name: str, text: str, *, metavar: str = "TEXT", **attributes: Any) -> Option:
    return option("headers", parameter, name, metavar=metavar, section="Metadata", help=text, **attributes)


METADATA = (
    option(
        "storing",
        "metadata",
        "--metadata",
        metavar="K=V,...",
        type=Metadata(),
        section="Metadata",
        help="User metadata of what is stored: name=value pairs, or a JSON object. Copies with it have nothing of "
        "their source's metadata and headers.",
    ),
    option(
        "storing",
        "metadata_directive",
        "--metadata-directive",
        type=asyncclick.Choice(["COPY", "REPLACE"]),
        section="Metadata",
        help="Of copies: keep the metadata and headers of the source, and heed none of these options; or keep none of "
        "them. Default: COPY, or REPLACE where --metadata is given.",
    ),
    option(
        "storing",
        "copy_props",
        "--copy-props",
        type=asyncclick.Choice(["none", "metadata-directive", "default", "all"]),
        section="Metadata",
        help="What goes along with a copy: nothing; metadata and headers; or tags, too. Means nothing beside "
        "--metadata-directive. Default: default, all of it.",
    ),
    Option(
        "--tags",
        nargs=2,
        multiple=True,
        metavar="NAME VALUE",
        callback=_keep_tags,
        expose_value=False,
        section="Metadata",
        help="A tag of what is stored; may be repeated. References have none.",
    ),
    _header("ContentType", "--content-type", "The media type.", metavar="TYPE"),
    flag(
        "storing",
        "guess_content_type",
        "--no-guess-mime-type",
        value=False,
        section="Metadata",
        help="Do not keep the media type that a file's name suggests.",
    ),
    _header("CacheControl", "--cache-control", "For caches on the way."),
    _header("ContentDisposition", "--content-disposition", "How a browser shows or saves it."),
    _header("ContentEncoding", "--content-encoding", "How it is encoded, such as gzip. Nothing is encoded by this."),
    _header("ContentLanguage", "--content-language", "The language it is in."),
    _header("Expires", "--expires", "When caches forget it.", metavar="TIME", type=HttpDate()),
    _header("WebsiteRedirectLocation", "--website-redirect", "Where the bucket's website sends its readers."),
    option(
        "headers",
        "StorageClass",
        "--storage-class",
        metavar="CLASS",
        type=asyncclick.Choice(_STORAGE_CLASSES),
        section="Metadata",
        help="The storage class. References stay in STANDARD: every delta needs them.",
    ),
    option(
        "headers",
        "ACL",
        "--acl",
        metavar="ACL",
        type=asyncclick.Choice(_ACLS),
        section="Metadata",
        help="A canned ACL, such as public-read. References stay private.",
    ),
    WordsOption(
        "--grants",
        type=Grant(),
        metavar="GRANT...",
        callback=_keep_grants,
        expose_value=False,
        section="Metadata",
        help="Who may do what: read, readacl, writeacl or full, then =uri=... or =id=.... References stay private.",
    ),
    option(
        "headers",
        "ServerSideEncryption",
        "--sse",
        metavar="[AES256|aws:kms]",
        is_flag=False,
        flag_value="AES256",
        type=asyncclick.Choice(["AES256", "aws:kms"]),
        section="Metadata",
        help="Encryption by the server, of references too; AES256 where no kind is named.",
    ),
    _header("SSEKMSKeyId", "--sse-kms-key-id", "The key of KMS to encrypt with.", metavar="ID"),
    _own_key("--sse-c", is_flag=False, flag_value="AES256"),
    _own_key("--sse-c-key"),
    _own_key("--sse-c-copy-source", is_flag=False, flag_value="AES256"),
    _own_key("--sse-c-copy-source-key"),
    option(
        "headers",
        "ChecksumAlgorithm",
        "--checksum-algorithm",
        metavar="NAME",
        type=asyncclick.Choice(_CHECKSUMS),
        section="Metadata",
        help="The checksum S3 keeps of what is stored: CRC32, SHA1, SHA256 or SHA512; for others install "
        "deltaglider[crt].",
    ),
)

READING = (
    flag(
        "storing",
        "no_overwrite",
        "--no-overwrite",
        section="Transfers",
        help="Leave alone what the target has, and say nothing of it.",
    ),
    flag(
        "reading",
        "ignore",
        "--ignore-glacier-warnings",
        section="Transfers",
        help="Leave out objects in archives (GLACIER, DEEP_ARCHIVE) without a warning.",
    ),
    flag(
        "reading",
        "force",
        "--force-glacier-transfer",
        section="Transfers",
        help="Try objects in archives all the same: they may have been restored.",
    ),
    option(
        "reading",
        "checksum_mode",
        "--checksum-mode",
        type=asyncclick.Choice(["ENABLED"]),
        section="Transfers",
        help="Accepted for downloads; what is read is always proven by its SHA-256.",
    ),
    option(
        "reading",
        "source_region",
        "--source-region",
        metavar="NAME",
        section="Transfers",
        help="Accepted; the region of a bucket is found where it is needed.",
    ),
)
EXPECTED_SIZE = option(
    "reading",
    "expected_size",
    "--expected-size",
    metavar="BYTES",
    type=int,
    section="Transfers",
    help="Accepted; standard input of any size will do.",
)
