"""Engine: one object at a time, one verb a module.

Wires layout, codec, store and cache together, and keeps the promises of ``docs/architecture``: nothing is lost.
"""
