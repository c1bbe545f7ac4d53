"""Settings: each knob, each variable, and what happens to values that do not fit."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.config import GIB, KIB, MIB, Settings, child_environment, environment, parse_size
from deltaglider.errors import ConfigurationError

VARIABLES = [
    ("DG_ENDPOINT_URL", "endpoint_url", " http://127.0.0.1:9000 ", "http://127.0.0.1:9000"),
    ("DG_CHECKSUMS", "checksums", "when_supported", "when_supported"),
    ("DG_ADDRESSING_STYLE", "addressing_style", "path", "path"),
    ("DG_REQUEST_PAYER", "request_payer", "requester", "requester"),
    ("DG_MAX_RATIO", "max_ratio", "0.5", 0.5),
    ("DG_MIN_DELTA_SIZE", "min_delta_size", "64k", 64 * KIB),
    ("DG_DELTASPACE", "deltaspace", "directory", "directory"),
    ("DG_DELTA", "delta", "off", False),
    ("DG_RETIRE_REFERENCES", "retire_references", "no", False),
    ("DG_ARCHIVE", "archive", "never", "never"),
    ("DG_ARCHIVE_UNPACKED", "archive_unpacked", "300MB", 300 * MIB),
    ("DG_ARCHIVE_REPACKED", "archive_repacked", "1m", MIB),
    ("DG_DELTA_SUFFIXES", "delta_suffixes", ".Model, fw ,,", (".model", ".fw")),
    ("DG_CACHE_DIR", "cache_dir", "/var/cache/dg", Path("/var/cache/dg")),
    ("DG_CACHE_SIZE", "cache_size", "1.5GB", 3 * GIB // 2),
    ("DG_NOTES_SIZE", "notes_size", "64MB", 64 * MIB),
    ("DG_TEMP_DIR", "temp_dir", "/var/tmp", Path("/var/tmp")),
    ("DG_CONCURRENCY", "max_concurrent_objects", "3", 3),
    ("DG_MAX_CONCURRENT_REQUESTS", "max_concurrent_requests", "4", 4),
    ("DG_MAX_CONCURRENT_CODECS", "max_concurrent_codecs", "5", 5),
    ("DG_PAGE_SIZE", "page_size", "50", 50),
    ("DG_MULTIPART_THRESHOLD", "multipart_threshold", "16MiB", 16 * MIB),
    ("DG_MULTIPART_CHUNKSIZE", "multipart_chunksize", "8388608", 8 * MIB),
    ("DG_MAX_BANDWIDTH", "max_bandwidth", "10MB/s", 10 * MIB),
    ("DG_CODEC", "codec", "zstd", "zstd"),
    ("DG_CODEC_MEMORY", "codec_memory", "2g", 2 * GIB),
    ("DG_XDELTA3", "xdelta3", "/opt/bin/xdelta3", "/opt/bin/xdelta3"),
    ("DG_CONNECT_TIMEOUT", "connect_timeout", "1.5", 1.5),
    ("DG_READ_TIMEOUT", "read_timeout", "7", 7.0),
    ("DG_MAX_ATTEMPTS", "max_attempts", "9", 9),
    ("DG_LOG_LEVEL", "log_level", "debug", "DEBUG"),
]

DEFAULTS: dict[str, Any] = {
    "endpoint_url": None,
    "region_name": None,
    "profile_name": None,
    "aws_access_key_id": None,
    "aws_secret_access_key": None,
    "aws_session_token": None,
    "verify": True,
    "sign_requests": True,
    "checksums": None,
    "addressing_style": "auto",
    "request_payer": None,
    "max_ratio": 0.75,
    "min_delta_size": 4 * KIB,
    "archive": "auto",
    "archive_unpacked": 2 * GIB,
    "archive_repacked": GIB,
    "deltaspace": "versioned",
    "delta": True,
    "retire_references": True,
    "delta_suffixes": (),
    "cache_size": 10 * GIB,
    "notes_size": 512 * MIB,
    "temp_dir": None,
    "max_concurrent_objects": 8,
    "max_concurrent_requests": 8,
    "page_size": 1000,
    "multipart_threshold": 8 * MIB,
    "multipart_chunksize": 8 * MIB,
    "max_bandwidth": None,
    "codec": "xdelta3",
    "codec_memory": GIB,
    "xdelta3": None,
    "connect_timeout": 20.0,
    "read_timeout": 60.0,
    "max_attempts": 4,
    "log_level": None,
}


# --- variables, keywords, defaults


@pytest.mark.parametrize(("variable", "field", "text", "value"), VARIABLES, ids=[row[0] for row in VARIABLES])
def test_each_variable_sets_its_field(variable: str, field: str, text: str, value: object) -> None:
    settings = Settings.from_env({variable: text})

    assert getattr(settings, field) == value
    assert type(getattr(settings, field)) is type(value) or isinstance(value, Path)
    others = {f.name for f in dataclasses.fields(Settings) if f.init} - {field}
    assert all(getattr(settings, name) == getattr(Settings.from_env({}), name) for name in others)


def test_no_variable_is_forgotten_here_or_in_the_docstring() -> None:
    declared = {field.metadata["env"]: field.name for field in dataclasses.fields(Settings) if field.metadata}

    assert declared == {variable: field for variable, field, _, _ in VARIABLES}
    for variable in declared:
        assert f"``{variable}``" in (Settings.__doc__ or "")


def test_the_defaults() -> None:
    settings = Settings()

    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS
    assert settings.cache_dir.is_absolute()
    assert settings.cache_dir.name == "deltaglider"
    assert settings.max_concurrent_codecs >= 1
    assert {field.name for field in dataclasses.fields(Settings) if field.init} - set(DEFAULTS) == {
        "cache_dir",
        "max_concurrent_codecs",
    }


def test_a_keyword_beats_a_variable_and_a_variable_the_default() -> None:
    environ = {"DG_MAX_RATIO": "0.5", "DG_DELTASPACE": "directory"}

    settings = Settings.from_env(environ, max_ratio=0.25, deltaspace=None)

    assert settings.max_ratio == 0.25
    assert settings.deltaspace == "directory"
    assert settings.min_delta_size == 4 * KIB


def test_what_the_aws_configuration_may_hold_too_is_known_to_be_given() -> None:
    assert Settings().given == frozenset()
    # A value is given even where it is the default's.
    assert Settings(max_attempts=4, addressing_style="auto", delta=True).given == {"max_attempts", "addressing_style"}
    assert Settings.from_env({"DG_MAX_BANDWIDTH": "1MB/s"}).given == {"max_bandwidth"}
    with pytest.raises(TypeError):
        Settings(given=frozenset())  # type: ignore[call-arg]


def test_false_and_zero_are_values_and_none_is_not() -> None:
    settings = Settings.from_env({"DG_DELTA": "true", "DG_CACHE_SIZE": "1g"}, delta=False, cache_size=0, max_ratio=None)

    assert settings.delta is False
    assert settings.cache_size == 0
    assert settings.max_ratio == 0.75


def test_a_variable_that_is_blank_is_unset() -> None:
    assert Settings.from_env({"DG_MAX_RATIO": " ", "DG_ENDPOINT_URL": ""}) == Settings.from_env({})


def test_a_bad_variable_does_no_harm_where_a_keyword_beats_it() -> None:
    assert Settings.from_env({"DG_MAX_RATIO": "much"}, max_ratio=0.25).max_ratio == 0.25


def test_the_environment_is_that_of_the_process_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DG_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("DG_CACHE_DIR", "/somewhere")

    assert Settings.from_env().max_attempts == 7
    assert Settings.from_env({}).max_attempts == 4
    assert Settings().max_attempts == 4  # Only from_env reads variables.


def test_an_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="max_ration"):
        Settings.from_env({}, max_ration=0.5)
    with pytest.raises(TypeError):
        Settings(0.5)  # type: ignore[call-arg,arg-type]


def test_settings_cannot_be_changed_but_compare_and_hash() -> None:
    settings = Settings.from_env({}, delta_suffixes=[".model"])

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.max_ratio = 0.5  # type: ignore[misc]
    assert {settings: 1}[Settings.from_env({}, delta_suffixes=(".model",))] == 1
    assert dataclasses.replace(settings, delta=False).delta is False


def test_no_secret_is_shown() -> None:
    settings = Settings(
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="s3cr3t-key", aws_session_token="s3cr3t-token"
    )

    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in str(settings)
    assert "AKIDEXAMPLE" in repr(settings)


# --- values that do not fit


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("DG_MAX_RATIO", "0", "0.0, not over 0 and at most 1"),
        ("DG_MAX_RATIO", "1.01", "1.01, not over 0 and at most 1"),
        ("DG_MAX_RATIO", "-0.5", "-0.5, not over 0 and at most 1"),
        ("DG_MAX_RATIO", "nan", "nan, not over 0 and at most 1"),
        ("DG_MAX_RATIO", "75%", "'75%', not a number"),
        ("DG_MIN_DELTA_SIZE", "0", "0. Give at least 1"),
        ("DG_CACHE_SIZE", "inf", "'inf', not a size such as 8MB"),
        ("DG_CACHE_SIZE", "-1", "'-1', not a size such as 8MB"),
        ("DG_CACHE_SIZE", "lots", "'lots', not a size such as 8MB"),
        ("DG_DELTASPACE", "bucket", "'bucket'. Use 'versioned' or 'directory'"),
        ("DG_CHECKSUMS", "never", "'never'. Use 'when_required' or 'when_supported'"),
        ("DG_ADDRESSING_STYLE", "dns", "'dns'. Use 'auto', 'path' or 'virtual'"),
        ("DG_DELTA", "maybe", "'maybe', not true or false"),
        ("DG_CONCURRENCY", "0", "0. Give at least 1"),
        ("DG_CONCURRENCY", "8k", "'8k', not a whole number"),
        ("DG_MAX_CONCURRENT_REQUESTS", "2.5", "'2.5', not a whole number"),
        ("DG_MAX_CONCURRENT_CODECS", "-1", "-1. Give at least 1"),
        ("DG_MULTIPART_THRESHOLD", "6g", f"{6 * GIB}. Give at most {5 * GIB}"),
        ("DG_MULTIPART_CHUNKSIZE", "1MB", f"{MIB}. Give at least {5 * MIB}"),
        ("DG_MULTIPART_CHUNKSIZE", "6GB", f"{6 * GIB}. Give at most {5 * GIB}"),
        ("DG_CODEC", "bsdiff", "'bsdiff'. Use 'xdelta3' or 'zstd'"),
        ("DG_CODEC_MEMORY", "1m", f"{MIB}. Give at least {64 * MIB}"),
        ("DG_CONNECT_TIMEOUT", "nan", "nan, not a number"),
        ("DG_CONNECT_TIMEOUT", "-1", "-1.0. Give at least 0"),
        ("DG_READ_TIMEOUT", "inf", "inf, not a number"),
        ("DG_READ_TIMEOUT", "soon", "'soon', not a number"),
        ("DG_MAX_ATTEMPTS", "0", "0. Give at least 1"),
        ("DG_LOG_LEVEL", "chatty", "'CHATTY'|'chatty'"),
        ("DG_ENDPOINT_URL", "127.0.0.1:9000", "'127.0.0.1:9000', not the URL of a store"),
        ("DG_CACHE_DIR", "~nobody-by-that-name/x", "'~nobody-by-that-name/x', which is no directory here"),
    ],
)
def test_a_variable_that_does_not_fit_is_named_with_its_value_and_a_remedy(
    variable: str, text: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env({variable: text})

    assert any(str(raised.value).startswith(f"{variable} is {wording}") for wording in problem.split("|"))
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_ratio", "0.5"),
        ("max_ratio", True),
        ("max_ratio", 0),
        ("max_ratio", float("nan")),
        ("max_ratio", None),
        ("min_delta_size", 0),
        ("min_delta_size", 1.5),
        ("min_delta_size", "4k"),
        ("max_concurrent_objects", True),
        ("max_concurrent_objects", None),
        ("cache_size", -1),
        ("multipart_chunksize", 5 * MIB - 1),
        ("connect_timeout", float("inf")),
        ("connect_timeout", "20"),
        ("delta", "no"),
        ("delta", 1),
        ("sign_requests", None),
        ("deltaspace", None),
        ("addressing_style", "dns"),
        ("request_payer", "owner"),
        ("log_level", 10),
        ("delta_suffixes", None),
        ("delta_suffixes", [1]),
        ("endpoint_url", b"http://host"),
        ("cache_dir", 7),
        ("temp_dir", 7),
    ],
)
def test_a_keyword_that_does_not_fit_is_named(field: str, value: object) -> None:
    keyword: dict[str, Any] = {field: value}
    with pytest.raises(ConfigurationError) as raised:
        Settings(**keyword)

    assert str(raised.value).startswith(f"{field} is ")
    assert raised.value.remedy


LIMITS = [
    ("min_delta_size", 1, None),
    ("cache_size", 0, None),
    ("notes_size", 0, None),
    ("max_concurrent_objects", 1, None),
    ("max_concurrent_requests", 1, None),
    ("max_concurrent_codecs", 1, None),
    ("page_size", 1, None),
    ("multipart_threshold", 1, 5 * GIB),
    ("multipart_chunksize", 5 * MIB, 5 * GIB),
    ("codec_memory", 64 * MIB, None),
    ("archive_unpacked", 0, None),
    ("archive_repacked", 0, None),
    ("max_attempts", 1, None),
    ("max_bandwidth", 1, None),
]


@pytest.mark.parametrize(("field", "least", "most"), LIMITS)
def test_a_limit_fits_and_what_is_beyond_it_does_not(field: str, least: int, most: int | None) -> None:
    for fitting in (least, most or 1 << 60):
        keyword: dict[str, Any] = {field: fitting}
        assert getattr(Settings(**keyword), field) == fitting
    for beyond in (least - 1, *([most + 1] if most else [])):
        keyword = {field: beyond}
        with pytest.raises(ConfigurationError, match=rf"^{field} is {beyond}\. Give at "):
            Settings(**keyword)


def test_every_number_has_limits() -> None:
    numbers = {name for name, value in DEFAULTS.items() if type(value) is int}
    numbers |= {"max_concurrent_codecs", "max_bandwidth"}

    assert {field for field, _, _ in LIMITS} == numbers


def test_shares_and_times_may_be_whole_numbers_and_levels_lower_case() -> None:
    settings = Settings(max_ratio=1, connect_timeout=1, read_timeout=0.001, log_level="info")  # type: ignore[arg-type]

    assert (settings.max_ratio, settings.connect_timeout, settings.log_level) == (1, 1, "INFO")


def test_a_client_runs_as_many_codecs_as_it_may_use_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert Settings().max_concurrent_codecs == 3

    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert Settings().max_concurrent_codecs == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert Settings().max_concurrent_codecs == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [(text, True) for text in ("1", "true", "True", "YES", "on")]
    + [(text, False) for text in ("0", "false", "FALSE", "no", "Off")],
)
def test_yes_and_no_have_many_names(text: str, value: bool) -> None:
    assert Settings.from_env({"DG_DELTA": text}).delta is value


# --- sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", MIB),
        ("8MB", 8 * MIB),
        ("8mb", 8 * MIB),
        ("8MiB", 8 * MIB),
        ("8 MB", 8 * MIB),
        (" 8M ", 8 * MIB),
        ("512b", 512),
        ("1kb", KIB),
        ("2g", 2 * GIB),
        ("1t", 1024 * GIB),
        ("1.5k", 1536),
        ("0.5", 0),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes_have_units_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "MB",
        "-1",
        "+1",
        "1e3",
        "nan",
        "inf",
        "infinity",
        "1_000",
        "1,5k",
        "8i",
        "8ib",
        "8bi",
        "1p",
        "１",
        "8 M B",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(0, 1 << 80), st.sampled_from(["", "k", "m", "g", "t"]), st.sampled_from(["", "b", "B", "iB"]))
def test_a_size_is_exact(number: int, unit: str, end: str) -> None:
    end = end if unit else end.removeprefix("i")

    assert parse_size(f"{number}{unit}{end}") == number * 1024 ** ["", "k", "m", "g", "t"].index(unit)


@given(st.text(max_size=12))
def test_no_text_is_too_odd_for_a_size(text: str) -> None:
    try:
        assert parse_size(text) >= 0
    except ValueError as error:
        assert "not a size" in str(error)  # noqa: PT017 - either outcome is fine, another exception is not.


# --- endpoints


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("file:///srv/store", "/srv/store"),
        ("file:///srv/store/", "/srv/store"),
        ("FILE:///srv/store", "/srv/store"),
        ("file:/srv/store", "/srv/store"),
        ("file://localhost/srv/store", "/srv/store"),
        ("file:///srv/my%20store", "/srv/my store"),
        ("file:///srv/my store", "/srv/my store"),
        ("file:///srv/a+b", "/srv/a+b"),
        ("file:///srv/c#/x?y", "/srv/c#/x?y"),
        ("file:///srv/100%25", "/srv/100%"),
        ("file:///srv/caf%C3%A9", "/srv/café"),
        ("file:///srv/café", "/srv/café"),
        ("file:///srv/%FF", "/srv/\udcff"),
        ("file:///srv/a@b", "/srv/a@b"),
        ("file:///", "/"),
    ],
)
def test_the_embedded_store_has_a_directory(url: str, root: str) -> None:
    assert Settings(endpoint_url=url).embedded_root == Path(root)
    assert os.fsencode(str(Settings(endpoint_url=url).embedded_root)) == os.fsencode(root)


@pytest.mark.parametrize(
    "url", ["file:", "file://", "file:store", "file:./store", "file://store", "file://host/srv", "file:///srv/%00"]
)
def test_a_local_endpoint_without_an_absolute_path_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"not an absolute local path\. Write it as file:///path") as raised:
        Settings(endpoint_url=url)

    assert repr(url) in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "https://s3.example.com",
        "http://[::1]:9000",
        "https://host/base",
        "HTTPS://Host:443",
        None,
        "",
    ],
)
def test_other_endpoints_have_none(url: str | None) -> None:
    settings = Settings(endpoint_url=url)

    assert settings.embedded_root is None
    assert settings.endpoint_url == (url or None)


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "localhost:9000",
        "//host",
        "http://",
        "http:host",
        "ftp://host",
        "s3://bucket",
        "http://[::1",
        "http://h:0",
        "http://h:port",
    ],
)
def test_an_endpoint_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"not the URL of a store\. Write it as https://host"):
        Settings(endpoint_url=url)


@pytest.mark.parametrize("url", ["http://user:s3cr3t@host", "https://s3cr3t@host:9000/x", "user:s3cr3t@host"])
def test_an_endpoint_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="a URL with a user name in it") as raised:
        Settings(endpoint_url=url)

    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"AWS_ENDPOINT_URL": "file:///srv/a"}, "file:///srv/a"),
        ({"AWS_ENDPOINT_URL_S3": "file:///srv/b", "AWS_ENDPOINT_URL": "http://host"}, "file:///srv/b"),
        ({"AWS_ENDPOINT_URL_S3": "http://host", "AWS_ENDPOINT_URL": "file:///srv/a"}, None),
        ({"AWS_ENDPOINT_URL": "http://host"}, None),  # Botocore reads this one itself.
        ({"DG_ENDPOINT_URL": "http://host", "AWS_ENDPOINT_URL": "file:///srv/a"}, "http://host"),
    ],
)
def test_the_standard_variables_may_name_the_embedded_store(environ: dict[str, str], url: str | None) -> None:
    assert Settings.from_env(environ).endpoint_url == url
    assert Settings.from_env(environ, endpoint_url="http://keyword").endpoint_url == "http://keyword"


# --- paths


def test_directories_are_absolute_and_know_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert Settings(cache_dir="~/c", temp_dir="t").cache_dir == tmp_path / "c"  # type: ignore[arg-type]
    assert Settings(temp_dir=Path("t")).temp_dir == tmp_path / "t"


def test_the_default_cache_directory_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    for settings in (Settings(), Settings(cache_dir=None)):  # type: ignore[arg-type]
        assert settings.cache_dir.is_relative_to(tmp_path)
        assert settings.cache_dir.name == "deltaglider"


@pytest.mark.parametrize("suffixes", [".a,b", [".A", "b"], (" .a ", "..b"), {".a", ".b"}])
def test_suffixes_are_brought_to_one_form(suffixes: Any) -> None:
    assert sorted(Settings(delta_suffixes=suffixes).delta_suffixes) == [".a", ".b"]


@pytest.mark.parametrize("suffixes", ["", ",", ["", " ", "."]])
def test_an_empty_suffix_is_not_that_of_every_file(suffixes: Any) -> None:
    assert Settings(delta_suffixes=suffixes).delta_suffixes == ()


# --- the environment of others


def test_one_variable_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)

    assert environment("NO_COLOR") == "1"
    assert environment("COLUMNS") == ""


def test_children_get_nothing_of_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name in ("XDELTA", "GZIP", "BZIP2", "XZ_OPT", "XZ_DEFAULTS", "AWS_SECRET_ACCESS_KEY", "HOME", "LC_ALL", "PATH"):
        monkeypatch.setenv(name, "the caller's")

    ours = {"PATH": os.defpath, "LC_ALL": "C", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    assert child_environment() == ours


def test_children_find_their_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")

    assert child_environment()["LD_LIBRARY_PATH"] == "/opt/lib"
