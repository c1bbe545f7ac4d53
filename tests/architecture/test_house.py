"""The house stands: no arrow goes up, nothing is where it does not belong, and docstrings tell the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.architecture import house
from tests.architecture.house import Module

Rule = Callable[[list[Module]], list[str]]

RULES: list[Rule] = [
    house.arrows_that_go_up,
    house.circles,
    house.strangers,
    house.children,
    house.readers_of_the_environment,
    house.printers,
    house.early_dataclasses,
    house.too_long,
    house.undocumented,
    house.misdescribed,
]


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return house.read_house()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule, modules: list[Module]) -> None:
    assert rule(modules) == []


def test_the_whole_house_was_read(modules: list[Module]) -> None:
    paths = {module.path for module in modules}

    assert {"__init__.py", "errors.py", "layout/uri.py", "store/base.py", "engine/upload.py", "cli/main.py"} <= paths
    assert len(list(house._own_imports(modules))) > len(modules)


def test_every_module_is_part_of_the_distribution(modules: list[Module]) -> None:
    folders = {module.path.rpartition("/")[0] for module in modules}

    assert {f"{folder}/__init__.py".lstrip("/") for folder in folders} <= {module.path for module in modules}


# --- each rule at work on planted sources


def plant(**sources: str) -> list[Module]:
    """Modules from keywords: ``layout__uri="..."`` is ``layout/uri.py``."""
    return [
        Module(name.replace("__", "/") + ".py" if name not in ("__init__", "__main__") else f"{name}.py", source)
        for name, source in sources.items()
    ]


@pytest.mark.parametrize(
    ("sources", "violation"),
    [
        (
            {"layout__uri": "from deltaglider.engine import upload", "engine__upload": ""},
            "layout/uri.py:1: layout may not know engine (deltaglider.engine.upload)",
        ),
        (
            {"errors": "import deltaglider.layout.uri"},
            "errors.py:1: errors may not know layout (deltaglider.layout.uri)",
        ),
        (
            {"store__s3": "x = 1\nfrom deltaglider.codec.base import Codec"},
            "store/s3.py:2: store may not know codec (deltaglider.codec.base)",
        ),
        (
            {"cache__references": "import deltaglider.store"},
            "cache/references.py:1: cache may not know store (deltaglider.store)",
        ),
        (
            {"bulk__run": "def f():\n    import deltaglider.client.aio"},
            "bulk/run.py:2: bulk may not know client (deltaglider.client.aio)",
        ),
        (
            {"engine__copy": "if TYPE_CHECKING:\n    from deltaglider.cli.main import run"},
            "engine/copy.py:2: engine may not know cli (deltaglider.cli.main)",
        ),
        ({"engine__copy": "from ..cli import main"}, "engine/copy.py:1: engine may not know cli (deltaglider.cli)"),
        (
            {"layout__x": "import_module('deltaglider.store.s3')"},
            "layout/x.py:1: layout may not know store (deltaglider.store.s3)",
        ),
        # The front door is above all rooms.
        (
            {"engine__copy": "from deltaglider import create_client"},
            "engine/copy.py:1: engine may not know __init__ (deltaglider)",
        ),
        ({"cellar__x": ""}, "cellar/x.py: cellar has no floor"),
        ({"engine__copy": "import deltaglider.cellar"}, "engine/copy.py:1: deltaglider.cellar has no floor"),
    ],
)
def test_an_arrow_that_goes_up_is_seen(sources: dict[str, str], violation: str) -> None:
    assert house.arrows_that_go_up(plant(**sources)) == [violation]


def test_arrows_that_go_down_are_fine() -> None:
    modules = plant(
        errors="",
        _version="",
        config="from deltaglider import values\nfrom deltaglider.errors import ConfigurationError",
        values="import math",
        layout__keys="",
        layout__uri="from deltaglider.layout.keys import name_of\nfrom .keys import name_of\nfrom . import keys",
        store__base="from deltaglider.layout import uri",
        engine__copy="import deltaglider.store.base, deltaglider.codec.base\nfrom deltaglider import _version",
        codec__base="import deltaglider_other",
        cli__main="from deltaglider.client.sync import create_client",
        __init__="from deltaglider.client.sync import create_client",
        __main__="from deltaglider.cli import run",
    )

    assert house.arrows_that_go_up(modules) == []
    assert house.circles(modules) == []


def test_modules_in_a_circle_are_seen_once_whatever_way_round() -> None:
    modules = plant(
        engine__a="from deltaglider.engine.b import x",
        engine__b="def f():\n    from deltaglider.engine import c",
        engine__c="if TYPE_CHECKING:\n    import deltaglider.engine.a",
        engine__d="from deltaglider.engine import a",
        errors="import deltaglider.models",
        models="from deltaglider import errors",
    )

    assert house.circles(modules) == [
        "deltaglider.engine.a -> deltaglider.engine.b -> deltaglider.engine.c -> deltaglider.engine.a",
        "deltaglider.errors -> deltaglider.models -> deltaglider.errors",
    ]


@pytest.mark.parametrize(
    ("sources", "violation"),
    [
        ({"engine__x": "import aiobotocore.session"}, "engine/x.py:1: aiobotocore belongs to store/ client/boto/"),
        (
            {"client__aio": "from botocore.exceptions import ClientError"},
            "client/aio.py:1: botocore belongs to store/ client/boto/",
        ),
        ({"bulk__x": "def f():\n    import aiohttp"}, "bulk/x.py:2: aiohttp belongs to store/"),
        ({"engine__x": "from sqlite3 import connect"}, "engine/x.py:1: sqlite3 belongs to store/ cache/"),
        ({"codec__xdelta3": "import subprocess"}, "codec/xdelta3.py:1: subprocess belongs to codec/process.py"),
        ({"engine__x": "import subprocess as s"}, "engine/x.py:1: subprocess belongs to codec/process.py"),
        ({"client__sync": "import asyncclick"}, "client/sync.py:1: asyncclick belongs to cli/"),
        ({"models": "from rich.console import Console"}, "models.py:1: rich belongs to cli/"),
        ({"cli__main": "import click"}, "cli/main.py:1: click belongs to nobody"),
        ({"store__s3": "import boto3"}, "store/s3.py:1: boto3 belongs to nobody"),
    ],
)
def test_a_library_outside_its_room_is_seen(sources: dict[str, str], violation: str) -> None:
    assert house.strangers(plant(**sources)) == [violation]


def test_libraries_in_their_rooms_are_fine() -> None:
    modules = plant(
        store__s3="import aiobotocore, botocore.exceptions, aiohttp",
        store__directory="import sqlite3",
        cache__notes="import sqlite3",
        codec__process="import subprocess",
        client__boto__x="from botocore.exceptions import ClientError",
        cli__main="import asyncclick, rich.console",
        engine__x="import anyio, richer, clicks",
    )

    assert house.strangers(modules) == []


@pytest.mark.parametrize(
    "call",
    [
        "anyio.run_process(['x'])",
        "await anyio.open_process(['x'])",
        "asyncio.create_subprocess_exec('x')",
        "asyncio.create_subprocess_shell('x')",
        "os.system('x')",
        "os.popen('x')",
        "os.fork()",
        "os.execvp('x', [])",
        "os.posix_spawn('x', [], {})",
    ],
)
def test_a_child_process_started_by_the_back_door_is_seen(call: str) -> None:
    source = f"async def f():\n    {call}"

    assert len(house.children(plant(engine__x=source))) == 1
    assert house.children(plant(codec__process=source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "os.environ['X']",
        "x = os.getenv('X')",
        "from os import environ",
        "from os import path, getenv",
        "os.putenv('X', '')",
    ],
)
def test_a_reader_of_the_environment_is_seen(source: str) -> None:
    assert len(house.readers_of_the_environment(plant(cli__main=source))) == 1
    assert house.readers_of_the_environment(plant(config=source)) == []
    assert house.readers_of_the_environment(plant(cli__main="import os\nos.path.join('environ')")) == []


def test_a_print_is_seen() -> None:
    assert house.printers(plant(engine__x="def f():\n    print('x')")) == ["engine/x.py:2: print"]
    assert house.printers(plant(engine__x="map(print, [])")) == ["engine/x.py:1: print"]
    assert house.printers(plant(cli__output="print('x')", engine__x="pprint('x'); self.print('x')")) == []


def test_an_early_dataclass_is_seen() -> None:
    ours = "import dataclasses\nfrom deltaglider.late import dataclass\n@dataclass()\nclass X:\n    a: int"
    assert house.early_dataclasses(plant(engine__x=ours, late="from dataclasses import dataclass")) == []
    theirs = plant(
        engine__x="@dataclasses.dataclass\nclass X: ...", engine__y="from dataclasses import dataclass, field"
    )
    said = "1: dataclass, not that of deltaglider.late"
    assert house.early_dataclasses(theirs) == [f"engine/x.py:{said}", f"engine/y.py:{said}"]


def test_what_is_too_long_is_seen() -> None:
    long = 'def f():\n    """Fine.\n' + "\n" * 50 + '    """\n' + "    x()\n"

    assert house.too_long(plant(engine__x="#\n" * 400)) == []
    assert house.too_long(plant(engine__x="#\n" * 401)) == ["engine/x.py: 401 lines"]
    assert house.too_long(plant(engine__x=long + "    y()\n" * 58)) == []  # Docstrings do not count.
    assert house.too_long(plant(engine__x=long + "    y()\n" * 59)) == ["engine/x.py:1: f has 61 lines"]


@pytest.mark.parametrize(
    ("source", "violation"),
    [
        ("", "deltaglider.engine.x has no docstring"),
        ("def f(): ...", "f has no docstring"),
        ("async def f(): ...", "f has no docstring"),
        ("class C: ...", "C has no docstring"),
        ('class C:\n    """A class."""\n    def f(self): ...', "C.f has no docstring"),
        ('class C:\n    """A class."""\n    @property\n    def f(self): ...', "C.f has no docstring"),
        ('def f():\n    """Does it"""', "f: the summary is no sentence: 'Does it'"),
        ('def f():\n    """\n    Args:\n        x: Y\n    """', "f: the summary is no sentence: 'Args:\\n    x: Y'"),
    ],
)
def test_what_says_nothing_is_seen(source: str, violation: str) -> None:
    text = f'"""A module."""\n{source}' if source else source

    assert house.undocumented(plant(engine__x=text)) == [f"engine/x.py: {violation}"]


def test_private_things_may_be_silent() -> None:
    source = '''
"""A module."""
def _f(): ...
class _C:
    def f(self): ...
class C:
    """A class."""
    def __init__(self): ...
    def _f(self): ...
    @overload
    def g(self): ...
    def g(self):
        """Does it."""
        def inner(): ...
'''

    assert house.undocumented(plant(engine__x=source, _version="", engine___x="")) == []


ARGS = """
def f(a, b, *c, d=1, **e):
    \"\"\"Does it.

    Args:
        {args}
    \"\"\"
