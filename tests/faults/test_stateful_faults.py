"""A store of ours is a dictionary, whatever befalls its clients: faults, crashes, and two at work at once.

What was acknowledged is certain. What was cut off may or may not have happened, and the model keeps both contents until
somebody looks; from then on it must stay what was seen. Without faults: tests/engine/test_stateful.py.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.inspect import head
from deltaglider.engine.listing import list_objects
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import upload
from deltaglider.errors import NotFoundError, ReservedKeyError
from deltaglider.layout.keys import delta_key, is_reserved
from deltaglider.models import ObjectInfo
from deltaglider.tasks import together
from tests.engine.machine import CONTENTS, NAMES, NOTES, BucketMachine, clients, contents, keys
from tests.engine.world import md5, sha256
from tests.faults.scale import FULL, scaled
from tests.faults.troubles import WAYS, Ended, Trouble, Turns, attempt
from tests.servers import DirectoryEndpoint, Endpoint

State = tuple[int, int] | None
"""What a key may hold: which content with which note; ``None`` for nothing."""

HASHES = {sha256(data): number for number, data in enumerate(CONTENTS)}
SEEN = {(len(data), md5(data)): number for number, data in enumerate(CONTENTS)}


@dataclasses.dataclass(frozen=True)
class Deed:
    """One thing a client does.

    Attributes:
        verb: ``put``, ``copy``, ``delete``, ``get`` or ``list``.
        key: The key; of a copy the source's.
        to: Of a copy: the target's key.
        which: Of a put: which content.
        note: Of a put: which metadata.
        delta: Of a put: whether it may become a delta.
    """

    verb: str
    key: str = ""
    to: str = ""
    which: int = 0
    note: int = 0
    delta: bool = True

    @property
    def written(self) -> str:
        """The key it changes, if it does."""
        return {"put": self.key, "delete": self.key, "copy": self.to}.get(self.verb, "")

    def lies_across(self, other: Deed) -> bool:
        """Whether the two want one stored key for different objects: of these the client sees only its own."""
        mine, theirs = {self.key, self.to} - {""}, {other.key, other.to} - {""}
        return any(delta_key(one) in theirs for one in mine) or any(delta_key(one) in mine for one in theirs)


troubles = st.one_of(st.none(), *[st.builds(Trouble, st.sampled_from(WAYS), st.integers(1, most)) for most in (6, 16)])
# Few keys, so that the two meet.
close_keys = st.sampled_from(["p/a.zip", "p/b.zip", "r/v1/a.zip", "r/v2/a.zip"])
puts = st.builds(Deed, st.just("put"), close_keys, which=contents, note=st.integers(0, 1), delta=st.booleans())
deletes = st.builds(Deed, st.just("delete"), close_keys)
deeds = st.one_of(
    puts,
    puts,
    deletes,
    deletes,
    st.builds(Deed, st.just("copy"), close_keys, close_keys),
    st.builds(Deed, st.just("get"), close_keys),
    st.just(Deed("list")),
)
# A turn of many calls is the other's whole deed, in the middle of one's own.
turns_taken = st.lists(st.one_of(st.integers(0, 7), st.just(50)), min_size=1, max_size=7)
large = st.integers(0, 5)


class TroubledBucket(BucketMachine):
    """What two clients do to one bucket, while the store fails and they are killed."""

    performed: ClassVar[int] = 0
    cuts: ClassVar[int] = 0
    pairs: ClassVar[int] = 0

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.reader = self.client()
        self.model: dict[str, set[State]] = {key: {None} for key in NAMES}

    # What clients do.

    @rule(key=keys, which=contents, note=st.integers(0, 1), delta=st.booleans(), by=clients, trouble=troubles)
    def put(self, key: str, which: int, note: int, delta: bool, by: int, trouble: Trouble | None = None) -> None:
        self.alone(Deed("put", key, which=which, note=note, delta=delta), by, trouble)

    @rule(key=keys, by=clients, trouble=troubles)
    def delete(self, key: str, by: int, trouble: Trouble | None = None) -> None:
        states = self.model[key]
        ended = self.alone(Deed("delete", key), by, trouble)
        if ended.result is not None and len(states) == 1:
            assert ended.result.deleted == (states != {None})

    @rule(key=keys, to=keys, by=clients, trouble=troubles)
    def copy(self, key: str, to: str, by: int, trouble: Trouble | None = None) -> None:
        if key != to:
            self.alone(Deed("copy", key, to), by, trouble)

    @rule(key=keys, by=clients, trouble=troubles)
    def get(self, key: str, by: int, trouble: Trouble | None = None) -> None:
        self.alone(Deed("get", key), by, trouble)

    @rule(key=keys, by=clients)
    def head(self, key: str, by: int) -> None:
        try:
            info = self.run(head(self.clients[by], self.bucket, key))
        except NotFoundError:
            self.saw(key, {None})
            return
        which = HASHES[info.sha256]
        assert (info.size, info.etag) == (len(CONTENTS[which]), md5(CONTENTS[which]))
        self.saw(key, {(which, NOTES.index(dict(info.metadata)))})

    @rule(first=deeds, second=deeds, one=troubles, other=troubles, turns=turns_taken)
    def both(self, first: Deed, second: Deed, one: Trouble | None, other: Trouble | None, turns: list[int]) -> None:
        pair = [first, second]
        if first.lies_across(second) or any(deed.verb == "copy" and deed.key == deed.to for deed in pair):
            return
        taken = [bool(deed.written) and self.is_taken(deed.written) for deed in pair]
        ends: list[Ended] = []

        async def do_both() -> None:
            baton = Turns(turns)
            results: dict[int, Ended] = {}

            async def do(who: int, deed: Deed, trouble: Trouble | None) -> None:
                results[who] = await attempt(self.clients[who], self.act(deed, who), trouble, (baton, who))

            async with anyio.create_task_group() as group:
                group.start_soon(do, 0, first, one)
                group.start_soon(do, 1, second, other)
            ends.extend([results[0], results[1]])

        self.run(do_both())
        self.learn(list(zip(pair, ends, taken, strict=True)))
        self.mourn(0, one)
        self.mourn(1, other)
        self.read_everything()
        type(self).pairs += 1

    @rule(old=large, new=large, one=troubles, other=troubles, turns=turns_taken, copied=st.booleans())
    def at_the_last_delta(
        self, old: int, new: int, one: Trouble | None, other: Trouble | None, turns: list[int], copied: bool
    ) -> None:
        """The reference's last delta goes, while another is made against it."""
        self.alone(Deed("put", "z.zip", which=old), 1, None)
        for key in ("r/v1/a.zip", "r/v2/a.zip"):
            self.alone(Deed("delete", key), 1, None)
        self.alone(Deed("put", "r/v1/a.zip", which=old), 1, None)
        self.alone(Deed("get", "r/v1/a.zip"), 0, None)
        made = Deed("copy", "z.zip", "r/v2/a.zip") if copied else Deed("put", "r/v2/a.zip", which=new)
        self.both(made, Deed("delete", "r/v1/a.zip"), one, other, turns)

    # What is known afterwards.

    def alone(self, deed: Deed, by: int, trouble: Trouble | None) -> Ended:
        taken = bool(deed.written) and self.is_taken(deed.written)
        ended: Ended = self.run(attempt(self.clients[by], self.act(deed, by), trouble))
        self.learn([(deed, ended, taken)])
        if trouble is not None:
            self.mourn(by, trouble)
            self.read_everything()
        return ended

    def act(self, deed: Deed, by: int) -> Callable[[Context], Awaitable[Any]]:
        if deed.verb == "put":
            source = self.source(CONTENTS[deed.which], f"source-{by}")
            options = UploadOptions(metadata=NOTES[deed.note], delta=deed.delta)
            return lambda ctx: upload(ctx, source, self.bucket, deed.key, options=options)
        if deed.verb == "delete":
            return lambda ctx: delete(ctx, self.bucket, deed.key)
        if deed.verb == "copy":
            return lambda ctx: copy(ctx, self.bucket, deed.key, self.bucket, deed.to)
        if deed.verb == "list":
            return self.listed
        return partial(self.fetched, deed.key, f"target-{by}")

    async def fetched(self, key: str, name: str, ctx: Context) -> int | None:
        """Which content is downloaded; ``None`` for none."""
        target = self.home / name
        target.unlink(missing_ok=True)
        try:
            await download(ctx, self.bucket, key, target)
        except NotFoundError:
            assert not target.exists()
            return None
        return HASHES[sha256(target.read_bytes())]

    async def listed(self, ctx: Context) -> dict[str, int]:
        entries = [entry async for entry in list_objects(ctx, self.bucket) if isinstance(entry, ObjectInfo)]
        assert [entry.key for entry in entries] == sorted({entry.key for entry in entries})
        return {entry.key: SEEN[entry.size, entry.etag] for entry in entries}

    def learn(self, done: list[tuple[Deed, Ended, bool]]) -> None:
        """Brings the model up to date with deeds that were done at the same time."""
        type(self).cuts += sum(ended.cut for _, ended, _ in done)
        before = {key: set(states) for key, states in self.model.items()}
        for deed, ended, taken in done:
            at_once = {key: set(states) for key, states in before.items()}
            for other, _, theirs_taken in done:
                if other is not deed and other.written and not theirs_taken:
                    at_once[other.written] |= left_by(other, before, [each for each, _, _ in done])
            self.judge(deed, ended, taken, at_once, alone=len(done) == 1)
        for key in {deed.written for deed, _, _ in done} - {""}:
            writers = [(deed, ended) for deed, ended, taken in done if deed.written == key and not taken]
            happened = [(deed, ended) for deed, ended in writers if ended.error is None]
            if happened:
                left = set().union(*(left_by(deed, before, [each for each, _, _ in done]) for deed, _ in happened))
                certain = any(not ended.cut for _, ended in happened)
                self.model[key] = left if certain else left | before[key]

    def judge(self, deed: Deed, ended: Ended, taken: bool, at_once: dict[str, set[State]], *, alone: bool) -> None:
        """Whether a deed may have ended as it did, given all that the keys may have held meanwhile."""
        if isinstance(ended.error, ReservedKeyError):
            assert taken
            assert deed.verb in ("put", "copy")
        elif isinstance(ended.error, NotFoundError):
            assert deed.verb == "copy"
            assert None in at_once[deed.key]
        elif ended.error is not None:
            raise ended.error
        elif not ended.cut and deed.verb in ("put", "copy"):
            assert not taken
        elif not ended.cut and deed.verb == "get":
            self.agrees(deed.key, ended.result, at_once[deed.key], keep=not alone)
        elif not ended.cut and deed.verb == "list":
            for key in NAMES:
                self.agrees(key, ended.result.get(key), at_once[key], keep=not alone)

    def agrees(self, key: str, which: int | None, states: set[State], *, keep: bool = False) -> None:
        """Checks what was seen of a key, and believes it from now on, unless it may have changed meanwhile."""
        seen = {state for state in states if (state is None if which is None else state and state[0] == which)}
        assert seen, f"{key} is {which}, not one of {states}"
        if not keep:
            self.model[key] = seen

    def saw(self, key: str, states: set[State]) -> None:
        assert self.model[key] & states, f"{key} is {states}, not one of {self.model[key]}"
        self.model[key] &= states

    def mourn(self, by: int, trouble: Trouble | None) -> None:
        """Another process follows one that was killed; it finds its cache, or starts with nothing."""
        if trouble is not None and trouble.way.startswith("killed"):
            cache = self.clients[by].settings.cache_dir if trouble.way == "killed" else None
            self.clients[by] = self.client(cache)

    def read_everything(self) -> None:
        """Reads every object that may be there, with a client that remembers nothing."""
        shutil.rmtree(self.reader.settings.cache_dir, ignore_errors=True)
        wanted = [key for key in NAMES if self.model[key] != {None}]
        calls = [partial(self.fetched, key, f"target-{number}", self.reader) for number, key in enumerate(wanted)]
        for key, which in zip(wanted, self.run(together(*calls)), strict=True):
            self.agrees(key, which, self.model[key])

    @invariant()
    def the_listing_agrees(self) -> None:
        type(self).performed += 1
        found = self.run(self.listed(self.reader))
        for key in NAMES:
            self.agrees(key, found.get(key), self.model[key])
        assert set(found) <= set(NAMES)

    def teardown(self) -> None:
        try:
            self.read_everything()
            for key in NAMES:
                self.run(delete(self.reader, self.bucket, key))
                self.model[key] = {None}
            self.the_listing_agrees()
            # What killed clients left costs space, and is nobody's object.
            assert [entry.key for entry in self.stored() if not is_reserved(entry.key)] == []
        finally:
            self.close()


