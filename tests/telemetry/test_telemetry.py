"""Spans and metrics of real work, as OpenTelemetry's own SDK records them."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from deltaglider import NotFoundError, create_async_client, create_client, opentelemetry_observer
from deltaglider.events import Observer
from tests.client.world import noise
from tests.servers import DirectoryEndpoint, S3Endpoint

FIRST = noise("first", 300_000)
SECOND = FIRST[:150_000] + b"changed" + FIRST[150_000:]


class Recorded:
    """What an SDK records in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])
        self.observer: Observer = opentelemetry_observer(self.tracers, self.meters)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def names(self) -> set[str]:
        return {span.name for span in self._exporter.get_finished_spans()}

    def metrics(self) -> dict[str, list[Any]]:
        """The data points of each metric. Once a recording: a reader gives some of them only then."""
        data = self._reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def total(points: list[Any], **attributes: object) -> int:
    """The sum of the points of a counter with these attributes (``_`` for ``.``)."""
    wanted = {name.replace("_", "."): value for name, value in attributes.items()}
    return sum(point.value for point in points if wanted.items() <= dict(point.attributes).items())


async def test_spans_of_an_upload_and_a_download(recorded: Recorded, moto: S3Endpoint, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    tracer = recorded.tracers.get_tracer("application")
    async with create_async_client(
        **moto.client_kwargs(), observer=recorded.observer, cache_dir=tmp_path / "cache"
    ) as client:
        await client.upload(FIRST, f"s3://{bucket}/v1/app.zip")
        with tracer.start_as_current_span("request of a user") as outer:
            await client.upload(SECOND, f"s3://{bucket}/v2/app.zip")
        await client.download(f"s3://{bucket}/v2/app.zip", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == SECOND

    first, second = recorded.spans("deltaglider.upload")
    assert first.parent is None
    assert second.parent is not None
    assert second.parent.span_id == outer.get_span_context().span_id
    assert dict(second.attributes or {}) == {"aws.s3.bucket": bucket, "aws.s3.key": "v2/app.zip"}
    assert second.status.status_code is StatusCode.UNSET

    encodings = recorded.spans("deltaglider.encode")
    assert [span.parent.span_id for span in encodings if span.parent] == [
        each.context.span_id for each in (first, second) if each.context
    ]
    facts = dict(encodings[1].attributes or {})
    assert (facts["deltaglider.original.size"], facts["deltaglider.reference.size"]) == (len(SECOND), len(FIRST))
    assert 0 < int(str(facts["deltaglider.delta.size"])) < 10_000

    (download,) = recorded.spans("deltaglider.download")
    (decoding,) = recorded.spans("deltaglider.decode")
    assert decoding.parent == download.context
    gets = [span for span in recorded.spans("S3.GetObject") if span.parent == download.context]
    assert [dict(span.attributes or {})["aws.s3.key"] for span in gets] == ["v2/app.zip.delta"]
    for span in [*gets, decoding]:
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time <= span.end_time
    (get,) = gets
    assert get.kind is SpanKind.CLIENT
    facts = dict(get.attributes or {})
    assert (facts["rpc.system"], facts["rpc.method"]) == ("aws-api", "GetObject")
    assert facts["http.response.status_code"] in (200, 206)


async def test_metrics_add_up(recorded: Recorded, moto: S3Endpoint, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    async with create_async_client(
        **moto.client_kwargs(), observer=recorded.observer, cache_dir=tmp_path / "cache"
    ) as client:
        first = await client.upload(FIRST, f"s3://{bucket}/v1/app.zip")
        second = await client.upload(SECOND, f"s3://{bucket}/v2/app.zip")
        plain = await client.put_object(Bucket=bucket, Key="notes.txt", Body=b"whole")
        await client.copy(f"s3://{bucket}/v2/app.zip", f"s3://{bucket}/v3/app.zip")
        answer = await client.get_object(Bucket=bucket, Key="v2/app.zip")
        assert await answer["Body"].read() == SECOND
    assert plain["DeltaGliderInfo"]["IsDelta"] is False

    found = recorded.metrics()
    stored = first.stored_size + second.stored_size * 2 + 5
    original = len(FIRST) + len(SECOND) * 2 + 5
    assert total(found["deltaglider.objects"]) == 4
    assert total(found["deltaglider.objects"], deltaglider_operation="create_delta") == 2
    assert total(found["deltaglider.original.size"]) == original
    assert total(found["deltaglider.stored.size"]) == stored
    assert total(found["deltaglider.saved.size"]) == original - stored
    assert total(found["deltaglider.network.io"], network_io_direction="transmit") == stored - second.stored_size
    assert total(found["deltaglider.network.io"], network_io_direction="receive") >= second.stored_size
    hits = [point.value for point in found["deltaglider.cache.lookups"] if point.attributes["deltaglider.cache.hit"]]
    assert hits
    assert hits[0] >= 1
    codecs = {point.attributes["deltaglider.codec.operation"]: point for point in found["deltaglider.codec.duration"]}
    assert (codecs["encode"].count, codecs["decode"].count) == (2, 1)
    (ratio,) = found["deltaglider.delta.ratio"]
    assert ratio.count == 2
    assert ratio.max < 0.05
    calls = {point.attributes["deltaglider.verb"]: point.count for point in found["deltaglider.call.duration"]}
    assert calls == {"upload": 2, "put_object": 1, "copy": 1, "get_object": 1}
    puts = [point for point in found["deltaglider.request.duration"] if point.attributes["rpc.method"] == "PutObject"]
    assert [point.count for point in puts] == [4]  # A reference, its delta, another delta and a whole object.


async def test_errors_are_told_by_their_codes(recorded: Recorded, moto: S3Endpoint, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    async with create_async_client(**moto.client_kwargs(), observer=recorded.observer) as client:
        with pytest.raises(NotFoundError):
            await client.download(f"s3://{bucket}/absent", tmp_path / "copy")
        with pytest.raises(client.exceptions.NoSuchKey):
            await client.get_object(Bucket=bucket, Key="absent")

    (download,), (get,) = recorded.spans("deltaglider.download"), recorded.spans("deltaglider.get_object")
    assert dict(download.attributes or {})["error.type"] == "not_found"
    assert download.status.status_code is StatusCode.ERROR
    assert dict(get.attributes or {})["error.type"] == "NoSuchKey"
    heads = [dict(span.attributes or {}) for span in recorded.spans("S3.HeadObject")]
    assert {each["http.response.status_code"] for each in heads} == {404}
    assert {each["error.type"] for each in heads} == {"not_found"}
    assert not trace.get_current_span().get_span_context().is_valid


def test_the_synchronous_client_takes_its_callers_span_for_a_parent(
    recorded: Recorded, directory: DirectoryEndpoint
) -> None:
    bucket = directory.make_bucket()
    tracer = recorded.tracers.get_tracer("application")
    with (
        create_client(directory.url, observer=recorded.observer) as client,
        tracer.start_as_current_span("outer") as outer,
    ):
        client.upload(FIRST, f"s3://{bucket}/v1/app.zip")
        assert trace.get_current_span() is outer
        assert [entry.key for entry in client.list(f"s3://{bucket}/v1/")] == ["v1/app.zip"]  # type: ignore[union-attr]
    (upload,), (listing,) = recorded.spans("deltaglider.upload"), recorded.spans("deltaglider.list")
    for span in (upload, listing):
        assert span.parent is not None
        assert span.parent.span_id == outer.get_span_context().span_id
    assert dict(listing.attributes or {})["aws.s3.key"] == "v1/"


async def test_a_listing_left_early_is_no_error_and_spans_nothing_of_its_callers(
    recorded: Recorded, directory: DirectoryEndpoint
) -> None:
    bucket = directory.make_bucket()
    async with create_async_client(directory.url, observer=recorded.observer) as client:
        for name in "ab":
            await client.put_object(Bucket=bucket, Key=name, Body=b"x")
        async with contextlib.aclosing(client.list(f"s3://{bucket}/")) as entries:  # type: ignore[type-var]
            async for _ in entries:
                assert not trace.get_current_span().get_span_context().is_valid
                break
    (listing,) = recorded.spans("deltaglider.list")
    assert listing.status.status_code is StatusCode.UNSET


async def test_bulk_work_is_counted_item_by_item(
    recorded: Recorded, directory: DirectoryEndpoint, tmp_path: Path
) -> None:
    bucket = directory.make_bucket()
    files = tmp_path / "files"
    files.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (files / name).write_bytes(name.encode())
    async with create_async_client(directory.url, observer=recorded.observer) as client:
        await client.sync(files, f"s3://{bucket}/")
    (items,) = recorded.metrics()["deltaglider.items"]
    assert (items.value, dict(items.attributes)) == (
        3,
        {"deltaglider.action": "upload", "deltaglider.status": "done"},
    )
    assert {"deltaglider.sync"} <= recorded.names()


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def test_without_the_package_it_does_nothing() -> None:
    ended = run(
        """
        import logging, sys
        sys.modules["opentelemetry"] = None
        import deltaglider
        from deltaglider.events import ignore
        records = []
        handler = logging.Handler()
        handler.emit = records.append
        logging.getLogger("deltaglider").addHandler(handler)
        logging.getLogger("deltaglider").setLevel("INFO")
        assert deltaglider.opentelemetry_observer() is ignore
        (record,) = records
        print(record.name, record.levelname, record.getMessage())
        """
    )
    assert ended.stdout.startswith("deltaglider.telemetry INFO no traces and no metrics: opentelemetry-api is not")
    assert ended.stderr == ""


def test_who_does_not_ask_for_it_loads_nothing_of_it() -> None:
    ended = run(
        """
        import sys
        from deltaglider import create_client
        create_client(endpoint_url="file:///nowhere").close()
        print([name for name in sys.modules if name.split(".")[0] == "opentelemetry"])
        """
    )
    assert ended.stdout == "[]\n"


def test_warnings_are_not_printed_unless_the_application_says_so() -> None:
    ended = run(
        """
        import logging
        from deltaglider import create_client
        create_client(endpoint_url="file:///nowhere").close()
        logging.getLogger("deltaglider.engine").warning("a warning")
        logging.getLogger("other").warning("told")
        """
    )
    assert ended.stderr == "told\n"
    assert isinstance(logging.getLogger("deltaglider").handlers[0], logging.NullHandler)
