"""Runs the cases, prints their tables, and saves them as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import cases, plots
from bench.data import Data
from bench.measure import Tools
from bench.report import Table, save


def main() -> None:
    """The command line of the benchmarks."""
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    arguments = _arguments(names)
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="bench-") as scratch:
        tools = _tools(arguments, Path(scratch))
        about = {"versions": _versions(tools), "commit": _commit(), "quick": tools.quick}
        tables: list[Table] = []
        for name in arguments.cases or names:
            start = time.perf_counter()
            table: Table = importlib.import_module(f"bench.cases.{name}").run(tools)
            table = dataclasses.replace(table, seconds=round(time.perf_counter() - start, 1))
            print(table.text(), end="\n\n", flush=True)
            tables.append(table)
            if arguments.json:
                # After each case: what took long is not lost if a later one fails.
                save([table], arguments.json, about)
    if arguments.plots:
        plots.draw(json.loads(arguments.json.read_text(encoding="utf-8")), arguments.plots)
    _summary(tables)


def _arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which to run (default: all): {', '.join(names)}")
    parser.add_argument("--predecessor", type=Path, required=True, help="the command of deltaglider 6.2.0")
    parser.add_argument("--aws", type=Path, required=True, help="the AWS command line")
    parser.add_argument("--s5cmd", type=Path, required=True, help="the command of that name")
    parser.add_argument("--rclone", type=Path, required=True, help="the command of that name")
    parser.add_argument("--data", type=Path, required=True, help="where releases are kept between runs")
    parser.add_argument("--scratch", type=Path, help="where files of a run go (default: the temporary directory)")
    parser.add_argument("--rounds", type=int, help="how often each side is run (default: the case decides)")
    parser.add_argument("--quick", action="store_true", help="one round with less data: does it work at all?")
    parser.add_argument("--json", type=Path, help="where to save the figures; cases not run now stay as they are")
    parser.add_argument("--plots", type=Path, help="where to draw the figures, those of --json (default: nowhere)")
    arguments = parser.parse_args()
    if arguments.plots and not arguments.json:
        parser.error("--plots needs --json")
    if unknown := set(arguments.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def _tools(arguments: argparse.Namespace, scratch: Path) -> Tools:
    python = Path(sys.executable)
    return Tools(
        python=python,
        ours=python.with_name("deltaglider"),
        predecessor=arguments.predecessor.absolute(),
        predecessor_python=arguments.predecessor.absolute().with_name("python"),
        aws=arguments.aws.absolute(),
        s5cmd=arguments.s5cmd.absolute(),
        rclone=arguments.rclone.absolute(),
        data=Data(arguments.data),
        scratch=scratch,
        rounds=arguments.rounds,
        quick=arguments.quick,
    )


def _versions(tools: Tools) -> dict[str, str]:
    commands: dict[str, tuple[str | Path, ...]] = {
        "deltaglider": (tools.ours, "--version"),
        "awscli": (tools.aws, "--version"),
        "s5cmd": (tools.s5cmd, "version"),
        "rclone": (tools.rclone, "version"),
        "xdelta3": ("xdelta3", "-V"),
        "weed": (Path(sys.executable).with_name("weed"), "version"),
    }
    return {name: _first_line(command) for name, command in commands.items()}


def _commit() -> str:
    here = Path(__file__).parent
    return _first_line(("git", "-C", here, "describe", "--always", "--dirty"))


def _first_line(command: tuple[str | Path, ...]) -> str:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return ""
    return next(iter(done.stdout.splitlines()), "") if done.returncode == 0 else ""


def _summary(tables: list[Table]) -> None:
    targets = [(table.name, target) for table in tables for target in table.targets]
    missed = [f"  {name}: {target.claim}" for name, target in targets if not target.holds]
    print(f"{len(targets) - len(missed)} of {len(targets)} targets hold.", *missed, sep="\n")


if __name__ == "__main__":
    main()
