"""What only a process of its own can show: its end, its forks, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider import create_client
from tests.client.world import leftovers, noise
from tests.codec.material import ids, is_gone, telling_its_id
from tests.servers import DirectoryEndpoint

# What -X dev finds slow is no finding on a busy machine; all else that asyncio has to say is.
_HEAD = """
import asyncio, gc, io, logging, os, signal, sys, threading
logging.getLogger("asyncio").setLevel(logging.ERROR)
from deltaglider import ClientStateError, create_async_client, create_client
from tests.client.world import noise
url, temporary, bucket = sys.argv[1:4]
place = f"s3://{bucket}"
"""


class Scripts:
    """Runs programs that use a client; they have ``url``, ``temporary``, ``bucket`` and ``place``."""

    def __init__(self, endpoint: DirectoryEndpoint, temporary: Path, bucket: str) -> None:
        self._arguments = [endpoint.url, str(temporary), bucket]
        self.temporary = temporary

    def start(self, body: str, *options: str) -> subprocess.Popen[str]:
        program = _HEAD + textwrap.dedent(body)
        return subprocess.Popen(
            [sys.executable, *options, "-c", program, *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, body: str, *options: str) -> tuple[int, str, str]:
        """Its exit code, stdout and stderr. One that does not end is a failure."""
        process = self.start(body, *options)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
        return process.returncode, out, err


@pytest.fixture
def scripts(directory: DirectoryEndpoint, temporary: Path, bucket: str) -> Scripts:
    return Scripts(directory, temporary, bucket)


STRICT = ("-W", "error", "-X", "dev")

NEVER_CLOSED = {
    "a global": """
        client = create_client(url, temp_dir=temporary)
        client.upload(noise(1), f"{place}/v1/app.zip")
        """,
    "an unused one": """
        client = create_client(url, temp_dir=temporary)
        """,
    "two of them": """
        clients = [create_client(url, temp_dir=temporary) for _ in range(2)]
        for number, client in enumerate(clients):
            client.upload(noise(1), f"{place}/v{number}/app.zip")
        """,
    "a local": """
        def main():
            client = create_client(url, temp_dir=temporary)
            client.upload(noise(1), f"{place}/v1/app.zip")
        main()
        """,
    "in a cycle": """
        client = create_client(url, temp_dir=temporary)
        client.upload(noise(1), f"{place}/v1/app.zip")
        cycle = [client]
        cycle.append(cycle)
        del client, cycle
        """,
    "an iterator half-way": """
        client = create_client(url, temp_dir=temporary)
        client.upload(noise(1, 2_000_000), f"{place}/app.bin", delta=False)
        pieces = client.stream(f"{place}/app.bin")
        assert len(next(pieces)) == 1 << 20
        listing = client.list(place)
        next(listing)
        """,
    "a call in a daemon thread": """
        from pathlib import Path
        client = create_client(url, temp_dir=temporary)
        begun = threading.Event()
        def endless():
            while True:
                begun.set()
                yield b"more" * 1000
        threading.Thread(target=client.upload, args=(endless(), f"{place}/app.zip"), daemon=True).start()
        begun.wait()
        """,
    "sys.exit": """
        client = create_client(url, temp_dir=temporary)
        client.buckets()
        sys.exit(0)
        """,
    "used at the end by an exit handler": """
        import atexit
        client = create_client(url, temp_dir=temporary)
        client.upload(noise(1), f"{place}/v1/app.zip")
        atexit.register(lambda: print(client.head(f"{place}/v1/app.zip").size == len(noise(1))))
        """,
    "an asynchronous one": """
        async def main():
            client = create_async_client(url, temp_dir=temporary)
            await client.upload(noise(1), f"{place}/v1/app.zip")
            await client.aclose()
        asyncio.run(main())
        """,
}


@pytest.mark.parametrize("body", NEVER_CLOSED.values(), ids=NEVER_CLOSED.keys())
def test_a_program_that_never_closes_its_client_just_ends(body: str, scripts: Scripts) -> None:
    code, out, err = scripts.run(body, *STRICT)
    daemon = "daemon=True" in body
    assert (code, "" if daemon else err) == (0, ""), err
    assert out == ("True\n" if "atexit" in body else "")
    assert list(scripts.temporary.iterdir()) == []


def test_an_error_nobody_catches_ends_it_too(scripts: Scripts) -> None:
    code, _, err = scripts.run(
        """
        client = create_client(url, temp_dir=temporary)
        client.head(f"{place}/missing")
        """,
        *STRICT,
    )
    assert code == 1
    assert err.rstrip().splitlines()[-1].startswith("deltaglider.errors.NotFoundError: s3://")
    assert list(scripts.temporary.iterdir()) == []


def test_a_forked_child_is_told_and_the_parent_goes_on(scripts: Scripts) -> None:
    code, out, err = scripts.run(
        """
        client = create_client(url, temp_dir=temporary)
        unused = create_client(url, temp_dir=temporary)
        client.upload(noise(1, 2_000_000), f"{place}/app.bin", delta=False)
        pieces = client.stream(f"{place}/app.bin")
        read = next(pieces)

        child = os.fork()
        if not child:
            for call in (client.buckets, unused.buckets, lambda: next(pieces), client.__enter__):
                try:
                    call()
                except ClientStateError as error:
                    print("child:", error, flush=True)
            client.close()
            own = create_client(url, temp_dir=temporary)
            own.upload(noise(2), f"{place}/v1/app.zip")
            print("child:", b"".join(own.stream(f"{place}/v1/app.zip")) == noise(2), flush=True)
            sys.exit(7)

        print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        # Another client's search for what the dead left must not find the parent's files.
        create_client(url, temp_dir=temporary).upload(noise(3), f"{place}/v2/app.zip")
        print("parent:", read + b"".join(pieces) == noise(1, 2_000_000))
        print("parent:", b"".join(client.stream(f"{place}/v1/app.zip")) == noise(2))
        """,
        "-W",
        "error",
        "-W",
        "ignore::DeprecationWarning",  # Of fork() itself, since 3.12: it is what is tested here.
    )
    told = "child: this client was made before the process forked, and its connections belong to the parent. "
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[:4] == [told + "Make a client in each process, after the fork"] * 4
    assert lines[4:] == ["child: True", "exit 7", "parent: True", "parent: True"]
    assert list(scripts.temporary.iterdir()) == []


def test_an_asynchronous_client_in_a_forked_child(scripts: Scripts) -> None:
    code, out, err = scripts.run(
        """
        client = create_async_client(url, temp_dir=temporary)

        async def use():
            async with client:
                return len(await client.buckets())

        child = os.fork()
        if not child:
            try:
                asyncio.run(use())
            except ClientStateError as error:
                print("child:", error, flush=True)
            asyncio.run(client.aclose())
            sys.exit(0)
        os.waitpid(child, 0)
        print("parent:", asyncio.run(use()))
        """,
        *STRICT,
    )
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("child: this client was made before the process forked")
    assert out.splitlines()[1] == "parent: 1"


FIRST = noise("first", 3_000_000)


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """An xdelta3 that tells its process id."""
    return telling_its_id(tmp_path)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of which a delta takes long, and may be worth it: first what is not in the reference, then what is."""
    path = tmp_path_factory.mktemp("large") / "large.zip"
    path.write_bytes(noise("large", 40_000_000) + 10 * FIRST)
    yield path
    path.unlink()


