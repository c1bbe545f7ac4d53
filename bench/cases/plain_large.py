"""Some large files of which no deltas are made."""

from __future__ import annotations

from bench.measure import Tools
from bench.plain import plain_files
from bench.report import Table


def run(tools: Tools) -> Table:
    """Syncs 20 files of 64 MB, up and down.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to the AWS command line.
    """
    return plain_files(tools, name="plain_large", count=tools.some(20, 2), size=64_000_000)
