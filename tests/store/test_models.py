"""S3's model, read as botocore reads it, and once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from deltaglider.store.s3.models import Models, warm_models, without_others

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


@pytest.mark.parametrize("name", ["partitions", "sdk-default-configuration", "_retry"])
def test_so_is_what_is_no_model(name: str) -> None:
    assert Models().load_data(name) == Loader().load_data(name)


def test_the_map_of_endpoints_has_all_that_a_client_asks_for() -> None:
    ours, theirs = Models().load_data("endpoints"), Loader().load_data("endpoints")
    kept = {"s3", "sts", "portal.sso", "oidc", "signin"}
    assert len(theirs["partitions"][0]["services"]) > len(kept)
    for partition in theirs["partitions"]:
        services = partition["services"]
        partition["services"] = {name: service for name, service in services.items() if name in kept}
    assert ours == theirs
    assert {"s3", "sts", "oidc", "portal.sso"} <= set(ours["partitions"][0]["services"])


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "mars-1"])
@pytest.mark.parametrize("service", ["s3", "sts", "portal.sso", "oidc"])
def test_endpoints_are_those_of_botocore(service: str, region: str) -> None:
    ours, theirs = (EndpointResolver(loader.load_data("endpoints")) for loader in (Models(), Loader()))
    assert ours.construct_endpoint(service, region) == theirs.construct_endpoint(service, region)


@pytest.mark.parametrize(
    "layout", [{"indent": 2}, {"separators": (",", ":")}, {"indent": 2, "separators": (", ", " : ")}]
)
def test_a_map_of_another_layout_is_read_as_well(layout: dict[str, Any]) -> None:
    services = {name: {"endpoints": {"a": {"b": {}}}} for name in ("x", "s3", "y", "sts")}
    partitions = [{"defaults": {}, "services": services, "z": 1}, {"services": {}}, {"services": {"x": {}}}]
    read = json.loads(without_others(json.dumps({"partitions": partitions, "version": 3}, **layout).encode()))
    for partition in read["partitions"]:
        assert set(partition["services"]) <= set(services)
        assert {name: each for name, each in partition["services"].items() if name != "x"}.items() <= services.items()
    assert read["version"] == 3
    assert {"s3", "sts"} <= set(read["partitions"][0]["services"])
    assert [set(partition) for partition in read["partitions"]] == [set(partition) for partition in partitions]


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
