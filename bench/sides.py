"""Programs against one server, by turns: each run with a bucket, caches and files of its own."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Command, Cost, Tools, median, run_once
from bench.report import Row, Table, Target
from bench.server import Server
from bench.wire import Traffic, Wire

MB = 1_000_000
PEER = "6.2.0"
"""The predecessor, as the tables call it."""
ISOLATED = ("AWS_", "DG_", "S3_", "RCLONE_", "XDELTA", "PYTHON")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one run happens.

    Attributes:
        bucket: The bucket it works on.
        directory: A directory of its own, empty at first but for the caches.
        environ: What a program needs to find the server, and its caches in ``directory``.
    """

    bucket: str
    directory: Path
    environ: dict[str, str]

    @property
    def files(self) -> Path:
        """Where a program may put what it downloads."""
        return self.directory / "files"


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the programs compared.

    Attributes:
        name: What it is called in the table.
        command: Its command in a place.
        prepare: What has to be there before, which is not measured.
        check: Raises if the run did not do what it should.
        environ: Variables besides those of the place.
        bucket: A bucket to work on in every run; a fresh one for each if not given.
        caches: A directory of caches to keep for every run; a fresh one for each if not given.
        deadline: Seconds after which it is stopped, and run no more.
    """

    name: str
    command: Callable[[Place], Command]
    prepare: Callable[[Place], object] = lambda _: None
    check: Callable[[Place], object] = lambda _: None
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    bucket: str | None = None
    caches: Path | None = None
    deadline: float | None = None


@dataclasses.dataclass(frozen=True)
class Result:
    """What one side took.

    Attributes:
        name: Its name.
        cost: The medians.
        traffic: Requests and bytes, of a run that was not timed; ``None`` if it was not counted.
        stored: Keys and bytes in the bucket after it.
    """

    name: str
    cost: Cost
    traffic: Traffic | None
    stored: dict[str, int]


class Duel:
    """Measures sides by turns, on one server.

    Args:
        server: The server.
        tools: Where files go.
    """

    def __init__(self, server: Server, tools: Tools) -> None:
        self._server = server
        self._tools = tools

    def run(self, sides: Sequence[Side], rounds: int, *, counted: bool = True) -> list[Result]:
        """One round through the counting proxy, which is the warm-up too, then the timed ones.

        Args:
            sides: Who is compared.
            rounds: How many timed rounds.
            counted: Whether to count requests and bytes; without it the first timed round is a cold one.

        Returns:
            What each took, in the order of the sides.
        """
        traffic: dict[str, Traffic] = {}
        if counted:
            traffic = {side.name: self._count(side) for side in sides if side.deadline is None}
        costs: dict[str, list[Cost]] = {side.name: [] for side in sides}
        stored: dict[str, dict[str, int]] = {}
        for _ in range(rounds):
            for side in sides:
                taken = costs[side.name]
                if taken and not taken[-1].ended:
                    continue
                with self.place(side) as place:
                    taken.append(self._once(side, place))
                    stored[side.name] = self._server.stored(place.bucket)
        return [
            Result(side.name, median(costs[side.name]), traffic.get(side.name), stored[side.name]) for side in sides
        ]

    @contextmanager
    def place(self, side: Side) -> Iterator[Place]:
        """A place for one run, made ready.

        Args:
            side: Who runs there.

        Yields:
            The place.
        """
        bucket = side.bucket or self._server.make_bucket()
        try:
            with tempfile.TemporaryDirectory(dir=self._tools.scratch, prefix="run-") as directory:
                environ = {**environment(side.caches or Path(directory)), **self._server.environ(), **side.environ}
                place = Place(bucket, Path(directory), environ)
                side.prepare(place)
                yield place
        finally:
            if not side.bucket:
                self._server.drop_bucket(bucket)

    def _count(self, side: Side) -> Traffic:
        with Wire(self._server.url) as wire:
            # What is remembered belongs to an address, and the proxy's is another: caches that are kept warm up first.
            for _ in range(2 if side.caches else 1):
                before = wire.traffic()
                # What the preparation needs goes straight to the server, and is not counted.
                with self.place(side) as place:
                    through = dataclasses.replace(place, environ={**place.environ, **self._server.environ(wire.url)})
                    self._once(side, through)
            return wire.traffic() - before

    def _once(self, side: Side, place: Place) -> Cost:
        cost = run_once(side.command(place), place.directory, environ=place.environ, deadline=side.deadline)
        if cost.ended:
            side.check(place)
        return cost


def environment(directory: Path) -> dict[str, str]:
    """Nothing of the user's own settings, and every cache and temporary file in one directory.

    Args:
        directory: The directory.

    Returns:
        Names and values.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ISOLATED)}
    places = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "DG_CACHE_DIR": "cache/deltaglider"}
    for name, place in places.items():
        (directory / place).mkdir(parents=True, exist_ok=True)
        kept[name] = str(directory / place)
    return kept


def link_all(files: Mapping[str, Path], directory: Path) -> Path:
    """A directory that holds files without copying them.

    Args:
        files: Names, and the files.
        directory: The directory, which is made.

    Returns:
        The directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:  # Another filesystem.
            shutil.copyfile(path, target)
    return directory


def compared(
    groups: Mapping[str, Sequence[Result]],
    peer: str,
    *,
    name: str,
    title: str,
    targets: Sequence[Target],
    notes: str = "",
) -> Table:
    """The table of one or more duels: figures, and ratios to the peer.

    Args:
        groups: The sides of each duel, under what it is called; one alone may be called nothing.
        peer: Whose figures the ratios are to.
        name: The case.
        title: One line that says what the figures are.
        targets: What was to be shown.
        notes: What a reader must know besides.

    Returns:
        The table.
    """
    rows: list[Row] = []
    for group, results in groups.items():
        base = next(result for result in results if result.name == peer).cost
        for result in results:
            label = f"{group}: {result.name}" if group else result.name
            rows.append((label if result.cost.ended else f"{label} (stopped)", *_figures(result, base)))
    columns = ("side", "wall s", "CPU s", "peak MB", "requests", "sent MB", "received MB", "stored MB")
    return Table(
        name=name,
        title=title,
        columns=(*columns, f"wall / {peer}", f"CPU / {peer}"),
        rows=tuple(rows),
        targets=tuple(targets),
        notes=notes,
    )


def _figures(result: Result, base: Cost) -> Row:
    cost, traffic = result.cost, result.traffic
    return (
        round(cost.wall, 3),
        round(cost.cpu, 3),
        round(cost.peak / MB, 1),
        traffic.count if traffic else None,
        round(traffic.sent / MB, 3) if traffic else None,
        round(traffic.received / MB, 3) if traffic else None,
        round(sum(result.stored.values()) / MB, 3),
        round(cost.wall / base.wall, 3),
        round(cost.cpu / base.cpu, 3),
    )


def against(results: Sequence[Result], ours: str, peer: str, figure: Callable[[Result], float]) -> float:
    """How one side compares with another.

    Args:
        results: All sides.
        ours: The one.
        peer: The other.
        figure: What is compared.

    Returns:
        The one's figure over the other's.
    """
    by_name = {result.name: result for result in results}
    return figure(by_name[ours]) / figure(by_name[peer])
