"""Paginators and waiters: botocore's own classes over our methods, asynchronous or not, by S3's own descriptions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import OperationNotPageableError


class Paginator:
    """Calls an operation again and again, for page after page.

    Args:
        method: The operation.
        description: S3's own, of its tokens.
        kind: The class of the pages: botocore's, or aiobotocore's.
    """

    def __init__(self, method: Callable[..., Any], description: Mapping[str, Any], kind: type[Any]) -> None:
        self._method = method
        self._description = description
        self._kind = kind

    def paginate(self, *, PaginationConfig: Mapping[str, Any] | None = None, **parameters: Any) -> Any:
        """The pages of an answer; none is asked for before it is drawn.

        Args:
            PaginationConfig: ``MaxItems`` in all, ``PageSize`` and ``StartingToken``.
            **parameters: Of the operation.

        Returns:
            The pages, as botocore's or aiobotocore's class has them.
        """
        from botocore.paginate import Paginator as Reference  # It knows how to read a description.

        config = PaginationConfig or {}
        read = Reference(self._method, self._description, None)
        most, size = config.get("MaxItems"), config.get("PageSize")
        return self._kind(
            self._method,
            read._input_token,  # noqa: SLF001
            read._output_token,  # noqa: SLF001
            read._more_results,  # noqa: SLF001
            read.result_keys,
            read._non_aggregate_keys,  # noqa: SLF001
            read._limit_key,  # noqa: SLF001
            None if most is None else int(most),
            config.get("StartingToken"),
            None if size is None else int(size),
            dict(parameters),
        )


def can_paginate(operation_name: str) -> bool:
    """Whether an operation's answer comes in pages.

    Args:
        operation_name: The client's name of it, such as ``list_objects_v2``.
    """
    return operation_name in _pageable()


def make_paginator(client: Any, operation_name: str, *, awaited: bool) -> Paginator:
    """A paginator of a client.

    Args:
        client: Whose methods are called.
        operation_name: The client's name of the operation.
        awaited: Whether its methods are.

    Returns:
        The paginator.

    Raises:
        OperationNotPageableError: Its answer is one page.
    """
    from aiobotocore.paginate import AioPageIterator
    from botocore.paginate import PageIterator

    if not can_paginate(operation_name):
        raise OperationNotPageableError(operation_name=operation_name)
    kind = AioPageIterator if awaited else PageIterator
    return Paginator(getattr(client, operation_name), _pageable()[operation_name], kind)


def make_waiter(client: Any, waiter_name: str, *, awaited: bool) -> Any:
    """A waiter of a client: its ``wait`` asks again until something is so.

    Args:
        client: Whose methods are called.
        waiter_name: ``object_exists``, ``object_not_exists``, ``bucket_exists`` or ``bucket_not_exists``.
        awaited: Whether its methods are.

    Returns:
        The waiter.

    Raises:
        ValueError: There is no such waiter.
    """
    from aiobotocore import waiter as asynchronous
    from botocore import waiter as synchronous
    from botocore import xform_name

    model = synchronous.WaiterModel(_described("waiters-2"))
    names = {xform_name(name): name for name in model.waiter_names}
    if waiter_name not in names:
        raise ValueError(f"Waiter does not exist: {waiter_name}")
    config = model.get_waiter(names[waiter_name])
    method = getattr(client, xform_name(config.operation))
    if awaited:
        return asynchronous.AIOWaiter(names[waiter_name], config, asynchronous.NormalizedOperationMethod(method))
    return synchronous.Waiter(names[waiter_name], config, synchronous.NormalizedOperationMethod(method))


@functools.cache
def _pageable() -> Mapping[str, Mapping[str, Any]]:
    from botocore import xform_name

    return {xform_name(name): config for name, config in _described("paginators-1")["pagination"].items()}


@functools.cache
def _described(kind: str) -> Any:
    from botocore.loaders import Loader

    return Loader().load_service_model("s3", kind)
