"""Errors become one line and the exit code of ``aws``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deltaglider import errors
from deltaglider.cli import main
from deltaglider.cli.commands import stats
from deltaglider.cli.exits import ExitCode, FatalError, SourceMissingError, code_of_error, code_of_summary, fatal_errors
from deltaglider.cli.screen import OutputClosedError
from deltaglider.models import BulkSummary
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidUriError("x"), 252),
        (errors.ReservedKeyError("x"), 252),
        (errors.ConfigurationError("x"), 253),
        (errors.BucketNotFoundError("x", status=404), 254),
        (errors.AccessDeniedError("x", status=403), 254),
        (errors.AlreadyExistsError("x"), 254),
        (errors.StoreUnavailableError("slow down", status=503), 254),
        (errors.StoreUnavailableError("no connection"), 255),
        (errors.TransferBrokenError("x"), 255),
        (errors.IntegrityError("x"), 255),
        (errors.CodecMissingError("x"), 255),
        (errors.LocalFileError("x"), 255),
        (errors.ClientStateError("x"), 255),
        (SourceMissingError("x"), 255),
        (FatalError(errors.NotFoundError("x")), 1),
        (KeyError("x"), 255),
        (OSError(5, "x"), 255),
    ],
)
def test_codes(error: Exception, code: int) -> None:
    assert code_of_error(error) == code


def test_codes_of_summaries() -> None:
    assert code_of_summary(BulkSummary(done=3, unchanged=1)) == 0
    assert code_of_summary(BulkSummary(done=3, skipped=1)) == 2
    assert code_of_summary(BulkSummary(done=3, skipped=1, failed=1)) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.BucketNotFoundError("x"), FatalError),
        (errors.LocalFileError("x"), FatalError),
        (errors.IntegrityError("x"), FatalError),
        (errors.ConfigurationError("x"), errors.ConfigurationError),
        (errors.InvalidInputError("x"), errors.InvalidInputError),
        (errors.ClientStateError("x"), errors.ClientStateError),
        (KeyError("x"), KeyError),
    ],
)
def test_which_errors_of_a_transfer_are_fatal(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind), fatal_errors():
        raise error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes ``stats`` fail with an error."""

    def fail_with(error: BaseException) -> None:
        def open_session(*arguments: object, **keywords: object) -> Any:
            raise error

        monkeypatch.setattr(stats, "open_session", open_session)

    return fail_with


async def test_an_error_of_ours_is_its_own_line(cli: Cli, failing: Any) -> None:
    failing(errors.AccessDeniedError("not allowed", uri="s3://bkt/", remedy="Ask its owner", status=403))
    ran = await cli("stats", "bkt")
    assert (ran.code, ran.out) == (254, "")
    assert ran.err == "deltaglider: error: s3://bkt/: not allowed. Ask its owner\n"


async def test_a_bug_is_called_one(cli: Cli, failing: Any) -> None:
    failing(KeyError("dg-ref\nkey"))
    ran = await cli("stats", "bkt")
    assert ran.code == 255
    assert ran.err.startswith(
        "deltaglider: error: this is a bug in deltaglider: KeyError: 'dg-ref\\nkey'. Please report"
    )
    assert len(ran.err.splitlines()) == 1


async def test_debug_shows_the_traceback(cli: Cli, failing: Any) -> None:
    failing(KeyError("x"))
    ran = await cli("stats", "bkt", "--debug")
    assert "Traceback (most recent call last):" in ran.err
    assert ran.err.splitlines()[-1].startswith("deltaglider: error: this is a bug")


async def test_an_exception_group_is_unwrapped(cli: Cli, failing: Any) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [errors.ConfigurationError("no credentials")])])
    failing(group)
    ran = await cli("stats", "bkt")
    assert (ran.code, ran.err) == (253, "deltaglider: error: no credentials\n")


async def test_an_error_of_the_system_names_its_file(cli: Cli, failing: Any) -> None:
    failing(PermissionError(13, "Permission denied", "/some/path"))
    ran = await cli("stats", "bkt")
    assert (ran.code, ran.err) == (255, "deltaglider: error: Permission denied: /some/path\n")


async def test_errors_as_json(cli: Cli, failing: Any) -> None:
    failing(errors.AccessDeniedError("not allowed", uri="s3://bkt/", status=403))
    ran = await cli("stats", "bkt", "--json")
    assert ran.err == ""
    assert json.loads(ran.out) == {
        "type": "error",
        "code": "access_denied",
        "message": "s3://bkt/: not allowed",
        "uri": "s3://bkt/",
        "exit_code": 254,
    }


async def test_a_fatal_error_as_json(cli: Cli) -> None:
    ran = await cli("cp", "s3://bkt/nokey", "x", "--json")
    (error,) = ran.objects
    assert (ran.code, ran.err) == (1, "")
    assert (error["type"], error["code"], error["uri"]) == ("error", "not_found", "s3://bkt/nokey")


