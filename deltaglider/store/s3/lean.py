"""What the libraries under the S3 store load and no command needs: left out where the process is a command's own.

A third of what it takes to load aiobotocore is work for things that are never used here:

- aiohttp reads all certificates that the system trusts, twice, for contexts in whose place aiobotocore puts its own;
- urllib3, whose connections aiobotocore does not use, compiles the grammar of URLs;
- botocore loads what writes the documentation of its methods;
- aiohttp and urllib3 load decompressors, and answers are neither compressed nor decompressed;
- aiohttp makes a dozen classes for the tracing of requests;
- aiobotocore loads httpx, where that is installed, to send requests with it if it is told to.

So these modules, and no others, are given something else than what they import by these names. It does the same when
it is used; or it is nothing, where the module does without. If a new version of one of them does not bear it, all is
loaded as ever.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import logging
import re
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from deltaglider.store.s3.trust import LateContext

logger = logging.getLogger("deltaglider.store")


def load_leanly(name: str) -> None:
    """Loads a module; what it imports for the first time leaves out what no command needs.

    Args:
        name: The module. If it cannot be loaded like that, it is not loaded, and may be as ever.
    """
    finder, before = _Finder(), set(sys.modules)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - Whatever it is, the way without this module remains.
        logger.debug("%s is loaded as ever: %s", name, error)
        # What came so far may hold what it got instead, and parts of what failed: all of it comes again.
        libraries = {touched.partition(".")[0] for touched in INSTEAD}
        for loaded in set(sys.modules) - before:
            if loaded.partition(".")[0] in libraries or loaded.startswith(f"{__package__}."):
                del sys.modules[loaded]
    finally:
        sys.meta_path.remove(finder)


class _Expression:
    """A regular expression that is compiled when it is used."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        return getattr(re.compile(*self._given), name)


class _Contexts(type):
    def __instancecheck__(cls, thing: object) -> bool:
        # What decides on trust must know the contexts that others make.
        return isinstance(thing, ssl.SSLContext)


class _Context(ssl.SSLContext, metaclass=_Contexts):
    """A context that reads no certificates if it is not to look at them."""

    def set_default_verify_paths(self) -> None:
        if self.verify_mode is not ssl.CERT_NONE:
            super().set_default_verify_paths()


class _Nothing:
    """Whatever it is asked for, it takes all and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _do_nothing


def _do_nothing(**_: Any) -> None:
    pass


def _like(module: ModuleType, **changed: Any) -> ModuleType:
    other = ModuleType(module.__name__)
    other.__dict__.update(vars(module), **changed)
    return other


def _late_context(*args: Any, **kwargs: Any) -> LateContext:
    return LateContext(lambda: ssl.create_default_context(*args, **kwargs))


_LATE_EXPRESSIONS = _like(re, compile=_Expression)
_LATE_CONTEXTS = _like(ssl, create_default_context=_late_context, SSLContext=_Context)
_PLAIN_CLASSES = ModuleType("attr")
_PLAIN_CLASSES.s = lambda **_: lambda kind: kind  # type: ignore[attr-defined]
_NOTHING = ModuleType("nothing")
_NOTHING.__getattr__ = lambda name: _Nothing  # type: ignore[method-assign]

_DECOMPRESSORS = dict.fromkeys(
    ("brotli", "brotlicffi", "backports", "backports.zstd", "compression", "compression.zstd")
)

INSTEAD: Mapping[str, Mapping[str, ModuleType | None]] = {
    "aiohttp.compression_utils": _DECOMPRESSORS,
    "aiohttp.connector": {"ssl": _LATE_CONTEXTS},
    "aiohttp.tracing": {"attr": _PLAIN_CLASSES},
    "aiobotocore._httpx": {"httpx": None, "httpx2": None},
    "aiobotocore.waiter": {"botocore.docs.docstring": _NOTHING},
    "botocore.client": {"botocore.docs.docstring": _NOTHING},
    "botocore.handlers": {"botocore.docs.utils": _NOTHING},
    "botocore.waiter": {"botocore.docs.docstring": _NOTHING},
    "urllib3.http2": {"importlib.metadata": _NOTHING},
    "urllib3.response": _DECOMPRESSORS,
    "urllib3.util.request": _DECOMPRESSORS,
    "urllib3.util.url": {"re": _LATE_EXPRESSIONS},
    "wrapt.importer": {"importlib.metadata": importlib},
}
"""By the module that imports, what it gets in the place of what; ``None`` for what it shall find not installed."""


class _Loader:
    """Loads a module as its own loader does, but for what it imports.

    Args:
        loader: Its own.
        instead: By name, what it gets.
    """

    def __init__(self, loader: Any, instead: Mapping[str, ModuleType | None]) -> None:
        self._loader = loader
        self._instead = instead

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self._loader.exec_module(module)

    def _import(self, name: str, *rest: Any) -> Any:
        if name not in self._instead:
            return builtins.__import__(name, *rest)
        found = self._instead[name]
        if found is None:
            raise ImportError(f"{name} is left out", name=name)
        return found


class _Finder:
    """Finds the modules that get something else."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in INSTEAD:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, INSTEAD[name])  # type: ignore[assignment]
        return spec
