"""What the libraries under the S3 store load and no command needs: left out where the process is a command's own.

Half of what it takes to load aiobotocore is work for things that are never used here:

- aiohttp reads all certificates that the system trusts, twice, for contexts in whose place aiobotocore puts its own;
- urllib3, whose connections aiobotocore does not use, compiles the grammar of URLs, and is itself of no use, but for
  proxies;
- botocore loads what writes the documentation of its methods, and reads their signatures to learn one thing of them;
- aiohttp and urllib3 load decompressors, and answers are neither compressed nor decompressed;
- attrs writes and compiles the methods of aiohttp's classes, which are never compared;
- aiobotocore loads httpx, where that is installed, to send requests with it if it is told to;
- botocore looks for the old names of all of its services in each of its events;
- JMESPath, dateutil and the grammar of mail are for what a command rarely does.

So these modules, and no others, are given something else than what they import by these names. It does the same when
it is used; or it is nothing, where the module does without.
"""

from __future__ import annotations

import dataclasses
import functools
import http
import inspect
import re
import ssl
import sys
from collections.abc import Callable
from email.message import Message
from types import ModuleType
from typing import Any

from deltaglider import late, lean
from deltaglider.config import names_a_proxy
from deltaglider.lean import DATACLASSES, Instead, Late, both, like
from deltaglider.store.s3.trust import LateContext


def load_leanly(name: str) -> None:
    """Loads a module; what it imports for the first time leaves out what no command needs.

    Args:
        name: The module. If it cannot be loaded like that, it is not loaded, and may be as ever.
    """
    lean.load_leanly(name, INSTEAD if _may_need_proxies() else both(INSTEAD, WITHOUT_PROXIES))


def _may_need_proxies() -> bool:
    # Elsewhere, the system may name some.
    return sys.platform in ("darwin", "win32") or names_a_proxy()


class _Expression:
    """A regular expression that is compiled when it is used."""

    def __init__(self, pattern: Any, flags: int = 0) -> None:
        self._given = pattern, flags

    @functools.cached_property
    def _compiled(self) -> re.Pattern[Any]:
        return re.compile(*self._given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)


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


def _late_context(*args: Any, **kwargs: Any) -> LateContext:
    return LateContext(lambda: ssl.create_default_context(*args, **kwargs))


def _signature(function: Any) -> Any:
    # botocore asks each of 130 handlers whether it takes any keywords, and takes nothing else of what it gets.
    code = getattr(function, "__code__", None)
    if code is None:
        return inspect.getfullargspec(function)
    keywords = "keywords" if code.co_flags & inspect.CO_VARKEYWORDS else None
    return inspect.FullArgSpec([], None, keywords, None, [], None, {})


def _aliases(name: str) -> Any:
    from botocore import utils

    if name != "EVENT_ALIASES":
        return getattr(utils, name)
    return {old: new for old, new in utils.EVENT_ALIASES.items() if new in ("s3", "sts", "sso", "sso-oidc", "signin")}


def _attributes(*, auto_attribs: bool, **options: bool) -> Any:
    """A class of attrs, whose fields have annotations, as a dataclass."""
    return late.dataclass(**options)


