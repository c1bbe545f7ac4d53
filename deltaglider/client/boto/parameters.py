"""Which parameters an operation takes: a misspelt one is refused, as botocore does, and never silently ignored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ParamValidationError


def check_parameters(operation: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuses what an operation does not know, or cannot keep to.

    Args:
        operation: S3's name of it.
        given: Parameters, by name.
        known: Those it takes.

    Raises:
        ParamValidationError: One is unknown.
    """
    names = sorted(known)
    for name in given:
        if name.startswith(("SSECustomer", "CopySourceSSECustomer")):
            report = (
                f"{name}: encryption with a key of one's own (SSE-C) is not supported: references would need it, and "
                "every reader of their deltas. Use ServerSideEncryption='aws:kms', or encrypt the file itself"
            )
            raise ParamValidationError(report=report)
        if name not in names:
            report = f'Unknown parameter in input: "{name}" of {operation}, must be one of: {", ".join(names)}'
            raise ParamValidationError(report=report)
