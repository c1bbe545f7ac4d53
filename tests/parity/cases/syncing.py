"""``sync``: the decision table in all directions, deleting, and what filters protect."""

from __future__ import annotations

from tests.parity.case import NEW, OLD, Directory, File, Like, Link, case, v
from tests.parity.cases.trees import TREE

_OLD_TREE = {name: File(data, OLD) for name, data in TREE.items()}
_NOW = Like("k.zip")

# Of each pair: what the local file is, beside an object k.zip that holds v(1).
_PAIRS = {
    "same size, older": File(v(2), OLD),
    "same size, newer": File(v(2), NEW),
    "same size, same time": File(v(2), _NOW),
    "same size, a second older": File(v(2), Like("k.zip", -1)),
    "same size, a second newer": File(v(2), Like("k.zip", 1)),
    "same size, half a second newer": File(v(2), Like("k.zip", 0.5)),
    "other size, older": File("shorter", OLD),
    "other size, newer": File("shorter", NEW),
    "other size, same time": File("shorter", _NOW),
}
_OPTIONS = {"": "", ", size only": " --size-only", ", exact timestamps": " --exact-timestamps"}

TABLE = tuple(
    case(f"sync {way}: {name}{told}", f"sync {paths}{option}", files={"k.zip": file}, objects={"k.zip": v(1)})
    for way, paths in (("up", ". s3://$b"), ("down", "s3://$b ."))
    for name, file in _PAIRS.items()
    for told, option in _OPTIONS.items()
    if not (option and "second" in name)
)

ACROSS = (
    case("sync across: all missing", "sync s3://$b s3://$c", objects=TREE, buckets="bc"),
    case("sync across: same size, same time", "sync s3://$b s3://$c", objects={"k.zip": v(1)}, others={"k.zip": v(2)}),
    case("sync across: other size", "sync s3://$b s3://$c", objects={"k.zip": v(1)}, others={"k.zip": "short"}),
    case("sync across: twice", "sync s3://$b s3://$c", "sync s3://$b s3://$c", objects=TREE, buckets="bc"),
    case("sync across: in one bucket", "sync s3://$b/d s3://$b/n", objects=TREE),
    case(
        "sync across: delete",
        "sync s3://$b/d s3://$c --delete",
        objects=TREE,
        others={"b.zip": v(2), "x.zip": v(3), "y": "z"},
    ),
    case("sync across: missing source bucket", "sync s3://$d s3://$b"),
    case("sync across: missing target bucket", "sync s3://$b s3://$d", objects=TREE),
    case("sync across: parent directories", "sync s3://$b s3://$c", objects={"../x": "y", "a": "b"}, buckets="bc"),
)

UP = (
    case("sync up: all missing", "sync . s3://$b", files=TREE),
    case("sync up: a place", "sync d s3://$b/p", files=TREE),
    case("sync up: twice", "sync . s3://$b", "sync . s3://$b", files=_OLD_TREE),
    case("sync up: nothing changed", "sync . s3://$b", files=_OLD_TREE, objects=TREE),
    case(
        "sync up: one changed",
        "sync . s3://$b",
        files=_OLD_TREE | {"d/b.zip": v(7) + b"!"},
        objects=TREE,
    ),
    case("sync up: more there", "sync d s3://$b", files=_OLD_TREE, objects={"more.zip": v(1), "b.zip": v(2)}),
    case(
        "sync up: delete",
        "sync d s3://$b --delete",
        files=_OLD_TREE,
        objects={"more.zip": v(1), "b.zip": v(2), "e/c.txt": "deep", "zz/y": "x"},
    ),
    case(
        "sync up: delete in a place",
        "sync d s3://$b/p --delete",
        files=_OLD_TREE,
        objects={"p/more.zip": v(1), "p2/trap.zip": v(2), "p-old": "x", "p": "x"},
    ),
    case(
        "sync up: delete, dryrun",
        "sync d s3://$b --delete --dryrun",
        files=_OLD_TREE,
        objects={"more.zip": v(1), "b.zip": v(2)},
    ),
    case(
        "sync up: delete, quiet",
        "sync d s3://$b --delete --quiet",
        files=_OLD_TREE,
        objects={"more.zip": v(1), "b.zip": v(2)},
    ),
    case(
        "sync up: delete, excluded",
        "sync d s3://$b --delete --exclude '*.zip'",
        files=_OLD_TREE,
        objects={"more.zip": v(1), "b.zip": v(2), "t.txt": "x"},
    ),
    case(
        "sync up: delete, only some",
        "sync d s3://$b --delete --exclude '*' --include '*.txt'",
        files=_OLD_TREE,
        objects={"more.zip": v(1), "t.txt": "x"},
    ),
    case("sync up: delete markers", "sync d s3://$b --delete", files=_OLD_TREE, objects={"q/": "", "b.zip": v(2)}),
    case("sync up: exclude", "sync . s3://$b --exclude 'd/*'", files=TREE),
    case("sync up: exclude, include", "sync . s3://$b --exclude '*' --include '*.zip'", files=TREE),
    case("sync up: dryrun", "sync . s3://$b --dryrun", files=TREE),
    case("sync up: only show errors", "sync . s3://$b --only-show-errors", files=TREE),
    case("sync up: missing source", "sync nothing s3://$b"),
    case("sync up: missing bucket", "sync . s3://$d", files=TREE),
    case("sync up: a file", "sync a.zip s3://$b", files=TREE),
    case("sync up: links", "sync . s3://$b --no-follow-symlinks", files={"a": "x", "l": Link("a")}),
    case("sync up: broken link", "sync . s3://$b", files={"a": "x", "l": Link("nowhere")}),
    case(
        "sync up: unreadable, delete",
        "sync . s3://$b --delete",
        files={"a": "x", "d": Directory(0)},
        objects={"z.zip": v(1)},
    ),
    case("sync up: time out of range", "sync . s3://$b", files={"a": File("x", 1 << 40)}),
    case(
        "sync up: order of slashes",
        "sync . s3://$b --delete",
        files={n: File("x", OLD) for n in ("a/b", "a.b", "a-b", "a0")},
        objects=dict.fromkeys(("a/b", "a.b", "a-b", "a0"), "x"),
    ),
    case("sync up: page size", "sync . s3://$b --page-size 2", files=_OLD_TREE, objects={"a.zip": v(1)}),
    case("sync up: storage class", "sync d s3://$b --storage-class STANDARD_IA", files=TREE),
    case(
        "sync up: metadata of what is unchanged",
        "sync . s3://$b --metadata k=v",
        files={"a.zip": File(v(1), OLD), "b.zip": v(2)},
        objects={"a.zip": v(1)},
    ),
)

