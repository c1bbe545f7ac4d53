"""Many small files of which no deltas are made."""

from __future__ import annotations

from bench.measure import Tools
from bench.plain import plain_files
from bench.report import Table


def run(tools: Tools) -> Table:
    """Syncs 2,000 files of 100 KB, up and down.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to the AWS command line.
    """
    return plain_files(tools, name="plain_small", count=tools.some(2000, 100), size=100_000)
