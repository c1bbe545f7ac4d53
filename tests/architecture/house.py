"""The rules of the house, as functions from source code to what breaks them.

Each takes the modules of the package and gives one line per violation, so that the tests can show each of them at work
on planted sources before they trust it with the real ones.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from deltaglider import errors
from deltaglider.errors import DeltaGliderError

PACKAGE = "deltaglider"
SOURCE = Path(__file__).parents[2] / PACKAGE

# From the ground up. Rooms side by side do not know each other; the modules of the ground floor may, without a circle.
GROUND = (
    "_version",
    "errors",
    "config",
    "models",
    "figures",
    "findings",
    "records",
    "events",
    "values",
    "descriptors",
    "earlier",
    "files",
    "late",
    "lean",
    "scratch",
    "startup",
    "tasks",
    "threads",
)
FLOORS: tuple[tuple[str, ...], ...] = (
    GROUND,
    ("layout",),
    ("archive",),
    ("codec", "store", "cache"),
    ("engine",),
    ("bulk",),
    ("distributed",),
    ("client",),
    ("cli", "report", "telemetry", "types", "fs"),
    ("__init__", "__main__", "core", "client_models"),
)
ANYWHERE = "_version"

# What only some places may import.
CONFINED: Mapping[str, tuple[str, ...]] = {
    "aiobotocore": ("store/", "client/boto/"),
    "botocore": ("store/", "client/boto/"),
    "aiohttp": ("store/",),
    "fsspec": ("fs/",),
    "sqlite3": ("store/", "cache/"),
    "boto3": (),
    "subprocess": ("codec/process.py",),
    "multiprocessing": (),
    "opentelemetry": ("telemetry/",),
    "asyncclick": ("cli/",),
    "click": (),
    "rich": ("cli/",),
}
CHILDREN = re.compile(
    r"(run_process|open_process|create_subprocess_\w+|os\.(system|popen|fork|exec\w+|(posix_)?spawn\w*))"
)
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
# What others build on, and so describes each parameter.
SPELLED_OUT = (
    "config.py",
    "errors.py",
    "models.py",
    "figures.py",
    "findings.py",
    "events.py",
    "layout/",
    "codec/base.py",
    "store/base.py",
    "client/",
)
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60


@dataclasses.dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        path: Below the package, such as ``layout/uri.py``.
        source: Its text.
    """

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @property
    def name(self) -> str:
        """As it is imported."""
        parts = self.path.removesuffix(".py").split("/")
        return ".".join([PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)])

    @property
    def room(self) -> str:
        """The room it is in, or for a module of the top level itself."""
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def is_public(self) -> bool:
        return not re.search(r"(^|/)_(?!_init__|_main__)", self.path)