DOWN = (
    case("sync down: all missing", "sync s3://$b .", objects=TREE),
    case("sync down: a place", "sync s3://$b/d out", objects=TREE),
    case("sync down: twice", "sync s3://$b .", "sync s3://$b .", objects=TREE),
    case("sync down: twice, exact", "sync s3://$b .", "sync s3://$b . --exact-timestamps", objects=TREE),
    case(
        "sync down: delete",
        "sync s3://$b . --delete",
        objects=TREE,
        files={"mine.txt": "x", "d/mine.zip": "y", "gone/x": "z"},
    ),
    case("sync down: delete, dryrun", "sync s3://$b . --delete --dryrun", objects=TREE, files={"mine.txt": "x"}),
    case(
        "sync down: delete, excluded",
        "sync s3://$b . --delete --exclude '*.txt'",
        objects=TREE,
        files={"mine.txt": "x", "mine.zip": "y"},
    ),
    case("sync down: delete a link", "sync s3://$b . --delete", objects={"a.zip": v(1)}, files={"l": Link("a.zip")}),
    case(
        "sync down: delete, prefix traps",
        "sync s3://$b/p . --delete",
        objects={"p/a.zip": v(1), "p2/b.zip": v(2)},
        files={"b.zip": "x"},
    ),
    case("sync down: dryrun", "sync s3://$b . --dryrun", objects=TREE),
    case("sync down: nothing there", "sync s3://$b/nothing out", objects=TREE),
    case("sync down: empty bucket, delete", "sync s3://$b . --delete", files={"mine.txt": "x"}),
    case("sync down: missing bucket", "sync s3://$d out"),
    case("sync down: missing bucket, delete", "sync s3://$d . --delete", files={"mine.txt": "x"}),
    case("sync down: target is a file", "sync s3://$b f", objects=TREE, files={"f": "x"}),
    case("sync down: parent directory", "sync s3://$b .", objects={"a.zip": v(1), "../out": "x"}),
    case(
        "sync down: parent directory, delete",
        "sync s3://$b . --delete",
        objects={"a.zip": v(1), "../out": "x"},
        files={"mine": "x"},
    ),
    case("sync down: markers", "sync s3://$b .", objects={"q/": "", "q/a.zip": v(1)}),
    case("sync down: unicode, twice", "sync s3://$b .", "sync s3://$b .", objects={"ä/日本.zip": v(1), "ß": "x"}),
)

MISUSE = (
    case("sync: two local paths", "sync . d", files=TREE),
    case("sync: one path", "sync ."),
    case("sync: recursive", "sync . s3://$b --recursive", files=TREE),
    case("sync: stdin", "sync - s3://$b", stdin=b"x"),
    case("sync: unknown option", "sync . s3://$b --nonsense", files=TREE),
)

CASES = (*TABLE, *ACROSS, *UP, *DOWN, *MISUSE)
