"""What all methods of boto3's shape begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

from deltaglider.client.base import ClientBase
from deltaglider.client.boto.exceptions import client_errors, reclassed
from deltaglider.errors import NotSupportedError
from deltaglider.store.asking import Asking, asked
from deltaglider.store.besides import Native

ASKED: Final = frozenset({"ExpectedBucketOwner", "RequestPayer"})
"""Parameters that go with all requests of a call."""

ASKED_OF_COPIES: Final = ASKED | {"ExpectedSourceBucketOwner"}


class BotoBase(ClientBase):
    """Errors, and what is said with each request."""

    @contextmanager
    def _call(
        self, operation: str, bucket: str = "", key: str = "", asking: Mapping[str, Any] | None = None, *, to: str = ""
    ) -> Iterator[None]:
        """One call: its errors become botocore's, its requests say who pays and whose the buckets must be.

        Args:
            operation: S3's name of it.
            bucket: The bucket; of copies, that of the source.
            key: The key; likewise.
            asking: Parameters of the call; those of ``ASKED_OF_COPIES`` count.
            to: Of copies, the bucket of the target.
        """
        given = asking or {}
        owners = {to or bucket: given.get("ExpectedBucketOwner")}
        if to and given.get("ExpectedSourceBucketOwner"):
            owners[bucket] = given["ExpectedSourceBucketOwner"]
        known = {name: owner for name, owner in owners.items() if owner}
        with client_errors(operation, bucket, key), asked(Asking(given.get("RequestPayer"), known)):
            store = self._context().store
            if known and not isinstance(store, Native):
                raise NotSupportedError("the embedded store knows no owners of buckets", uri=store.identity)
            yield

    async def _native(self, name: str, operation: str, /, **parameters: Any) -> Any:
        """Hands a call on to the client underneath, as it is.

        Args:
            name: boto3's name of it.
            operation: S3's.
            **parameters: As they are.

        Returns:
            That client's answer.

        Raises:
            ClientError: What S3 said; or ``NotImplemented`` of the embedded store.
        """
        with self._call(operation, parameters.get("Bucket", ""), parameters.get("Key", "")):
            store = self._context().store
            if not isinstance(store, Native):
                raise NotSupportedError(
                    f"{operation} is nothing the embedded store knows", uri=store.identity, remedy="Use an S3 endpoint"
                )
            client = await store.native()
        try:
            return await getattr(client, name)(**parameters)
        except ClientError as error:
            raise reclassed(error) from error.__cause__

    async def _connect(self) -> None:
        """Makes the client underneath, if there is to be one."""
        store = self._context().store
        if isinstance(store, Native):
            await store.native()

    @property
    def _on_server(self) -> bool:
        return isinstance(self._context().store, Native)