def read_house() -> list[Module]:
    return [
        Module(path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    ]


# --- what is imported


def imports_of(module: Module, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and full name of each module imported, wherever in the file the import stands."""
    known = set(known)
    package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, [base, node.module or ""]))
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                yield node.lineno, submodule if submodule in known else origin
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from ((node.lineno, str(name.value)) for name in node.args[:1] if isinstance(name, ast.Constant))


def _own_imports(modules: list[Module]) -> Iterator[tuple[Module, int, str]]:
    names = {module.name for module in modules}
    for module in modules:
        for line, target in imports_of(module, names):
            if target == PACKAGE or target.startswith(PACKAGE + "."):
                yield module, line, target


def _room_of(target: str) -> str:
    return target.split(".")[1] if "." in target else "__init__"


def arrows_that_go_up(modules: list[Module]) -> list[str]:
    """Imports of a higher floor, or of another room on the same one."""
    floor = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
    found = [f"{module.path}: {module.room} has no floor" for module in modules if module.room not in floor]
    for module, line, target in _own_imports(modules):
        here, there = module.room, _room_of(target)
        if here == there or here not in floor or there == ANYWHERE:
            continue
        if there not in floor:
            found.append(f"{module.path}:{line}: {target} has no floor")
        elif floor[there] > floor[here] or (floor[there] == floor[here] and here not in GROUND):
            found.append(f"{module.path}:{line}: {here} may not know {there} ({target})")
    return found


def circles(modules: list[Module]) -> list[str]:
    """Modules that import each other, by whatever way round."""
    edges: dict[str, set[str]] = {module.name: set() for module in modules}
    for module, _, target in _own_imports(modules):
        if target in edges and target != module.name:
            edges[module.name].add(target)
    found: set[tuple[str, ...]] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = path[path.index(name) :]
            first = circle.index(min(circle))
            found.add(circle[first:] + circle[:first])
        elif name not in done:
            for target in sorted(edges[name]):
                visit(target, (*path, name))
            done.add(name)

    done: set[str] = set()
    for name in edges:
        visit(name, ())
    return [" -> ".join([*circle, circle[0]]) for circle in sorted(found)]


def strangers(modules: list[Module]) -> list[str]:
    """Libraries outside the rooms they are confined to."""
    found = []
    for module in modules:
        for line, target in imports_of(module, ()):
            library = target.split(".")[0]
            if library in CONFINED and not module.path.startswith(CONFINED[library] or ("/",)):
                found.append(f"{module.path}:{line}: {library} belongs to {' '.join(CONFINED[library]) or 'nobody'}")
    return found


def children(modules: list[Module]) -> list[str]:
    """Child processes started anywhere but in ``codec/process.py``, by ways that need no import of ``subprocess``."""
    return [
        f"{module.path}:{node.lineno}: {ast.unparse(node.func)} starts a child process"
        for module in modules
        if module.path != "codec/process.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and CHILDREN.search(ast.unparse(node.func).removeprefix("anyio."))
    ]


# --- what is used


def readers_of_the_environment(modules: list[Module]) -> list[str]:
    """``os.environ`` and its kin outside ``config.py``."""
    found = []
    for module in modules:
        if module.path == "config.py":
            continue
        for node in ast.walk(module.tree):
            used: set[str] = set()
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                used = {node.attr}
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                used = {alias.name for alias in node.names}
            found += [f"{module.path}:{node.lineno}: os.{name}" for name in sorted(used & ENVIRONMENT)]  # type: ignore[attr-defined]
    return found


def printers(modules: list[Module]) -> list[str]:
    """``print`` outside ``cli/``."""
    return [
        f"{module.path}:{node.lineno}: print"
        for module in modules
        if module.room != "cli"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and node.id == "print"
    ]


def early_dataclasses(modules: list[Module]) -> list[str]:
    """Dataclasses whose methods are compiled when they are defined, which every command that loads them pays for."""
    found = []
    for module in modules:
        if module.path == "late.py":
            continue
        for node in ast.walk(module.tree):
            named = isinstance(node, ast.Attribute) and ast.unparse(node) == "dataclasses.dataclass"
            imported = isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
            if named or (imported and any(alias.name == "dataclass" for alias in node.names)):
                found.append(f"{module.path}:{node.lineno}: dataclass, not that of deltaglider.late")
    return found


def too_long(modules: list[Module]) -> list[str]:
    """Modules and functions of too many lines."""
    found = []
    for module in modules:
        lines = len(module.source.splitlines())
        if lines > MOST_LINES:
            found.append(f"{module.path}: {lines} lines")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1 - _lines_of_docstring(node)
                if length > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{module.path}:{node.lineno}: {node.name} has {length} lines")
    return found


def _lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) is not None else 0


# --- what is said

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(modules: list[Module]) -> list[str]:
    """Public modules, classes, functions and methods without a docstring that ends its first line as a sentence."""
    found = []
    for module, name, node in _public(modules):
        first = (ast.get_docstring(node) or "").partition("\n\n")[0].rstrip()
        if not first:
            found.append(f"{module.path}: {name} has no docstring")
        elif not first.endswith((".", ":", "?", "!")):
            found.append(f"{module.path}: {name}: the summary is no sentence: {first[-30:]!r}")
    return found


def misdescribed(modules: list[Module]) -> list[str]:
    """Docstrings that disagree with their code.

    - ``Args`` names exactly the parameters, in their order; in a class, those of ``__init__``. What others build on
      (``SPELLED_OUT``) has it from three parameters on.
    - ``Attributes`` names exactly the public fields of a dataclass, in their order; ``SPELLED_OUT`` has it always.
    - ``Returns`` is there only where something is returned, ``Yields`` only where something is yielded.
    - ``Raises`` names each of our errors that the body raises, or a branch of the tree it belongs to, where the
      docstring has sections at all.
    """
    found = []
    for module, name, node in _public(modules):
        said = _sections(ast.get_docstring(node) or "")
        complaints: list[str] = []
        if isinstance(node, ast.ClassDef):
            complaints = _about_class(node, said, spelled_out=module.path.startswith(SPELLED_OUT))
        elif not isinstance(node, ast.Module):
            complaints = _about_function(node, said, spelled_out=module.path.startswith(SPELLED_OUT))
        found += [f"{module.path}: {name}: {complaint}" for complaint in complaints]
    return found


def _about_class(node: ast.ClassDef, said: dict[str, list[str]], *, spelled_out: bool) -> list[str]:
    found = []
    decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    if "dataclass" in decorators:
        fields = [
            statement.target.id
            for statement in node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and not statement.target.id.startswith("_")
            and "ClassVar" not in ast.unparse(statement.annotation)
        ]
        if said.get("Attributes", [] if spelled_out else fields) != fields:
            found.append(f"Attributes says {said.get('Attributes', [])}, the fields are {fields}")
    init = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    if init is not None:
        found += _about_arguments(_parameters(init), said)
    return found


def _about_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, said: dict[str, list[str]], *, spelled_out: bool
) -> list[str]:
    parameters = _parameters(node)
    found = _about_arguments(parameters, said)
    if spelled_out and len(parameters) > 2 and "Args" not in said:
        found.append(f"Args is missing, the parameters are {parameters}")
    returns = ast.unparse(node.returns) if node.returns else ""
    if "Returns" in said and returns in ("None", "NoReturn"):
        found.append(f"Returns is there, but it returns {returns}")
    if "Yields" in said and not any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own_nodes(node)):
        found.append("Yields is there, but it yields nothing")
    raised = {
        node.exc.func.id
        for node in _own_nodes(node)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
    }
    listed = set(said.get("Raises", []))
    unsaid = sorted(name for name in raised if _branches(name) and not _branches(name) & listed)
    if said and unsaid:
        found.append(f"Raises does not say {', '.join(unsaid)}")
    return found


def _about_arguments(parameters: list[str], said: dict[str, list[str]]) -> list[str]:
    if said.get("Args", parameters) == parameters:
        return []
    return [f"Args says {said['Args']}, the parameters are {parameters}"]


def _branches(name: str) -> set[str]:
    """One of our errors and what it grows from, but the root; empty for what is none of ours."""
    kind = getattr(errors, name, DeltaGliderError)
    return {base.__name__ for base in kind.__mro__ if issubclass(base, DeltaGliderError)} - {"DeltaGliderError"}


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body, but not of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            yield from _own_nodes(node)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    names = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
    names += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    names += [argument.arg for argument in arguments.kwonlyargs]
    names += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _sections(docstring: str) -> dict[str, list[str]]:
    """The Google-style sections of a docstring, each with the names it lists."""
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in docstring.splitlines():
        heading = re.fullmatch(r"(Args|Attributes|Returns|Yields|Raises):", line)
        if heading:
            current = sections.setdefault(heading[1], [])
        elif line and not line.startswith(" "):
            current = None
        elif current is not None and (entry := re.match(r"    (\*{0,2}\w+):", line)):
            current.append(entry[1])
    return sections


def _public(modules: list[Module]) -> Iterator[tuple[Module, str, Documented]]:
    for module in modules:
        if module.is_public:
            yield module, module.name, module.tree
            yield from ((module, name, node) for name, node in _public_in(module.tree, ""))


def _public_in(scope: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, Documented]]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not decorators & {"overload", "override", "typing.overload"}:
                yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public_in(node, f"{prefix}{node.name}.")
