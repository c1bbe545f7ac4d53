"""Options that commands share: where they may stand, what they set, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asyncclick.testing import CliRunner

from deltaglider.cli.app import app
from deltaglider.cli.framework import FilterOption, make_command
from deltaglider.cli.ignored import IGNORED
from deltaglider.cli.options import COMMON, DELTAS, FILTERS, Given
from deltaglider.cli.writing import METADATA, READING


class Spy:
    """A command that only keeps what it was told."""

    def __init__(self) -> None:
        self.given = Given()
        self.filters: list[tuple[str, str]] = []
        self.command = make_command(
            "spy",
            self._run,
            params=[*FILTERS, *DELTAS, *METADATA, *READING, *COMMON],
            summary="Spy",
            examples=[],
            filters="filters",
        )

    async def _run(self, given: Given, *, filters: list[tuple[str, str]]) -> int:
        self.given, self.filters = given, filters
        return 0

    async def __call__(self, *arguments: str) -> Given:
        result = await CliRunner().invoke(self.command, arguments, obj=Given(), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return self.given


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ([], {}),
        (["--endpoint-url", "https://h:1"], {"endpoint_url": "https://h:1"}),
        (["--endpoint-url=file:///x"], {"endpoint_url": "file:///x"}),
        (["--region", "eu-west-1", "--profile", "p"], {"region_name": "eu-west-1", "profile_name": "p"}),
        (["--no-verify-ssl"], {"verify": False}),
        (["--concurrency", "3"], {"max_concurrent_objects": 3}),
        (["--cache-dir", "/x/y"], {"cache_dir": Path("/x/y")}),
        (["--no-sign-request"], {"sign_requests": False}),
        (["--request-payer"], {"request_payer": "requester"}),
        (["--request-payer", "requester"], {"request_payer": "requester"}),
        (["--max-bandwidth", "10MB/s"], {"max_bandwidth": 10 << 20}),
        (["--max-bandwidth", "5000"], {"max_bandwidth": 5000}),
        (["--cli-connect-timeout", "5"], {"connect_timeout": 5.0}),
        (["--cli-read-timeout", "0"], {"read_timeout": 0.0}),
        (["--no-delta"], {"delta": False}),
        (["--max-ratio", "0.25"], {"max_ratio": 0.25}),
        (["--max-ratio", "1"], {"max_ratio": 1.0}),
        (["--deltaspace", "directory"], {"deltaspace": "directory"}),
    ],
)
async def test_settings(spy: Spy, arguments: list[str], settings: dict[str, Any]) -> None:
    assert (await spy(*arguments)).settings == settings


async def test_a_bundle_of_certificates(spy: Spy, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    assert (await spy("--ca-bundle", str(bundle))).settings == {"verify": str(bundle)}


@pytest.mark.parametrize(
    ("arguments", "headers", "storing"),
    [
        (["--content-type", "a/b"], {"ContentType": "a/b"}, {}),
        (["--cache-control", "no-store"], {"CacheControl": "no-store"}, {}),
        (["--storage-class", "GLACIER_IR"], {"StorageClass": "GLACIER_IR"}, {}),
        (["--acl", "public-read"], {"ACL": "public-read"}, {}),
        (["--sse"], {"ServerSideEncryption": "AES256"}, {}),
        (["--sse", "aws:kms"], {"ServerSideEncryption": "aws:kms"}, {}),
        (["--no-guess-mime-type"], {}, {"guess_content_type": False}),
        (["--metadata", "a=1,b-c=x=y,d="], {}, {"metadata": {"a": "1", "b-c": "x=y", "d": ""}}),
        (["--metadata", ' {"a": "1,2"}'], {}, {"metadata": {"a": "1,2"}}),
    ],
)
async def test_how_objects_are_stored(
    spy: Spy, arguments: list[str], headers: dict[str, str], storing: dict[str, Any]
) -> None:
    given = await spy(*arguments)
    assert (given.headers, given.storing) == (headers, storing)


async def test_output(spy: Spy) -> None:
    given = await spy("--json", "-q", "--only-show-errors", "--debug", "--no-progress")
    assert given.output == {
        "json": True,
        "quiet": True,
        "only_show_errors": True,
        "debug": True,
        "progress": False,
    }
    assert (await spy("--progress")).output == {"progress": True}


async def test_what_aws_takes_and_nothing_here_needs_is_ignored(spy: Spy) -> None:
    ignored = ["--output", "json", "--query", "Buckets[]", "--no-paginate", "--no-cli-pager", "--cli-auto-prompt"]
    more = ["--cli-binary-format", "base64", "--no-cli-auto-prompt", "--cli-error-format", "enhanced"]
    given = await spy(*ignored, *more)
    assert given == Given()
    assert all(option.hidden for option in IGNORED)


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["--end", "https://h:1"], {"endpoint_url": "https://h:1"}),
        (["--endpoint=https://h:1"], {"endpoint_url": "https://h:1"}),
        (["--no-v"], {"verify": False}),
        (["--reg", "r", "--profi", "p"], {"region_name": "r", "profile_name": "p"}),
    ],
)
async def test_long_options_may_be_abbreviated(spy: Spy, arguments: list[str], settings: dict[str, Any]) -> None:
    assert (await spy(*arguments)).settings == settings


async def test_a_whole_name_is_no_abbreviation_of_a_longer_one(spy: Spy) -> None:
    assert (await spy("--progress")).output == {"progress": True}
    await spy("--inc", "a", "--exc=b", "--excl", "--include")
    assert spy.filters == [("include", "a"), ("exclude", "b"), ("exclude", "--include")]


async def test_filters_keep_their_order(spy: Spy) -> None:
    await spy("--include", "a", "--exclude=b", "--include", "c", "--exclude", "--include", "--exclude", "d")
    assert spy.filters == [
        ("include", "a"),
        ("exclude", "b"),
        ("include", "c"),
        ("exclude", "--include"),
        ("exclude", "d"),
    ]
    assert all(isinstance(option, FilterOption) for option in FILTERS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-ratio", "0"], "'--max-ratio': 0.0, not over 0 and at most 1."),
        (["--max-ratio", "7"], "'--max-ratio': 7.0, not over 0 and at most 1."),
        (["--max-ratio", "nan"], "'--max-ratio': nan, not over 0 and at most 1."),
        (["--max-ratio", "half"], "'--max-ratio': 'half' is not a number."),
        (["--concurrency", "0"], "'--concurrency': 0."),
        (["--concurrency", "2.5"], "'--concurrency': '2.5' is not a number."),
        (["--endpoint-url", "localhost:9000"], "'--endpoint-url': 'localhost:9000', not the URL of a store."),
        (["--ca-bundle", "/no/such/file"], "'--ca-bundle': File '/no/such/file' does not exist."),
        (["--deltaspace", "nowhere"], "'--deltaspace': 'nowhere' is not one of"),
        (["--storage-class", "FOO"], "'--storage-class': 'FOO' is not one of"),
        (["--acl", "everyone"], "'--acl': 'everyone' is not one of"),
        (["--metadata", "novalue"], "'--metadata': 'novalue' is not name=value;"),
        (["--metadata", "{broken"], "'--metadata': '{broken' is not JSON"),
        (["--metadata", '{"a": 1}'], "holds values that are not strings."),
        (["--exclude"], "Option '--exclude' requires an argument."),
        (["--frobnicate"], "No such option"),
        (["--request-payer", "owner"], "'--request-payer': 'owner' is not 'requester'"),
        (["--cli-read-timeout", "-1"], "'--cli-read-timeout': -1.0."),
        (["--max-bandwidth", "80Mb/s"], "'--max-bandwidth': '80Mb/s' is not a rate such as 10MB/s."),
        (["--max-bandwidth", "0"], "'--max-bandwidth': 0. Give at least 1"),
        (["--color", "blue"], "'--color': 'blue' is not one of"),
        (["--output", "xml"], "'--output': 'xml' is not one of"),
        (["--progress-frequency", "-1"], "'--progress-frequency': -1.0 is not in the range"),
        (["--cli", "5"], "ambiguous option: --cli could match --cli-auto-prompt, --cli-binary-format, "),
        (["--ca", "x"], "ambiguous option: --ca could match --ca-bundle, --cache-control, --cache-dir"),
        (["--end=localhost"], "'--endpoint-url': 'localhost', not the URL of a store."),
        (["extra"], "Got unexpected extra argument (extra)"),
    ],
)
async def test_bad_values_are_wrong_usage(spy: Spy, arguments: list[str], message: str) -> None:
    result = await CliRunner().invoke(spy.command, arguments, obj=Given())
    assert result.exit_code == 2  # asyncclick's own; main turns every one of them into 252.
    assert message in " ".join(result.stderr.split())


async def test_no_secret_of_an_endpoint_is_repeated(spy: Spy) -> None:
    result = await CliRunner().invoke(spy.command, ["--endpoint-url", "https://user:hunter2@host"], obj=Given())
    assert result.exit_code == 2
    assert "hunter2" not in result.output


async def test_common_options_may_stand_before_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = (tmp_path / "elsewhere").as_uri()
    monkeypatch.setenv("DG_ENDPOINT_URL", (tmp_path / "store").as_uri())
    runner = CliRunner()
    for arguments in (
        ["--endpoint-url", elsewhere, "mb", "s3://one"],
        ["mb", "--endpoint-url", elsewhere, "s3://two"],
        ["mb", "s3://three", "--endpoint-url", elsewhere],
        ["--endpoint-url", "file:///nowhere", "mb", "s3://four", "--endpoint-url", elsewhere],
    ):
        result = await runner.invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    listed = await runner.invoke(app, ["--json", "ls", "--endpoint-url", elsewhere])
    assert [line.split('"name": ')[1].split(",")[0] for line in listed.stdout.splitlines()[:-1]] == [
        '"four"',
        '"one"',
        '"three"',
        '"two"',
    ]
    assert not (tmp_path / "store").exists()


async def test_the_word_of_aws_may_stand_before_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = (tmp_path / "store").as_uri()
    runner = CliRunner()
    for number, arguments in enumerate(
        (
            ["s3", "mb", "s3://made-0", "--endpoint-url", url],
            ["--endpoint-url", url, "s3", "mb", "s3://made-1"],
            ["s3", "--endpoint-url", url, "mb", "s3://made-2"],
        )
    ):
        result = await runner.invoke(app, arguments, obj=Given(), catch_exceptions=False)
        assert (result.exit_code, result.stdout) == (0, f"make_bucket: made-{number}\n")
    listed = await runner.invoke(app, ["s3", "ls", "--endpoint-url", url], obj=Given())
    assert [line.split()[-1] for line in listed.stdout.splitlines()] == ["made-0", "made-1", "made-2"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["s3"], 2, "Usage: "),
        (["s3", "--help"], 0, "deltaglider mb s3://releases"),
        (["s3", "--debug"], 2, "Missing command."),
        (["s3", "frob"], 2, "No such command 'frob'."),
        (["s3", "s3", "ls"], 2, "No such command 's3'."),
    ],
)
async def test_the_word_of_aws_alone(arguments: list[str], code: int, text: str) -> None:
    result = await CliRunner().invoke(app, arguments, obj=Given())
    assert (result.exit_code, text in result.output) == (code, True), result.output
