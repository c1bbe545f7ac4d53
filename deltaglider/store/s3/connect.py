"""From settings to an aiobotocore client.

Imports aiobotocore at the top: import this module only where a client is about to be made, in a worker thread.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import UNSIGNED

from deltaglider._version import __version__
from deltaglider.config import Settings, environment, standard_endpoint
from deltaglider.store.s3 import wire
from deltaglider.store.s3.bandwidth import Bandwidth
from deltaglider.store.s3.direct import DirectRequests
from deltaglider.store.s3.endpoints import is_aws, takes_bucket_names
from deltaglider.store.s3.models import warm_models
from deltaglider.store.s3.parsing import ParserFactory
from deltaglider.store.s3.profile import completed

# As in "aws" version 2, and all SDKs but botocore, which knows the second name only.
_VARIABLES = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}
_HEADROOM = 8  # Connections for clean-up, which does not queue behind other requests.


class Blueprint:
    """All that a client is made of and that may be prepared in a worker thread, where it belongs: it is slow.

    Args:
        settings: What the user asked for.

    Attributes:
        settings: That, with what the AWS configuration says besides.
        bandwidth: The limit on what bodies take; ``None`` for none.

    Raises:
        botocore.exceptions.BotoCoreError: The AWS configuration is broken.
        ConfigurationError: The AWS configuration holds what means nothing to a client.
    """

    def __init__(self, settings: Settings) -> None:
        self._sockets = wire.Sockets()
        self._session = AioSession(profile=settings.profile_name, session_vars=_VARIABLES)
        # Parsing the service's model takes a tenth of a second, which is too long for an event loop.
        warm_models(self._session)
        factory = ParserFactory()
        factory.set_parser_defaults(timestamp_parser=wire.parse_time)
        self._session.register_component("response_parser_factory", factory)
        self._file: dict[str, Any] = self._session.get_scoped_config()
        self.settings = completed(settings, self._session)
        rate = self.settings.max_bandwidth
        self.bandwidth = Bandwidth(rate, self.settings.max_concurrent_requests) if rate else None

    async def open(self, owner: contextlib.AsyncExitStack) -> tuple[Any, bool]:
        """Makes the client.

        Args:
            owner: Closes it.

        Returns:
            The client, and whether its requests should carry Content-MD5.
        """
        guess = self.settings.endpoint_url or standard_endpoint()
        client, stack = await self._create(guess)
        # The endpoint may come from the environment or the AWS configuration: only the client knows.
        endpoint = str(client.meta.endpoint_url)
        if self._options(endpoint) != self._options(guess):
            await stack.aclose()
            client, stack = await self._create(endpoint)
        owner.push_async_callback(self._sockets.settle)
        await owner.enter_async_context(stack)
        md5 = not is_aws(endpoint) and client.meta.config.request_checksum_calculation == "when_required"
        wire.install_hooks(client, md5=md5, payer=self.settings.request_payer)
        return client, md5

    def past(self, client: Any) -> DirectRequests | None:
        """What sends requests past a client that was made; ``None`` where each may be attempted but once.

        Args:
            client: The client.
        """
        return DirectRequests(client, self.settings.request_payer) if self.settings.max_attempts > 1 else None

    async def _create(self, endpoint: str) -> tuple[Any, contextlib.AsyncExitStack]:
        settings = self.settings
        stack = contextlib.AsyncExitStack()
        client = await stack.enter_async_context(
            self._session.create_client(
                "s3",
                endpoint_url=settings.endpoint_url,
                region_name=settings.region_name,
                # None, not True: a bundle that the environment or the AWS configuration names must count.
                verify=None if settings.verify is True else settings.verify,
                aws_access_key_id=settings.aws_access_key_id,
                aws_secret_access_key=settings.aws_secret_access_key,
                aws_session_token=settings.aws_session_token,
                config=AioConfig(
                    connect_timeout=settings.connect_timeout or None,
                    read_timeout=settings.read_timeout or None,
                    max_pool_connections=settings.max_concurrent_requests + _HEADROOM,
                    retries=self._retries(),
                    user_agent_extra=f"deltaglider/{__version__}",
                    http_session_cls=functools.partial(
                        wire.GuardedSession, self.bandwidth, in_the_clear=endpoint.startswith("http:")
                    ),
                    connector_args={"socket_factory": self._sockets},
                    **self._options(endpoint),
                ),
            )
        )
        return client, stack

    def _retries(self) -> dict[str, Any]:
        mode = {} if self._configured("retry_mode") else {"mode": "standard"}
        return {"total_max_attempts": self.settings.max_attempts, **mode}

    def _options(self, endpoint: str) -> dict[str, Any]:
        """What depends on where the store is; ``endpoint`` is empty where it is not known yet."""
        settings = self.settings
        options: dict[str, Any] = {"s3": self._addressing(endpoint)}
        for name in ("request_checksum_calculation", "response_checksum_validation"):
            if settings.checksums:
                options[name] = settings.checksums
            elif endpoint and not is_aws(endpoint) and not self._configured(name):
                # Many compatible stores reject, or worse, store the checksums that botocore sends by default.
                options[name] = "when_required"
        if not settings.sign_requests:
            options["signature_version"] = UNSIGNED
        return options

    def _addressing(self, endpoint: str) -> dict[str, Any]:
        options: dict[str, Any] = {}
        section = self._file.get("s3") or {}
        if "addressing_style" in self.settings.given:
            options["addressing_style"] = self.settings.addressing_style
        elif "addressing_style" not in section and (not endpoint or takes_bucket_names(endpoint)):
            # The same as "auto", but that URLs are signed for the endpoint of the region, not for the global one.
            options["addressing_style"] = "virtual"
        plain_aws = endpoint.startswith("http:") and is_aws(endpoint)
        if "payload_signing_enabled" not in section and not plain_aws:
            # botocore would hash every body on the event loop. TLS, a checksum or a signed Content-MD5 protects it.
            options["payload_signing_enabled"] = False
        return options

    def _configured(self, name: str) -> bool:
        return bool(environment(f"AWS_{name.upper()}") or self._file.get(name))
