"""``cp`` of single objects: up, down, across, and through pipes."""

from __future__ import annotations

from tests.parity.case import Directory, Fifo, File, Link, case, obj, v

_ALIKE = {"a.zip": v(1), "b.zip": v(2)}

UP = (
    case("cp up: a key", "cp a.txt s3://$b/k.txt", access=True, files={"a.txt": "text"}),
    case("cp up: a bucket", "cp a.txt s3://$b", files={"a.txt": "text"}),
    case("cp up: a bucket and a slash", "cp a.txt s3://$b/", files={"a.txt": "text"}),
    case("cp up: a place", "cp a.txt s3://$b/p/", files={"a.txt": "text"}),
    case("cp up: a key that is a prefix too", "cp a.txt s3://$b/p", files={"a.txt": "x"}, objects={"p/b": "y"}),
    case("cp up: over an object", "cp a.zip s3://$b/a.zip", files={"a.zip": v(9)}, access=True, objects=_ALIKE),
    case("cp up: a version beside others", "cp c.zip s3://$b/c.zip", files={"c.zip": v(9)}, objects=_ALIKE),
    case("cp up: two versions", "cp a.zip s3://$b/v1/", "cp b.zip s3://$b/v1/", files=_ALIKE),
    case("cp up: empty file", "cp a.bin s3://$b/", files={"a.bin": ""}),
    case("cp up: from below", "cp d/e/a.txt s3://$b/", files={"d/e/a.txt": "x"}),
    case("cp up: absolute path", "cp $here/d/a.txt s3://$b/", files={"d/a.txt": "x"}),
    case("cp up: path with dots", "cp ./d/../d/a.txt s3://$b/", files={"d/a.txt": "x"}),
    case("cp up: name with blanks", "cp 'a b.txt' 's3://$b/c d.txt'", files={"a b.txt": "x"}),
    case("cp up: unicode", "cp 'ä-日本.txt' s3://$b/ü/", files={"ä-日本.txt": "x"}),
    case("cp up: odd characters", "cp 'a+b%41&c=d#e.txt' 's3://$b/x+y%41&z=#e.txt'", files={"a+b%41&c=d#e.txt": "x"}),
    case("cp up: missing source", "cp nothing.txt s3://$b/"),
    case("cp up: missing source, quiet", "cp nothing.txt s3://$b/ --quiet"),
    case("cp up: missing bucket", "cp a.txt s3://$d/", files={"a.txt": "x"}),
    case("cp up: a directory", "cp d s3://$b/", files={"d/a.txt": "x"}),
    case("cp up: a directory with a slash", "cp d/ s3://$b/p", files={"d/a.txt": "x"}),
    case("cp up: a link", "cp l.txt s3://$b/", files={"a.txt": "x", "l.txt": Link("a.txt")}),
    case(
        "cp up: a link not followed",
        "cp l.txt s3://$b/ --no-follow-symlinks",
        files={"a.txt": "x", "l.txt": Link("a.txt")},
    ),
    case("cp up: a broken link", "cp l.txt s3://$b/", files={"l.txt": Link("nowhere")}),
    case("cp up: a pipe with a name", "cp f s3://$b/", files={"f": Fifo()}),
    case("cp up: unreadable", "cp a.txt s3://$b/", files={"a.txt": File("x", mode=0)}),
    case("cp up: dryrun", "cp a.txt s3://$b/ --dryrun", files={"a.txt": "x"}),
    case("cp up: quiet", "cp a.txt s3://$b/ --quiet", files={"a.txt": "x"}),
    case("cp up: only show errors", "cp a.txt s3://$b/ --only-show-errors", files={"a.txt": "x"}),
    case("cp up: quiet dryrun", "cp a.txt s3://$b/ --quiet --dryrun", files={"a.txt": "x"}),
    case("cp up: only show errors, dryrun", "cp a.txt s3://$b/ --only-show-errors --dryrun", files={"a.txt": "x"}),
    case("cp up: no progress", "cp a.txt s3://$b/ --no-progress", files={"a.txt": "x"}),
    case("cp up: quiet failure", "cp a.txt s3://$d/ --quiet", files={"a.txt": "x"}),
    case("cp up: failure with only show errors", "cp a.txt s3://$d/ --only-show-errors", files={"a.txt": "x"}),
    case("cp up: excluded", "cp a.txt s3://$b/ --exclude '*'", files={"a.txt": "x"}),
    case("cp up: excluded, included", "cp a.txt s3://$b/ --exclude '*' --include '*.txt'", files={"a.txt": "x"}),
    case("cp up: excluded by its path", "cp d/a.txt s3://$b/ --exclude 'd/*'", files={"d/a.txt": "x"}),
    case("cp up: excluded by its absolute path", "cp d/a.txt s3://$b/ --exclude '$here/d/*'", files={"d/a.txt": "x"}),
    case("cp up: eight MiB in parts", "cp a.txt s3://$b/", files={"a.txt": b"0123456789abcdef" * (1 << 19) + b"more"}),
)

