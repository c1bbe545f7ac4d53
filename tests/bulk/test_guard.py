"""Which deletes are refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from deltaglider.bulk.entries import Problem, RemoteEntry
from deltaglider.bulk.guard import DeleteLimit, Guard
from deltaglider.errors import InvalidInputError
from tests.bulk.world import NOON, info


@pytest.mark.parametrize(
    ("text", "deletes", "held", "allowed"),
    [
        (10, 10, 1000, True),
        ("10", 11, 1000, False),
        ("0", 0, 5, True),
        ("0", 1, 5, False),
        ("10%", 2, 25, True),
        ("10%", 3, 25, False),
        ("10 %", 10, 100, True),
        ("0.5%", 1, 200, True),
        ("0.5%", 1, 199, False),
        ("100%", 7, 7, True),
        ("0%", 1, 7, False),
        ("0%", 0, 0, True),
    ],
)
def test_what_a_limit_allows(text: int | str, deletes: int, held: int, allowed: bool) -> None:
    assert DeleteLimit.of(text).allows(deletes, held) is allowed


@pytest.mark.parametrize("text", ["", "-1", "ten", "101%", "1.5", "1e3", "%", True, "10%%", "٣"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(InvalidInputError, match="neither a number nor a percentage"):
        DeleteLimit.of(text)


@pytest.mark.parametrize(("text", "printed"), [("5", "5"), ("10 %", "10%"), ("2.50%", "2.5%")])
def test_a_limit_is_told_as_it_was_given(text: str, printed: str) -> None:
    assert str(DeleteLimit.of(text)) == printed


async def counted(guard: Guard, sources: int, targets: int) -> Guard:
    """A guard that has seen both sides; a problem is nothing that a side holds."""

    async def entries(number: int) -> AsyncGenerator[RemoteEntry | Problem, None]:
        for at in range(number):
            yield RemoteEntry(str(at), info(str(at), 1, NOON))
        yield Problem("x", "x", "is odd")

    assert len([item async for item in guard.counted(entries(sources), "source")]) == sources + 1
    assert len([item async for item in guard.counted(entries(targets), "target")]) == targets + 1
    return guard


async def test_an_empty_source_deletes_nothing() -> None:
    error = (await counted(Guard(), 0, 7)).objection(7, uri="s3://b/p/")
    assert str(error) == (
        "s3://b/p/: the source is empty, and 7 of 7 files here would be deleted for that, so none was. "
        "Check the source; if it is meant to be empty, add --force (force=True)"
    )
    assert (await counted(Guard(), 0, 7)).objection(0, uri="here") is None
    assert (await counted(Guard(), 1, 7)).objection(6, uri="here") is None
    assert (await counted(Guard(force=True), 0, 7)).objection(7, uri="here") is None


async def test_force_lifts_no_limit() -> None:
    error = (await counted(Guard(DeleteLimit.of("50%"), force=True), 0, 7)).objection(4, uri="s3://b/p/")
    assert str(error).startswith("s3://b/p/: 4 of 7 files here would be deleted, more than --max-delete 50% allows")
    assert (await counted(Guard(DeleteLimit.of("50%")), 3, 7)).objection(3, uri="here") is None
