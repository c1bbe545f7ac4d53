"""``cp --recursive`` and ``rm``: whole trees, their filters, and what stands in their way."""

from __future__ import annotations

from tests.parity.case import Directory, Fifo, File, Link, case, v

TREE = {"a.zip": v(1), "a.zip.asc": "sig", "d/b.zip": v(2), "d/e/c.txt": "deep", "d-old.txt": "x", "z.txt": "z"}
_TEXTS = {f"p/{name}": name for name in TREE} | {"p2/trap.zip": "trap", "p-old.txt": "trap", "p": "trap"}
_PLACE = {f"p/{name}": data for name, data in TREE.items()} | {"p2/trap.zip": v(8), "p-old.txt": "trap", "p": "trap"}

UP = (
    case("cp -r up", "cp . s3://$b/ --recursive", files=TREE),
    case("cp -r up: to a bucket", "cp d s3://$b --recursive", files=TREE),
    case("cp -r up: to a place", "cp d s3://$b/p --recursive", files=TREE),
    case("cp -r up: to a place with a slash", "cp d/ s3://$b/p/ --recursive", files=TREE),
    case("cp -r up: absolute", "cp $here/d s3://$b/p --recursive", files=TREE),
    case("cp -r up: from above", "cp ./d/.. s3://$b/p --recursive", files=TREE),
    case("cp -r up: dryrun", "cp . s3://$b/ --recursive --dryrun", files=TREE),
    case("cp -r up: quiet", "cp . s3://$b/ --recursive --quiet", files=TREE),
    case("cp -r up: only show errors", "cp . s3://$b/ --recursive --only-show-errors", files=TREE),
    case("cp -r up: missing source", "cp nothing s3://$b/ --recursive"),
    case("cp -r up: missing bucket", "cp d s3://$d/ --recursive", files=TREE),
    case("cp -r up: a file", "cp a.zip s3://$b/p --recursive", files=TREE),
    case("cp -r up: empty directory", "cp d s3://$b/ --recursive", files={"d": Directory()}),
    case("cp -r up: empty directories inside", "cp . s3://$b/ --recursive", files={"d": Directory(), "a": "x"}),
    case("cp -r up: hidden files", "cp . s3://$b/ --recursive", files={".h": "x", ".d/.e": "y"}),
    case("cp -r up: links", "cp . s3://$b/ --recursive", files={"d/a": "x", "l": Link("d"), "m": Link("d/a")}),
    case(
        "cp -r up: links not followed",
        "cp . s3://$b/ --recursive --no-follow-symlinks",
        files={"d/a": "x", "l": Link("d"), "m": Link("d/a")},
    ),
    case("cp -r up: broken link", "cp . s3://$b/ --recursive", files={"a": "x", "l": Link("nowhere")}),
    case(
        "cp -r up: broken link not followed",
        "cp . s3://$b/ --recursive --no-follow-symlinks",
        files={"a": "x", "l": Link("nowhere")},
    ),
    case("cp -r up: link to itself", "cp . s3://$b/ --recursive", files={"a": "x", "l": Link("l")}),
    case("cp -r up: a loop of links", "cp . s3://$b/ --recursive", files={"s/a": "x", "s/again": Link("..")}),
    case("cp -r up: unreadable file", "cp . s3://$b/ --recursive", files={"a": "x", "b": File("y", mode=0)}),
    case("cp -r up: unreadable directory", "cp . s3://$b/ --recursive", files={"a": "x", "d": Directory(0)}),
    case("cp -r up: a pipe with a name", "cp . s3://$b/ --recursive", files={"a": "x", "f": Fifo()}),
    case("cp -r up: unreadable, quiet", "cp . s3://$b/ --recursive --quiet", files={"a": "x", "b": File("y", mode=0)}),
    case(
        "cp -r up: unreadable, only show errors",
        "cp . s3://$b/ --recursive --only-show-errors",
        files={"a": "x", "b": File("y", mode=0)},
    ),
    case(
        "cp -r up: unreadable, dryrun", "cp . s3://$b/ --recursive --dryrun", files={"a": "x", "b": File("y", mode=0)}
    ),
    case("cp -r up: unicode", "cp . s3://$b/ --recursive", files={"ä/日本.txt": "x", "ß.zip": v(1)}),
    case(
        "cp -r up: odd names",
        "cp . s3://$b/ --recursive",
        files={"a b": "1", "c+d%41": "2", "e&f=#g?": "3", "[h]": "4", "*": "5", "i\\j": "6"},
    ),
    case("cp -r up: types", "cp . s3://$b/ --recursive", files={"a.html": "x", "b.json": "{}", "c.css": "", "d": "y"}),
    case("cp -r up: metadata", "cp . s3://$b/ --recursive --metadata k=v --cache-control no-cache", files=TREE),
    case("cp -r up: over objects", "cp . s3://$b/p --recursive", files=TREE, objects=_PLACE),
)