GUESSED = tuple(
    case(f"cp up: type of {name}", f"cp {name} s3://$b/", files={name: "content"})
    for name in (
        "a.html",
        "a.json",
        "a.tar.gz",
        "a.png",
        "a.css",
        "a.js",
        "a.svg",
        "A.TXT",
        "noext",
        "a.unknown",
        ".txt",
        "a.zip",
        "a.xml",
    )
)

HEADERS = (
    case(
        "cp up: all headers",
        "cp a.zip s3://$b/ --content-type text/x-mine --cache-control max-age=60 --content-disposition attachment "
        "--content-encoding gzip --content-language de --expires 2030-01-01T00:00:00Z",
        files={"a.zip": v(1)},
    ),
    case("cp up: metadata as pairs", "cp a.zip s3://$b/ --metadata k=v,other=word", files={"a.zip": v(1)}),
    case(
        "cp up: metadata as JSON", """cp a.zip s3://$b/ --metadata '{"k": "v, w", "x": "y=z"}'""", files={"a.zip": v(1)}
    ),
    case("cp up: storage class", "cp a.zip s3://$b/ --storage-class STANDARD_IA", files={"a.zip": v(1)}),
    case("cp up: acl", "cp a.txt s3://$b/ --acl public-read", access=True, files={"a.txt": "x"}),
    case("cp up: acl of a version", "cp a.zip s3://$b/ --acl public-read", access=True, files={"a.zip": v(1)}),
    case("cp up: encryption", "cp a.txt s3://$b/ --sse", files={"a.txt": "x"}),
    case("cp up: no guess", "cp a.html s3://$b/ --no-guess-mime-type", files={"a.html": "x"}),
    case("cp up: type beats guess", "cp a.html s3://$b/ --content-type text/plain", files={"a.html": "x"}),
    case("cp up: bad storage class", "cp a.txt s3://$b/ --storage-class COLD", files={"a.txt": "x"}),
    case("cp up: bad acl", "cp a.txt s3://$b/ --acl everyone", files={"a.txt": "x"}),
    case("cp up: bad metadata", "cp a.txt s3://$b/ --metadata nothing", files={"a.txt": "x"}),
)

