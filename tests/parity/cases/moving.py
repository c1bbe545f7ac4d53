"""``mv``: up, down and across, one and many; and that what is not moved stays."""

from __future__ import annotations

from tests.parity.case import Directory, File, Link, case, obj, v
from tests.parity.cases.trees import TREE

_PLACE = {f"p/{name}": data for name, data in TREE.items()} | {"p2/trap.zip": v(8)}
_KEPT = obj(v(1), ContentType="text/x-kept", CacheControl="max-age=9", Metadata={"who": "me"})

CASES = (
    case("mv up", "mv a.zip s3://$b/", access=True, files={"a.zip": v(1)}),
    case("mv up: another name", "mv a.txt s3://$b/p/x.txt", files={"a.txt": "x"}),
    case("mv up: over an object", "mv a.zip s3://$b/a.zip", files={"a.zip": v(9)}, objects={"a.zip": v(1)}),
    case("mv up: missing bucket", "mv a.txt s3://$d/", files={"a.txt": "x"}),
    case("mv up: missing source", "mv a.txt s3://$b/"),
    case("mv up: dryrun", "mv a.txt s3://$b/ --dryrun", files={"a.txt": "x"}),
    case("mv up: quiet", "mv a.txt s3://$b/ --quiet", files={"a.txt": "x"}),
    case("mv up: excluded", "mv a.txt s3://$b/ --exclude '*'", files={"a.txt": "x"}),
    case("mv up: a link", "mv l s3://$b/", files={"a.txt": "x", "l": Link("a.txt")}),
    case("mv up: a directory", "mv d s3://$b/", files={"d/a.txt": "x"}),
    case("mv up: metadata", "mv a.zip s3://$b/ --metadata k=v --content-type text/x-mine", files={"a.zip": v(1)}),
    case("mv down", "mv s3://$b/a.zip .", objects={"a.zip": v(1), "b.zip": v(2)}),
    case("mv down: the last one", "mv s3://$b/a.zip x.zip", objects={"a.zip": v(1)}),
    case("mv down: missing key", "mv s3://$b/nothing ."),
    case("mv down: missing bucket", "mv s3://$d/nothing ."),
    case("mv down: dryrun", "mv s3://$b/a.zip . --dryrun", objects={"a.zip": v(1)}),
    case("mv down: into a directory's place", "mv s3://$b/a.txt d", objects={"a.txt": "x"}, files={"d/a.txt/x": "y"}),
    case("mv across", "mv s3://$b/a.zip s3://$c/", access=True, objects={"a.zip": v(1), "b.zip": v(2)}),
    case("mv across: in one bucket", "mv s3://$b/a.zip s3://$b/x.zip", objects={"a.zip": v(1), "b.zip": v(2)}),
    case("mv across: onto itself", "mv s3://$b/a.zip s3://$b/a.zip", objects={"a.zip": v(1)}),
    case("mv across: onto itself, by its place", "mv s3://$b/p/a.zip s3://$b/p/", objects={"p/a.zip": v(1)}),
    case("mv across: missing key", "mv s3://$b/nothing s3://$c/"),
    case("mv across: missing target", "mv s3://$b/a.zip s3://$d/", objects={"a.zip": v(1)}),
    case("mv across: headers kept", "mv s3://$b/a.zip s3://$c/", access=True, objects={"a.zip": _KEPT}),
    case("mv across: metadata", "mv s3://$b/a.zip s3://$c/ --metadata k=v", objects={"a.zip": _KEPT}),
    case("mv -r up", "mv . s3://$b/p --recursive", files=TREE),
    case("mv -r up: filters", "mv . s3://$b/p --recursive --exclude '*' --include '*.zip'", files=TREE),
    case("mv -r up: dryrun", "mv . s3://$b/p --recursive --dryrun", files=TREE),
    case("mv -r up: unreadable", "mv . s3://$b --recursive", files={"a": "x", "b": File("y", mode=0)}),
    case("mv -r up: missing bucket", "mv . s3://$d --recursive", files={"a": "x", "b": "y"}),
    case("mv -r up: links", "mv . s3://$b --recursive", files={"a": "x", "l": Link("a")}),
    case("mv -r up: empty directory", "mv d s3://$b --recursive", files={"d": Directory()}),
    case("mv -r down", "mv s3://$b/p out --recursive", objects=_PLACE),
    case("mv -r down: filters", "mv s3://$b/p out --recursive --exclude '*.zip'", objects=_PLACE),
    case("mv -r down: markers", "mv s3://$b . --recursive", objects={"q/": "", "q/a.zip": v(1)}),
    case("mv -r down: nothing there", "mv s3://$b/nothing out --recursive", objects=_PLACE),
    case("mv -r down: missing bucket", "mv s3://$d out --recursive"),
    case("mv -r across", "mv s3://$b/p s3://$c/q --recursive", objects=_PLACE),
    case("mv -r across: in one bucket", "mv s3://$b/p s3://$b/q --recursive", objects=_PLACE),
    case("mv -r across: onto itself", "mv s3://$b/p s3://$b/p --recursive", objects=_PLACE),
    case("mv -r across: missing target", "mv s3://$b/p s3://$d --recursive", objects=_PLACE),
    case("mv: two local paths", "mv a.txt b.txt", files={"a.txt": "x"}),
    case("mv: stdin", "mv - s3://$b/k", stdin=b"x"),
    case("mv: stdout", "mv s3://$b/a.zip -", objects={"a.zip": v(1)}),
    case("mv: unknown option", "mv a.txt s3://$b/ --nonsense", files={"a.txt": "x"}),
)