def left_by(deed: Deed, before: dict[str, set[State]], at_once: list[Deed]) -> set[State]:
    """What a deed may leave at the key it changes."""
    if deed.verb == "put":
        return {(deed.which, deed.note)}
    if deed.verb == "delete":
        return {None}
    states = set(before[deed.key])
    for other in at_once:
        if other is not deed and other.written == deed.key:
            states |= left_by(other, before, [])
    return states - {None}


class Story:
    """What failed once, or fails when a step of the protocol is left out, written down to be told again."""

    @staticmethod
    def a_form_changes_while_it_is_looked_for(state: TroubledBucket, delta: bool) -> None:
        state.put("p/a.zip", which=0, note=0, delta=not delta, by=0)
        get, put = Deed("get", "p/a.zip"), Deed("put", "p/a.zip", which=1, delta=delta)
        state.both(get, put, None, None, [1, 50])

    @staticmethod
    def the_last_delta_goes_while_another_is_copied(state: TroubledBucket, delta: bool) -> None:
        state.at_the_last_delta(old=2, new=5, one=None, other=None, turns=[2, 7, 50, 4], copied=not delta)

    @staticmethod
    def its_deleter_dies_at_each_of_its_steps(state: TroubledBucket, delta: bool) -> None:
        for at in range(3, 12, scaled(4, 1)):
            way = "killed late" if delta else "killed"
            state.at_the_last_delta(0, 1, None, Trouble(way, at), turns=[3, 50], copied=False)

    @staticmethod
    def a_writer_of_another_form_dies_at_each_of_its_steps(state: TroubledBucket, delta: bool) -> None:
        for at in range(3, 9, scaled(2, 1)):
            state.put("p/a.zip", which=0, note=0, delta=delta, by=0)
            state.put("p/a.zip", which=1, note=1, delta=not delta, by=1, trouble=Trouble("killed late", at))
            state.delete("p/a.zip", by=0, trouble=Trouble("killed late", at))
            state.get("p/a.zip", by=1)


