"""Dataclasses whose methods are made when they are first used.

Python writes the methods of a dataclass as source code and compiles them, one by one, when the class is defined: half a
millisecond a class, which a command pays for a hundred classes, of most of which it never makes an instance. Here each
method is a promise: whoever looks it up first, by whatever way, gets what ``dataclasses`` makes of it, and so does
everybody after that. What a class can do, what it looks like, and what ``dataclasses`` says of it is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

_FEW = 50  # Instances: as many take as long as it takes to compile what makes them.

if TYPE_CHECKING:
    from dataclasses import dataclass  # For type checkers nothing is different.
else:

    def dataclass(
        cls: type[T] | None = None,
        /,
        *,
        repr: bool = True,  # noqa: A002 - As dataclasses has it.
        eq: bool = True,
        frozen: bool = False,
        **options: bool,
    ) -> type[T] | Callable[[type[T]], type[T]]:
        """The same as that of ``dataclasses``, but for when the methods are made.

        Args:
            cls: The class.
            repr: As ``dataclasses`` has it.
            eq: As ``dataclasses`` has it.
            frozen: As ``dataclasses`` has it.
            **options: ``slots`` and ``kw_only``, as ``dataclasses`` has them.

        Returns:
            The class; or makes it, if it was not given.
        """
        make = partial(_promise, options, repr, eq, frozen)
        return make if cls is None else make(cls)


def _promise(options: dict[str, bool], with_repr: bool, eq: bool, frozen: bool, cls: type[T]) -> type[T]:
    # A child of a frozen class has to be frozen from the beginning, or is refused.
    parents: list[Any] = [parent for parent in cls.__mro__[1:] if dataclasses.is_dataclass(parent)]
    child = any(parent.__dataclass_params__.frozen for parent in parents)
    # Nothing of this has to be compiled, else: fields, slots, __match_args__, __replace__.
    cls.__doc__ = cls.__doc__ or cls.__name__  # Or it would be made of the signature.
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=child, **options)(cls)
    parameters = made.__dataclass_params__
    parameters.init, parameters.repr, parameters.eq, parameters.frozen = True, with_repr, eq, frozen
    own = vars(made)
    methods = {"__init__": _Late(made, "__init__")}
    if with_repr:
        methods["__repr__"] = _Late(made, "__repr__")
    if eq:
        methods["__eq__"] = _Late(made, "__eq__")
        methods["__hash__"] = _Late(made, "__hash__") if frozen else None  # type: ignore[assignment]
    if frozen:
        methods |= _frozen(made)
    for name, method in methods.items():
        if own.get(name) is None:
            setattr(made, name, method)
    finished: type[T] = made
    return finished


class _Late:
    """A method that is made when it is looked up, and then takes the place of this.

    Args:
        owner: The class.
        name: The method.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._name = name
        self._few = _FEW if name == "__init__" and owner.__dataclass_params__.frozen else 0

    def __get__(self, instance: object, kind: type | None = None) -> Any:
        # Of many classes there are a few instances only: these are made step by step sooner than a method is compiled.
        if self._few > 0 and instance is not None:
            self._few -= 1
            return partial(self._fill, instance)
        return self._made().__get__(instance, kind)

    def _fill(self, instance: object, /, *args: Any, **named: Any) -> None:
        values = _values(self._owner, args, named)
        if values is None:
            self._made()(instance, *args, **named)  # It knows what to say of the arguments.
            return
        for name, value in values.items():
            object.__setattr__(instance, name, value)
        if hasattr(instance, "__post_init__"):
            instance.__post_init__()

    def _made(self) -> Any:
        made = vars(_twin(self._owner, self._name))[self._name]
        setattr(self._owner, self._name, made)
        return made


def _values(cls: Any, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of a new instance; ``None`` if the arguments do not fit."""
    given = dict(zip(cls.__match_args__, args, strict=False))
    if len(args) > len(given) or given.keys() & named.keys():
        return None
    given.update(named)
    values = {}
    for field in dataclasses.fields(cls):
        name = field.name
        if field.init and name in given:
            values[name] = given.pop(name)
        elif field.default is not dataclasses.MISSING:
            values[name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            values[name] = field.default_factory()
        elif field.init:
            return None
    return None if given else values


def _twin(cls: Any, name: str) -> type:
    """A class with the same fields, and with a method that works for the other one as well."""
    fields = dataclasses.fields(cls)
    same = {own: getattr(cls, own) for own in ("__module__", "__qualname__", "__doc__")}
    if hasattr(cls, "__post_init__"):
        same["__post_init__"] = cls.__post_init__
    return dataclasses.make_dataclass(
        cls.__name__,
        [(field.name, field.type, field) for field in fields],
        namespace=same,
        init=name == "__init__",
        repr=name == "__repr__",
        eq=name in ("__eq__", "__hash__"),
        # In a frozen class, __init__ goes past __setattr__.
        frozen=cls.__dataclass_params__.frozen and name in ("__init__", "__hash__"),
        match_args=False,
        slots="__slots__" in vars(cls),  # Fields that are no parameters of __init__ have no default in the class then.
    )


def _frozen(cls: Any) -> dict[str, Any]:
    def refuse(self: object, name: str, verb: str) -> None:
        if type(self) is cls or name in cls.__dataclass_fields__:
            raise dataclasses.FrozenInstanceError(f"cannot {verb} field {name!r}")

    def set_attribute(self: object, name: str, value: object) -> None:
        refuse(self, name, "assign to")
        super(cls, self).__setattr__(name, value)

    def delete_attribute(self: object, name: str) -> None:
        refuse(self, name, "delete")
        super(cls, self).__delattr__(name)

    return {
        "__setattr__": set_attribute,
        "__delattr__": delete_attribute,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