DOWN = (
    case("cp down: a file", "cp s3://$b/a.zip out.zip", objects=_ALIKE),
    case("cp down: here", "cp s3://$b/a.zip .", objects=_ALIKE),
    case(
        "cp down: a directory that exists", "cp s3://$b/p/a.zip d", objects={"p/a.zip": v(1)}, files={"d": Directory()}
    ),
    case("cp down: a directory to be made", "cp s3://$b/a.zip d/e/", objects=_ALIKE),
    case("cp down: parents to be made", "cp s3://$b/a.zip d/e/f.zip", objects=_ALIKE),
    case("cp down: absolute path", "cp s3://$b/a.zip $here/x/", objects=_ALIKE),
    case("cp down: over a file", "cp s3://$b/a.zip a.zip", objects=_ALIKE, files={"a.zip": File("old", mode=0o640)}),
    case("cp down: over a link", "cp s3://$b/a.txt l", objects={"a.txt": "new"}, files={"l": Link("t"), "t": "old"}),
    case(
        "cp down: over a directory's link",
        "cp s3://$b/a.txt l",
        objects={"a.txt": "new"},
        files={"l": Link("d"), "d": Directory()},
    ),
    case("cp down: missing key", "cp s3://$b/nothing out", objects=_ALIKE),
    case("cp down: missing bucket", "cp s3://$d/nothing out"),
    case("cp down: missing key, quiet", "cp s3://$b/nothing out --quiet"),
    case("cp down: a place", "cp s3://$b/p/ out", objects={"p/a.zip": v(1)}),
    case("cp down: a prefix", "cp s3://$b/p out", objects={"p/a.zip": v(1)}),
    case("cp down: a bucket", "cp s3://$b out", objects=_ALIKE),
    case("cp down: a bucket and a slash", "cp s3://$b/ out", objects=_ALIKE),
    case("cp down: a marker", "cp s3://$b/p/ out", objects={"p/": ""}),
    case("cp down: a marker to a directory", "cp s3://$b/p/ d", objects={"p/": ""}, files={"d": Directory()}),
    case("cp down: empty object", "cp s3://$b/e.bin .", objects={"e.bin": ""}),
    case("cp down: dryrun", "cp s3://$b/a.zip d/ --dryrun", objects=_ALIKE),
    case("cp down: dryrun of what is missing", "cp s3://$b/nothing d/ --dryrun", objects=_ALIKE),
    case("cp down: quiet", "cp s3://$b/a.zip . --quiet", objects=_ALIKE),
    case("cp down: excluded", "cp s3://$b/a.zip . --exclude '*.zip'", objects=_ALIKE),
    case("cp down: included again", "cp s3://$b/p/a.zip . --exclude '*' --include 'a.*'", objects={"p/a.zip": v(1)}),
    case("cp down: excluded by its prefix", "cp s3://$b/p/a.zip . --exclude 'p/*'", objects={"p/a.zip": v(1)}),
    case("cp down: name with blanks", "cp 's3://$b/a b.zip' .", objects={"a b.zip": v(1)}),
    case("cp down: unicode", "cp s3://$b/ä/日本.zip .", objects={"ä/日本.zip": v(1)}),
    case("cp down: odd characters", "cp 's3://$b/a+b%41&c=#d.zip' .", objects={"a+b%41&c=#d.zip": v(1)}),
    case("cp down: key with dots", "cp s3://$b/../x.zip .", objects={"../x.zip": v(1)}),
    case("cp down: key that is dots", "cp s3://$b/p/.. d/", objects={"p/..": "x"}),
    case("cp down: key with two slashes", "cp s3://$b/p//a.zip .", objects={"p//a.zip": v(1)}),
    case("cp down: key that begins with a slash", "cp s3://$b//a.zip .", objects={"/a.zip": v(1)}),
    case("cp down: key of a delta", "cp s3://$b/fw.delta .", objects={"fw.delta": "mine"}),
    case(
        "cp down: a file in a directory's place", "cp s3://$b/a.txt f/out", objects={"a.txt": "x"}, files={"f": "file"}
    ),
)

ACROSS = (
    case("cp across: a key", "cp s3://$b/a.zip s3://$c/x.zip", access=True, objects=_ALIKE),
    case("cp across: a bucket", "cp s3://$b/p/a.zip s3://$c", objects={"p/a.zip": v(1)}),
    case("cp across: a place", "cp s3://$b/p/a.zip s3://$c/q/", objects={"p/a.zip": v(1)}),
    case("cp across: in one bucket", "cp s3://$b/a.zip s3://$b/copy.zip", objects=_ALIKE),
    case("cp across: over an object", "cp s3://$b/a.zip s3://$b/b.zip", objects=_ALIKE),
    case("cp across: over one elsewhere", "cp s3://$b/a.zip s3://$c/b.zip", objects=_ALIKE, others={"b.zip": v(7)}),
    case("cp across: onto itself", "cp s3://$b/a.txt s3://$b/a.txt", objects={"a.txt": "x"}),
    case("cp across: a version onto itself", "cp s3://$b/a.zip s3://$b/a.zip", objects=_ALIKE),
    case("cp across: missing key", "cp s3://$b/nothing s3://$c/"),
    case("cp across: missing target bucket", "cp s3://$b/a.zip s3://$d/", objects=_ALIKE),
    case("cp across: missing source bucket", "cp s3://$d/a.zip s3://$b/"),
    case("cp across: dryrun", "cp s3://$b/a.zip s3://$c/ --dryrun", objects=_ALIKE),
    case("cp across: excluded", "cp s3://$b/a.zip s3://$c/ --exclude '*'", objects=_ALIKE),
    case("cp across: odd characters", "cp 's3://$b/a+b%41&c=#d.zip' 's3://$c/x y/'", objects={"a+b%41&c=#d.zip": v(1)}),
    case("cp across: another kind of name", "cp s3://$b/a.zip s3://$c/a.txt", objects=_ALIKE),
)

