"""The examples of applications, as they run: a server, a pool of processes, a notebook, a function of AWS Lambda."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import hashlib
import inspect
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deltaglider import create_client
from tests.examples.test_examples import EXAMPLES, run
from tests.faults.test_full_disk import NAMESPACE, can_mount

FIRST = random.Random("first").randbytes(3 << 20)
SECOND = FIRST[: 1 << 20] + b"changed" + FIRST[1 << 20 :]


def environment(scratch: Path, **more: str) -> dict[str, str]:
    """That of an application whose temporary files lie in ``scratch/temporary``."""
    (scratch / "temporary").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DG_", "AWS_", "XDG_"))}
    return {**kept, "TMPDIR": str(scratch / "temporary"), **more}


# --- FastAPI


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The URL of the service. It ends at a signal, and leaves nothing behind."""
    command = [sys.executable, str(EXAMPLES / "fastapi_app.py"), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--endpoint-url", (tmp_path / "store").as_uri()],
        env=environment(tmp_path, DG_CACHE_DIR=str(tmp_path / "cache")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"running on (http://\S+)", line):
            break
    else:
        pytest.fail(f"the service did not start: {''.join(said)}")
    try:
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert "Application shutdown complete" in rest
    assert "Traceback" not in rest
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_a_service_takes_and_gives_releases(service: str, tmp_path: Path) -> None:
    async def streamed(data: bytes) -> Any:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    async with httpx.AsyncClient(base_url=service, timeout=60) as http:
        first = await http.put("/releases/v1/app.zip", content=streamed(FIRST))
        assert (first.status_code, first.json()["size"]) == (201, len(FIRST))
        second = await http.put("/releases/v2/app.zip", content=streamed(SECOND))
        assert second.json()["sha256"] == hashlib.sha256(SECOND).hexdigest()
        assert second.json()["stored"] < 10_000

        async with http.stream("GET", "/releases/v2/app.zip") as answer:
            assert answer.headers["content-length"] == str(len(SECOND))
            assert b"".join([piece async for piece in answer.aiter_bytes()]) == SECOND
        many = await asyncio.gather(*(http.get(f"/releases/v{1 + number % 2}/app.zip") for number in range(6)))
        assert [answer.content == (FIRST, SECOND)[number % 2] for number, answer in enumerate(many)] == [True] * 6

        missing = await http.get("/releases/v3/app.zip")
        assert (missing.status_code, missing.json()) == (404, {"detail": "there is no v3/app.zip"})

        # Whoever goes away in the middle costs nothing: the fixture looks for files left behind.
        with contextlib.suppress(httpx.HTTPError):
            async with http.stream("GET", "/releases/v2/app.zip") as answer:
                async for _ in answer.aiter_bytes(1000):
                    break
    assert list((tmp_path / "store").iterdir())


# --- A pool of workers


def test_a_pool_of_workers_shares_one_reference(tmp_path: Path) -> None:
    ended = run("worker_pool", scratch=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.findall(r"^build (\d): (\d+) bytes stored$", ended.stdout, re.MULTILINE) == [
        (str(number), "33") for number in range(1, 5)
    ]
    assert "5 objects, 80.00 % saved" in ended.stdout
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_forked_worker_is_told_to_make_a_client_of_its_own(tmp_path: Path) -> None:
    """In the pool's own words: the error goes through a pickle."""
    program = """
    import multiprocessing, sys, warnings
    from concurrent.futures import ProcessPoolExecutor
    from deltaglider import ClientStateError, create_client

    client = create_client(endpoint_url=sys.argv[1])

    def store(number):
        return client.make_bucket(f"bucket-{number}")

    client.make_bucket("parent")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            pool.submit(store, 1).result()
        except ClientStateError as error:
            print(error)
    print([bucket.name for bucket in client.buckets()])
    client.close()
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), (tmp_path / "store").as_uri()],
        env=environment(tmp_path, DG_CACHE_DIR=str(tmp_path / "cache")),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "before the process forked" in ended.stdout
    assert "Make a client in each process" in ended.stdout
    assert ended.stdout.endswith("['parent']\n")


# --- Jupyter

ASYNCHRONOUS_CELL = """
from deltaglider import create_async_client
async with create_async_client(endpoint_url=url) as aclient:
    await aclient.make_bucket("more")
    print([bucket.name for bucket in await aclient.buckets()])
"""


async def test_cells_of_a_notebook_run_inside_its_event_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Jupyter's kernel runs them: one after the other, in one namespace, in a loop that runs."""
    monkeypatch.setenv("DG_CACHE_DIR", str(tmp_path / "cache"))
    text = (EXAMPLES / "notebook.py").read_text(encoding="utf-8")
    cells = text.split("# %%\n")
    assert len(cells) == 6
    url = (tmp_path / "store").as_uri()
    names: dict[str, Any] = {"__name__": "__main__", "url": url}
    for cell in [*cells[:4], ASYNCHRONOUS_CELL, *cells[4:]]:
        code = compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)
        if inspect.isawaitable(result):
            await result
    assert capsys.readouterr().out.splitlines() == [
        "v0: 2,097,184 bytes stored",
        "v1: 33 bytes stored",
        "v2: 33 bytes stored",
        "3 models of 2,097,153 bytes",
        "['more']",
        "identical",
    ]


# --- AWS Lambda

_INVOKE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
refused = []
for place in (os.path.expanduser("~"), os.getcwd()):
    try:
        open(os.path.join(place, "probe"), "w").close()
    except OSError as error:
        refused.append(error.errno)
from lambda_handler import handler
answers = [handler(event, None) for event in json.loads(sys.argv[2])]
print(json.dumps({"refused": len(refused), "answers": answers}))
"""


def read_only(home: Path) -> tuple[list[str], Path]:
    """What runs a command where a directory is read-only, and the directory."""
    if can_mount():
        mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
        return [*NAMESPACE, "sh", "-c", mount, str(home)], home
    # Nobody can make files in there, root included.
    return ["sh", "-c", 'cd "$0" && exec "$@"', "/proc"], Path("/proc")


def test_a_function_of_lambda_writes_to_its_temporary_directory_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    url = (tmp_path / "store").as_uri()
    with create_client(url, cache_dir=tmp_path / "cache") as client:
        for bucket in ("incoming", "archive"):
            client.make_bucket(bucket)
        client.upload(FIRST, "s3://incoming/v1/my app.zip", delta=False)
        client.upload(SECOND, "s3://incoming/v2/my app.zip", delta=False)

    prefix, where = read_only(home)
    events = [
        {"Records": [{"s3": {"bucket": {"name": "incoming"}, "object": {"key": f"v{number}/my+app.zip"}}}]}
        for number in (1, 2)
    ]
    more = {"HOME": str(where), "ARCHIVE": "archive", "DG_ENDPOINT_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [*prefix, sys.executable, "-c", _INVOKE, str(EXAMPLES), json.dumps(events)],
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["refused"] == 2
    first, second = (answer[f"v{number}/my app.zip"] for number, answer in enumerate(said["answers"], start=1))
    assert first["operation"] == "create_reference"
    assert second["operation"] == "create_delta"
    assert second["stored"] < 10_000
    with create_client(url, cache_dir=tmp_path / "cache") as client:
        client.download("s3://archive/incoming/v2/my app.zip", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == SECOND
    assert list(home.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
