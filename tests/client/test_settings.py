"""What a client may be told, and whom it tells."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider import ConfigurationError, DeltaGliderClient, Settings, create_async_client, create_client, events
from tests.client.world import noise, opened
from tests.servers import DirectoryEndpoint

CREATORS: list[Callable[..., Any]] = [create_client, create_async_client]


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    logger = logging.getLogger("deltaglider")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.mark.parametrize("create", CREATORS)
def test_an_unknown_keyword(create: Callable[..., Any], directory: DirectoryEndpoint) -> None:
    for value in (1, None):
        with pytest.raises(TypeError, match="max_ration"):
            create(directory.url, max_ration=value)


@pytest.mark.parametrize("create", CREATORS)
@pytest.mark.parametrize("ratio", [0, -0.1, 1.1, "half", float("nan"), True])
def test_a_bad_ratio(create: Callable[..., Any], ratio: Any, directory: DirectoryEndpoint) -> None:
    with pytest.raises(ConfigurationError, match="max_ratio"):
        create(directory.url, max_ratio=ratio)


@pytest.mark.parametrize("create", CREATORS)
def test_a_bad_endpoint(create: Callable[..., Any]) -> None:
    for url in ("ftp://host", "nonsense", "file://host/path", "file:relative"):
        with pytest.raises(ConfigurationError, match="endpoint_url"):
            create(url)


@pytest.mark.parametrize("create", CREATORS)
def test_all_settings_at_once(create: Callable[..., Any], directory: DirectoryEndpoint, tmp_path: Path) -> None:
    settings = Settings(endpoint_url=directory.url, cache_dir=tmp_path / "c", max_ratio=0.25)
    assert create(settings=settings).settings is settings
    for keywords in ({"endpoint_url": directory.url}, {"max_ratio": 0.5}, {"delta": False}):
        with pytest.raises(TypeError, match="not both"):
            create(settings=settings, **keywords)
    with pytest.raises(TypeError):
        create(settings=settings, no_such_setting=None)
    create(settings=settings, observer=lambda event: None)


@pytest.mark.parametrize("create", CREATORS)
def test_keywords_go_before_variables_and_those_before_defaults(
    create: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DG_ENDPOINT_URL", tmp_path.as_uri())
    monkeypatch.setenv("DG_MAX_RATIO", "0.5")
    assert create().settings.endpoint_url == tmp_path.as_uri()
    assert create().settings.max_ratio == 0.5
    assert create(max_ratio=0.25).settings.max_ratio == 0.25
    assert create(max_ratio=None).settings.max_ratio == 0.5
    monkeypatch.delenv("DG_MAX_RATIO")
    assert create().settings.max_ratio == 0.75


@pytest.mark.parametrize("create", CREATORS)
def test_positional_arguments_are_those_of_the_tool_before(create: Callable[..., Any]) -> None:
    settings = create("https://host", "ERROR", "key", "secret", "token", "eu-west-1").settings
    assert (settings.endpoint_url, settings.log_level, settings.region_name) == ("https://host", "ERROR", "eu-west-1")
    assert (settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token) == (
        "key",
        "secret",
        "token",
    )


@pytest.mark.parametrize("create", CREATORS)
def test_the_log_level(create: Callable[..., Any], directory: DirectoryEndpoint) -> None:
    logger = logging.getLogger("deltaglider")
    logger.setLevel(logging.NOTSET)
    create(directory.url)
    assert logger.level == logging.NOTSET
    create(directory.url, "warning")
    assert logger.level == logging.WARNING
    create(directory.url, log_level="DEBUG")
    assert logger.level == logging.DEBUG
    with pytest.raises(ConfigurationError, match="log_level"):
        create(directory.url, log_level="LOUD")


async def test_the_cache_lies_where_it_was_put(directory: DirectoryEndpoint, tmp_path: Path) -> None:
    bucket = directory.make_bucket()
    async with opened("synchronous", tmp_path / "t", endpoint_url=directory.url, cache_dir=tmp_path / "c") as either:
        await either("upload", noise(1), f"s3://{bucket}/a.zip")
    assert [path.stat().st_size for path in (tmp_path / "c" / "references").glob("*/*")] == [len(noise(1))]


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
async def test_events_arrive(kind: str, directory: DirectoryEndpoint, bucket: str, tmp_path: Path) -> None:
    notes = Notes()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "app.zip").write_bytes(noise(1)[:-500])
    async with opened(kind, tmp_path / "t", endpoint_url=directory.url, observer=notes) as either:
        await either("upload", noise(1), f"s3://{bucket}/v1/app.zip")
        await either("upload_directory", tmp_path / "tree", f"s3://{bucket}/v2")
        await either("download", f"s3://{bucket}/v2/app.zip", tmp_path / "out")
    assert [event.operation for event in notes.of(events.CodecRan)] == ["encode", "encode", "decode"]
    assert {event.reference_size for event in notes.of(events.CodecRan)} == {len(noise(1))}
    assert [event.hit for event in notes.of(events.CacheUsed)] == [True, True]
    assert [event.size for event in notes.of(events.ItemFound)] == [len(noise(1)) - 500]
    assert len(notes.of(events.AllFound)) == len(notes.of(events.ItemStarted)) == 1
    (finished,) = notes.of(events.ItemFinished)
    assert finished.outcome.status == "done"
    up = sum(event.count for event in notes.of(events.BytesMoved) if event.direction == "up")
    down = sum(event.count for event in notes.of(events.BytesMoved) if event.direction == "down")
    assert len(noise(1)) < up < len(noise(1)) + 1_000
    assert 0 < down < 1_000


class Unlucky(Exception):
    pass


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
async def test_an_observer_that_fails_ends_the_work_with_its_own_error(
    kind: str, directory: DirectoryEndpoint, bucket: str, temporary: Path
) -> None:
    error = Unlucky()

    failing = True

    def fail(event: events.Event) -> None:
        if failing:
            raise error

    async with opened(kind, temporary, endpoint_url=directory.url, observer=fail) as either:
        with pytest.raises(Unlucky) as raised:
            await either("upload", noise(1), f"s3://{bucket}/a.zip")
        assert raised.value is error
        failing = False
        assert await either("list", f"s3://{bucket}") == []


def test_an_observer_may_not_call_the_client_it_watches(directory: DirectoryEndpoint, bucket: str) -> None:
    """It runs in that client's loop, which would wait for itself."""
    from deltaglider import ClientStateError

    client: DeltaGliderClient

    def call(event: events.Event) -> None:
        client.buckets()

    with create_client(directory.url, observer=call) as client, pytest.raises(ClientStateError, match="own event loop"):
        client.upload(noise(1), f"s3://{bucket}/a.zip")


def test_settings_cannot_be_changed(directory: DirectoryEndpoint) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        create_client(directory.url).settings.max_ratio = 0.1  # type: ignore[misc]
