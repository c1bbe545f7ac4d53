from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaglider.bulk.backlog import deletes_last
from deltaglider.bulk.plan import Delete, Transfer, Unchanged
from deltaglider.errors import LocalFileError, StoreUnavailableError
from tests.bulk.world import collect, problem, remote, stream

STEPS = st.one_of(
    st.builds(Delete, st.text('a/\n"\\é\u2028\U0001f600', max_size=5), st.integers(0, 1 << 60)),
    st.just(Unchanged()),
    st.just(Transfer(remote("t"))),
    st.just(problem("p")),
)


@settings(max_examples=50)
@given(st.lists(STEPS), st.sampled_from([1, 100, 1 << 20]))
async def test_deletes_come_last_and_all_else_stays(steps: list[object], in_memory: int) -> None:
    deletes = [step for step in steps if isinstance(step, Delete)]
    others = [step for step in steps if not isinstance(step, Delete)]
    assert await collect(deletes_last(stream(steps), in_memory=in_memory)) == others + deletes


async def test_no_delete_comes_out_when_the_plan_breaks_off() -> None:
    async def breaking() -> AsyncGenerator[object, None]:
        yield Delete("a", 1)
        yield Unchanged()
        raise StoreUnavailableError("gone")

    steps = deletes_last(breaking())
    assert await anext(steps) == Unchanged()
    with pytest.raises(StoreUnavailableError):
        await anext(steps)


async def test_long_lists_go_to_a_directory_made_for_it_and_leave_nothing(tmp_path: Path) -> None:
    where = tmp_path / "temp/deep"
    steps = deletes_last(stream([Delete(f"{number}", number) for number in range(1000)]), temp_dir=where, in_memory=100)
    assert await anext(steps) == Delete("0", 0)
    assert where.is_dir()
    assert list(where.iterdir()) == []
    assert len(await collect(steps)) == 999


async def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError, match="the list of deletes cannot be buffered"):
        await collect(deletes_last(stream([]), temp_dir=tmp_path / "file/temp"))
