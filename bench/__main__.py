"""Runs the cases, prints their tables, and saves them as JSON."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from bench import cases
from bench.measure import Tools
from bench.report import Table, save


def main() -> None:
    """The command line of the benchmarks."""
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which to run (default: all): {', '.join(names)}")
    parser.add_argument("--predecessor", type=Path, required=True, help="the command of deltaglider 6.2.0")
    parser.add_argument("--aws", type=Path, required=True, help="the AWS command line")
    parser.add_argument("--rounds", type=int, default=15, help="how often each program is run (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where to save the figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")

    python = Path(sys.executable)
    tools = Tools(
        python=python,
        ours=python.with_name("deltaglider"),
        predecessor=arguments.predecessor.absolute(),
        predecessor_python=arguments.predecessor.absolute().with_name("python"),
        aws=arguments.aws.absolute(),
        rounds=arguments.rounds,
    )
    tables: list[Table] = []
    for name in arguments.cases or names:
        table: Table = importlib.import_module(f"bench.cases.{name}").run(tools)
        print(table.text(), end="\n\n", flush=True)
        tables.append(table)
    if arguments.json:
        save(tables, arguments.json)
        print(f"Saved as JSON: {arguments.json}")


if __name__ == "__main__":
    main()
