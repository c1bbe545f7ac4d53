"""Real archives as deltas: how small, and what the writing and the reading of each costs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import pairs as published
from bench.measure import Command, Cost, Tools, run_once
from bench.pairs import Pair
from bench.report import Row, Table, Target
from bench.server import Server, running
from bench.sets import digest
from bench.sides import MB, PEER, Duel, Place, Side, link_all

PLAIN, AWARE = "plain", "archive-aware"
# How many times smaller than the plain delta, at least, as the geometric mean of the pairs of a kind.
TIMES = {published.SDIST: 30, published.PROGRAMS: 3, published.TAR_CZF: 20}
FAR_BOTOCORE = 15
LARGE_JAR, LARGE_JAR_TIMES = "h2o", 100  # A wheel whose jar is nearly all of it, to the next version.
SLACK = 1.01
SMALLEST = {"fastapi", "py4j", "libssl3"}  # For a quick run.


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one side made of one pair.

    Attributes:
        stored: Bytes of the second version in the bucket.
        up: What its upload took.
        down: What its download took, the reference at hand; ``None`` if it did not come back.
    """

    stored: int
    up: Cost
    down: Cost | None


def run(tools: Tools) -> Table:
    """Uploads the second version of each pair, and downloads it again.

    Args:
        tools: The programs.

    Returns:
        A row a pair.
    """
    chosen = [pair for pair in published.pairs() if not tools.quick or pair.name in SMALLEST]
    files = {pair: pair.files(tools.data) for pair in chosen}
    rows: dict[Pair, Row] = {}
    gains: dict[Pair, float] = {}
    with running(tools.scratch) as server:
        bench = _Bench(server, Duel(server, tools))
        # The smallest first: it takes long, and what is known by then is told.
        for pair in sorted(chosen, key=lambda pair: files[pair][1].stat().st_size):
            first, second = files[pair]
            found = {
                PEER: bench.measure(tools.predecessor, {}, first, second, may_fail=True),
                PLAIN: bench.measure(tools.ours, {"DG_ARCHIVE": "never"}, first, second),
                AWARE: bench.measure(tools.ours, {}, first, second),
            }
            gains[pair] = found[PLAIN].stored / found[AWARE].stored
            rows[pair] = _row(pair, second.stat().st_size, found)
            print(*rows[pair], sep="  ", flush=True)
    sides = (PEER, PLAIN, AWARE)
    return Table(
        name="archives",
        title="The next version of real archives: bytes stored, and CPU seconds of the upload and of the download",
        columns=(
            "kind and pair",
            "MB",
            *(f"{side} %" for side in sides),
            "plain / aware",
            *(f"{side} up s" for side in sides),
            *(f"{side} down s" for side in sides),
        ),
        rows=tuple(rows[pair] for pair in chosen),
        targets=tuple(_targets(gains)),
        notes="Bytes are those of the second version in per cent of the file; CPU is that of whole processes, caches "
        "empty before the upload, the reference at hand for the download, one run each. 100 %: stored whole. No figure "
        "for a download: it failed, or other bytes came back. Times smaller are geometric means over a kind's pairs.",
    )


@dataclasses.dataclass(frozen=True)
class _Bench:
    server: Server
    duel: Duel

    def measure(
        self, program: Path, environ: Mapping[str, str], first: Path, second: Path, *, may_fail: bool = False
    ) -> Outcome:
        """One round: both versions up under their own suffix, and the second one down."""
        reference, name = (f"{which}{_suffix(second)}" for which in ("first", "second"))

        def upload(place: Place, file: str = name) -> Command:
            return program, "cp", place.directory / file, f"s3://{place.bucket}/versions/"

        def prepare(place: Place) -> None:
            link_all({reference: first, name: second}, place.directory)
            run_once(upload(place, reference), place.directory, environ=place.environ)

        side = Side("", upload, prepare=prepare, environ=environ)
        with self.duel.place(side) as place:
            up = run_once(side.command(place), place.directory, environ=place.environ)
            # 6.2.0 puts what it stores whole at the root.
            everything = self.server.stored(place.bucket)
            keys = [key for key in everything if key.rpartition("/")[2] in (name, f"{name}.delta")]
            if len(keys) != 1:
                raise RuntimeError(f"{name} is to be there once, in {sorted(everything)}")
            key = keys[0].removesuffix(".delta")
            back = place.directory / f"back{_suffix(second)}"
            down: Cost | None = None
            try:
                command = (program, "cp", f"s3://{place.bucket}/{key}", back)
                down = run_once(command, place.directory, environ=place.environ)
            except RuntimeError:
                if not may_fail:
                    raise
            if down is not None and digest(back) != digest(second):
                if not may_fail:
                    raise RuntimeError(f"{second.name} did not come back as it was")
                down = None
        return Outcome(everything[keys[0]], up, down)


def _suffix(path: Path) -> str:
    return ".tar.gz" if path.name.endswith(".tar.gz") else path.suffix


def _row(pair: Pair, size: int, found: Mapping[str, Outcome]) -> Row:
    outcomes = [found[side] for side in (PEER, PLAIN, AWARE)]
    return (
        f"{pair.kind}: {pair.name} {pair.first} -> {pair.second}",
        round(size / MB, 2),
        *(round(100 * outcome.stored / size, 3) for outcome in outcomes),
        round(found[PLAIN].stored / found[AWARE].stored, 2),
        *(round(outcome.up.cpu, 2) for outcome in outcomes),
        *(round(outcome.down.cpu, 2) if outcome.down else None for outcome in outcomes),
    )


def _targets(gains: Mapping[Pair, float]) -> list[Target]:
    """What was to be shown, of the kinds that were run: one over the times smaller, so that less is better."""
    targets = [
        _smaller(kind, times, [gain for pair, gain in gains.items() if pair.kind == kind])
        for kind, times in TIMES.items()
        if any(pair.kind == kind for pair in gains)
    ]
    botocore = [gain for pair, gain in gains.items() if pair.kind == published.GZ_IN_WHEEL and pair.far]
    if botocore:
        targets.append(_smaller("botocore wheels 10 versions apart or more", FAR_BOTOCORE, botocore))
    jars = [gain for pair, gain in gains.items() if pair.name == LARGE_JAR and not pair.far]
    if jars:
        targets.append(_smaller(f"wheel with a jar inside, {LARGE_JAR}", LARGE_JAR_TIMES, jars))
    worst = max(1 / gain for gain in gains.values())
    return [*targets, Target("the worst of all: archive-aware / plain", SLACK, worst)]


def _smaller(name: str, times: float, gains: Sequence[float]) -> Target:
    mean = math.exp(sum(map(math.log, gains)) / len(gains))
    return Target(f"{name}: archive-aware / plain", 1 / times, 1 / mean)
