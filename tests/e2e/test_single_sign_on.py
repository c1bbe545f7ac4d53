"""Credentials of single sign-on: fetched with the token that ``aws sso login`` left in the home directory.

In processes of their own: botocore looks for the home directory when it is imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from tests.e2e.process import Ended, Program
from tests.store.fakes3 import FakeS3, Reply, Request, document

START = "https://sign.test/start"
CONFIG = f"""
[default]
region = eu-north-1
sso_session = work
sso_account_id = 123456789012
sso_role_name = reader
[sso-session work]
sso_start_url = {START}
sso_region = eu-north-1
"""


def moment(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Portal:
    """The store, and what gives credentials for a token and a new token for an old one.

    Attributes:
        tokens: With which credentials were asked for.
        signers: Who signed the requests to the store.
    """

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.signers: list[str] = []

    def __call__(self, request: Request) -> Reply:
        if request.path == "/token":
            renewed = json.loads(request.body)["refreshToken"] == "renew me"
            return _json({"accessToken": "new", "expiresIn": 3600}) if renewed else Reply(400, b"{}")
        if request.path == "/federation/credentials":
            self.tokens.append(request.headers["x-amz-sso_bearer_token"])
            # So short-lived that the next request needs others.
            expiration = int((datetime.now(UTC) + timedelta(minutes=5)).timestamp() * 1000)
            keys = {"accessKeyId": f"SSO{len(self.tokens)}", "secretAccessKey": "x", "sessionToken": "t"}
            return _json({"roleCredentials": {**keys, "expiration": expiration}})
        self.signers.append(request.headers["authorization"].split("Credential=")[1].split("/")[0])
        return document("<ListBucketResult><Name>bkt</Name><IsTruncated>false</IsTruncated></ListBucketResult>")


def _json(content: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"})


@contextlib.asynccontextmanager
async def signed_on(home: Path, **token: str) -> AsyncIterator[tuple[Portal, Program]]:
    """A program in a home directory with a token, and the servers it will ask."""
    kept = {"startUrl": START, "region": "eu-north-1", "accessToken": "old", **token}
    cache = home / ".aws" / "sso" / "cache" / f"{hashlib.sha1(b'work', usedforsecurity=False).hexdigest()}.json"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps(kept))
    (home / ".aws" / "config").write_text(CONFIG)
    portal = Portal()
    async with FakeS3(portal) as server:
        environ = {
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(home),
            "AWS_ENDPOINT_URL": server.url,
            "DG_CACHE_DIR": str(home / "cache"),
        }
        environ["AWS_EC2_METADATA_DISABLED"] = "true"
        yield portal, Program(environ, home, home)


async def run(program: Program, *arguments: str) -> Ended:
    return await anyio.to_thread.run_sync(lambda: program(*arguments))


async def test_credentials_come_from_the_portal_and_are_renewed(tmp_path: Path) -> None:
    async with signed_on(tmp_path, expiresAt=moment(hours=8)) as (portal, program):
        ended = await run(program, "rm", "s3://bkt/p", "--recursive")
        assert (ended.code, ended.out) == (0, ""), ended
    assert set(portal.tokens) == {"old"}
    assert portal.signers
    assert set(portal.signers) <= {f"SSO{number}" for number in range(1, len(portal.tokens) + 1)}


async def test_a_token_about_to_end_is_renewed_without_a_login(tmp_path: Path) -> None:
    registered = {"clientId": "c", "clientSecret": "s", "registrationExpiresAt": moment(days=30)}
    token = {"expiresAt": moment(minutes=1), "refreshToken": "renew me", **registered}
    async with signed_on(tmp_path, **token) as (portal, program):
        ended = await run(program, "ls", "s3://bkt")
        assert (ended.code, ended.stderr) == (0, "")
    assert set(portal.tokens) == {"new"}


@pytest.mark.parametrize("more", [{}, {"refreshToken": "spent", "clientId": "c", "clientSecret": "s"}])
async def test_when_the_session_is_over_the_error_says_to_log_in(tmp_path: Path, more: dict[str, str]) -> None:
    registered = {**more, **({"registrationExpiresAt": moment(days=30)} if more else {})}
    async with signed_on(tmp_path, expiresAt=moment(minutes=-1), **registered) as (portal, program):
        ended = await run(program, "ls", "s3://bkt")
    assert (ended.code, ended.out, len(ended.stderr.splitlines())) == (253, "", 1), ended
    assert "Log in again with 'aws sso login'" in ended.stderr
    assert portal.signers == []
