"""Loading a library without what no command needs of it.

A module that is loaded leanly gets something else than what it imports by some names: what does the same for less, what
is loaded when it is used, or nothing, where the module does without. If a version of it does not bear that, all is
loaded as ever.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib
import importlib.machinery
import logging
import sys
import typing
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from deltaglider import late

logger = logging.getLogger("deltaglider")

Instead = Mapping[str, Mapping[str, ModuleType | None]]
"""By the module that imports, what it gets in the place of what; ``None`` for what it shall find not installed."""

_WITH_DATACLASSES = (
    "anyio._backends._asyncio",
    "anyio._core._sockets",
    "anyio._core._synchronization",
    "anyio.lowlevel",
    "anyio.streams.memory",
    "anyio.streams.stapled",
    "anyio.streams.tls",
)
_WITH_TYPES_OF_LATER = (
    "anyio._core._sockets",
    "anyio._core._tasks",
    "anyio._core._typedattr",
    "anyio.abc._tasks",
    "anyio.streams.tls",
)


def load_leanly(name: str, instead: Instead) -> None:
    """Loads a module; what it imports for the first time leaves out what no command needs.

    Args:
        name: The module. If it cannot be loaded like that, it is not loaded, and may be as ever.
        instead: What modules get that are loaded meanwhile.
    """
    finder, before = _Finder(instead), set(sys.modules)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - Whatever it is, the way without this module remains.
        logger.debug("%s is loaded as ever: %s", name, error)
        # What came so far may hold what it got instead, and parts of what failed: all of it comes again.
        libraries = {touched.partition(".")[0] for touched in instead}
        for loaded in set(sys.modules) - before:
            if loaded.partition(".")[0] in libraries or loaded.startswith(f"{name.rpartition('.')[0]}."):
                del sys.modules[loaded]
    finally:
        sys.meta_path.remove(finder)


class Late(ModuleType):
    """Stands for a module, or for something in it, until that is used.

    Args:
        module: The module.
        name: What it is in the module; empty for the module itself.
    """

    def __init__(self, module: str, name: str = "") -> None:
        super().__init__(module)
        self._module = module
        self._name = name

    @property
    def _found(self) -> Any:
        module = importlib.import_module(self._module)
        if not self._name:
            return module
        try:
            return getattr(module, self._name)
        except AttributeError:
            return importlib.import_module(f"{self._module}.{self._name}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._found, name) if self._name else Late(self._module, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As a function or class."""
        return self._found(*args, **kwargs)

    # In annotations, it is any type.

    def __getitem__(self, _: object) -> Any:
        return Any

    def __or__(self, _: object) -> Any:
        return Any


def like(module: ModuleType, **changed: Any) -> ModuleType:
    """A module that is the same as another one, but for some names.

    Args:
        module: The other one.
        **changed: What the names mean.

    Returns:
        The module; nobody finds it by its name.
    """
    other = ModuleType(module.__name__)
    other.__dict__.update(vars(module), **changed)
    return other


def both(some: Instead, others: Instead) -> dict[str, Mapping[str, ModuleType | None]]:
    """What modules get by the one and by the other."""
    return {name: {**some.get(name, {}), **others.get(name, {})} for name in {**some, **others}}


def load_anyio() -> None:
    """Loads anyio, and makes the methods of its dataclasses when they are first used; see ``deltaglider.late``."""
    dataclasses = dict.fromkeys(_WITH_DATACLASSES, DATACLASSES)
    load_leanly("anyio._backends._asyncio", both(dataclasses, dict.fromkeys(_WITH_TYPES_OF_LATER, TYPES_OF_LATER)))


def _variable(name: str, *bounds: Any, default: object = None, **options: Any) -> Any:
    return typing.TypeVar(name, *bounds, **options)


def _itself(thing: Any) -> Any:
    return thing


DATACLASSES: Mapping[str, ModuleType] = {"dataclasses": like(dataclasses, dataclass=late.dataclass)}
"""Dataclasses whose methods are made when they are first used."""

TYPES_OF_LATER: Mapping[str, ModuleType] = {
    "typing_extensions": like(
        typing,
        TypeVar=_variable,
        TypeVarTuple=lambda name, **_: typing.TypeVarTuple(name),
        deprecated=lambda _: _itself,
        override=_itself,
        sentinel=lambda _: object(),
    )
}
"""What later Pythons know, for those who check types: a process has no use for it."""


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
        names = rest[2] if len(rest) > 2 else ()
        # "import a.b" gives a, "from a.b import c" gives a.b.
        return Late(name.partition(".")[0]) if isinstance(found, Late) and not names else found


class _Finder:
    """Finds the modules that get something else.

    Args:
        instead: What they get.
    """

    def __init__(self, instead: Instead) -> None:
        self._instead = instead

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._instead:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._instead[name])  # type: ignore[assignment]
        return spec
