"""How little a command loads. What is counted are modules: nothing here is timed."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import program_on
from tests.e2e.process import Program, finish
from tests.servers import S3Endpoint

RUN = """
import atexit, json, sys
atexit.register(lambda: print("", json.dumps([sorted(sys.modules), sum(compiled)]), sep="\\n"))
compiled = []
def count(event, given):
    if event == "compile" and str(given[1]).startswith("<"):  # And not a module without a cached form.
        compiled.append(1)
sys.addaudithook(count)
sys.argv[0] = "deltaglider"
from deltaglider.cli import run
run()
"""

LIBRARIES = {
    "aiobotocore",
    "aiofiles",
    "aiohttp",
    "anyio",
    "asyncclick",
    "asyncio",
    "botocore",
    "rich",
    "sqlite3",
    "ssl",
}
ROOMS = {f"deltaglider.{room}" for room in ("archive", "bulk", "cache", "client", "codec", "engine", "layout", "store")}

NEVER = {
    *("rich", "aiofiles", "boto3", "httpx", "fsspec", "opentelemetry"),
    # What the libraries load and no command needs; see deltaglider.store.s3.lean.
    *(
        "aiohttp.tracing",
        "aiohttp.http_websocket",
        "idna",
        "aioitertools",
        "attr",
        "botocore.vendored.six",
        "dateutil",
        "email.parser",
        "email.policy",
        "http.client",
    ),
    *("jmespath", "pickle", "typing_extensions", "urllib.request", "urllib3"),
    *("botocore.docs", "brotli", "brotlicffi", "backports.zstd", "compression.zstd", "importlib.metadata", "h2"),
    # What few commands need.
    *("deltaglider.client.aio", "deltaglider.client.boto", "deltaglider.client.earlier", "deltaglider.client.sync"),
    *("deltaglider.bulk.analyze", "deltaglider.bulk.migrate", "deltaglider.engine.doctor", "deltaglider.fs"),
    *("deltaglider.codec.recompress", "deltaglider.codec.gzipheader", "deltaglider.client.pending"),
    *("deltaglider.archive", "deltaglider.codec.archive", "deltaglider.codec.xdelta3", "deltaglider.codec.zstd"),
    *("deltaglider.codec.process", "deltaglider.bulk.trees", "tarfile", "http.server", "multiprocessing"),
}
"""Not loaded by ``ls``, nor by ``cp`` of a file that is stored whole."""

OF_TRANSFERS = {
    *("deltaglider.bulk.run", "deltaglider.bulk.verify", "deltaglider.client.objects", "deltaglider.engine.upload"),
    *("deltaglider.engine.copy", "deltaglider.engine.reference", "deltaglider.layout.deltaspace"),
}
"""Not loaded by ``ls`` either."""


def loaded_by(program: Program, *arguments: str) -> set[str]:
    """The modules that are loaded when a command ends."""
    return taken_by(program, *arguments)[0]


def taken_by(program: Program, *arguments: str) -> tuple[set[str], int]:
    """The modules that are loaded when a command ends, and how many texts were compiled: the methods of dataclasses.

    The process is not measured: coverage, which starts in every child of a measured run, loads much of its own.
    """
    environ = {
        name: value
        for name, value in program.environ.items()
        if not name.startswith(("COVERAGE_", "COV_CORE_")) and not name.lower().endswith("_proxy")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environ, "DG_TEMP_DIR": str(program.temporary)},
        cwd=program.here,
    )
    ended = finish(process)
    assert ended.code == 0, ended
    modules, compiled = json.loads(ended.out.splitlines()[-1])
    return set(modules), compiled


@pytest.fixture
def s3(moto: S3Endpoint, tmp_path: Path) -> Program:
    """The program on moto."""
    return program_on(moto, tmp_path)


def test_the_version_takes_nothing(program: Program) -> None:
    loaded = loaded_by(program, "--version")
    assert {name for name in loaded if name.startswith("deltaglider")} == {
        *("deltaglider", "deltaglider._version", "deltaglider.cli", "deltaglider.startup")
    }
    assert loaded.isdisjoint(LIBRARIES | {"dataclasses", "logging", "importlib.metadata"})


def test_the_help_takes_the_command_line_alone(program: Program) -> None:
    loaded = loaded_by(program, "ls", "--help")
    assert loaded & (LIBRARIES | ROOMS) == {"asyncclick", "asyncio", "ssl", "deltaglider.layout"}
    assert len([name for name in loaded if name.startswith("deltaglider.")]) <= 40


def test_a_listing_takes_what_lists(s3: Program, moto: S3Endpoint) -> None:
    loaded, compiled = taken_by(s3, "ls", f"s3://{moto.make_bucket()}")
    assert compiled <= 130
    assert loaded & (NEVER | OF_TRANSFERS) == set()
    assert {"aiobotocore.session", "deltaglider.engine.listing"} <= loaded
    assert len([name for name in loaded if name.startswith("deltaglider.")]) <= 110


def test_a_copy_takes_what_copies(s3: Program, moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    s3.write("a.txt", b"hello")
    loaded = loaded_by(s3, "cp", "a.txt", f"s3://{bucket}/")
    assert loaded & NEVER == set()
    assert {"aiobotocore.session", "deltaglider.engine.upload"} <= loaded
    assert loaded_by(s3, "cp", f"s3://{bucket}/a.txt", "back.txt") & NEVER == set()
    assert (s3.here / "back.txt").read_bytes() == b"hello"


def test_the_embedded_store_takes_none_of_the_other(program: Program, bkt: str) -> None:
    loaded = loaded_by(program, "ls", f"s3://{bkt}")
    assert loaded & (NEVER | OF_TRANSFERS | {"aiobotocore", "aiohttp", "botocore", "deltaglider.store.s3"}) == set()


def test_servers_are_trusted_as_ever(weed_tls: S3Endpoint, tmp_path: Path) -> None:
    # The process is a command's own, so that what reads certificates is left out where it may be.
    bucket = weed_tls.make_bucket()
    trusting = program_on(weed_tls, tmp_path)
    trusting.write("a.txt", b"hello")
    trusting.ok("cp", "a.txt", f"s3://{bucket}/")
    assert trusting.ok("ls", f"s3://{bucket}").out.split()[-2:] == ["5", "a.txt"]
    environ = {name: value for name, value in trusting.environ.items() if name != "AWS_CA_BUNDLE"}
    doubting = dataclasses.replace(trusting, environ={**environ, "AWS_MAX_ATTEMPTS": "1"})
    refused = doubting("ls", f"s3://{bucket}")
    assert (refused.code != 0, refused.out) == (True, "")
    assert "certificate" in refused.stderr.lower()
    assert doubting.ok("ls", f"s3://{bucket}", "--no-verify-ssl").out.split()[-1] == "a.txt"
