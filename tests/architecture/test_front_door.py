"""The front door: what it offers is pinned, and opening it costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

import deltaglider

NAMES = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "Analysis",
    "AsyncDeltaGliderClient",
    "BucketAcl",
    "BucketInfo",
    "BucketNotFoundError",
    "BucketStats",
    "BulkSummary",
    "Check",
    "ChecksumMismatchError",
    "ClientStateError",
    "CodecError",
    "CodecMissingError",
    "CompressionEstimate",
    "ConfigurationError",
    "DeleteSummary",
    "DeltaGliderClient",
    "DeltaGliderError",
    "DownloadSummary",
    "Finding",
    "IntegrityError",
    "InvalidInputError",
    "InvalidUriError",
    "ListObjectsResponse",
    "LocalFileError",
    "MigrationSummary",
    "NotFoundError",
    "ObjectInfo",
    "Outcome",
    "PreconditionFailedError",
    "Prefix",
    "PresignedUrl",
    "PurgeSummary",
    "RescueSummary",
    "ReservedKeyError",
    "Settings",
    "SpaceEstimate",
    "StoreError",
    "StoreUnavailableError",
    "UploadSummary",
    "VerifyResult",
    "__version__",
    "create_async_client",
    "create_client",
    "opentelemetry_observer",
]
"""What people import. A name that goes breaks them; a name that comes has to stay."""

HEAVY = {
    "aiobotocore",
    "aiofiles",
    "aiohttp",
    "anyio",
    "asyncclick",
    "asyncio",
    "boto3",
    "botocore",
    "concurrent.futures",
    "email",
    "filelock",
    "http.client",
    "logging",
    "multiprocessing",
    "opentelemetry",
    "platformdirs",
    "rich",
    "sqlite3",
    "ssl",
    "subprocess",
    "urllib.request",
}


def loaded_by(statement: str) -> set[str]:
    """The modules a statement loads, in an interpreter of its own."""
    program = f"""
        import json, sys
        before = set(sys.modules)
        {statement}
        print(json.dumps(sorted(set(sys.modules) - before)))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, check=True, text=True, timeout=60
    )
    return set(json.loads(ended.stdout))


def test_its_names_are_pinned() -> None:
    assert sorted(deltaglider.__all__) == NAMES
    assert len(set(deltaglider.__all__)) == len(deltaglider.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_leads_somewhere(name: str) -> None:
    thing = getattr(deltaglider, name)

    assert name == "__version__" or thing.__name__ == name
    assert name in dir(deltaglider)
    assert getattr(deltaglider, name) is thing


@pytest.mark.parametrize("name", ["no_such_name", "_ROOM", "NoSuchError", "settings"])
def test_other_names_are_attribute_errors(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(deltaglider, name)


def test_all_of_them_can_be_imported_at_once() -> None:
    scope: dict[str, object] = {}
    exec("from deltaglider import *", scope)

    assert set(NAMES) <= set(scope)


def test_opening_it_loads_none_of_the_libraries_behind_it() -> None:
    loaded = loaded_by("import deltaglider")

    assert "deltaglider" in loaded
    assert {name for name in loaded if name in HEAVY} == set()
    assert {name for name in loaded if name.startswith("deltaglider.")} == {"deltaglider._version"}


def test_errors_models_and_settings_need_none_of_them_either() -> None:
    loaded = loaded_by("from deltaglider import DeltaGliderError, UploadSummary, Settings")

    assert {"deltaglider.errors", "deltaglider.models", "deltaglider.config"} <= loaded
    assert {name for name in loaded if name in HEAVY} == set()


def test_the_check_sees_what_is_loaded() -> None:
    # Not vacuous: the interpreter of its own does see a heavy library where there is one.
    assert {"anyio", "deltaglider.client"} <= loaded_by("from deltaglider import create_async_client")
    assert {"asyncio", "ssl"} <= loaded_by("import asyncio, ssl")