"""


@pytest.mark.parametrize(
    ("path", "source", "violation"),
    [
        ("engine__x", ARGS.format(args="a: A."), "f: Args says ['a'], the parameters are ['a', 'b', '*c', 'd', '**e']"),
        (
            "engine__x",
            'class C:\n    """A class.\n\n    Args:\n        a: A.\n    """\n    def __init__(self, b): ...',
            "C: Args says ['a'], the parameters are ['b']",
        ),
        ("layout__x", 'def f(a, b, c):\n    """Does it."""', "f: Args is missing, the parameters are ['a', 'b', 'c']"),
        (
            "client__x",
            'class C:\n    """A class."""\n    async def f(self, a, b, c):\n        """Does it."""',
            "C.f: Args is missing, the parameters are ['a', 'b', 'c']",
        ),
        (
            "engine__x",
            (
                '@dataclasses.dataclass(frozen=True)\nclass C:\n    """A class.\n\n'
                '    Attributes:\n        b: B.\n    """\n'
                "    a: int\n    b: int"
            ),
            "C: Attributes says ['b'], the fields are ['a', 'b']",
        ),
        (
            "models",
            '@dataclass\nclass C:\n    """A class."""\n    a: int',
            "C: Attributes says [], the fields are ['a']",
        ),
        (
            "engine__x",
            'def f() -> None:\n    """Does it.\n\n    Returns:\n        It.\n    """',
            "f: Returns is there, but it returns None",
        ),
        (
            "engine__x",
            (
                'def f() -> int:\n    """Does it.\n\n    Yields:\n        It.\n    """\n'
                "    def g():\n        yield 1\n    return 1"
            ),
            "f: Yields is there, but it yields nothing",
        ),
        (
            "engine__x",
            (
                'def f():\n    """Does it.\n\n    Raises:\n        IntegrityError: X.\n    """\n'
                '    raise NotFoundError("x")'
            ),
            "f: Raises does not say NotFoundError",
        ),
        (
            "engine__x",
            (
                'def f(a):\n    """Does it.\n\n    Args:\n        a: A.\n    """\n'
                '    if a:\n        raise NotFoundError("x")'
            ),
            "f: Raises does not say NotFoundError",
        ),
    ],
)
def test_a_docstring_that_disagrees_with_its_code_is_seen(path: str, source: str, violation: str) -> None:
    modules = plant(**{path: f'"""A module."""\n{source}'})

    assert house.misdescribed(modules) == [f"{modules[0].path}: {violation}"]


def test_docstrings_that_agree_are_fine() -> None:
    source = '''
"""A module."""
def f(a, /, b, *c, d=1, **e) -> int:
    """Does it.

    Args:
        a: A: with a colon
            and a second line.
        b: B.
        *c: C.
        d: D.
        **e: E.

    Returns:
        It.

    Raises:
        StoreError: Or what grows from it.
        ValueError: Not ours.
    """
    def inner():
        raise CodecError("not of f itself")
    raise NotFoundError("x")

async def g(a, b, c):
    """Yields it.

    Yields:
        It.
    """
    yield 1

def h(a):
    """Short ones need no sections: even if they raise."""
    raise NotFoundError("x")

@dataclasses.dataclass
class C:
    """A class.

    Attributes:
        a: A.
    """
    a: int
    _b: int
    c: ClassVar[int]
'''

    assert house.misdescribed(plant(engine__x=source)) == []
