"""A sync, or a move, that was killed in the middle and is run again: only what is missing goes over."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from deltaglider.store.base import ObjectStore
from tests.engine.world import noise, revised
from tests.faults.kills import Driver, Match, Scene, Stage
from tests.faults.test_kills import close
from tests.servers import DirectoryEndpoint, Endpoint, S3Endpoint

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

FILES = 10
DONE = 6
"""Files that are over when it is killed."""

BASE = noise("base", 6000)
# One of both kinds each: whole ones, and deltas.
CONTENTS = {f"{n:02}{'.zip' if n % 2 else '.txt'}": revised(BASE, n) if n % 2 else noise(n, 100) for n in range(FILES)}
NAME = list(CONTENTS)[DONE]
OBJECTS = {f"p/{name}": data if name.endswith("zip") else [data] for name, data in CONTENTS.items()}
TREE = {f"tree/{name}": data for name, data in CONTENTS.items()}

SCENES = {
    "up": Scene(
        ("sync", "tree", "s3://BUCKET/p"),
        {},
        {f"p/{name}": data for name, data in CONTENTS.items()},
        TREE,
        old=tuple(TREE),
    ),
    "down": Scene(("sync", "s3://BUCKET/p", "tree"), OBJECTS, {}, {}, dict(TREE)),
    "across": Scene(
        ("sync", "s3://BUCKET/p", "s3://BUCKET/q"), OBJECTS, {f"q/{name}": data for name, data in CONTENTS.items()}, {}
    ),
}
# What is asked of the store for one file, in the words of either store.
TRANSFERS = {
    "up": r"(?:PUT|put) \S*p/{name}(?!\S*/)",
    "down": r"(?:GET|fetch) \S*p/{name}",
    "across": r"(?:PUT|put|copy) \S*q/{name}(?!\S*/)",
}


@pytest.mark.parametrize("direction", SCENES)
async def test_only_what_is_missing_goes_over(
    direction: str,
    directory: DirectoryEndpoint,
    moto: S3Endpoint,
    tmp_path: Path,
    commands: Driver,
    stores: Callable[[Endpoint], ObjectStore],
    record_property: Callable[[str, object], None],
) -> None:
    scene, asked = SCENES[direction], TRANSFERS[direction]
    endpoint: Endpoint = moto if direction == "down" else directory
    stage = Stage(endpoint, endpoint.make_bucket(), tmp_path, scene)
    await stage.set()
    play = stage.play()
    killed = commands.run(play, *play.command, kill=Match(asked.format(name=re.escape(NAME))))
    assert killed.code == -signal.SIGKILL
    over = len(killed.out.splitlines())
    assert over == DONE

    again = commands.run(play, *play.command, "--json", count=True)
    *items, summary = [json.loads(line) for line in again.out.splitlines()]
    assert (summary["done"], summary["unchanged"], summary["failed"]) == (FILES - over, over, 0)
    assert sorted(Path(item["source"]).name for item in items) == list(CONTENTS)[over:]
    moved = {
        name for name in CONTENTS for step in again.steps if re.search(asked.format(name=re.escape(name)), step.name)
    }
    assert sorted(moved) == list(CONTENTS)[over:]

    store = stores(play.endpoint)
    ctx = play.context(store, stranger=True)
    assert await play.read(ctx) == {**scene.objects, **scene.after}
    assert play.files() == ({**scene.files, **scene.files_after}, [])
    close(ctx)
    figure = f"sync {direction}, killed after {over} of {FILES} files: the second run moved {len(moved)}"
    record_property("figure", figure)


async def test_a_move_goes_on_where_it_was_killed(
    directory: DirectoryEndpoint, tmp_path: Path, commands: Driver, stores: Callable[[Endpoint], ObjectStore]
) -> None:
    target = {f"p/{name}": data for name, data in CONTENTS.items()}
    scene = Scene(
        ("mv", "tree", "s3://BUCKET/p", "--recursive"), {}, target, TREE, dict.fromkeys(TREE), old=tuple(TREE)
    )
    stage = Stage(directory, directory.make_bucket(), tmp_path, scene)
    await stage.set()
    play = stage.play()
    killed = commands.run(play, *play.command, kill=Match(TRANSFERS["up"].format(name=re.escape(NAME)), late=True))
    assert killed.code == -signal.SIGKILL
    # The file that was on its way is at its target and still at its source.
    assert sorted(name for name, data in play.files()[0].items() if data is not None) == list(TREE)[DONE:]
    again = commands.run(play, *play.command, "--json")
    assert json.loads(again.out.splitlines()[-1])["done"] == FILES - DONE
    ctx = play.context(stores(play.endpoint), stranger=True)
    assert await play.read(ctx) == target
    assert play.files() == (dict.fromkeys(TREE), [])
    close(ctx)
