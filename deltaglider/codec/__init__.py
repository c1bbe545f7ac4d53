"""Codec: files in, files out.

Makes deltas and applies them, in child processes run from worker threads. Knows no store.
"""
