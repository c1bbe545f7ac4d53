"""What the answers hold or lead to and is no dictionary: bodies, pages, paginators and waiters, for type checkers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

Page_co = TypeVar("Page_co", covariant=True)


class StreamingBody(Protocol):
    """``Body`` of an answer of the synchronous client: botocore's own class is one."""

    def read(self, amt: int | None = None) -> bytes:
        """So many bytes at most, or all that are left."""

    def readlines(self) -> list[bytes]:
        """The rest, as a list of lines."""

    def iter_chunks(self, chunk_size: int = ...) -> Iterator[bytes]:
        """The rest in pieces."""

    def iter_lines(self, chunk_size: int = ..., keepends: bool = ...) -> Iterator[bytes]:
        """The rest in lines."""

    def tell(self) -> int:
        """Bytes read so far."""

    def readable(self) -> bool:
        """Whether it can be read."""

    def close(self) -> None:
        """Lets go of what is held."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any: ...


class Pages(Protocol[Page_co]):
    """The pages of an answer of the synchronous client."""

    def __iter__(self) -> Iterator[Page_co]: ...

    def search(self, expression: str) -> Iterator[Any]:
        """What a JMESPath expression finds in each page, one by one."""

    def build_full_result(self) -> dict[str, Any]:
        """All pages as one answer."""


class AsyncPages(Protocol[Page_co]):
    """The pages of an answer of the asynchronous client."""

    def __aiter__(self) -> AsyncIterator[Page_co]: ...

    def search(self, expression: str) -> AsyncIterator[Any]:
        """What a JMESPath expression finds in each page, one by one."""

    def build_full_result(self) -> Awaitable[dict[str, Any]]:
        """All pages as one answer."""


class Paginator(Protocol[Page_co]):
    """Calls an operation for page after page."""

    def paginate(self, **parameters: Any) -> Pages[Page_co]:
        """The pages; ``PaginationConfig`` may be among the parameters of the operation."""


class AsyncPaginator(Protocol[Page_co]):
    """Calls an operation for page after page."""

    def paginate(self, **parameters: Any) -> AsyncPages[Page_co]:
        """The pages; ``PaginationConfig`` may be among the parameters of the operation."""


class Waiter(Protocol):
    """Asks again until something is so."""

    def wait(self, **parameters: Any) -> None:
        """Waits; ``WaiterConfig`` may be among the parameters of the operation."""


class AsyncWaiter(Protocol):
    """Asks again until something is so."""

    def wait(self, **parameters: Any) -> Awaitable[None]:
        """Waits; ``WaiterConfig`` may be among the parameters of the operation."""
