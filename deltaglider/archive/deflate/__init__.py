"""Deflate in pure Python, whose output is bit for bit that of zlib.

The standard library's ``zlib`` is whatever library the interpreter was linked with, and another one (zlib-ng, Apple's)
makes other streams of the same data: as good, but not the same bytes. Archives that were taken apart must come together
again exactly. Where the interpreter's zlib cannot do it, this can: slowly, but always.
"""

from deltaglider.archive.deflate.deflater import Deflater

__all__ = ["Deflater"]
