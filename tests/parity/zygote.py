"""Runs a Python program again and again, each time as a process of its own, without importing it anew.

Started by the program's own interpreter, which need not be ours: it imports the program once, then forks for each
request, and the child calls the program's entry point as its script would. Requests are lines of JSON on standard
input, answers are exit codes.

    python zygote.py PROGRAM MODULE:FUNCTION [MODULE ...]
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

SECONDS = 60
"""After that a program is taken to hang, and is ended."""

_CAPABILITIES_V3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


def main() -> Any:
    program, entry, *others = sys.argv[1:]
    before = set(os.environ)
    module, _, name = entry.partition(":")
    function: Callable[[], Any] = getattr(importlib.import_module(module), name)
    for other in others:
        importlib.import_module(other)
    own = {
        name: value for name, value in os.environ.items() if name not in before
    }  # aws tells itself where its data is.
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w", buffering=1)
    for line in requests:
        child = os.fork()
        if not child:
            become(program, json.loads(line), own)
            return function()
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
    return 0


def become(program: str, request: dict[str, Any], own: dict[str, str]) -> None:
    """Makes this process what a shell would have started."""
    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(request["environ"] | own)
    time.tzset()
    os.chdir(request["directory"])
    flags = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY | os.O_CREAT, "stderr": os.O_WRONLY | os.O_CREAT}
    for number, (name, flag) in enumerate(flags.items()):
        opened = os.open(request[name], flag, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [program, *request["arguments"]]
    obey_permissions()


def obey_permissions() -> None:
    """Makes root an ordinary owner of files, so that one without permissions cannot be read by root either."""
    if os.geteuid() or not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    sets = (ctypes.c_uint32 * 6)()  # Effective, permitted, inheritable; twice 32 bits each.
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for index in range(3):
        sets[index] &= ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    sys.exit(main())
