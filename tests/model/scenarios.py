"""Who meets whom: two writers and a deleter, on what may be there before."""

from __future__ import annotations

from tests.model.explore import Scenario
from tests.model.protocol import Actor, Version

R = "ref R"
_REFERENCE = {R: Version("", 0)}
_OLD_DELTA = Version("before", 1, R)
_OLD_WHOLE = Version("before", 1)

_KNOWS = (("reference", R),)
"""A writer whose cache has the bytes of R, and who remembers where it was."""

_STALE = (("reference", "ref gone"),)
"""A writer whose cache has the bytes of a reference that was retired since."""

_DELETER = Actor("deleter", "delete", "old")


def _same_key(name: str, *actors: Actor, whole: Version | None = None, delta: Version | None = None) -> Scenario:
    """Writers and deleters of one object."""
    forms = {"k whole": whole, "k delta": delta}
    stored = {name: form for name, form in forms.items() if form is not None}
    return Scenario(name, {**stored, **(_REFERENCE if delta else {})}, actors)


ONE_KEY = _same_key(
    "a whole object is written as delta and as whole",
    Actor("A", "delta", "k"),
    Actor("B", "whole", "k"),
    whole=_OLD_WHOLE,
)

SMALL = [
    ONE_KEY,
    _same_key(
        "a delta is written as delta and as whole", Actor("A", "delta", "k"), Actor("B", "whole", "k"), delta=_OLD_DELTA
    ),
    _same_key(
        "a delta is overwritten and deleted", Actor("A", "whole", "k"), Actor("C", "delete", "k"), delta=_OLD_DELTA
    ),
    _same_key(
        "both forms are deleted and written",
        Actor("A", "delta", "k"),
        Actor("C", "delete", "k"),
        delta=Version("before", 2, R),
        whole=Version("earlier", 1),
    ),
    Scenario(
        "one upload, and one delete of the last delta",
        {**_REFERENCE, "old delta": _OLD_DELTA},
        (Actor("B", "delta", "new", seen=_KNOWS), _DELETER),
    ),
    Scenario(
        "two first uploads, and the delete of the last delta",
        {**_REFERENCE, "old delta": _OLD_DELTA},
        (Actor("A", "delta", "new"), Actor("B", "delta", "fresh", seen=_KNOWS), _DELETER),
        crashes=2,
    ),
    Scenario(
        "two deletes of the last deltas, and an upload",
        {**_REFERENCE, "old delta": _OLD_DELTA, "k delta": _OLD_DELTA},
        (_DELETER, Actor("second", "delete", "k"), Actor("A", "delta", "new", seen=_KNOWS)),
        crashes=2,
    ),
    Scenario(
        "a whole object becomes a delta while the last delta is deleted",
        {**_REFERENCE, "old delta": _OLD_DELTA, "k whole": _OLD_WHOLE},
        (Actor("A", "delta", "k", seen=_KNOWS), Actor("B", "delta", "new"), _DELETER),
    ),
    Scenario(
        "a delta is replaced by one whose reference was retired",
        {**_REFERENCE, "k delta": _OLD_DELTA},
        (Actor("A", "delta", "k", seen=_STALE), Actor("B", "delta", "new", seen=_STALE)),
        crashes=2,
    ),
    Scenario(
        "the last delta becomes whole while another is uploaded",
        {**_REFERENCE, "k delta": _OLD_DELTA},
        (Actor("A", "whole", "k"), Actor("B", "delta", "new", seen=_KNOWS), Actor("C", "delta", "fresh")),
    ),
    _same_key(
        "a first delta and a first whole, and a delete",
        Actor("A", "delta", "k"),
        Actor("B", "whole", "k"),
        Actor("C", "delete", "k"),
    ),
]

LISTED = [
    *(
        _same_key(
            f"a whole that only a listing looked for, clock {clock}, a delta and a delete",
            Actor("A", "whole", "k", clock=clock, listed=True),
            Actor("B", "delta", "k"),
            Actor("C", "delete", "k"),
        )
        for clock in (1, 5, 9)
    ),
    _same_key(
        "a listing looks for a delta that is deleted",
        Actor("A", "whole", "k", listed=True),
        Actor("C", "delete", "k"),
        delta=_OLD_DELTA,
    ),
]
"""Writers who begin with a listing, which must show what was there when they began."""

LARGE = [
    _same_key(
        "a whole object is written as delta and as whole, and deleted",
        Actor("A", "delta", "k"),
        Actor("B", "whole", "k"),
        Actor("C", "delete", "k"),
        whole=_OLD_WHOLE,
    ),
    _same_key(
        "a delta is written as delta and as whole, and deleted",
        Actor("A", "delta", "k"),
        Actor("B", "whole", "k"),
        Actor("C", "delete", "k"),
        delta=_OLD_DELTA,
    ),
    _same_key(
        "both forms are there, and are written and deleted",
        Actor("A", "delta", "k"),
        Actor("B", "whole", "k"),
        Actor("C", "delete", "k"),
        delta=Version("before", 2, R),
        whole=Version("earlier", 1),
    ),
    _same_key(
        "two wholes and a delta",
        Actor("A", "whole", "k"),
        Actor("B", "whole", "k"),
        Actor("C", "delta", "k"),
        delta=_OLD_DELTA,
    ),
    _same_key(
        "clocks that disagree",
        Actor("A", "delta", "k", clock=9),
        Actor("B", "whole", "k", clock=1),
        Actor("C", "whole", "k", clock=5),
        whole=_OLD_WHOLE,
    ),
    _same_key(
        "clocks that disagree the other way",
        Actor("A", "delta", "k", clock=1),
        Actor("B", "whole", "k", clock=9),
        Actor("C", "delete", "k", clock=5),
        delta=_OLD_DELTA,
    ),
]
