"""Deletes wait until both listings are complete: a listing that breaks off must not look like files that are gone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from deltaglider.bulk.entries import Entry
from deltaglider.bulk.plan import Delete, GuardedSteps, Refused, Steps
from deltaglider.errors import DeletesRefusedError
from deltaglider.files import local_errors

S = TypeVar("S", bound=Entry)

_IN_MEMORY = 4 << 20
_PROBLEM = "the list of deletes cannot be buffered"
_REMEDY = "Free some space, or set temp_dir (DG_TEMP_DIR) to another disk"


async def deletes_last(
    steps: Steps[S],
    objection: Callable[[int], DeletesRefusedError | None] = lambda deletes: None,
    *,
    temp_dir: Path | None = None,
    in_memory: int = _IN_MEMORY,
) -> GuardedSteps[S]:
    """The same steps, the deletes moved behind all others, in their order.

    Args:
        steps: A plan. If it raises, no delete comes out.
        objection: Asked at the end of the steps whether so many deletes may be done; if it has an answer, none is.
        temp_dir: Where many deletes are written down, in a file without a name; ``None`` for the system's directory.
        in_memory: Bytes from which they are.

    Yields:
        The steps.

    Raises:
        LocalFileError: They cannot be written down.
    """
    where = temp_dir or Path(tempfile.gettempdir())
    with local_errors(str(where), _PROBLEM, _REMEDY):
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
    deletes = 0
    with tempfile.SpooledTemporaryFile(in_memory, dir=str(where)) as waiting:
        async with aclosing(steps):
            async for step in steps:
                if not isinstance(step, Delete):
                    yield step
                    continue
                deletes += 1
                with local_errors(str(where), _PROBLEM, _REMEDY):
                    waiting.write(json.dumps([step.name, step.size]).encode() + b"\n")
        error = objection(deletes)
        if error is not None:
            yield Refused(error)
            return
        with local_errors(str(where), _PROBLEM, _REMEDY):
            waiting.seek(0)
        for line in waiting:
            name, size = json.loads(line)
            yield Delete(name, size)
