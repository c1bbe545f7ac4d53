"""CLI: the ``deltaglider`` command. asyncclick and rich live here, and nowhere else.

    run  ->  main  ->  app (the group)  ->  commands/*  ->  session (client, printer, progress)

``options`` are the options that commands share, ``output`` the two printers, ``exits`` the exit codes. Nothing of that
is imported before it is needed: a shell script calls this a thousand times.
"""

from __future__ import annotations

import sys

from deltaglider._version import __version__
from deltaglider.startup import own_process


def run() -> None:
    """The console script: does what the command line says, and ends the process with an exit code of ``aws``."""
    if sys.argv[1:] == ["--version"]:
        print(f"deltaglider {__version__}")
        return
    own_process()
    try:
        from deltaglider.cli.main import main

        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # While still importing, or already leaving.
        code = 130
    sys.exit(code)