_FILTERS = {
    "exclude all": "--exclude '*'",
    "exclude a suffix": "--exclude '*.zip'",
    "exclude, include": "--exclude '*' --include '*.zip'",
    "include, exclude": "--include '*.zip' --exclude '*'",
    "include alone": "--include '*.zip'",
    "exclude a directory": "--exclude 'd/*'",
    "exclude a directory by its name": "--exclude d",
    "exclude a name": "--exclude 'a.zip'",
    "exclude a name below": "--exclude 'b.zip'",
    "stars cross slashes": "--exclude 'd*txt'",
    "question mark": "--exclude '?.txt'",
    "set": "--exclude '[ad]*'",
    "negated set": "--exclude '[!a]*'",
    "range": "--exclude '[a-c].*'",
    "three": "--exclude '*' --include 'd/*' --exclude '*.txt'",
    "equals sign": "--exclude='*.zip'",
    "dot slash": "--exclude './a.zip'",
    "double star": "--exclude '**/c.txt'",
    "braces": "--exclude '{a,b}.zip'",
    "case": "--exclude '*.ZIP'",
    "empty": "--exclude ''",
}

_EACH_FILTER = tuple(
    each
    for name, filters in _FILTERS.items()
    for each in (
        case(f"filters up: {name}", f"cp . s3://$b/ --recursive --dryrun {filters}", files=TREE),
        case(f"filters down: {name}", f"cp s3://$b/p . --recursive --dryrun {filters}", objects=_TEXTS),
    )
)

FILTERS = (
    *_EACH_FILTER,
    case("filters up: absolute", "cp . s3://$b/ --recursive --exclude '$here/d/*'", files=TREE),
    case("filters up: absolute, elsewhere", "cp . s3://$b/ --recursive --exclude '/tmp/*'", files=TREE),
    case("filters down: absolute", "cp s3://$b/p . --recursive --exclude '$here/d/*'", objects=_PLACE),
    case("filters down: with the prefix", "cp s3://$b/p . --recursive --exclude 'p/*'", objects=_PLACE),
    case("filters across", "cp s3://$b/p s3://$c/ --recursive --exclude '*' --include 'd/*.zip'", objects=_PLACE),
    case("filters rm", "rm s3://$b/p --recursive --exclude '*' --include 'd/*'", objects=_PLACE),
)

DOWN = (
    case("cp -r down", "cp s3://$b/p out --recursive", objects=_PLACE),
    case("cp -r down: with slashes", "cp s3://$b/p/ out/ --recursive", objects=_PLACE),
    case("cp -r down: a bucket, here", "cp s3://$b . --recursive", objects=TREE),
    case("cp -r down: nothing there", "cp s3://$b/nothing out --recursive", objects=_PLACE),
    case("cp -r down: empty bucket", "cp s3://$b out --recursive"),
    case("cp -r down: missing bucket", "cp s3://$d out --recursive"),
    case("cp -r down: missing bucket, quiet", "cp s3://$d out --recursive --quiet"),
    case("cp -r down: dryrun", "cp s3://$b/p . --recursive --dryrun", objects=_PLACE),
    case("cp -r down: quiet", "cp s3://$b/p . --recursive --quiet", objects=_PLACE),
    case(
        "cp -r down: over files",
        "cp s3://$b/p out --recursive",
        objects=_PLACE,
        files={"out/a.zip": "old", "out/mine": "m"},
    ),
    case("cp -r down: markers", "cp s3://$b . --recursive", objects={"p/": "", "p/a.zip": v(1), "q/": ""}),
    case("cp -r down: marker with content", "cp s3://$b . --recursive", objects={"p/": "content", "a": "x"}),
    case(
        "cp -r down: parent directory",
        "cp s3://$b . --recursive",
        objects={"a.zip": v(1), "../out": "x", "d/../../e": "y"},
    ),
    case("cp -r down: parent directory inside", "cp s3://$b . --recursive", objects={"a.zip": v(1), "d/../e": "y"}),
    case(
        "cp -r down: parent directory, quiet",
        "cp s3://$b . --recursive --quiet",
        objects={"a.zip": v(1), "../out": "x"},
    ),
    case("cp -r down: leading slash", "cp s3://$b . --recursive", objects={"/a": "x", "b.zip": v(1)}),
    case("cp -r down: two slashes", "cp s3://$b . --recursive", objects={"d//a": "x", "b.zip": v(1)}),
    case("cp -r down: a dot", "cp s3://$b . --recursive", objects={"d/./a": "x", "b.zip": v(1)}),
    case("cp -r down: unicode", "cp s3://$b . --recursive", objects={"ä/日本.zip": v(1), "ß": "x"}),
    case(
        "cp -r down: odd names",
        "cp s3://$b . --recursive",
        objects={"a b": "1", "c+d%41": "2", "e&f=#g?": "3", "[h]": "4"},
    ),
    case(
        "cp -r down: file in the place of the target", "cp s3://$b out --recursive", objects=TREE, files={"out": "file"}
    ),
    case("cp -r down: file in the place of a directory", "cp s3://$b . --recursive", objects=TREE, files={"d": "file"}),
    case(
        "cp -r down: directory in the place of a file",
        "cp s3://$b . --recursive",
        objects=TREE,
        files={"a.zip/x": "file"},
    ),
    case(
        "cp -r down: a user's own deltas",
        "cp s3://$b . --recursive",
        objects={"fw.delta": "mine", "reference.bin": "too"},
    ),
    case("cp -r down: empty objects", "cp s3://$b . --recursive", objects={"e.bin": "", "f.txt": ""}),
)

