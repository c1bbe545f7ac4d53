"""Another zlib in the place of the interpreter's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from zlib_ng import zlib_ng

from deltaglider.archive import makers


@contextmanager
def another_zlib() -> Iterator[None]:
    """The interpreter's zlib is zlib-ng, as it is on some systems."""

    class Other:
        DEFLATED = zlib_ng.DEFLATED
        MAX_WBITS = zlib_ng.MAX_WBITS
        compressobj = staticmethod(zlib_ng.compressobj)

    makers._zlib_is_proven.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(makers, "zlib", Other)
        yield
    makers._zlib_is_proven.cache_clear()
