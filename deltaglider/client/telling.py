"""Each call of a public method is told to the observer: that it began, and how it ended.

The methods themselves know nothing of it: a class is wrapped once, when it is made. Where nobody listens, a call costs
one comparison more.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

from deltaglider.errors import DeltaGliderError
from deltaglider.events import CallEnded, CallStarted, Observer, ignore

Kind = TypeVar("Kind", bound=type)

_UNTOLD = {"aclose", "close"}  # No work on the store.
_SCHEME = "s3://"
_numbers = itertools.count(1)


def told(kind: Kind) -> Kind:
    """A class decorator: the calls of all public coroutine functions and asynchronous generators are told of.

    Args:
        kind: A class of clients.

    Returns:
        The same class.
    """
    for name in dir(kind):
        method = inspect.getattr_static(kind, name)
        if name.startswith("_") or name in _UNTOLD:
            continue
        if inspect.iscoroutinefunction(method):
            setattr(kind, name, _awaited(method))
        elif inspect.isasyncgenfunction(method):
            setattr(kind, name, _iterated(method))
    return kind


def _awaited(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        observer = self._parts.observer
        if observer is ignore:
            return await method(self, *args, **kwargs)
        with _telling(observer, method, args, kwargs, iterates=False):
            return await method(self, *args, **kwargs)

    return call


def _iterated(method: Callable[..., AsyncGenerator[Any, None]]) -> Callable[..., AsyncGenerator[Any, None]]:
    @functools.wraps(method)
    async def call(self: Any, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        observer = self._parts.observer
        async with aclosing(method(self, *args, **kwargs)) as items:
            if observer is ignore:
                async for item in items:
                    yield item
                return
            with _telling(observer, method, args, kwargs, iterates=True):
                async for item in items:
                    yield item

    return call


@contextmanager
def _telling(
    observer: Observer, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], *, iterates: bool
) -> Iterator[None]:
    number, verb = next(_numbers), method.__name__
    bucket, key = _place(method, args, kwargs)
    observer(CallStarted(number, verb, bucket, key, iterates))
    started, error = time.monotonic(), ""
    try:
        yield
    except GeneratorExit:  # The caller has seen enough.
        raise
    except BaseException as failure:
        error = _code_of(failure)
        raise
    finally:
        observer(CallEnded(number, verb, time.monotonic() - started, error))


def _place(method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """The bucket and key that a call is about: by boto3's names, or in the last URL among the arguments."""
    names = list(inspect.signature(method).parameters)[1:]
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    if "Bucket" in given:
        return str(given["Bucket"]), str(given.get("Key", given.get("Prefix", "")))
    for value in reversed(given.values()):
        if isinstance(value, str) and value.startswith(_SCHEME):
            bucket, _, key = value.removeprefix(_SCHEME).partition("/")
            return bucket, key
    return "", ""


def _code_of(error: BaseException) -> str:
    if isinstance(error, DeltaGliderError):
        return error.code
    response = getattr(error, "response", None)  # Of botocore's ClientError.
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
    return str(code or type(error).__name__)