async def test_wrong_usage_as_json(cli: Cli) -> None:
    for arguments in (["cp", "--json"], ["--json", "frob"], ["cp", "a", "b", "--json"]):
        ran = await cli(*arguments)
        (error,) = ran.objects
        assert (ran.code, ran.err, error["type"], error["exit_code"]) == (252, "", "error", 252)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cp", "a"], "Missing argument 'SOURCE...'."),
        (["sync", "a", "b", "c"], "Got unexpected extra argument (c)"),
        (["frob"], "No such command 'frob'."),
        (["ls", "--frob"], "No such option"),
        (["ls", "--re"], "ambiguous option: --re could match --recursive, --region, --request-payer"),
        (["cp", "a", "b"], "cp takes <LocalPath> <S3Uri>"),
        (["cp", "-", "s3://bkt/", "-r"], "'-' is one object and cannot be copied recursively"),
        (["cp", "-", "s3://bkt/p/"], "s3://bkt/p/ names a place, and '-' has no name to take there: add one"),
        (["cp", "s3://bkt", "-"], "s3://bkt/ names a place"),
        (["cp", "a", "s3://x"], "s3://x: 'x' is not a bucket name."),
        (["ls", "s3://b/"], "s3://b/: 'b' is not a bucket name."),
        (["doctor", "s3://"], "the bucket is missing"),
    ],
)
async def test_wrong_usage(cli: Cli, arguments: list[str], message: str) -> None:
    ran = await cli(*arguments)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert ran.err.splitlines()[-1].startswith("deltaglider: error: ")
    assert message in ran.err


async def test_no_arguments_show_the_help(cli: Cli) -> None:
    ran = await cli()
    assert (ran.code, ran.out) == (252, "")
    assert ran.err.startswith("Usage: deltaglider [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DG_MAX_RATIO", "8"), ("DG_CONCURRENCY", "many"), ("DG_LOG_LEVEL", "LOUD"), ("DG_ENDPOINT_URL", "nowhere")],
)
async def test_a_bad_variable_is_wrong_configuration(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    ran = await cli("ls")
    assert (ran.code, ran.out) == (253, "")
    assert ran.err.startswith(f"deltaglider: error: {variable} is ")
    assert len(ran.err.splitlines()) == 1


async def test_a_missing_xdelta3_fails_the_item_and_names_the_remedy(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, versions: tuple[bytes, bytes]
) -> None:
    monkeypatch.setenv("DG_XDELTA3", "/no/xdelta3")
    cli.write("app.zip", versions[0])
    ran = await cli("cp", "app.zip", "s3://bkt/")
    assert ran.code == 1
    assert ran.err.startswith("upload failed: ./app.zip to s3://bkt/app.zip ")
    assert "install" in ran.err.splitlines()[0]
    assert await cli.keys() == []
    assert (await cli.ok("stats", "bkt", "--json")).objects[0]["compressed_size"] == 0


async def test_certificates_that_are_not_checked_are_worth_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DG_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    ran = await cli("ls", "--endpoint-url", "https://127.0.0.1:9", "--no-verify-ssl")
    warning, error = ran.err.splitlines()
    assert warning == "warning: The server's certificate is not checked (--no-verify-ssl)."
    assert (ran.code, error.startswith("deltaglider: error: no connection to https://127.0.0.1:9")) == (255, True)
    assert (await cli.ok("ls", "--no-verify-ssl")).err == ""


@pytest.mark.parametrize("command", ["mb", "rb"])
async def test_buckets_need_credentials(cli: Cli, command: str) -> None:
    ran = await cli(command, "s3://some-bucket", "--endpoint-url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (253, "")
    assert "credentials" in ran.err


async def test_logs_are_lines_of_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("f", b"content")
    ran = await cli.ok("cp", "f", "s3://bkt/f", "--debug")
    assert ran.out == "upload: ./f to s3://bkt/f\n"
    ran = await cli.ok("cp", "s3://bkt/f", "x", "--debug")
    assert any(" DEBUG deltaglider.engine: downloaded s3://bkt/f" in line for line in ran.err.splitlines())
    ran = await cli.ok("cp", "s3://bkt/f", "x")
    assert "downloaded" not in ran.err
    monkeypatch.setenv("DG_LOG_LEVEL", "debug")
    ran = await cli.ok("cp", "s3://bkt/f", "x")
    assert any(line.startswith("debug: downloaded s3://bkt/f") for line in ran.err.splitlines())
    ran = await cli.ok("cp", "s3://bkt/f", "x", "-q")
    assert ran.err == ""


async def test_whoever_stops_reading_ends_the_command_quietly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/f")

    def closed(*arguments: object, **keywords: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    ran = await cli("ls", "bkt")
    assert (ran.code, ran.out, ran.err) == (141, "", "")


def test_output_that_cannot_be_flushed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def done(arguments: object, given: object) -> int:
        return 0

    monkeypatch.setattr(main, "execute", done)
    for error, code, message in (
        (OutputClosedError(), 141, ""),
        (errors.LocalFileError("cannot be written", uri="standard output"), 255, "deltaglider: error: "),
    ):

        def fail(error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(main, "flush_stdout", fail)
        assert main.main([]) == code
        assert capsys.readouterr().err.startswith(message)
