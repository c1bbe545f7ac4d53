"""Which files are worth a delta, and which deltas are worth keeping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.config import Settings
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import delta_key, reference_key, sort_key, trash_key
from deltaglider.layout.policy import SUFFIXES, delta_limit, is_delta_worthy

BIG = 1 << 20

PREDECESSOR = (
    ".zip .tar .gz .tgz .bz2 .xz .7z .rar .dmg .iso .pkg .deb .rpm .apk .jar .war .ear .tar.gz .tar.bz2 .tar.xz"
)
PROXY = ".zip .tar .jar .war .ear .dmg .iso .sql .dump .bak .backup"
ISSUE = """
    .whl .nupkg .aab .ipa .vsix .msi .img .vmdk .qcow2 .sql .dump .bak .db .sqlite .safetensors .pt .ckpt .onnx .npz
"""
WHOLE = """
    .txt .md .json .xml .html .css .js .py .c .h .log .csv .yml .jpg .jpeg .png .gif .webp .mp3 .mp4 .mov .avi .pdf
    .sha256 .asc .sig .delta
"""


@pytest.mark.parametrize("suffix", sorted({*PREDECESSOR.split(), *PROXY.split(), *ISSUE.split()}))
def test_archives_packages_images_and_data_are_worth_a_delta(suffix: str) -> None:
    for name in (
        f"app{suffix}",
        f"app-1.2.3{suffix}",
        f"APP{suffix.upper()}",
        f"a.b{suffix}",
        f"d.txt/é{suffix}",
        f"d/{suffix}",
    ):
        assert is_delta_worthy(name, BIG, Settings())


@pytest.mark.parametrize("suffix", [*WHOLE.split(), "", ".", ".zi", ".zip.asc", ".zip.delta", "zip", ".zip/"])
def test_text_media_and_the_unknown_are_stored_whole(suffix: str) -> None:
    assert not is_delta_worthy(f"app{suffix}", BIG, Settings())


def test_only_the_name_counts_not_its_directory() -> None:
    assert not is_delta_worthy("app.zip/readme", BIG, Settings())
    assert is_delta_worthy("readme.txt/app.zip", BIG, Settings())


def test_every_suffix_begins_with_a_dot_and_is_in_lower_case() -> None:
    assert SUFFIXES
    for suffix in SUFFIXES:
        assert suffix.startswith(".")
        assert suffix.count(".") == 1
        assert suffix == suffix.lower()
        assert is_delta_worthy(f"app{suffix}", BIG, Settings())


@pytest.mark.parametrize(
    ("size", "worthy"), [(0, False), (1, False), (999, False), (1000, True), (1001, True), (1 << 45, True)]
)
def test_a_small_file_is_never_worth_one(size: int, worthy: bool) -> None:
    assert is_delta_worthy("app.zip", size, Settings(min_delta_size=1000)) is worthy


def test_an_empty_file_is_never_worth_one_whatever_the_settings() -> None:
    assert not is_delta_worthy("app.zip", 0, Settings(min_delta_size=1))


def test_no_file_is_if_deltas_are_turned_off() -> None:
    settings = Settings(delta=False, delta_suffixes=(".model",))

    assert not is_delta_worthy("app.zip", BIG, settings)
    assert not is_delta_worthy("app.model", BIG, settings)


@pytest.mark.parametrize(
    "suffixes", [(".model", ".tar.lrz"), [".MODEL", "tar.lrz"], ".Model, .tar.lrz", "model,,tar.lrz,"]
)
def test_more_suffixes_may_be_named(suffixes: object) -> None:
    settings = Settings(delta_suffixes=suffixes)  # type: ignore[arg-type]

    assert is_delta_worthy("app.MODEL", BIG, settings)
    assert is_delta_worthy("a.tar.lrz", BIG, settings)
    assert is_delta_worthy("app.zip", BIG, settings)
    assert not is_delta_worthy("amodel", BIG, settings)
    assert not is_delta_worthy("a.lrz", BIG, settings)
    assert not is_delta_worthy("app.txt", BIG, settings)
    assert not is_delta_worthy("app.model", BIG, Settings())


def test_a_file_named_as_a_classic_reference_is_stored_whole() -> None:
    assert not is_delta_worthy("rel/reference.bin", BIG, Settings())
    assert is_delta_worthy("rel/a-reference.bin", BIG, Settings())


_names = st.text(st.sampled_from("ab/é\U0001f600"), max_size=600).map(lambda start: start + "x.zip")


@given(_names | st.integers(850, 1024).map(lambda length: "d" * (length - 6) + "/x.zip"))
def test_what_is_worth_a_delta_has_room_for_the_keys_of_its_parts(key: str) -> None:
    if is_delta_worthy(key, BIG, Settings()):
        space = deltaspace_of(key)
        for stored in (delta_key(key), reference_key(space, "0" * 64), trash_key(space, "0" * 64, "0" * 32)):
            assert len(sort_key(stored)) <= 1024


def test_a_key_too_long_for_its_parts_is_stored_whole() -> None:
    assert is_delta_worthy("x" * 1014 + ".zip", BIG, Settings())
    assert not is_delta_worthy("x" * 1015 + ".zip", BIG, Settings())
    assert not is_delta_worthy("é" * 508 + ".zip", BIG, Settings())
    assert is_delta_worthy("d" * 850 + "/x.zip", BIG, Settings())
    assert not is_delta_worthy("d" * 950 + "/x.zip", BIG, Settings())


@given(st.integers(0, 1 << 50), st.floats(0, 1, exclude_min=True))
def test_the_limit_is_the_share_of_the_size(size: int, ratio: float) -> None:
    limit = delta_limit(size, ratio)

    assert 0 <= limit <= size
    assert limit <= size * ratio < limit + 1


def test_all_of_the_size_may_be_kept() -> None:
    assert delta_limit(1000, 1.0) == 1000
    assert delta_limit(1000, 0.75) == 750
    assert delta_limit(0, 0.5) == 0