def _module(name: str, **named: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(named)
    return module


@functools.cache
def _exception(name: str) -> type[Exception]:
    """An exception that is named where some are caught, and that nobody raises."""
    return type(name, (Exception,), {})


_LATE_EXPRESSIONS = like(re, compile=_Expression)
_LATE_CONTEXTS = like(ssl, create_default_context=_late_context, SSLContext=_Context)
_ATTRS = _module("attr", s=_attributes, evolve=dataclasses.replace)
_NOTHING = _module("nothing", __getattr__=lambda name: _Nothing)
_NEVER_RAISED = _module("urllib3.exceptions", __getattr__=_exception, InsecurePlatformWarning=Warning)
_ALIASES = _module("botocore.utils", __getattr__=_aliases)
_SIGNATURES = like(inspect, getfullargspec=_signature)
_HTTP = _module(
    "http.client",
    HTTPMessage=Message,
    HTTPResponse=object,
    responses={status: status.phrase for status in http.HTTPStatus},
)
_NO_PROXIES = _module("urllib.request", getproxies=dict, proxy_bypass=lambda host: False)
_TLS = _module(
    "urllib3.util.ssl_",
    ssl=ssl,
    SSLContext=ssl.SSLContext,
    is_ipaddress=Late("urllib3.util.ssl_", "is_ipaddress"),
    **{name: value for name, value in vars(ssl).items() if name.startswith(("OP_", "PROTOCOL_"))},
)

_DECOMPRESSORS = dict.fromkeys(
    ("brotli", "brotlicffi", "backports", "backports.zstd", "compression", "compression.zstd")
)
_DATES: dict[str, ModuleType | None] = {name: Late(name) for name in ("dateutil.parser", "dateutil.tz")}
_JMESPATH: dict[str, ModuleType | None] = {"jmespath": Late("jmespath")}

_EXTRAS_OF_WRAPT = {
    name: Late(f"wrapt.{name}") for name in ("caching", "doc", "importer", "patches", "signature", "weakrefs")
}

_ONE_BY_ONE: Instead = {
    "aiobotocore._httpx": {"httpx": None, "httpx2": None},
    "aiobotocore.credentials": _DATES,
    "aiobotocore.paginate": {"aioitertools": Late("aioitertools"), **_JMESPATH},
    "aiobotocore.tokens": _DATES,
    "aiobotocore.waiter": {"botocore.docs.docstring": _NOTHING},
    "aiohttp": {name: Late(f"aiohttp.{name}") for name in ("client_middleware_digest_auth", "tracing")},
    "aiohttp.client": {
        "attr": _ATTRS,
        "_websocket.reader": Late("aiohttp._websocket.reader"),
        **{name: Late(f"aiohttp.{name}") for name in ("client_ws", "http_websocket", "tracing")},
    },
    "aiohttp.client_reqrep": {"attr": _ATTRS},
    "aiohttp.compression_utils": _DECOMPRESSORS,
    "aiohttp.connector": {"ssl": _LATE_CONTEXTS},
    "aiohttp.cookiejar": {"pickle": _NOTHING},
    "aiohttp.helpers": {"attr": _ATTRS, "email.parser": Late("email.parser"), "email.policy": Late("email.policy")},
    "aiohttp.http": {"http_websocket": Late("aiohttp.http_websocket")},
    "botocore.client": {"botocore.docs.docstring": _NOTHING},
    "botocore.compat": {
        "botocore.vendored": Late("botocore.vendored"),
        "dateutil.tz": _DATES["dateutil.tz"],
        "inspect": _SIGNATURES,
    },
    "botocore.context": DATACLASSES,
    "botocore.credentials": _DATES,
    "botocore.handlers": {"botocore.docs.utils": _NOTHING},
    "botocore.hooks": {"botocore.utils": _ALIASES},
    "botocore.paginate": _JMESPATH,
    "botocore.plugin": DATACLASSES,
    "botocore.regions": _JMESPATH,
    "botocore.tokens": _DATES,
    "botocore.utils": _DATES,
    "botocore.waiter": {"botocore.docs.docstring": _NOTHING, **_JMESPATH},
    "urllib3.http2": {"importlib.metadata": _NOTHING},
    "urllib3.response": _DECOMPRESSORS,
    "urllib3.util.request": _DECOMPRESSORS,
    "yarl._url": {"idna": Late("idna")},
    "wrapt": _EXTRAS_OF_WRAPT,
}
# Whose expressions are rarely used, and then by their methods.
_WITH_EXPRESSIONS = (
    "aiohttp._cookie_helpers",
    "aiohttp.client_reqrep",
    "aiohttp.cookiejar",
    "aiohttp.helpers",
    "botocore.compat",
    "botocore.endpoint_provider",
    "botocore.handlers",
    "botocore.monitoring",
    "botocore.utils",
    "urllib3.util.url",
    "yarl._url",
)

INSTEAD: Instead = both(_ONE_BY_ONE, {name: {"re": _LATE_EXPRESSIONS} for name in _WITH_EXPRESSIONS})
"""By the module that imports, what it gets in the place of what; ``None`` for what it shall find not installed."""

WITHOUT_PROXIES: Instead = {
    "aiohttp.helpers": {"urllib.request": _NO_PROXIES},
    "botocore.awsrequest": {
        "urllib3.util": Late("urllib3.util"),
        "urllib3.connection": _NOTHING,
        "urllib3.connectionpool": _NOTHING,
    },
    "botocore.compat": {
        "http.client": _HTTP,
        "urllib3": _module("urllib3", exceptions=_NEVER_RAISED),
    },
    "botocore.httpsession": {
        "urllib3": _NOTHING,
        "urllib3.exceptions": _NEVER_RAISED,
        "urllib3.poolmanager": _NOTHING,
        "urllib3.util.retry": _NOTHING,
        "urllib3.util.ssl_": _TLS,
        "urllib3.util.url": Late("urllib3.util.url"),
        "urllib3.contrib.pyopenssl": None,
    },
    "botocore.parsers": {"http.client": _module("http", client=_HTTP)},
    "botocore.response": {"urllib3.exceptions": _NEVER_RAISED},
    "botocore.utils": {"urllib.request": _NO_PROXIES, "urllib3.exceptions": _NEVER_RAISED},
}
"""What else, where nothing is sent through a proxy: then nobody needs urllib3."""