ACROSS = (
    case("cp -r across", "cp s3://$b/p s3://$c/q --recursive", objects=_PLACE),
    case("cp -r across: buckets", "cp s3://$b s3://$c --recursive", objects=TREE),
    case("cp -r across: in one bucket", "cp s3://$b/p s3://$b/q --recursive", objects=_PLACE),
    case("cp -r across: nothing there", "cp s3://$b/nothing s3://$c --recursive", objects=_PLACE),
    case("cp -r across: missing source bucket", "cp s3://$d s3://$b --recursive"),
    case(
        "cp -r across: missing target bucket", "cp s3://$b s3://$d --recursive", objects={"a.zip": v(1), "b.zip": v(2)}
    ),
    case("cp -r across: markers", "cp s3://$b s3://$c --recursive", objects={"p/": "", "p/a.zip": v(1)}),
    case("cp -r across: dryrun", "cp s3://$b/p s3://$c --recursive --dryrun", objects=_PLACE),
    case("cp -r across: parent directory", "cp s3://$b s3://$c --recursive", objects={"../x.zip": v(1), "a/../b": "y"}),
)

RM = (
    case("rm", "rm s3://$b/a.zip", objects=TREE),
    case("rm: missing key", "rm s3://$b/nothing", objects=TREE),
    case("rm: missing bucket", "rm s3://$d/a"),
    case("rm: missing bucket, recursive", "rm s3://$d/a --recursive"),
    case("rm: a bucket", "rm s3://$b", objects=TREE),
    case("rm: a place", "rm s3://$b/p/", objects=_PLACE),
    case("rm: a prefix", "rm s3://$b/d", objects=TREE),
    case("rm: a marker", "rm s3://$b/q/", objects={"q/": "", "q/a": "x"}),
    case("rm: dryrun", "rm s3://$b/a.zip --dryrun", objects=TREE),
    case("rm: quiet", "rm s3://$b/a.zip --quiet", objects=TREE),
    case("rm: only show errors", "rm s3://$b/a.zip --only-show-errors", objects=TREE),
    case("rm: excluded", "rm s3://$b/a.zip --exclude '*'", objects=TREE),
    case("rm: included", "rm s3://$b/d/b.zip --exclude '*' --include '*.zip'", objects=TREE),
    case("rm: odd characters", "rm 's3://$b/a b+%41&=#?.zip'", objects={"a b+%41&=#?.zip": v(1), "other.zip": v(2)}),
    case("rm: local path", "rm a.txt", files={"a.txt": "x"}),
    case("rm: without s3://", "rm $b/a.zip", objects=TREE),
    case("rm: two", "rm s3://$b/a.zip s3://$b/z.txt", objects=TREE),
    case("rm: nothing", "rm"),
    case("rm: unknown option", "rm s3://$b/a.zip --nonsense", objects=TREE),
    case("rm -r", "rm s3://$b/p --recursive", objects=_PLACE),
    case("rm -r: with a slash", "rm s3://$b/p/ --recursive", objects=_PLACE),
    case("rm -r: a bucket", "rm s3://$b --recursive", objects=_PLACE),
    case("rm -r: nothing there", "rm s3://$b/nothing --recursive", objects=_PLACE),
    case("rm -r: empty bucket", "rm s3://$b --recursive"),
    case("rm -r: dryrun", "rm s3://$b/p --recursive --dryrun", objects=_PLACE),
    case("rm -r: quiet", "rm s3://$b/p --recursive --quiet", objects=_PLACE),
    case("rm -r: markers", "rm s3://$b/q --recursive", objects={"q/": "", "q/a": "x", "q/r/": ""}),
    case("rm -r: page size", "rm s3://$b --recursive --page-size 2", objects=_PLACE),
    case("rm -r: parent directories", "rm s3://$b --recursive", objects={"../x.zip": v(1), "a/../b": "y", "/c": "z"}),
    case("rm: then what is left is whole", "rm s3://$b/a.zip", "cp s3://$b/d/b.zip .", objects=TREE),
)

CASES = (*UP, *FILTERS, *DOWN, *ACROSS, *RM)
