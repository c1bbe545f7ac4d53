"""Leaving out what no command needs changes nothing of what one does. Each case is a process: modules load once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from deltaglider.store.s3.lean import INSTEAD, WITHOUT_PROXIES


def told_by(program: str, **environ: str) -> Any:
    """What a program prints, in an interpreter of its own that has loaded the libraries leanly.

    It is not measured: coverage, which starts in every child of a measured run, loads some of them itself.

    Args:
        program: The program.
        **environ: The environment, beside what is told of proxies to us.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith(("COVERAGE_", "COV_CORE_"))
    }
    begin = "import sys, json, ssl\nfrom deltaglider.store.s3 import lean\n"
    ended = subprocess.run(
        [sys.executable, "-c", begin + program],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={**kept, **environ},
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


OURS = "[str(finder) for finder in sys.meta_path if 'deltaglider' in type(finder).__module__]"
LOAD = "lean.load_leanly('deltaglider.store.s3.connect')\n"


LEFT_OUT = {
    *("aioitertools", "attr", "backports.zstd", "botocore.docs", "botocore.vendored.six", "brotli", "brotlicffi"),
    *(
        "compression.zstd",
        "dateutil",
        "email.parser",
        "email.policy",
        "idna",
        "importlib.metadata",
        "jmespath",
        "pickle",
    ),
    *("wrapt.importer", "wrapt.patches"),
}
NOBODY_CONNECTS_WITH = {"http.client", "urllib.request", "urllib3"}
LOADED = LOAD + "print(json.dumps(sorted(sys.modules)))"


def test_all_that_gets_something_else_is_loaded_and_knows_it_by_the_name_it_asks_for() -> None:
    loaded = set(told_by(LOADED, https_proxy="http://proxy.test"))
    assert set(INSTEAD) <= loaded
    assert loaded & (LEFT_OUT - {"email.parser"} | NOBODY_CONNECTS_WITH) == NOBODY_CONNECTS_WITH


def test_where_nothing_is_sent_through_a_proxy_urllib3_is_left_out() -> None:
    loaded = set(told_by(LOADED))
    assert {name for name in {*INSTEAD, *WITHOUT_PROXIES} if not name.startswith("urllib3.")} <= loaded
    assert loaded & (LEFT_OUT | NOBODY_CONNECTS_WITH) == set()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "https_proxy", "no_proxy"])
def test_proxies_are_found_as_ever(variable: str) -> None:
    program = (
        "from botocore.utils import get_environ_proxies\n"
        "from aiohttp.helpers import proxies_from_env\n"
        "print(json.dumps([[get_environ_proxies(url) for url in ('http://a.test', 'https://b.test:8')],"
        " {name: str(info.proxy) for name, info in proxies_from_env().items()}]))"
    )
    environ = {variable: "http://b.test:8"}
    assert told_by(LOAD + program, **environ) == told_by(program, **environ)
    assert told_by(LOAD + program) == told_by(program) == [[{}, {}], {}]


def test_the_classes_of_aiohttp_are_as_ever() -> None:
    program = """
import aiohttp
from aiohttp.helpers import ETag, parse_mimetype
from aiohttp.client_ws import ClientWSTimeout
import attr
some = [aiohttp.ClientTimeout(total=5), ETag("a"), ClientWSTimeout(ws_close=3.0), parse_mimetype("a/b+c; d=e")]
try:
    some[0].total = 1
    frozen = False
except AttributeError:
    frozen = True
print(json.dumps([
    [repr(each) for each in some],
    frozen,
    [aiohttp.ClientTimeout(5) == some[0], ETag("b") == some[1], hash(ETag("a")) == hash(some[1])],
    repr(aiohttp.client.attr.evolve(some[0], connect=2)),
    aiohttp.helpers.parse_content_type("text/plain; charset=utf-8")[0],
]))
"""
    assert told_by(LOAD + program) == told_by("import aiohttp\n" + program)


def test_what_is_loaded_late_does_the_same() -> None:
    program = """
import botocore.utils, botocore.credentials, botocore.paginate, botocore.regions, botocore.hooks, botocore.compat
import botocore.parsers, yarl
from datetime import UTC
emitter = botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter())
print(json.dumps([
    str(botocore.utils.parse_timestamp("Mon, 02 Jan 2006 15:04:05 GMT").astimezone(UTC)),
    str(botocore.credentials.parse("2006-01-02T15:04:05Z").astimezone(UTC)),
    str(botocore.credentials._local_now().tzinfo.utcoffset(None) is None),
    botocore.paginate.jmespath.compile("a[0].b").search({"a": [{"b": 1}]}),
    [bool(botocore.utils.is_valid_ipv6_endpoint_url(url)) for url in ("http://[::1]:80", "http://a.test")],
    [bool(botocore.utils.is_valid_endpoint_url(url)) for url in ("http://a_.test", "http://a-b.test")],
    [emitter._alias_event_name(name) for name in ("before-call.s3.GetObject", "before-call.sso.x", "a.portal.sso.b")],
    [bool(botocore.compat.accepts_kwargs(each)) for each in (lambda **k: 0, lambda k: 0, str.join, emitter.emit)],
    botocore.parsers.http.client.responses[404],
    [str(yarl.URL(url)) for url in ("http://bücher.test/", "http://xn--bcher-kva.test/")],
    yarl.URL("http://xn--bcher-kva.test/").host,
    list(botocore.compat.HTTPHeaders.from_pairs([("A", "1"), ("a", "2")]).items()),
]))
"""
    assert told_by(LOAD + program) == told_by(program)


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


@pytest.mark.parametrize("name", ["attr", "botocore.docs.docstring", "dateutil.tz", "re", "ssl"])
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
    assert (early, odd) == (False, [])
