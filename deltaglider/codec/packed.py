"""Is a file packed, so that nothing in it repeats?"""

from __future__ import annotations

import stat
import zlib
from pathlib import Path

from deltaglider.config import KIB
from deltaglider.files import local_errors

# How packed files begin: zip and what is one; gzip, bzip2, xz, zstd, lz4, 7z, rar, rpm, cab, squashfs. A Debian package
# is an archive of packed files.
_MAGICS = (
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xed\xab\xee\xdb",
    b"MSCF",
    b"hsqs",
    b"!<arch>\ndebian-binary",
)
_SAMPLES, _LENGTH = 16, 16 * KIB
_INCOMPRESSIBLE = 0.95


def is_packed(path: Path) -> bool:
    """Whether a file says that it is packed, and is. For worker threads.

    Its magic alone does not tell (a zip may hold its members as they are), nor does that it does not compress: records
    of random bytes with a counter do not, but resemble others in small pieces.

    Args:
        path: The file.

    Returns:
        Whether.

    Raises:
        LocalFileError: It cannot be read.
    """
    with local_errors(str(path), "cannot be read"):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return False  # To open a pipe may wait for ever, and a thread that waits is not to be cancelled.
        with path.open("rb", buffering=0) as file:
            if not file.read(32).startswith(_MAGICS):
                return False
            room = max(0, status.st_size - _LENGTH)
            before = after = 0
            for number in range(_SAMPLES if room else 1):
                file.seek(room * (2 * number + 1) // (2 * _SAMPLES))  # Not its end, where a zip has its directory.
                sample = file.read(_LENGTH)
                before += len(sample)
                after += len(zlib.compress(sample, 1))
    return after > _INCOMPRESSIBLE * before
