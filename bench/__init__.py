"""Measurements: ``nox -s bench``.

Each case is one module of ``bench.cases`` with a function ``run(tools) -> Table``; it is found by its name, so a new
case is a new file. ``bench.measure`` runs programs by turns, ``bench.report`` prints and saves what came out.
"""
