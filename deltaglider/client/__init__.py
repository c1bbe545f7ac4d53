"""Client: what users hold.

The asynchronous client, and a synchronous one with the same methods on a background event loop.
"""
