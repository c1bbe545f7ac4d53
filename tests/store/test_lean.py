"""Leaving out what no command needs changes nothing of what one does. Each case is a process: modules load once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from deltaglider.store.s3.lean import INSTEAD


def told_by(program: str) -> Any:
    """What a program prints, in an interpreter of its own that has loaded the libraries leanly."""
    begin = "import sys, json, ssl\nfrom deltaglider.store.s3 import lean\n"
    ended = subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, check=False, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


OURS = "[str(finder) for finder in sys.meta_path if 'deltaglider' in type(finder).__module__]"
LOAD = "lean.load_leanly('deltaglider.store.s3.connect')\n"


def test_all_that_gets_something_else_is_loaded_and_knows_it_by_the_name_it_asks_for() -> None:
    loaded = told_by(LOAD + "print(json.dumps(sorted(sys.modules)))")
    assert set(INSTEAD) <= set(loaded)
    left_out = {"botocore.docs", "brotli", "brotlicffi", "backports.zstd", "compression.zstd", "importlib.metadata"}
    assert left_out.isdisjoint(loaded)


def test_nothing_of_it_stays_for_others() -> None:
    program = """
import re, botocore.docs.docstring, importlib.metadata
print(json.dumps([
    OURS,
    botocore.docs.docstring.ClientMethodDocstring.__module__,
    type(re.compile("a")).__module__,
    type(ssl.create_default_context()).__module__,
    type(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).__module__,
    importlib.metadata.version("botocore").split(".")[0],
]))
"""
    expected = [[], "botocore.docs.docstring", "re", "ssl", "ssl", "1"]
    assert told_by(LOAD + program.replace("OURS", OURS)) == expected


def test_aiohttp_knows_every_context_and_verifies_by_default() -> None:
    # What it takes for no context at all it would answer with the one that trusts all.
    program = """
import aiohttp.connector as c
class Request:
    def __init__(self, given): self.ssl = given
    def is_ssl(self): return True
class Connector:
    _ssl = True
choose = c.TCPConnector._get_ssl_context
mine = ssl.create_default_context()
default = choose(Connector(), Request(True))
opened = default.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
unverified = choose(Connector(), Request(False))
plain = ssl.create_default_context()
print(json.dumps([
    choose(Connector(), Request(mine)) is mine,
    isinstance(mine, c.ssl.SSLContext),
    opened.context.verify_mode == ssl.CERT_REQUIRED and opened.context.check_hostname,
    len(opened.context.get_ca_certs()) == len(plain.get_ca_certs()),
    unverified.verify_mode == ssl.CERT_NONE and not unverified.check_hostname,
]))
"""
    assert told_by(LOAD + program) == [True] * 5


def test_urls_are_read_as_ever() -> None:
    program = (
        "from urllib3.util.url import parse_url\n"
        "print(json.dumps([parse_url(url) for url in "
        "('http://[2001:db8::1%25eth0]:80/a?b#c', 'HTTPS://u:p@H.test/%7ea/../b', '10.0.0.1:9')]))"
    )
    assert told_by(LOAD + program) == told_by(program)


@pytest.mark.parametrize("name", ["botocore.docs.docstring", "importlib.metadata", "re", "ssl"])
def test_a_version_that_does_not_bear_it_is_loaded_as_ever(name: str) -> None:
    program = f"""
import types
touched = [module for module, instead in lean.INSTEAD.items() if {name!r} in instead]
for module in touched:
    lean.INSTEAD[module][{name!r}] = types.ModuleType("odd")
lean.load_leanly("deltaglider.store.s3.connect")
early = "deltaglider.store.s3.connect" in sys.modules
from deltaglider.store.s3.connect import Blueprint
from deltaglider.config import Settings
odd = [name for name in touched if any(getattr(x, "__name__", "") == "odd" for x in vars(sys.modules[name]).values())]
print(json.dumps([early, OURS, odd, type(Blueprint(Settings())).__name__]))
"""
    early, found, odd, made = told_by(program.replace("OURS", OURS))
    assert (found, made) == ([], "Blueprint")
    # wrapt looks into importlib.metadata when it is asked for entry points only, which botocore never does.
    assert (early, odd) == (False, [] if name != "importlib.metadata" else odd)
