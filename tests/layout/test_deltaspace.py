"""Deltaspaces: versions of one thing share one, different things do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.layout.deltaspace import deltaspace_of, is_version_like
from deltaglider.layout.keys import directory_of

VERSIONS = {
    "numbers": """
        1 7 118 1700000000 1.2 1.2.0 2.0.0 22.04.1 1_2_0 10.0.19041.1 114.0.5735.90 V2.0 v1 v1.2.0 v.1.2 v-1.2 v1_2
    """,
    "semantic versions": """
        1.0.0-alpha 1.0.0-alpha.1 1.0.0-0.3.7 1.0.0-x.7.z.92 1.2.0-rc.1+build5 1.0.0+20130313144700 v1.0-RC1
        1.0.0-beta+exp.sha.5114f85 3.0.0-preview.4.23260.5 6.0.100-rc.2.21505.57 18.3.0-next-abcdef123-20230322 1.2.x
        18.x v2.x 1.0.0-canary.5 v0.0.0-20230101120000-abcdef123456
    """,
    "the dialects of packagers": """
        1.0-SNAPSHOT 1.0.0.Final 5.3.0.RELEASE 31.1-jre 1.0a1 1.0rc1.dev3+gabcdef1 1.0.post1 1.0.dev20240101 v1alpha1
        v1beta1 1.2.3-1ubuntu0.4 1.2.3-1~deb12u1 1.2.3-4.el8 1.2.3-1.fc39 2.0.0~rc1 20.04-LTS 3.11-alpine 8u292-b10
        17.0.2+8-LTS 21-ea+35 21.0.1+12 17-rc1 15beta2 1.1.1k 1.0.2zg 115.0esr 115.0b3 2024.1-eap 23w31a 22H2
        5.15.0-91-generic v1.27.3-gke.100 1.2.0-5-gabc1234 v1.2.3-linux-amd64 1.2.3_linux 1.2.3-x86_64
    """,
    "dates": """
        2026 2026-11 202611 2026-11-22 20261122 2026_11_22 2026.11.22 v2026.11.22 22-11-2026 11-22-2026 22.11.2026
        22Nov2026 22-Nov-2026 Nov-2026 2026-Nov-22 2026-Nov 2026Q4 2026-q4 2026-W47 2026w47 2026H1 2024a
        2026-11-22-nightly 20261122.3 20261122-abc1234 2026-11-22_2
    """,
    "times": """
        20261122-1015 20261122_101500 20261122T101500Z 2026-11-22T10:15:00Z 2026-11-22T10:15:00+01:00
        2026-11-22_10-15-00 2026-11-22T10-15-00.123Z 2026-11-22-10-15 2026-11-22T10 2026-11-22_10h15m00s
    """,
    "builds": """
        build-118 build118 build_118 build.118 Build-118 b118 b4321 bld7 run-42 job-1234 ci-118 ci-118-abc1234 pr-123
        PR123 pipeline-99 r12345 rev2 revision-12 rel-7 release-1.2 release_1.2 release-2026-11-22 version-2 ver3
        tag-1.0 rc1 rc.1 beta-1 alpha2 snapshot-20261122 nightly-2026-11-22 nightly-20261122-abc1234 backup-2026-11-22
        backup_20261122_101500 dump-20261122 daily-2026-11-22 weekly-2026-W47 milestone-3 sprint-12 patch-3
        hotfix-1.2.1 build-2026.11.22-3 latest
    """,
    "training": "epoch10 epoch-03 step_5000 global_step1000 checkpoint-5000 ckpt_100 iter-12 iteration_3",
    "partitions": "year=2026 month=11 day=22 hour=07 date=2026-11-22 dt=20261122 version=3",
    "commits": f"""
        abc1234 1a2b3c4 0f1e2d3c4b5a g1a2b3c4 git-abc1234 commit-1a2b3c4 sha-0a1b2c3 main-abc1234 {"1a2b3c4d" * 5}
        {"1a2b3c4d" * 8}
        118-0a1b2c3 118-g0a1b2c3 {"0a1b2c3d" * 5} {"0a1b2c3d" * 8}
    """,
}

THINGS = {
    "processors": """
        x86 x86_64 x64 amd64 arm64 aarch64 i386 i686 armv7 armv7l armv6hf ppc64le s390x riscv64 mips64el 32bit 64bit
        32-bit 64-bit lib32 lib64
    """,
    "platforms": """
        win32 win64 win_amd64 linux darwin macos windows universal2 manylinux2014_x86_64 manylinux_2_17_x86_64
        macosx_10_9_x86_64 el8 el9 fc39 ubuntu22.04 ubuntu-22.04 debian12 bookworm focal windows-2022 iphone14 android
    """,
    "runtimes": """
        python3.11 python3 py3 py311 py2.py3 cp311 abi3 node18 go1.21 jdk17 java8 cuda12 cuda12.1 cu118 net6.0 net472
        netstandard2.0 php8.2 ruby3 lua5.4 gcc12
    """,
    "names with numbers": """
        7zip 7z 1password 2captcha 360camera 3com 4artists 3d 2d 4k 8k 720p 1080p 5g 24x7 911truck 2xl 1st 2nd 3rd
        12-factor 30-seconds 2-step 80-20-rule 3-2-1-backup 20-newsgroups area51 catch22 log4j junit5 boost_1_82_0
        web3 http2 oauth2 sha256 md5 base64 ed25519 utf8 mp3 mp4 h264 x264 aes256 ipv4 ipv6 s3 ec2 b2 m1 m2 k8s i18n
        app2 user1001 customer-1001 team-7 server01 host-3 level3 stage1 part-2 chapter3 gpt-4 llama-3
    """,
    "years in names": """
        office-2019 office2019 vs2022 windows-2022 sql-server-2019 ada2012 2024-budget 2024-annual-report 2026-budget
        1990s report2024 q4-report fifa-23 imagenet2012
    """,
    "sizes": "7b 13b 70b 1.5b 0.5b 8x7b 7b-instruct 100m 512px 64gb 1.5x 2x 3.5mm",
    "words": """
        releases nightly builds build beta alpha stable canary release debug rc dev prod staging app web api src lib
        bin dist archive latest-stable v v-model vnext version release- 1. deadbeef cafebabe facade decade effaced
        feedface accede
    """,
    "identifiers": "550e8400-e29b-41d4-a716-446655440000 01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "not ASCII": "１.２ v１ 日本 é1.2",
    "odd": ". .. .1 -1 _1 + v+1 1.2/3 1!2 1,2 1.2-a!b 1.2-a,b v1.2\n",
}


def _names(rows: dict[str, str]) -> list[object]:
    # Split at spaces and line ends of the source, but not at odd characters that belong to a name.
    return [
        pytest.param(name, id=f"{kind}: {name!a}")
        for kind, names in rows.items()
        for name in ([*names.split(" ")] if kind == "odd" else names.split())
    ]


@pytest.mark.parametrize("name", _names(VERSIONS))
def test_a_version_is_told_by_its_name(name: str) -> None:
    assert is_version_like(name)
    assert is_version_like(name.upper())
    assert deltaspace_of(f"things/{name}/file.zip") == "things/"


@pytest.mark.parametrize("name", _names(THINGS))
def test_a_thing_is_no_version(name: str) -> None:
    assert not is_version_like(name)
    if "/" not in name:
        assert deltaspace_of(f"things/{name}/file.zip") == f"things/{name}/"


@pytest.mark.parametrize("name", ["", "1" * 81, "v" + "1." * 40 + "1"])
def test_empty_and_endless_names_are_none(name: str) -> None:
    assert not is_version_like(name)


@pytest.mark.parametrize(
    ("key", "deltaspace"),
    [
        # The examples of the design.
        ("releases/v1.2.0/app.zip", "releases/"),
        ("nightly/2026-11-22/app.zip", "nightly/"),
        ("builds/build-118/app.zip", "builds/"),
        ("v1.0.0/app-v1.zip", ""),
        ("v2.0.0/app-v2.zip", ""),
        # Only what stands at the end is left out, and all of that.
        ("backups/2026/11/22/db.dump", "backups/"),
        ("app/v1/2026-11-22/build-7/app.zip", "app/"),
        ("v1.0/linux/app.zip", "v1.0/linux/"),
        ("v1.0/linux/2026-11-22/app.zip", "v1.0/linux/"),
        ("app/1.2.0/x86_64/app.zip", "app/1.2.0/x86_64/"),
        # The file's own name never counts.
        ("app/v1.2.0", "app/"),
        ("app/1.2.0.zip", "app/"),
        ("app.zip", ""),
        ("", ""),
        # A version may carry the name of its parent.
        ("nginx/nginx-1.25.1/nginx.tar.gz", "nginx/"),
        ("linux/linux-5.15/linux.tar.xz", "linux/"),
        ("jdk/jdk-21.0.1+12/jdk.tar.gz", "jdk/"),
        ("App/app_v2.0/app.zip", "App/"),
        ("app/APP-2.0/app.zip", "app/"),
        ("db/db-2026-11-22/db.dump", "db/"),
        ("mirror/nginx/nginx-1.25.1/2026-11-22/nginx.tar.gz", "mirror/nginx/"),
        # But not that of another, nor with a lone number.
        ("downloads/nginx-1.25.1/nginx.tar.gz", "downloads/nginx-1.25.1/"),
        ("jdk-21.0.1+12/jdk.tar.gz", "jdk-21.0.1+12/"),
        ("office/office-2019/setup.exe", "office/office-2019/"),
        ("x86/x86_64/app.zip", "x86/x86_64/"),
        ("app/app/app.zip", "app/app/"),
        ("app/app-/app.zip", "app/app-/"),
        ("app/apple-1.0/app.zip", "app/apple-1.0/"),
        # Empty directory names are directories.
        ("a//v1/x.zip", "a//"),
        ("a/v1//x.zip", "a/v1//"),
        ("/v1/x.zip", "/"),
        ("//x.zip", "//"),
    ],
)
def test_the_deltaspace_of_a_key(key: str, deltaspace: str) -> None:
    assert deltaspace_of(key) == deltaspace
    assert deltaspace_of(key, "directory") == directory_of(key)


_segments = (
    st.sampled_from(
        ["v1", "1.2.0", "2026-11-22", "build-7", "app", "app-1.2", "linux", "x86_64", "", ".", "..", "日本"]
    )
    | st.from_regex(r"[a-c0-9.+_~v-]{1,12}", fullmatch=True)
    | st.text(st.characters(exclude_characters="/"), max_size=8)
)
_keys = st.lists(_segments, max_size=6).map("/".join)


@given(_keys)
def test_a_key_begins_with_its_deltaspace(key: str) -> None:
    for space in (deltaspace_of(key), deltaspace_of(key, "directory")):
        assert key.startswith(space)
        assert space == "" or space.endswith("/")
        assert "/" in key or space == ""


@given(_keys, _segments)
def test_a_deltaspace_is_its_own(key: str, name: str) -> None:
    space = deltaspace_of(key)

    assert deltaspace_of(space + name) == space
    assert deltaspace_of(space + "1.0/2.0/" + name) == space


@given(_keys, _segments)
def test_the_name_of_a_file_does_not_matter(key: str, name: str) -> None:
    assert deltaspace_of(directory_of(key) + name) == deltaspace_of(key)


@given(_keys)
def test_a_deltaspace_leaves_out_nothing_but_versions(key: str) -> None:
    space = deltaspace_of(key)
    left_out = directory_of(key)[len(space) :].split("/")[:-1]

    assert all(any(character.isdigit() for character in segment) or segment.lower() == "latest" for segment in left_out)


@given(st.from_regex(r"[0-9][-0-9a-f.+_~]{70,78}[!]", fullmatch=True))
def test_a_long_name_is_refused_as_fast_as_a_short_one(name: str) -> None:
    # Patterns that look back would not come to an end here; the time limit of the suite is the proof.
    assert not is_version_like(name)