KEPT = obj(v(1), ContentType="text/x-kept", CacheControl="max-age=9", Metadata={"who": "me"}, ContentLanguage="fr")

ACROSS_METADATA = (
    case("cp across: headers kept", "cp s3://$b/a.zip s3://$c/", access=True, objects={"a.zip": KEPT}),
    case("cp across: metadata replaces", "cp s3://$b/a.zip s3://$c/ --metadata k=v", objects={"a.zip": KEPT}),
    case("cp across: type given", "cp s3://$b/a.zip s3://$c/ --content-type text/plain", objects={"a.zip": KEPT}),
    case("cp across: storage class", "cp s3://$b/a.zip s3://$c/ --storage-class STANDARD_IA", objects={"a.zip": KEPT}),
    case("cp across: acl", "cp s3://$b/a.zip s3://$c/ --acl public-read", access=True, objects={"a.zip": KEPT}),
    case(
        "cp across: tags kept",
        "cp s3://$b/a.zip s3://$c/",
        access=True,
        objects={"a.zip": obj(v(1), Tagging="team=blue")},
    ),
)

STREAMS = (
    case("cp stdin", "cp - s3://$b/k.txt", stdin=b"piped"),
    case("cp stdin: a version", "cp - s3://$b/k.zip", stdin=v(1)),
    case("cp stdin: nothing", "cp - s3://$b/k.txt"),
    case("cp stdin: a type that could be guessed", "cp - s3://$b/k.html", stdin=b"piped"),
    case("cp stdin: content type", "cp - s3://$b/k.html --content-type text/html", stdin=b"piped"),
    case("cp stdin: a bucket", "cp - s3://$b", stdin=b"piped"),
    case("cp stdin: a place", "cp - s3://$b/p/", stdin=b"piped"),
    case("cp stdin: missing bucket", "cp - s3://$d/k", stdin=b"piped"),
    case("cp stdin: dryrun", "cp - s3://$b/k --dryrun", stdin=b"piped"),
    case("cp stdin: expected size", "cp - s3://$b/k --expected-size 5", stdin=b"piped"),
    case("cp stdout", "cp s3://$b/t.txt -", objects={"t.txt": "line\nanother\n"}),
    case("cp stdout: a version", "cp s3://$b/a.zip -", objects=_ALIKE),
    case("cp stdout: missing key", "cp s3://$b/nothing -"),
    case("cp stdout: missing bucket", "cp s3://$d/nothing -"),
    case("cp stdout: quiet", "cp s3://$b/t.txt - --quiet", objects={"t.txt": "line\n"}),
    case("cp stdout: dryrun", "cp s3://$b/t.txt - --dryrun", objects={"t.txt": "line\n"}),
    case("cp streams: recursive up", "cp - s3://$b/ --recursive", stdin=b"piped"),
    case("cp streams: recursive down", "cp s3://$b/ - --recursive", objects=_ALIKE),
)

MISUSE = (
    case("cp: two local paths", "cp a.txt b.txt", files={"a.txt": "x"}),
    case("cp: one path", "cp a.txt", files={"a.txt": "x"}),
    case("cp: no path", "cp"),
    case("cp: three paths", "cp a.txt b.txt s3://$b/x", files={"a.txt": "x"}),
    case("cp: unknown option", "cp a.txt s3://$b/ --nonsense", files={"a.txt": "x"}),
    case("cp: option without its value", "cp a.txt s3://$b/ --exclude", files={"a.txt": "x"}),
    case("cp: no bucket", "cp a.txt s3://", files={"a.txt": "x"}),
    case("cp: bad bucket name", "cp a.txt s3://UPPER_case!/", files={"a.txt": "x"}),
    case("cp: options before paths", "cp --quiet --exclude '*.md' a.txt s3://$b/", files={"a.txt": "x"}),
    case(
        "cp: no credentials up",
        "cp a.txt s3://$b/",
        files={"a.txt": "x"},
        environ={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    ),
    case(
        "cp: no credentials down",
        "cp s3://$b/a.txt .",
        environ={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    ),
    case("cp: unknown profile", "cp a.txt s3://$b/ --profile nobody", files={"a.txt": "x"}),
)

CASES = (*UP, *GUESSED, *HEADERS, *DOWN, *ACROSS, *ACROSS_METADATA, *STREAMS, *MISUSE)
