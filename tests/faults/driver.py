"""The command line as a process that dies, or fails to write, at a chosen step. Runs in a process of its own.

It imports once what the commands need and then forks a child for each request, before any thread or event loop exists:
starting Python anew for each of some thousand steps would take most of an hour. A request is a line of JSON on stdin,
the answer one on stdout: ``{"code": exit code, negative for a signal}``. ``tests.faults.command`` is the other end.

Steps have numbers, from 1, in two rows:

- ``request``: what is asked of the store: a call of the embedded store, an HTTP request of S3. A process dies before
  one is sent, or after it was done and before its answer is read.
- ``local``: what changes files below a directory: each is opened for writing, renamed, linked, removed, or made; and
  the start of xdelta3. A process dies before it.
"""

from __future__ import annotations

import builtins
import functools
import io
import json
import os
import re
import resource
import signal
import sys
from typing import Any

import botocore.session

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {
    "open",
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "subprocess.Popen",
    "sqlite3.connect",
}


class Steps:
    """Numbers the steps of one process, writes them down, and sends it a signal at the one that was asked for."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._log = os.open(request["steps"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._kill = request.get("kill") or {}
        self._counts = {"request": 0, "local": 0}
        self._wanted = re.compile(self._kill.get("match") or "(?!)")

    def before(self, row: str, name: str) -> int:
        self._counts[row] += 1
        number = self._counts[row]
        if self._wanted.search(name):  # The first step of such a name is the one that was asked for.
            self._kill = {**self._kill, "row": row, "at": number}
            self._wanted = re.compile("(?!)")
        os.write(self._log, (json.dumps([row, number, name]) + "\n").encode())
        self._die(row, number, late=False)
        return number

    def after(self, row: str, number: int) -> None:
        self._die(row, number, late=True)

    def _die(self, row: str, number: int, *, late: bool) -> None:
        wanted = self._kill
        if wanted and (wanted.get("row"), wanted.get("at"), wanted["late"]) == (row, number, late):
            os.kill(os.getpid(), wanted["signal"])


def number_requests(steps: Steps, *, embedded: bool) -> None:
    """Has each request to the store count as a step."""
    if embedded:
        from deltaglider.client import assemble
        from tests.faults.wrapper import Call, ScriptedStore

        make = assemble._store
        numbers: dict[int, int] = {}

        def begin(call: Call) -> None:
            numbers[call.number] = steps.before("request", f"{call.operation} {call.key}")

        def wrapped(*parts: Any) -> Any:
            store = ScriptedStore(make(*parts))
            store.before("*", do=begin)
            store.after("*", do=lambda call: steps.after("request", numbers[call.number]))
            return store

        assemble._store = wrapped
        return
    from deltaglider.store.s3 import wire

    send = wire._Guarded.request

    async def numbered(self: Any, method: str, *, url: Any, **rest: Any) -> Any:
        number = steps.before("request", f"{method} {str(url).split('/', 3)[3]}")
        answer = await send(self, method, url=url, **rest)
        steps.after("request", number)
        return answer

    wire._Guarded.request = numbered  # type: ignore[method-assign]


def number_changes(steps: Steps, root: str) -> None:
    """Has each change of a file below a directory count as a step."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES and (name := _change(event, arguments, root)):
            steps.before("local", name)

    sys.addaudithook(hook)


def _change(event: str, arguments: tuple[Any, ...], root: str) -> str:
    """What a step does, without the directory's name; empty where it is none."""
    if event == "subprocess.Popen":
        return f"{event} {os.path.basename(str(arguments[0]))}"
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
        return ""
    paths = [os.fspath(item) for item in arguments[:2] if isinstance(item, str | bytes | os.PathLike)]
    texts = [os.fsdecode(path) for path in paths]
    # ``shutil.rmtree`` names what it removes relative to an open directory; nothing else here has relative names.
    if event in ("os.remove", "os.rmdir") and not os.path.isabs(texts[0]):
        return f"{event} {texts[0]}"
    if not texts or not any(text.removeprefix("file://").startswith(root) for text in texts):
        return ""
    return " ".join([event, *(text.replace(root, "") for text in texts)])


def fill_disk(directory: str) -> None:
    """Lets no file below a directory take another byte from this process, as a full disk does: names can be made."""
    full = os.open("/dev/full", os.O_WRONLY)
    opened, made = os.open, io.open

    def is_there(path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(f"{directory}/")

    def open_descriptor(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        descriptor = opened(path, flags, *arguments, **options)
        if flags & _WRITING and is_there(path):
            os.dup2(full, descriptor, inheritable=False)
        return descriptor

    def open_file(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = made(path, mode, *arguments, **options)
        if set(mode) & set("wax+") and is_there(path):
            os.dup2(full, file.fileno(), inheritable=False)
        return file

    os.open = open_descriptor
    io.open = builtins.open = open_file  # type: ignore[assignment]


def fill_index() -> None:
    """Lets the index of the embedded store grow by no page."""
    from deltaglider.store.directory.index import Index

    connect = Index._connect

    def full(self: Index) -> Any:
        connection = connect(self)
        connection.execute("PRAGMA max_page_count = 1")  # SQLite makes that the number there is.
        return connection

    Index._connect = full  # type: ignore[method-assign]


def run_child(request: dict[str, Any]) -> int:
    """In the child: becomes what was asked for."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        opened = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(os.open(request.get("stdin", os.devnull), os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    if limit := request.get("file_size"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # As Python has it anyway.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if request.get("full_directory"):
        fill_disk(request["full_directory"])
    if request.get("full_index"):
        fill_index()
    from deltaglider.cli.main import main

    if request.get("steps"):
        steps = Steps(request)
        number_requests(steps, embedded=request["embedded"])
        number_changes(steps, request["cwd"])
    return main(request["arguments"])


def serve() -> None:
    """Forks a child for each request until stdin ends."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    _import_all()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = run_child(json.loads(line))
                sys.stdout.flush()
                sys.stderr.flush()
            except BaseException:
                import traceback

                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(code)
        print(json.dumps({"child": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def _import_all() -> None:
    import deltaglider.cli.app
    import deltaglider.cli.main
    import deltaglider.client.aio
    import deltaglider.client.piecemeal
    import deltaglider.store.directory
    import deltaglider.store.s3
    import deltaglider.store.s3.connect
    import tests.faults.wrapper  # noqa: F401

    commands = deltaglider.cli.app.app.commands
    for name in commands:
        commands[name]
    loader = botocore.session.create_loader()
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        loader.load_service_model("s3", kind)
    for data in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        loader.load_data(data)
