"""S3's model, read as botocore reads it, and once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader

from deltaglider.store.s3.models import Models, warm_models

TYPES = ("service-2", "paginators-1", "waiters-2", "endpoint-rule-set-1", "examples-1")


def session(data_path: Path | None = None) -> AioSession:
    made = AioSession()
    if data_path is not None:
        made.set_config_variable("data_path", str(data_path))
    return made


def loaded(loader: Loader, service: str, kind: str) -> object:
    """A model, or what is said where there is none."""
    try:
        return loader.load_service_model(service, kind)
    except UnknownServiceError as error:
        return str(error)


@pytest.mark.parametrize("service", ["s3", "sts", "sso", "sso-oidc"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_model_is_what_botocore_makes_of_it(service: str, kind: str) -> None:
    assert loaded(Models(), service, kind) == loaded(Loader(), service, kind)


@pytest.mark.parametrize("name", ["endpoints", "partitions", "sdk-default-configuration", "_retry"])
def test_so_is_what_is_no_model(name: str) -> None:
    assert Models().load_data(name) == Loader().load_data(name)


def test_the_services_are_those_that_botocore_finds() -> None:
    found = Models().list_available_services("service-2")
    assert list(found) == Loader().list_available_services("service-2")
    assert [found[0], found[1], len(found)] == [*list(found)[:2], len(list(found))]
    assert "s3" in found
    assert "s4" not in found


def test_what_there_is_not_is_told_as_botocore_tells_it() -> None:
    with pytest.raises(UnknownServiceError, match=r"'s4'.*sqs, ssm"):
        Models().load_service_model("s4", "service-2")
    with pytest.raises(DataNotFoundError):
        Models().load_data("s4/2026-01-01/service-2")


def test_other_services_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    listdir = os.listdir

    def note(path: str) -> list[str]:
        looked.append(Path(path).name)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", note)
    Models().load_service_model("s3", "service-2")
    assert set(looked) == {"s3"}


def test_sessions_share_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = session(), session()
    warm_models(first)
    read: list[str] = []
    monkeypatch.setattr(Models.FILE_LOADER_CLASS, "load_file", lambda self, path: read.append(path))
    warm_models(second)
    assert read == []
    assert second.get_component("data_loader") is first.get_component("data_loader")


def test_models_of_ones_own_are_looked_for_first_and_not_shared(tmp_path: Path) -> None:
    own = tmp_path / "s3" / "2006-03-01"
    own.mkdir(parents=True)
    (own / "paginators-1.json").write_text('{"pagination": {"Mine": {}}}')
    mine, others = session(tmp_path), session()
    warm_models(mine)
    warm_models(others)
    assert "Mine" in mine.get_component("data_loader").load_service_model("s3", "paginators-1")["pagination"]
    assert "Mine" not in others.get_component("data_loader").load_service_model("s3", "paginators-1")["pagination"]
