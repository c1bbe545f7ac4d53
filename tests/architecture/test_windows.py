"""Nothing that only POSIX has is used where Windows comes by: each use stands behind a question for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.house import SOURCE

MISSING = {
    "os": {
        "O_CLOEXEC",
        "O_DIRECTORY",
        "O_NOFOLLOW",
        "O_NONBLOCK",
        "chown",
        "fchmod",
        "fchown",
        "fork",
        "geteuid",
        "getuid",
        "kill",
        "killpg",
        "mkfifo",
        "posix_fadvise",
        "pread",
        "preadv",
        "pwrite",
        "pwritev",
        "register_at_fork",
        "sched_getaffinity",
        "sendfile",
        "setsid",
        "statvfs",
        "sync",
        "uname",
    },
    "signal": {"SIGKILL", "SIGHUP", "SIGPIPE", "SIGUSR1", "SIGXCPU", "SIGXFSZ", "alarm", "pthread_sigmask"},
    "select": {"PIPE_BUF", "poll", "epoll", "kqueue"},
    "time": {"tzset"},
}
MODULES = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty"}
QUESTIONS = ("hasattr(", "sys.platform", "os.name", "windows", "WINDOWS", "at_once")


def unguarded(source: str) -> list[str]:
    """What a module uses without a question, as ``name (line)``."""
    tree = ast.parse(source)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    found: list[str] = []
    for node in ast.walk(tree):
        missing = list(_missing(node))
        if missing and not _is_asked(node, parents):  # In this order: to look for a question takes long.
            found.extend(f"{name} ({getattr(node, 'lineno', 0)})" for name in missing)
    return found


def _missing(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.attr in MISSING.get(node.value.id, ()):
            yield f"{node.value.id}.{node.attr}"
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)
    elif isinstance(node, ast.ImportFrom) and (
        node.module in MODULES or {alias.name for alias in node.names} & MISSING.get(node.module or "", set())
    ):
        yield str(node.module)


def _is_asked(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    child = node
    while child in parents:
        parent = parents[child]
        if isinstance(parent, ast.If | ast.IfExp | ast.BoolOp) and _asks(getattr(parent, "test", parent)):
            return True
        body = getattr(parent, "body", None)
        if isinstance(body, list) and child in body:
            for before in body[: body.index(child)]:
                if isinstance(before, ast.If) and _asks(before.test) and isinstance(before.body[-1], ast.Return):
                    return True
        child = parent
    return False


def _asks(test: ast.AST) -> bool:
    return any(question in ast.unparse(test) for question in QUESTIONS)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.geteuid()", ["os.geteuid (2)"]),
        ("import os\nos.O_RDONLY | os.O_NONBLOCK", ["os.O_NONBLOCK (2)"]),
        ("import os\nx = os.geteuid() if hasattr(os, 'geteuid') else 0", []),
        ("import os\nx = not hasattr(os, 'geteuid') or os.geteuid() == 0", []),
        ("def f():\n    if sys.platform == 'win32':\n        return\n    os.killpg(1, 9)", []),
        ("def f():\n    if sys.platform == 'win32':\n        pass\n    os.killpg(1, 9)", ["os.killpg (4)"]),
        ("import fcntl", ["fcntl (1)"]),
        ("if sys.platform == 'win32':\n    pass\nelse:\n    import fcntl", []),
        ("from signal import SIGKILL", ["signal (1)"]),
    ],
)
def test_the_search_finds_what_it_should(source: str, found: list[str]) -> None:
    assert unguarded(source) == found


def test_nothing_is_used_that_windows_does_not_have() -> None:
    found = {
        str(path.relative_to(SOURCE)): unguarded(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_files_are_opened_raw_without_translation() -> None:
    """``os.open`` followed by ``os.read`` gives bytes as they are only with ``O_BINARY``, which ``PLAIN`` has."""
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        raw = any(call in source for call in ("os.read(", "os.write(", "read_at(", "write_at("))
        if raw and "os.open(" in source:
            assert "PLAIN" in source, path