def _interrupted(process: subprocess.Popen[str], directory: Path, *, signals: int = 1) -> tuple[int, str, str]:
    """Waits until the program runs xdelta3, presses Ctrl-C on its terminal, and sees how it ends."""
    try:
        end = time.monotonic() + 60
        while not ids(directory):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "no xdelta3 was started"
            time.sleep(0.01)
        for _ in range(signals):
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err
    finally:
        process.kill()
        process.communicate()


class Unchanged:
    """A store that holds one object, and nothing else when all is over."""

    def __init__(self, endpoint: DirectoryEndpoint, bucket: str, cache: Path) -> None:
        self._endpoint, self._bucket, self._cache = endpoint, bucket, cache
        with create_client(endpoint.url, cache_dir=cache) as client:
            client.upload(FIRST, f"s3://{bucket}/v1/app.zip")
        self._blobs = self._found()

    def _found(self) -> list[Path]:
        return sorted(path for path in (self._endpoint.root / "blobs").rglob("*") if path.is_file())

    def check(self) -> None:
        assert self._found() == self._blobs
        assert list((self._cache / "in-use").iterdir()) == []
        with create_client(self._endpoint.url, cache_dir=self._cache) as client:
            (entry,) = client.list(f"s3://{self._bucket}")
            assert client.verify(f"s3://{self._bucket}/{entry.key}").valid  # type: ignore[union-attr]


