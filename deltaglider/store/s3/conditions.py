"""Conditions on what is read or deleted, which some stores refuse with "not implemented"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from deltaglider.errors import NotSupportedError
from deltaglider.store.s3.session import S3Session


async def unless_refused(
    session: S3Session, send: Callable[..., Awaitable[dict[str, Any]]], **conditions: str
) -> dict[str, Any]:
    """Sends a request with a condition on what it reads or deletes, and without where the store knows none.

    Nothing may rest on the condition. Who reads compares the ETag it finds in any case; who deletes has just looked.

    Args:
        session: The session, which remembers what the store refuses.
        send: Sends the request; takes further parameters.
        **conditions: ``IfMatch`` or its like; none, and the request is sent as it is.

    Returns:
        The answer.
    """
    if not conditions or session.refuses_conditions:
        return await send()
    try:
        return await send(**conditions)
    except NotSupportedError:
        answer = await send()
        session.refuses_conditions = True
        return answer
