"""Reading what may be damaged: what is wrong becomes a finding, what is wrong with the store stays an error."""

from __future__ import annotations

from collections.abc import Awaitable

from deltaglider.engine.doctor.case import Case
from deltaglider.errors import (
    BucketNotFoundError,
    ClientStateError,
    CodecMissingError,
    CodecTimeoutError,
    ConfigurationError,
    DeltaGliderError,
    IntegrityError,
    NotFoundError,
    PreconditionFailedError,
    StoreUnavailableError,
)

UNEXAMINED = "not_examined"


def ends_it_all(error: DeltaGliderError) -> bool:
    """Whether an error tells of the store, this client or this machine, rather than of the object that was read."""
    if isinstance(error, StoreUnavailableError):
        return not error.status  # Some servers answer 500 for an object whose disk is gone.
    return isinstance(error, BucketNotFoundError | ClientStateError | CodecMissingError | ConfigurationError)


async def unreadable(case: Case, key: str, reading: Awaitable[object]) -> tuple[str, str] | None:
    """Awaits the reading of one object.

    Args:
        case: The examination.
        key: The object's stored key.
        reading: What reads and proves it.

    Returns:
        ``None`` if it is sound, or gone. Else a code, empty where its bytes are to blame, and what is wrong.

    Raises:
        DeltaGliderError: What ``ends_it_all``.
    """
    try:
        await reading
    except (IntegrityError, CodecTimeoutError) as error:
        return "", f"{' '.join(error.message.split())} ({error.code})"
    except DeltaGliderError as error:
        if ends_it_all(error):
            raise
        if isinstance(error, NotFoundError | PreconditionFailedError):
            return None
        return UNEXAMINED, f"it could not be looked at: {error}"
    return None
