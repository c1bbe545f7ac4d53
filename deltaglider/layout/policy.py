"""Is this file worth a delta? Is this delta worth keeping?"""

from __future__ import annotations

from deltaglider.config import Settings
from deltaglider.layout.keys import LONGEST, REFERENCE_NAME, delta_key, directory_of, name_of, sort_key, trash_key

# What the predecessor made deltas of, and the artifacts people keep in versions besides. Text, media and source files
# are not here: they are small, or no version resembles the last.
ARCHIVES = """
    .zip .tar .gz .tgz .bz2 .tbz2 .xz .txz .7z .rar .zst .tzst .lz4 .lzma .cpio .cab .squashfs .sfs .wim .ova .box
"""
PACKAGES = """
    .deb .rpm .apk .aab .ipa .jar .war .ear .aar .whl .egg .nupkg .snupkg .vsix .crx .xpi .msi .msix .appx .exe .dll .so
    .dylib .dmg .pkg .appimage .snap .flatpak .gem .crate .conda .phar .wasm
"""
IMAGES = ".iso .img .raw .bin .rom .fw .hex .vmdk .vdi .vhd .vhdx .qcow2 .qcow"
DATA = """
    .sql .dump .bak .backup .db .sqlite .sqlite3 .mdb .accdb .ldf .mdf .rdb .pgdump .safetensors .pt .pth .ckpt .onnx
    .pb .tflite .h5 .hdf5 .keras .npz .npy .pkl .joblib .gguf .ggml .parquet .arrow .feather .mat .pak .unitypackage
"""

SUFFIXES: frozenset[str] = frozenset(f"{ARCHIVES} {PACKAGES} {IMAGES} {DATA}".split())


def is_delta_worthy(key: str, size: int, settings: Settings) -> bool:
    """Whether a file is worth trying as a delta, by its key and size alone.

    Args:
        key: The key it is stored under.
        size: Its bytes.
        settings: ``delta``, ``min_delta_size`` and ``delta_suffixes`` decide.

    Returns:
        Whether to try.
    """
    if not settings.delta or size < settings.min_delta_size or not _has_room(key):
        return False
    name = name_of(key).lower()
    if name == REFERENCE_NAME:
        return False  # Earlier tools would take what lies near it for theirs; as it is, it is plainly the user's.
    _, dot, suffix = name.rpartition(".")
    return dot + suffix in SUFFIXES or name.endswith(settings.delta_suffixes)


def _has_room(key: str) -> bool:
    # The stored keys are longer than the key itself, a reference's and its copy's by far.
    longest = (delta_key(key), trash_key(directory_of(key), "0" * 64, "0" * 32))
    return all(len(sort_key(stored_key)) <= LONGEST for stored_key in longest)


def delta_limit(size: int, max_ratio: float) -> int:
    """The largest delta worth keeping.

    Args:
        size: Bytes of the file.
        max_ratio: The largest share of that a delta may have.

    Returns:
        Bytes.
    """
    return int(size * max_ratio)
