"""The two sides of a comparison: a program, a server, and how its buckets are filled and looked at."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import shutil
import ssl
import stat
import tempfile
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deltaglider import DeltaGliderClient, create_client
from deltaglider.errors import StoreError
from tests.parity.case import Case, Directory, Fifo, File, Like, Link, Local, Object
from tests.parity.programs import Ended, Program
from tests.servers import S3Endpoint

HEADERS = (
    "ContentType",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "Expires",
    "WebsiteRedirectLocation",
    "StorageClass",
    "ServerSideEncryption",
)
ARCHIVED = "archived"
_ENVIRON = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclasses.dataclass(frozen=True)
class Observed:
    """What a case came to on one side, as it is; ``compare`` makes it comparable.

    Attributes:
        ended: How each command line ended.
        files: The working directory: of each name a description.
        objects: Of each bucket's keys a description of the object.
        uploads: Unfinished multipart uploads.
        here: The working directory.
        fetched: SHA-256 of what the URLs on stdout gave.
    """

    ended: tuple[Ended, ...]
    files: Mapping[str, Mapping[str, Any]]
    objects: Mapping[str, Mapping[str, Mapping[str, Any]]]
    uploads: tuple[str, ...]
    here: Path
    fetched: Mapping[str, str]


class Side(ABC):
    """A program on a server.

    Args:
        program: The program.
        endpoint: A server that nobody else uses meanwhile.
    """

    def __init__(self, program: Program, endpoint: S3Endpoint) -> None:
        self.program = program
        self.endpoint = endpoint
        self.s3: Any = endpoint.client()

    @abstractmethod
    def put(self, variant: str, bucket: str, key: str, each: Object, home: Path) -> None:
        """Stores an object."""

    @abstractmethod
    def look_at(self, bucket: str, home: Path, *, access: bool) -> dict[str, dict[str, Any]]:
        """All objects of a bucket, described."""

    def run(self, case: Case, variant: str) -> Observed:
        """Sets a case up, runs its command lines, and looks at what became of it."""
        home = Path(os.path.realpath(tempfile.mkdtemp(prefix="dg-parity-")))
        try:
            with self._buckets(case):
                return self._run(case, variant, home)
        finally:
            _make_removable(home)
            shutil.rmtree(home)

    def _run(self, case: Case, variant: str, home: Path) -> Observed:
        here, scratch = home / "here", home / "scratch"
        here.mkdir()
        scratch.mkdir()
        for letter, objects in (("b", case.objects), ("c", case.others)):
            for key, each in objects.items():
                self.put(variant, case.bucket(letter), key, each, home)
        for name, local in case.files.items():
            self._make(here / name, local, case.bucket("b"))
        environ = self._environ(case, home)
        stored = {letter: case.bucket(letter) for letter in "bcd"}
        times = self._times(stored.values())
        before = {path: path.lstat().st_mtime_ns for path in here.rglob("*")}
        ended = tuple(
            self.program.run(self._arguments(line, case, here), here, scratch, environ, case.stdin)
            for line in case.commands
        )
        there = {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}
        return Observed(
            ended,
            _described(here, before, times | self._times(stored.values())),
            {letter: self.look_at(name, home, access=case.access) for letter, name in stored.items() if name in there},
            tuple(upload for name in sorted(there & set(stored.values())) for upload in self._uploads(name)),
            here,
            dict(_fetched(ended, self.endpoint.ca_bundle)),
        )

    @contextmanager
    def _buckets(self, case: Case) -> Iterator[None]:
        if self.endpoint.name == "moto":
            urllib.request.urlopen(f"{self.endpoint.url}/moto-api/reset", b"").close()
        for letter in case.buckets:
            place = self.endpoint.region
            more = {} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}
            self.s3.create_bucket(Bucket=case.bucket(letter), **more)
        yield
        if self.endpoint.name == "moto":
            return
        for bucket in self.s3.list_buckets()["Buckets"]:
            self._remove(bucket["Name"])

    def _remove(self, bucket: str) -> None:
        for key in self._stored(bucket):
            self.s3.delete_object(Bucket=bucket, Key=key)
        self.s3.delete_bucket(Bucket=bucket)

    def _stored(self, bucket: str) -> Iterator[str]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def _times(self, buckets: Iterable[str]) -> set[int]:
        there = {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}
        found = set()
        for name in there.intersection(buckets):
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=name):
                found |= {int(entry["LastModified"].timestamp()) for entry in page.get("Contents", [])}
        return found

    def _uploads(self, bucket: str) -> list[str]:
        answer = self.s3.list_multipart_uploads(Bucket=bucket)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def _make(self, path: Path, local: Local, bucket: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(local, Link):
            path.symlink_to(local.to)
        elif isinstance(local, Fifo):
            os.mkfifo(path)
        elif isinstance(local, Directory):
            path.mkdir()
            if local.mode is not None:
                path.chmod(local.mode)
        else:
            self._write(path, local if isinstance(local, File) else File(local), bucket)

    def _write(self, path: Path, file: File, bucket: str) -> None:
        path.write_bytes(file.data.encode() if isinstance(file.data, str) else file.data)
        if isinstance(file.mtime, Like):
            moment = int(self._time_of(bucket, file.mtime.key)) + file.mtime.seconds
            os.utime(path, (moment, moment))
        elif file.mtime is not None:
            os.utime(path, (file.mtime, file.mtime))
        if file.mode is not None:
            path.chmod(file.mode)

    def _time_of(self, bucket: str, key: str) -> float:
        return self.s3.head_object(Bucket=bucket, Key=key)["LastModified"].timestamp()  # type: ignore[no-any-return]

    def _environ(self, case: Case, home: Path) -> dict[str, str]:
        known = self.endpoint.environ()
        environ: dict[str, str | None] = {
            **{name: known[name] for name in (*_ENVIRON, "AWS_CA_BUNDLE") if name in known},
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DG_CACHE_DIR": str(home / "cache"),
            **case.environ,
        }
        return {name: value for name, value in environ.items() if value is not None}

    def _arguments(self, line: str, case: Case, here: Path) -> list[str]:
        for letter in "bcd":
            line = line.replace(f"${letter}", case.bucket(letter))
        return shlex.split(line.replace("$here", str(here)))


class Theirs(Side):
    """``aws`` on a server."""

    def put(self, variant: str, bucket: str, key: str, each: Object, home: Path) -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=each.body, **each.put)

    def look_at(self, bucket: str, home: Path, *, access: bool) -> dict[str, dict[str, Any]]:
        found = {}
        for key in self._stored(bucket):
            answer = self.s3.head_object(Bucket=bucket, Key=key)
            found[key] = {
                "content": self._content(bucket, key),
                "metadata": answer["Metadata"],
                **_headers(answer, HEADERS),
                **(access_to(self.s3, bucket, key) if access else {}),
            }
        return found

    def _content(self, bucket: str, key: str) -> str:
        try:
            return hashlib.sha256(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest()
        except self.s3.exceptions.InvalidObjectState:
            return ARCHIVED


class Ours(Side):
    """``deltaglider`` on a server."""

    def put(self, variant: str, bucket: str, key: str, each: Object, home: Path) -> None:
        if variant != "delta" or not each.worthy:
            self.s3.put_object(Bucket=bucket, Key=key, Body=each.body, **each.put)
            return
        given = dict(each.put)
        metadata, tags = given.pop("Metadata", None), given.pop("Tagging", None)
        with self._client(home) as client:
            client.upload(each.body, f"s3://{bucket}/{key}", metadata=metadata, headers=given)
            info = client.head(f"s3://{bucket}/{key}")
        assert info.is_delta, f"{key} is not stored as a delta"
        if tags:
            pairs = [dict(zip(("Key", "Value"), pair.split("="), strict=True)) for pair in tags.split("&")]
            self.s3.put_object_tagging(Bucket=bucket, Key=info.stored_key, Tagging={"TagSet": pairs})

    def look_at(self, bucket: str, home: Path, *, access: bool) -> dict[str, dict[str, Any]]:
        found = {}
        with self._client(home) as client:
            # "list" takes what stands for directories for prefixes; an empty prefix finds all there is.
            for entry in client.list(f"s3://{bucket}", recursive=True):
                info = client.head(entry.url) if not entry.key.endswith("/") else entry
                stored_key = info.stored_key or info.key
                stored = self.s3.head_object(Bucket=bucket, Key=stored_key)
                known = {"ContentType": info.content_type or stored["ContentType"], **info.headers}
                if "Expires" in stored:
                    known["Expires"] = str(stored["Expires"])
                found[info.key] = {
                    "content": _content(client, entry, home / "object"),
                    "metadata": dict(info.metadata),
                    **_headers(stored, HEADERS[6:]),
                    **_headers(known, HEADERS),
                    **(access_to(self.s3, bucket, stored_key) if access else {}),
                }
                assert entry.size == info.size
        return found

    def _time_of(self, bucket: str, key: str) -> float:
        try:
            return super()._time_of(bucket, key)
        except self.s3.exceptions.ClientError:
            return super()._time_of(bucket, f"{key}.delta")

    def _client(self, home: Path) -> DeltaGliderClient:
        return create_client(**self.endpoint.client_kwargs(cache_dir=home / "look"))


def _content(client: DeltaGliderClient, entry: Any, target: Path) -> str:
    try:
        client.download(entry.url, target, marker=True)
    except StoreError as error:
        if "archived" not in str(error):
            raise
        return ARCHIVED
    data = target.read_bytes()
    target.unlink()
    assert len(data) == entry.size
    return hashlib.sha256(data).hexdigest()


def _headers(found: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    # SeaweedFS keeps how a body came over TLS as if it were the body's own encoding.
    return {name: str(found[name]) for name in names if name in found and found[name] != "aws-chunked"}


def access_to(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    """Tags and grants of a stored object; where a server knows none, what it says instead."""
    found: dict[str, Any] = {}
    for name, ask in (("tags", s3.get_object_tagging), ("grants", s3.get_object_acl)):
        try:
            answer = ask(Bucket=bucket, Key=key)
        except s3.exceptions.ClientError as error:
            found[name] = error.response["Error"]["Code"]
        else:
            pairs = [(tag["Key"], tag["Value"]) for tag in answer.get("TagSet", [])]
            found[name] = sorted(
                pairs + [(_who(each["Grantee"]), each["Permission"]) for each in answer.get("Grants", [])]
            )
    return found


def _who(grantee: Mapping[str, str]) -> str:
    return grantee.get("URI") or grantee.get("ID") or grantee.get("EmailAddress", "")


def _described(here: Path, before: Mapping[Path, int], times: set[int]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for directory, directories, files in os.walk(here):
        for name in (*directories, *files):
            path = Path(directory, name)
            mode = path.lstat().st_mode
            what: dict[str, Any] = {"kind": stat.S_IFMT(mode)}
            if stat.S_ISLNK(mode):
                what["to"] = str(path.readlink())
            elif not stat.S_ISDIR(mode):
                found_time = path.stat().st_mtime_ns
                unchanged = before.get(path) == found_time
                what |= {
                    "mode": oct(stat.S_IMODE(mode)),
                    "time": "unchanged" if unchanged else _time(found_time, times),
                }
            if stat.S_ISREG(mode):
                what["content"] = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(here))] = what
    return found


def _time(nanoseconds: int, times: set[int]) -> str:
    # Files are written in the middle of seconds; S3 gives whole ones.
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    return "as an object" if not rest and whole in times else "now"


def _fetched(ended: tuple[Ended, ...], ca_bundle: Path | None) -> Iterator[tuple[str, str]]:
    context = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else None
    for each in ended:
        for line in each.stdout.splitlines():
            if line.startswith(("http://", "https://")):
                try:
                    with urllib.request.urlopen(line, context=context) as answer:
                        yield line, hashlib.sha256(answer.read()).hexdigest()
                except urllib.error.HTTPError as error:
                    yield line, str(error.code)


def _make_removable(home: Path) -> None:
    for directory, directories, _ in os.walk(home):
        for name in directories:
            path = Path(directory, name)
            if not path.is_symlink():
                path.chmod(0o700)
