"""What spans and metrics say alike, by the names of OpenTelemetry's semantic conventions where there are such."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.util.types import AttributeValue

from deltaglider.events import CodecRan, RequestSent


def request_attributes(event: RequestSent) -> dict[str, AttributeValue]:
    """Of a request: those that have few values."""
    attributes = {
        "rpc.system": "aws-api",
        "rpc.service": "S3",
        "rpc.method": event.operation,
        "error.type": event.error,
    }
    status: dict[str, AttributeValue] = {"http.response.status_code": event.status} if event.status else {}
    return without_blanks(attributes) | status


def codec_attributes(event: CodecRan) -> dict[str, AttributeValue]:
    """Of an encoding or decoding."""
    return {"deltaglider.codec.operation": event.operation}


def without_blanks(attributes: Mapping[str, str]) -> dict[str, AttributeValue]:
    """Those that have a value."""
    return {name: value for name, value in attributes.items() if value}
