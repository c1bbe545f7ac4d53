"""What an operation on one object takes and gives, as far as it is headers, a query and a body; read from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.utils import percent_encode

from deltaglider.late import dataclass
from deltaglider.store.s3.wire import parse_time

_BOTOCORES_OWN = ("Checksum", "SSECustomer", "CopySource")
"""How parameters begin that it does more with than to send them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A request, but for where it goes and who signs it.

    Attributes:
        query: Percent-encoded; empty for none.
        headers: By their names in lower case.
        body: Bytes, or what is sent in slices; ``None`` for none.
    """

    query: str
    headers: dict[str, str]
    body: Any = None


class Shape:
    """One operation.

    Args:
        model: botocore's model of it.

    Attributes:
        name: As S3 calls it.
        method: Of HTTP.
        output: The shape of its answer, for botocore's parser.
        streams: Whether the body of its answer is an object's bytes.
    """

    def __init__(self, model: Any) -> None:
        self.name = str(model.name)
        self.method = str(model.http["method"])
        self.output = model.output_shape
        self.streams = bool(model.has_streaming_output)
        self._says_more = "?" in model.http["requestUri"]
        self._checksums = model.http_checksum
        self._body = model.input_shape.serialization.get("payload")
        self._takes = dict(_members(model.input_shape))
        self._gives: dict[str, tuple[str, Callable[[str], Any]]] = {}
        self._maps: list[tuple[str, str]] = []
        for name, (place, wire, kind) in _members(model.output_shape):
            if place == "headers":
                self._maps.append((wire.lower(), name))
            elif place == "header" and kind in _READ:
                self._gives[wire.lower()] = (name, _READ[kind])
        if "expires" in self._gives:
            # Servers send anything as such a time; botocore gives the text besides, and nothing else is used.
            self._gives["expires"] = ("ExpiresString", str)

    def is_plain(self, config: Any) -> bool:
        """Whether botocore would add nothing to a request but its signature, and look at no checksum of the answer.

        Args:
            config: The configuration of a client.

        Returns:
            Whether.
        """
        adds = "requestAlgorithmMember" in self._checksums and config.request_checksum_calculation != "when_required"
        looks = (
            "requestValidationModeMember" in self._checksums and config.response_checksum_validation != "when_required"
        )
        return not (self._says_more or adds or looks) and (config.s3 or {}).get("payload_signing_enabled") is False

    @property
    def names(self) -> Mapping[str, Any]:
        """The parameters that it takes."""
        return self._takes

    def parts(self, parameters: Mapping[str, Any]) -> Parts | None:
        """The request with these parameters.

        Args:
            parameters: As botocore's client takes them.

        Returns:
            Its parts; ``None`` if only botocore knows how to send this.
        """
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        for name, value in parameters.items():
            place, wire, kind = self._takes.get(name, ("", "", ""))
            if name == self._body or place == "uri":
                continue
            if place == "headers" and isinstance(value, Mapping):
                headers |= {f"{wire}{key}".lower(): text for key, text in value.items()}
            elif place == "header" and kind in _WRITTEN and not name.startswith(_BOTOCORES_OWN):
                headers[wire.lower()] = _WRITTEN[kind](value)
            elif place == "header" and kind == "timestamp" and isinstance(value, str):
                headers[wire.lower()] = value  # Such as an "Expires" that is no time.
            elif place == "querystring" and kind in _WRITTEN:
                query.append((percent_encode(wire), percent_encode(_WRITTEN[kind](value))))
            else:
                return None
        if not all(text.isascii() and text.isprintable() for text in headers.values()):
            return None  # botocore says what is wrong with it.
        return Parts("&".join(f"{name}={value}" for name, value in query), headers, parameters.get("Body"))

    def answer(self, status: int, headers: Mapping[str, str]) -> dict[str, Any]:
        """What botocore would make of an answer.

        Args:
            status: Of HTTP.
            headers: By their names in lower case.

        Returns:
            The answer, without a body.

        Raises:
            ValueError: It is not S3's.
        """
        answer: dict[str, Any] = {}
        for name, value in headers.items():
            if name in self._gives:
                member, read = self._gives[name]
                answer[member] = read(value)
        for prefix, member in self._maps:
            answer[member] = {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}
        answer["ResponseMetadata"] = {
            "RequestId": headers.get("x-amz-request-id", ""),
            "HTTPStatusCode": status,
            "HTTPHeaders": dict(headers),
            "RetryAttempts": 0,
        }
        return answer


def _boolean(value: Any) -> str:
    return "true" if value else "false"


_WRITTEN: dict[str, Callable[[Any], str]] = {"string": str, "integer": str, "long": str, "boolean": _boolean}
_READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": lambda text: text.lower() == "true",
    "timestamp": parse_time,
}


def _members(shape: Any) -> list[tuple[str, tuple[str, str, str]]]:
    """By name: where each member of a structure is, what it is called there, and its type."""
    found = []
    for name, member in shape.members.items():
        place = member.serialization.get("location", "")
        found.append((name, (place, member.serialization.get("name", name), member.type_name)))
    return found
