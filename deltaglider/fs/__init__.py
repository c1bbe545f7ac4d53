"""fs: the filesystem that pandas, pyarrow and all else that speaks fsspec open objects through.

    fsspec.open("dg://bucket/key")

``filesystem`` has fsspec's methods, each one a call or two of the client's; ``paths`` turns keys into what fsspec knows
of files; ``files`` are those that are open; ``clients`` sees that each event loop has a client of its own, and that it
ends. The only room that knows fsspec, which comes with ``deltaglider[fsspec]``.
"""

from deltaglider.fs.filesystem import DeltaGliderFileSystem

__all__ = ["DeltaGliderFileSystem"]
