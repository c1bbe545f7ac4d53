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
    TransferBrokenError,
)

UNEXAMINED = "not_examined"


async def unreadable(case: Case, key: str, reading: Awaitable[object]) -> tuple[str, str] | None:
    """Awaits the reading of one object.

    Args:
        case: The examination.
        key: The object's stored key.
        reading: What reads and proves it.

    Returns:
        ``None`` if it is sound, or gone. Else a code, empty where its bytes are to blame, and what is wrong.

    Raises:
        StoreError: The store failed, which tells nothing of the object.
    """
    try:
        await reading
    except (IntegrityError, CodecTimeoutError) as error:
        return "", f"{_reason(error)} ({error.code})"
    except (BucketNotFoundError, StoreUnavailableError, TransferBrokenError):
        raise
    except (ClientStateError, CodecMissingError, ConfigurationError):
        raise
    except (NotFoundError, PreconditionFailedError):
        return None
    except DeltaGliderError as error:
        return UNEXAMINED, f"it could not be looked at: {error}"
    return None


def _reason(error: DeltaGliderError) -> str:
    return " ".join(error.message.split())
