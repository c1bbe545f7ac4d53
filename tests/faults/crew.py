"""Processes that race, and a judge of what they leave.

    with Crew(home, 3) as crew:
        race = Race(crew, endpoint, size=5000)
        race.at_once(race.upload("p/a.zip", "one/1"), race.upload("p/b.zip", "one/2"), race.delete("p/c.zip"))
        race.settle("p/")
        race.lost

Deeds given at once go to one process each. The judge knows of each key what may be there when all is quiet: what the
last deed left, or any of the last ones where several overlapped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.faults.racer import content
from tests.servers import S3Endpoint

HEAD_START = 0.01
"""Seconds from the orders to the start, for all to be ready."""


@dataclasses.dataclass
class Deed:
    """Something one process does, and what becomes of it.

    Attributes:
        order: As the process is told.
        leaves: By key, the SHA-256 of what is there afterwards; ``None`` for nothing.
        begun: When, in seconds of the machine's monotonic clock.
        ended: When; never, if it failed, for then its effect may yet be seen.
        error: Why it failed.
        found: Its answer.
    """

    order: dict[str, Any]
    leaves: dict[str, str | None] = dataclasses.field(default_factory=dict)
    begun: float = 0.0
    ended: float = float("inf")
    error: str = ""
    found: dict[str, Any] = dataclasses.field(default_factory=dict)

    def finish(self, answer: dict[str, Any]) -> None:
        self.found, self.begun, self.error = answer, answer["begun"], answer.get("error", "")
        if not self.error:
            self.ended = answer["ended"]


class Crew:
    """Processes with a client and a cache each, kept for many races."""

    def __init__(self, home: Path, size: int) -> None:
        self._home = home
        self._size = size
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Crew:
        keep = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "DG_"))}
        environ = {**keep, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
        for number in range(self._size):
            home = self._home / str(number)
            home.mkdir(parents=True)
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.racer", str(home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**environ, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
                cwd=Path(__file__).parents[2],
            )
            self._processes.append(process)
        for process in self._processes:
            assert self._answer(process) == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()
            process.stdout.close()

    def __len__(self) -> int:
        return self._size

    def start(self, settings: dict[str, Any], shares: list[list[Deed]], *, fresh: bool = False) -> None:
        """Gives each process its share, and waits for all."""
        begin = time.monotonic() + HEAD_START
        busy = [(process, share) for process, share in zip(self._processes, shares, strict=False) if share]
        for process, share in busy:
            orders = [deed.order for deed in share]
            assert process.stdin
            order = {"settings": settings, "begin": begin, "deeds": orders, "fresh": fresh}
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        for process, share in busy:
            for deed, answer in zip(share, self._answer(process), strict=True):
                deed.finish(answer)

    @staticmethod
    def _answer(process: subprocess.Popen[str]) -> Any:
        assert process.stdout
        line = process.stdout.readline()
        assert line, "a racer died; see its words on stderr"
        return json.loads(line)


class Race:
    """Rounds on one bucket, and what was lost in them.

    Attributes:
        lost: What should have been there and was not, or was broken.
        errors: Deeds that failed.
        before: What lies under each key since all was quiet.
        patience: Seconds after which the store shows all that was done.
    """

    def __init__(self, crew: Crew, endpoint: S3Endpoint, *, size: int = 5000, **settings: Any) -> None:
        self.crew = crew
        self.bucket = endpoint.make_bucket()
        self.size = size
        self.settings = {**endpoint.client_kwargs(), **settings}
        self.lost: list[str] = []
        self.errors: list[str] = []
        self.before: dict[str, str | None] = {}
        self.patience = 0.0
        self._deeds: list[Deed] = []

    def upload(self, key: str, name: str, *, delta: bool | None = None, delay: float = 0.0) -> Deed:
        body = hashlib.sha256(content(name, self.size)).hexdigest()
        order = {"do": "upload", "url": self._url(key), "files": {"source": name}, "delta": delta}
        return Deed(self._order(order, delay), {key: body})

    def delete(self, key: str, *, delay: float = 0.0) -> Deed:
        return Deed(self._order({"do": "delete", "url": self._url(key)}, delay), {key: None})

    def sync(self, files: dict[str, str], prefix: str, *, delay: float = 0.0) -> Deed:
        """``sync --delete`` of some files, which hold still, to a prefix."""
        return Deed(self._order({"do": "sync", "url": self._url(prefix), "files": files}, delay))

    def read(self, key: str, *, times: int = 1, delay: float = 0.0) -> Deed:
        return Deed(self._order({"do": "read", "url": self._url(key), "times": times, "key": key}, delay))

    def _order(self, order: dict[str, Any], delay: float) -> dict[str, Any]:
        return {"files": {}, "size": self.size, "delay": delay, **order}

    def _url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def at_once(self, *lanes: Iterable[Deed]) -> None:
        """Runs the deeds of each lane at once, each in a process of its own; and all lanes at once."""
        shares: list[list[Deed]] = [[] for _ in range(len(self.crew))]
        for number, lane in enumerate(lanes):
            for place, deed in enumerate(lane):
                # Another process for the same part each time.
                shares[(number + place) % len(shares)].append(deed)
        self.crew.start(self.settings, shares)
        for deed in [deed for share in shares for deed in share]:
            for url in deed.found.get("deleted", []):
                deed.leaves[url.removeprefix(self._url(""))] = None
            self._deeds.append(deed)
            if deed.error:
                self.errors.append(f"{deed.order['do']} {deed.order['url']}: {deed.error}")

    def settle(self, prefix: str) -> None:
        """Looks at all keys touched, which have this prefix, with a client that knows nothing."""
        self._judge_reads()
        time.sleep(self.patience)
        keys = {key for deed in self._deeds for key in deed.leaves}
        reads = {key: self.read(key) for key in keys}
        listing = Deed(self._order({"do": "list", "url": self._url(prefix)}, 0.0))
        self.crew.start(self.settings, [[*reads.values(), listing]], fresh=True)
        for key, read in reads.items():
            allowed = self._possible(key)
            seen = read.found.get("seen", [None])[0]
            if read.error or seen not in allowed:
                self.lost.append(f"{key}: {read.error or seen}, not one of {allowed}")
            self.before[key] = seen
        listed = listing.found.get("keys", [])
        present = sorted(key for key, body in self.before.items() if body is not None and key.startswith(prefix))
        if listed != present:
            self.lost.append(f"listed {sorted(set(listed) ^ set(present))} {listing.error}")
        self._deeds = []

    def _judge_reads(self) -> None:
        """While others write, a reader sees any version there is; never a broken one."""
        for deed in self._deeds:
            key = deed.order.get("key")
            known = {self.before.get(key), *(other.leaves.get(key) for other in self._deeds)} if key else set()
            for seen in deed.found.get("seen", []):
                if seen not in known:
                    self.lost.append(f"{key}: a reader saw {seen}")

    def _possible(self, key: str) -> set[str | None]:
        deeds = [deed for deed in self._deeds if key in deed.leaves]
        latest = max((deed.begun for deed in deeds if not deed.error), default=0.0)
        last = {deed.leaves[key] for deed in deeds if deed.ended > latest}
        untouched = not any(not deed.error for deed in deeds)
        return last | {self.before.get(key)} if untouched else last
