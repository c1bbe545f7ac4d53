"""Everything else that S3 knows: handed on to the client underneath, under the key that an object is stored under."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, overload

from deltaglider.client.boto.base import BotoBase
from deltaglider.client.boto.exceptions import client_error
from deltaglider.client.boto.paging import can_paginate, make_paginator, make_waiter
from deltaglider.client.boto.protocols import AsyncPaginator, AsyncWaiter
from deltaglider.client.boto.shapes import ListObjectsOutput, ListObjectsV2Output
from deltaglider.engine.locate import locate
from deltaglider.errors import NotFoundError

BY_STORED_KEY: Final = frozenset(
    {
        "delete_object_tagging",
        "get_object_acl",
        "get_object_legal_hold",
        "get_object_retention",
        "get_object_tagging",
        "put_object_acl",
        "put_object_legal_hold",
        "put_object_retention",
        "put_object_tagging",
        "restore_object",
    }
)
"""What is as true of a delta as of the file it stands for."""

_OF_WHOLE_OBJECTS: Final = frozenset({"get_object_attributes", "get_object_torrent", "select_object_content"})
"""What reads bytes in the store, and would read those of a delta."""


class NativeMethods(BotoBase):
    """Operations that this project has no part in."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """An operation of S3 by boto3's name of it, as a coroutine function."""
        if name.startswith("_") or name not in _operations():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return functools.partial(self._handed_on, name)

    def can_paginate(self, operation_name: str) -> bool:
        """Whether an operation's answer comes in pages.

        Args:
            operation_name: The client's name of it, such as ``list_objects_v2``.

        Returns:
            Whether ``get_paginator`` takes it.
        """
        return can_paginate(operation_name)

    @overload
    def get_paginator(self, operation_name: Literal["list_objects_v2"]) -> AsyncPaginator[ListObjectsV2Output]: ...
    @overload
    def get_paginator(self, operation_name: Literal["list_objects"]) -> AsyncPaginator[ListObjectsOutput]: ...
    @overload
    def get_paginator(self, operation_name: str) -> AsyncPaginator[Any]: ...
    def get_paginator(self, operation_name: str) -> AsyncPaginator[Any]:
        """A paginator: its ``paginate(...)`` gives the pages of an answer, with ``search`` and ``build_full_result``.

        Args:
            operation_name: The client's name of the operation, such as ``list_objects_v2``.

        Returns:
            The paginator.

        Raises:
            OperationNotPageableError: The answer is one page.
        """
        return make_paginator(self, operation_name, awaited=True)

    def get_waiter(self, waiter_name: str) -> AsyncWaiter:
        """A waiter: its ``wait(...)`` asks again until something is so.

        Args:
            waiter_name: ``object_exists``, ``object_not_exists``, ``bucket_exists`` or ``bucket_not_exists``.

        Returns:
            The waiter.

        Raises:
            ValueError: There is no such waiter.
        """
        waiter: AsyncWaiter = make_waiter(self, waiter_name, awaited=True)
        return waiter

    async def _handed_on(self, name: str, /, **parameters: Any) -> Any:
        bucket, key = parameters.get("Bucket", ""), parameters.get("Key", "")
        operation = _operations()[name]
        if bucket and key and name in BY_STORED_KEY | _OF_WHOLE_OBJECTS:
            parameters["Key"] = await self._stored_key(operation, bucket, key, whole=name in _OF_WHOLE_OBJECTS)
        return await self._native(name, operation, **parameters)

    async def _stored_key(self, operation: str, bucket: str, key: str, *, whole: bool) -> str:
        with self._call(operation, bucket, key):
            try:
                form = await locate(self._context(), bucket, key)
            except NotFoundError:
                return key  # Whatever it is, S3 has its own words for it.
        if whole and form.is_delta:
            message = f"{key} is stored as a delta, of which S3 cannot read the original; use get_object"
            raise client_error(operation, "NotImplemented", 501, message)
        return form.stored.key


@functools.cache
def _operations() -> dict[str, str]:
    """S3's names of its operations, by boto3's."""
    from botocore import xform_name
    from botocore.loaders import Loader

    model = Loader().load_service_model("s3", "service-2")
    return {xform_name(name): name for name in model["operations"]}
