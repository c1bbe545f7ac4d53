"""Listings are parsed as botocore parses them, only sooner."""

from __future__ import annotations

from typing import Any

import pytest
from aiobotocore.parsers import AioRestXMLParser
from aiobotocore.session import AioSession

from deltaglider.store.s3.parsing import ListingParser
from deltaglider.store.s3.wire import parse_time

USUAL = (
    "<Key>a&amp;b/%C3%A9 .txt</Key><LastModified>2026-11-29T01:02:03.456Z</LastModified>"
    "<ETag>&quot;0123456789abcdef0123456789abcdef-12&quot;</ETag><Size>5368709121</Size>"
    "<StorageClass>DEEP_ARCHIVE</StorageClass>"
)
ENTRIES = {
    "usual": USUAL,
    "owner": f"{USUAL}<Owner><ID>0123</ID><DisplayName/></Owner>",
    "checksum": f"{USUAL}<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>",
    "checksums": f"{USUAL}<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>",
    "restored": f"{USUAL}<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>",
    "new": f"{USUAL}<Novelty>7</Novelty>",
    "little": "<Key>a</Key>",
    "nothing": "",
    "old date": "<Key>a</Key><LastModified>Wed, 21 Oct 2015 07:28:00 GMT</LastModified>",
    "empty": "<Key></Key><ETag/><Size>0</Size>",
    "spaces": "\n  <Key> a </Key>\n  <Size>3</Size>\n",
}


async def parsed(parser: Any, operation: str, contents: str, namespace: str) -> Any:
    model = (await AioSession().get_service_model("s3")).operation_model(operation)
    root = "ListBucketResult"
    text = f"<{root}{namespace}><Name>b</Name><IsTruncated>false</IsTruncated>{contents}</{root}>"
    answer = {"body": text.encode(), "status_code": 200, "headers": {}, "context": {"operation_name": operation}}
    return await parser(timestamp_parser=parse_time).parse(answer, model.output_shape)


@pytest.mark.parametrize("operation", ["ListObjectsV2", "ListObjects"])
@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
async def test_the_same_comes_out_as_of_botocores_parser(operation: str, namespace: str) -> None:
    for chosen in ([], *([name] for name in ENTRIES), list(ENTRIES)):
        contents = "".join(f"<Contents>{ENTRIES[name]}</Contents>" for name in chosen)
        contents += "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
        ours = await parsed(ListingParser, operation, contents, namespace)
        assert ours == await parsed(AioRestXMLParser, operation, contents, namespace)
        assert len(ours.get("Contents", [])) == len(chosen)
