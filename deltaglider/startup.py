"""A process that runs one command of ours and ends has other needs than one that is somebody's application.

Whoever types a command waits for each module that is loaded. So the command line says that the process is its own, and
then some things are left out that an application might want, and the garbage collector does not look through all that
was loaded again and again while more comes in.
"""

from __future__ import annotations

import gc

_own = False


def own_process() -> None:
    """Says that this process runs a command of ours, and nothing else."""
    global _own  # noqa: PLW0603 - There is one process.
    _own = True
    gc.disable()


def all_is_loaded() -> None:
    """Lets the garbage collector do its work from now on, on what comes from now on. Harmless if repeated."""
    if _own and not gc.isenabled():
        gc.freeze()
        gc.enable()


def is_own_process() -> bool:
    """Whether it does."""
    return _own