@pytest.fixture
def unchanged(directory: DirectoryEndpoint, bucket: str, tmp_path: Path, temporary: Path) -> Iterator[Unchanged]:
    store = Unchanged(directory, bucket, tmp_path / "cache")
    yield store
    assert all(map(is_gone, ids(tmp_path)))
    store.check()
    assert leftovers(temporary) == []


SYNCHRONOUS = """
    client = create_client(url, temp_dir=temporary, cache_dir={cache!r}, xdelta3={xdelta3!r})
    client.upload({large!r}, f"{{place}}/v2/app.zip")
    print("not reached")
    """

OF_A_STREAM = """
    client = create_client(url, temp_dir=temporary, cache_dir={cache!r}, xdelta3={xdelta3!r})
    with open({large!r}, "rb") as file:
        client.upload(file, f"{{place}}/v2/app.zip")
    print("not reached")
    """

OF_A_DIRECTORY = """
    from pathlib import Path
    tree = Path(temporary, "tree")
    client = create_client(url, temp_dir=temporary, cache_dir={cache!r}, xdelta3={xdelta3!r})
    os.mkdir({tree!r})
    for name in "abc":
        os.link({large!r}, {tree!r} + f"/{{name}}.zip")
    client.upload_directory({tree!r}, f"{{place}}/v2/")
    print("not reached")
    """

IN_A_CONTEXT = """
    with create_client(url, temp_dir=temporary, cache_dir={cache!r}, xdelta3={xdelta3!r}) as client:
        client.upload({large!r}, f"{{place}}/v2/app.zip")
    print("not reached")
    """

ASYNCHRONOUS = """
    async def main():
        async with create_async_client(
            url, temp_dir=temporary, cache_dir={cache!r}, xdelta3={xdelta3!r}
        ) as client:
            await client.upload({large!r}, f"{{place}}/v2/app.zip")
        print("not reached")
    asyncio.run(main())
    """


@pytest.mark.parametrize(
    "body",
    [SYNCHRONOUS, OF_A_STREAM, OF_A_DIRECTORY, IN_A_CONTEXT, ASYNCHRONOUS],
    ids=["synchronous", "of a stream", "of a directory", "in a context", "asynchronous"],
)
def test_ctrl_c_in_the_middle_of_an_upload(
    body: str, scripts: Scripts, slow: str, large: Path, unchanged: Unchanged, tmp_path: Path
) -> None:
    names = {"cache": str(tmp_path / "cache"), "xdelta3": slow, "large": str(large), "tree": str(tmp_path / "tree")}
    code, out, err = _interrupted(scripts.start(body.format(**names), *STRICT), tmp_path)
    assert (code, out) == (-signal.SIGINT, "")
    assert err.rstrip().splitlines()[-1] == "KeyboardInterrupt"
    assert "not retrieved" not in err


def test_a_program_goes_on_after_ctrl_c(
    scripts: Scripts, slow: str, large: Path, unchanged: Unchanged, tmp_path: Path
) -> None:
    """As a notebook does."""
    body = f"""
        client = create_client(url, temp_dir=temporary, cache_dir={str(tmp_path / "cache")!r}, xdelta3={slow!r})
        try:
            client.upload({str(large)!r}, f"{{place}}/v2/app.zip")
        except KeyboardInterrupt:
            print("interrupted")
        print(len(b"".join(client.stream(f"{{place}}/v1/app.zip"))))
        print([entry.key for entry in client.list(place)])
        """
    code, out, err = _interrupted(scripts.start(body, *STRICT), tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["interrupted", "3000000", "['v1/app.zip']"]


def test_a_call_in_a_daemon_thread_is_cut_off_in_order(
    scripts: Scripts, slow: str, large: Path, unchanged: Unchanged, tmp_path: Path
) -> None:
    """The program ends while xdelta3 runs: nothing of it is left."""
    body = f"""
        import time
        client = create_client(url, temp_dir=temporary, cache_dir={str(tmp_path / "cache")!r}, xdelta3={slow!r})
        upload = threading.Thread(target=client.upload, args=({str(large)!r}, f"{{place}}/v2/app.zip"), daemon=True)
        upload.start()
        while not os.listdir({str(tmp_path / "ids")!r}):
            time.sleep(0.01)
        """
    code, _, _ = scripts.run(body)
    assert code == 0
    assert len(ids(tmp_path)) == 1
