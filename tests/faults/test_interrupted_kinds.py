"""Ctrl-C and SIGTERM in the middle of each kind of transfer: nothing half-written, no unfinished multipart upload.

Each kind is interrupted at one step, chosen by what it does: on both stores by both signals with ``nox -s faults``, on
one of them by one of the signals in the suite.
"""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from deltaglider.store.base import ObjectStore
from tests.faults.kills import KINDS, PARTS, Driver, Match, Play, Scene, Stage
from tests.faults.scale import FULL
from tests.faults.test_kills import NEW, OLD, OTHER, SCENES, close
from tests.faults.test_signals import ENDS, processes_of
from tests.servers import DirectoryEndpoint, Endpoint, S3Endpoint

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

LARGE = NEW * 900
"""Two parts of 5 MiB, the second one short."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A transfer, and where it is in its middle.

    Attributes:
        scene: The command.
        middle: What is asked of the store, or done here, when the signal comes; or is done by then.
        moved: Of a move: the object, or local file, that the source becomes; one of both must always be there.
        stdin: The file that is standard input.
    """

    scene: Scene
    middle: Match
    moved: tuple[str, str] | None = None
    stdin: str = ""


UP = {"p/a.txt": NEW}
KINDS_OF_TRANSFER = {
    "an upload, whole": Kind(
        Scene(("cp", "a.txt", "s3://BUCKET/p/a.txt"), {"p/a.txt": [OLD]}, UP, {"a.txt": NEW}),
        Match(r"PUT .*/a\.txt|put .*a\.txt"),
    ),
    "an upload, in parts": Kind(SCENES["a whole file in parts"], Match(r"PUT .*partNumber=1|put p/a\.txt", late=True)),
    "an upload, as a delta": Kind(SCENES["a second upload"], Match(r"xdelta3")),
    "a download, whole": Kind(
        Scene(("cp", "s3://BUCKET/p/a.txt", "a.txt"), {"p/a.txt": [NEW]}, {}, {"a.txt": OLD}, {"a.txt": NEW}),
        Match(r"GET .*a\.txt|fetch p/a\.txt", late=True),
    ),
    "a download, in ranges": Kind(
        Scene(
            ("cp", "s3://BUCKET/p/a.txt", "a.txt"),
            {"p/a.txt": [LARGE]},
            {},
            {"a.txt": OLD},
            {"a.txt": LARGE},
            in_parts=True,
        ),
        Match(r"GET .*a\.txt|fetch p/a\.txt", late=True),
    ),
    "a download, from a delta": Kind(SCENES["cp down"], Match(r"xdelta3")),
    "a copy": Kind(
        Scene(("cp", "s3://BUCKET/p/a.zip", "s3://BUCKET/q/a.zip"), {"p/a.zip": NEW}, {"q/a.zip": NEW}, {}),
        Match(r"PUT .*q/a\.zip\.delta|copy q/a\.zip\.delta"),
    ),
    "a move up": Kind(
        Scene(
            ("mv", "a.zip", "s3://BUCKET/p/a.zip"),
            {"p/b.zip": OTHER},
            {"p/a.zip": NEW},
            {"a.zip": NEW},
            {"a.zip": None},
        ),
        Match(r"PUT .*p/a\.zip\.delta|put p/a\.zip\.delta", late=True),
        moved=("p/a.zip", "a.zip"),
    ),
    "a move down": Kind(
        Scene(("mv", "s3://BUCKET/p/a.zip", "a.zip"), {"p/a.zip": NEW}, {"p/a.zip": None}, {}, {"a.zip": NEW}),
        Match(r"DELETE .*p/a\.zip\.delta|delete p/a\.zip\.delta"),
        moved=("p/a.zip", "a.zip"),
    ),
    "a move across": Kind(
        Scene(
            ("mv", "s3://BUCKET/p/a.zip", "s3://BUCKET/q/a.zip"),
            {"p/a.zip": NEW},
            {"p/a.zip": None, "q/a.zip": NEW},
            {},
        ),
        Match(r"DELETE .*p/a\.zip\.delta|delete p/a\.zip\.delta"),
        moved=("p/a.zip", "q/a.zip"),
    ),
    "a stream in": Kind(
        Scene(
            ("cp", "-", "s3://BUCKET/p/a.txt"), {"p/a.txt": [OLD]}, {"p/a.txt": LARGE}, {"a.txt": LARGE}, in_parts=True
        ),
        Match(r"PUT .*partNumber=1|put p/a\.txt", late=True),
        stdin="a.txt",
    ),
    "a stream out": Kind(Scene(("cp", "s3://BUCKET/p/a.zip", "-"), {"p/a.zip": NEW}, {}, {}), Match(r"xdelta3")),
    "sync --delete": Kind(
        SCENES["sync --delete up"], Match(r"DELETE .*a\.zip\.delta|delete p/a\.zip\.delta", late=True)
    ),
    "rm --recursive": Kind(
        SCENES["the delete of a prefix"], Match(r"DELETE .*a\.zip\.delta|delete p/a\.zip\.delta", late=True)
    ),
}


@pytest.mark.parametrize("name", KINDS_OF_TRANSFER)
async def test_nothing_is_half_written(
    name: str,
    directory: DirectoryEndpoint,
    moto: S3Endpoint,
    tmp_path: Path,
    commands: Driver,
    stores: Callable[[Endpoint], ObjectStore],
) -> None:
    at = list(KINDS_OF_TRANSFER).index(name)
    # Parts and ranges are what servers have.
    few: list[Endpoint] = [moto if KINDS_OF_TRANSFER[name].scene.in_parts or at % 2 else directory]
    for number, endpoint in enumerate([directory, moto] if FULL else few):
        stage = Stage(endpoint, endpoint.make_bucket(), tmp_path / endpoint.name, KINDS_OF_TRANSFER[name].scene)
        stage.home.mkdir()
        await stage.set()
        for which in list(ENDS) if FULL else [list(ENDS)[(at + number) % 2]]:
            await interrupt(stage.play(), KINDS_OF_TRANSFER[name], which, commands, stores)


async def interrupt(
    play: Play,
    kind: Kind,
    which: signal.Signals,
    commands: Driver,
    stores: Callable[[Endpoint], ObjectStore],
) -> None:
    store = stores(play.endpoint)
    stdin = {"stdin": str(play.here / kind.stdin)} if kind.stdin else {}
    ended = commands.run(play, *play.command, kill=kind.middle, which=int(which), **stdin)
    try:
        code, words = ENDS[which]
        assert (ended.code, words in ended.err, "Traceback" in ended.err) == (code, True, False)
        assert processes_of(play.here) == []
        assert play.temporary() == []
        files, strange = play.files()
        assert strange == []
        assert await play.leftovers(store) <= KINDS - {PARTS}
        ctx = play.context(store, stranger=True)
        found, scene = await play.read(ctx), play.scene
        close(ctx)
        for now, before, after in ((found, scene.objects, scene.after), (files, scene.files, scene.files_after)):
            for key, data in now.items():
                assert data in (before.get(key), after.get(key, before.get(key))), f"{key} is neither old nor new"
        if kind.moved is not None:
            assert NEW in [{**files, **found}.get(place) for place in kind.moved], "neither here nor there"
    except AssertionError as error:
        error.add_note(f"on {play.endpoint.name}, {which.name} at {kind.middle}\n{ended}")
        raise
