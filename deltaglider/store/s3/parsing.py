"""The answers to listings, parsed without botocore's models: of a thousand keys a page, these took most of the time.

Imports aiobotocore at the top: import this module only where a client is about to be made, in a worker thread.
"""

from __future__ import annotations

from typing import Any

from aiobotocore.parsers import AioResponseParserFactory, AioRestXMLParser

from deltaglider.store.s3.wire import parse_time

_OBJECTS = "ObjectList"
"""The shape of the objects of a page, in the models of both kinds of listings."""

_TEXTS = frozenset({"Key", "ETag", "StorageClass", "ChecksumType"})


class ListingParser(AioRestXMLParser):  # type: ignore[misc]
    """botocore's parser of S3's answers, but for the objects of a listing."""

    def _handle_list(self, shape: Any, node: Any) -> list[Any]:
        if shape.name != _OBJECTS:
            return list(super()._handle_list(shape, node))
        nodes = node if isinstance(node, list) else [node]
        return [_plain(each) or self._parse_shape(shape.member, each) for each in nodes]


def _plain(node: Any) -> dict[str, Any] | None:
    """One object, if all that is told of it is of the usual kinds; ``None`` for botocore to parse it."""
    entry: dict[str, Any] = {}
    for child in node:
        name = child.tag.rpartition("}")[2]
        text = child.text or ""
        if name in _TEXTS:
            entry[name] = text
        elif name == "Size":
            entry[name] = int(text)
        elif name == "LastModified" and text:
            entry[name] = parse_time(text)
        elif name == "ChecksumAlgorithm":
            entry.setdefault(name, []).append(text)
        elif name == "Owner":
            entry[name] = {each.tag.rpartition("}")[2]: each.text or "" for each in child}
        else:
            return None
    return entry


class ParserFactory(AioResponseParserFactory):  # type: ignore[misc]
    """Makes botocore's parsers, and ours of listings."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol, with the defaults that were set."""
        if protocol_name != "rest-xml":
            return super().create_parser(protocol_name)
        return ListingParser(**self._defaults)
