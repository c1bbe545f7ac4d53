"""The synchronous client is the asynchronous one in another dress: nothing missing, nothing more, nothing different."""

from __future__ import annotations

import inspect
import typing

import pytest

from deltaglider import AsyncDeltaGliderClient, DeltaGliderClient, create_async_client, create_client


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


NEVER_RAISE = {"can_paginate"}
PLAIN = {"can_paginate", "get_paginator", "get_waiter"}  # What asks nobody, of neither client.
METHODS = sorted(
    _public(AsyncDeltaGliderClient) - {"aclose", "close", "settings", "endpoint_url", "exceptions", "meta"}
)


def test_both_have_the_same_names() -> None:
    assert _public(AsyncDeltaGliderClient) - {"aclose"} == _public(DeltaGliderClient)
    assert len(METHODS) >= 19


@pytest.mark.parametrize("name", METHODS)
def test_signatures_and_docstrings_are_the_same(name: str) -> None:
    theirs, ours = getattr(AsyncDeltaGliderClient, name), getattr(DeltaGliderClient, name)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__
    assert ours.__doc__
    assert ours.__name__ == name
    # What a documentation tool does.
    assert typing.get_type_hints(ours) == typing.get_type_hints(theirs)


@pytest.mark.parametrize("name", sorted(set(METHODS) - PLAIN))
def test_one_is_awaited_and_the_other_is_not(name: str) -> None:
    theirs, ours = getattr(AsyncDeltaGliderClient, name), getattr(DeltaGliderClient, name)
    assert inspect.iscoroutinefunction(theirs) != inspect.isasyncgenfunction(theirs)
    assert not inspect.iscoroutinefunction(ours)
    assert not inspect.isasyncgenfunction(ours)
    assert inspect.isgeneratorfunction(ours) == inspect.isasyncgenfunction(theirs)


@pytest.mark.parametrize("name", METHODS)
def test_arguments_are_documented(name: str) -> None:
    method = getattr(AsyncDeltaGliderClient, name)
    documented = inspect.cleandoc(method.__doc__ or "")
    kinds = inspect.signature(method).parameters
    for parameter in list(kinds)[1:]:
        stars = "**" if kinds[parameter].kind is inspect.Parameter.VAR_KEYWORD else ""
        assert f"\n    {stars}{parameter}: " in documented


@pytest.mark.parametrize("name", METHODS)
def test_types_results_and_errors_are_documented(name: str) -> None:
    method = getattr(AsyncDeltaGliderClient, name)
    signature, documented = inspect.signature(method), inspect.cleandoc(method.__doc__ or "")
    assert [each for each in list(signature.parameters.values())[1:] if each.annotation is each.empty] == []
    if signature.return_annotation == "None":
        assert "Returns:" not in documented
    else:
        assert ("\nYields:\n" if inspect.isasyncgenfunction(method) else "\nReturns:\n") in documented
    assert "\nRaises:\n" in documented or name in NEVER_RAISE


def test_both_are_made_alike() -> None:
    ours, theirs = inspect.signature(create_client), inspect.signature(create_async_client)
    assert list(ours.parameters.values()) == list(theirs.parameters.values())
    assert ours.return_annotation == "DeltaGliderClient"
    assert theirs.return_annotation == "AsyncDeltaGliderClient"
