"""Dataclasses whose methods come late are dataclasses in all else: each is held against its twin of the library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

import pytest

from deltaglider import events, figures, findings, late, models
from deltaglider.config import Settings

T = TypeVar("T")


@late.dataclass(frozen=True, slots=True)
class Point:
    """A frozen one."""

    x: int
    y: int = 2
    names: Mapping[str, int] = dataclasses.field(default_factory=dict, hash=False)
    secret: str = dataclasses.field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@dataclasses.dataclass(frozen=True, slots=True)
class LibraryPoint:
    """Its twin."""

    x: int
    y: int = 2
    names: Mapping[str, int] = dataclasses.field(default_factory=dict, hash=False)
    secret: str = dataclasses.field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@late.dataclass(frozen=True, slots=True)
class Child(Point):
    """A child."""

    z: int = 3


@late.dataclass(slots=True)
class Tally(Generic[T]):
    """One that may change."""

    items: list[T] = dataclasses.field(default_factory=list)
    count: int = 0
    more: int = dataclasses.field(default=7, init=False)
    others: list[T] = dataclasses.field(default_factory=list, init=False)


@late.dataclass(slots=True, eq=False)
class Thing:
    """One that is equal to itself alone."""

    name: str


@late.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One that takes keywords alone, and says itself how it looks."""

    name: str

    def __repr__(self) -> str:
        return "named"


def test_the_methods_do_what_those_of_the_library_do() -> None:
    both: list[type[Any]] = [Point, LibraryPoint]
    for make in both:
        one, same, other = make(1, names={"a": 1}, secret="s"), make(x=1, names={"a": 1}), make(1, 3)
        assert (one == same, one != other, one == 1, hash(one) == hash(same)) == (True, True, False, True)
        assert repr(one) == f"{make.__name__}(x=1, y=2, names={{'a': 1}})"
        assert make(1).names is not make(1).names
        assert isinstance(one, Hashable)
        with pytest.raises(ValueError, match="x is negative"):
            make(-1)
        with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument: 'x'"):
            make()
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
            one.x = 2
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
            del one.x
    assert Point(1) != LibraryPoint(1)


@pytest.mark.parametrize("times", [1, 200])
def test_the_first_instances_are_like_those_that_follow(times: int) -> None:
    @late.dataclass(frozen=True, slots=True)
    class Base:
        x: int
        y: list[int] = dataclasses.field(default_factory=list, hash=False)
        z: int = dataclasses.field(default=3, init=False)
        k: str = dataclasses.field(default="k", kw_only=True)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError(f"x is {self.x}")

    class Child(Base):
        def __init__(self) -> None:
            super().__init__(5)

    for _ in range(times):
        assert [(one.x, one.y, one.z, one.k) for one in (Base(1), Base(1, [2], k="l"), Base(y=[3], x=4), Child())] == [
            *[(1, [], 3, "k"), (1, [2], 3, "l"), (4, [3], 3, "k"), (5, [], 3, "k")]
        ]
        assert Base(1).y is not Base(1).y
        with pytest.raises(ValueError, match="x is -1"):
            Base(-1)
    for args, named, said in (
        ((), {}, r"__init__\(\) missing 1 required positional argument: 'x'"),
        ((1, [], 2), {}, r"__init__\(\) takes from 2 to 3 positional arguments but 4 were given"),
        ((1,), {"x": 2}, r"__init__\(\) got multiple values for argument 'x'"),
        ((1,), {"z": 2}, r"__init__\(\) got an unexpected keyword argument 'z'"),
    ):
        with pytest.raises(TypeError, match=said):
            Base(*args, **named)  # type: ignore[arg-type]


def test_it_looks_the_same() -> None:
    assert str(inspect.signature(Point)) == str(inspect.signature(LibraryPoint))
    assert (Point.__match_args__, Point.__slots__) == (LibraryPoint.__match_args__, LibraryPoint.__slots__)
    ours, theirs = dataclasses.fields(Point), dataclasses.fields(LibraryPoint)
    assert [repr(field) for field in ours] == [repr(field) for field in theirs]
    assert repr(Point.__dataclass_params__) == repr(LibraryPoint.__dataclass_params__)  # type: ignore[attr-defined]
    assert Point.__init__.__qualname__ == "Point.__init__"
    assert Point.__init__ is Point.__init__
    assert (Point.__name__, Point.__module__, Point.__doc__) == ("Point", __name__, "A frozen one.")


def test_the_functions_of_the_library_take_it() -> None:
    point = Point(1, names={"a": 1})
    assert dataclasses.is_dataclass(point)
    assert dataclasses.replace(point, y=5) == Point(1, 5, {"a": 1})
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "names": {"a": 1}, "secret": ""}
    assert dataclasses.astuple(point) == (1, 2, {"a": 1}, "")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(point, protocol)) == point
    assert copy.copy(point) == copy.deepcopy(point) == point
    match point:
        case Point(x, 2):
            assert x == 1
        case _:
            pytest.fail("no match")


def test_one_that_may_change() -> None:
    tally: Tally[int] = Tally()
    tally.items.append(1)
    tally.count += 1
    assert tally == Tally([1], 1)
    assert (tally.more, tally.others) == (7, [])
    assert Tally.__hash__ is None
    assert pickle.loads(pickle.dumps(tally)) == tally
    with pytest.raises(AttributeError):
        tally.other = 1  # type: ignore[attr-defined]


def test_one_that_is_equal_to_itself_alone() -> None:
    one, other = Thing("a"), Thing("a")
    assert one != other
    assert len({one, other, one}) == 2
    assert repr(one) == "Thing(name='a')"


def test_keywords_alone_and_what_it_says_itself() -> None:
    assert repr(Named(name="a")) == "named"
    assert Named(name="a") == Named(name="a")
    with pytest.raises(TypeError):
        Named("a")  # type: ignore[misc]


def test_children_of_ours_of_the_library_and_of_others() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Theirs(Point):
        z: int = 3

    class Plain(Point):
        def __init__(self) -> None:
            super().__init__(7)
            self.more = 1

    for make in (Child, Theirs):
        assert (make(1).z, make(1, 2, {}, "", 4).z, make(1) == make(1)) == (3, 4, True)
        assert repr(make(1)).endswith("(x=1, y=2, names={}, z=3)")
        with pytest.raises(dataclasses.FrozenInstanceError):
            make(1).x = 2  # type: ignore[misc]
    plain = Plain()
    assert (plain.x, plain.more) == (7, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.x = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        dataclasses.dataclass(type("Odd", (Point,), {}))


def public() -> list[type[Any]]:
    found = {
        kind
        for module in (models, figures, findings, events)
        for kind in vars(module).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }
    return [*sorted(found, key=lambda kind: kind.__name__), Settings]


@pytest.mark.parametrize("kind", public(), ids=lambda kind: kind.__name__)
def test_what_is_public_has_the_signature_that_the_library_gives_it(kind: type[Any]) -> None:
    fields = [(field.name, field.type, copy.copy(field)) for field in dataclasses.fields(kind)]
    make: Callable[..., type[Any]] = dataclasses.make_dataclass
    twin = make(kind.__name__, fields, frozen=True, namespace={"__module__": kind.__module__})
    assert str(inspect.signature(kind)) == str(inspect.signature(twin))
    assert kind.__doc__