@pytest.mark.parametrize("delta", [True, False])
@pytest.mark.parametrize("name", [name for name in vars(Story) if not name.startswith("_")])
def test_what_was_told_once_stays_true(name: str, delta: bool, directory: DirectoryEndpoint) -> None:
    state = TroubledBucket(directory)
    try:
        getattr(Story, name)(state, delta)
    finally:
        state.teardown()


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_whatever_befalls_its_clients_a_bucket_is_a_dictionary(
    endpoint: Endpoint, record_property: Callable[[str, object], None], tmp_path: Path
) -> None:
    class Machine(TroubledBucket):
        performed = cuts = pairs = 0

    run_state_machine_as_test(
        partial(Machine, endpoint),
        settings=settings(
            max_examples=scaled(3, 60),
            stateful_step_count=scaled(20, 40),
            deadline=None,
            derandomize=not FULL,
            database=None,
            phases=[Phase.generate, Phase.shrink] if FULL else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.performed >= scaled(60, 2_000)
    assert min(Machine.cuts, Machine.pairs) >= scaled(5, 200)
    record_property(
        "figure",
        f"stateful on {endpoint.name}: {Machine.performed} rules, {Machine.pairs} of them two deeds at once, "
        f"{Machine.cuts} deeds cut off or killed: 0 lost, 0 back from the dead",
    )
