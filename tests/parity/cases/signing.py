"""``presign`` and ``website``."""

from __future__ import annotations

from tests.parity.case import case, v

CASES = (
    case("presign", "presign s3://$b/a.zip", objects={"a.zip": v(1), "b.zip": v(2)}),
    case("presign: a second version", "presign s3://$b/b.zip", objects={"a.zip": v(1), "b.zip": v(2)}),
    case("presign: without s3://", "presign $b/a.zip", objects={"a.zip": v(1)}),
    case("presign: text", "presign s3://$b/a.txt", objects={"a.txt": "text"}),
    case("presign: expires", "presign s3://$b/a.zip --expires-in 120", objects={"a.zip": v(1)}),
    case("presign: odd characters", "presign 's3://$b/a b+%41&=#ä.zip'", objects={"a b+%41&=#ä.zip": v(1)}),
    case("presign: missing key", "presign s3://$b/nothing"),
    case("presign: missing bucket", "presign s3://$d/nothing"),
    case("presign: nothing", "presign"),
    case("presign: junk for expires", "presign s3://$b/a.zip --expires-in soon", objects={"a.zip": v(1)}),
    case(
        "presign: no credentials",
        "presign s3://$b/a.txt",
        objects={"a.txt": "x"},
        environ={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    ),
    case("website", "website s3://$b --index-document index.html --error-document error.html"),
    case("website: without s3://", "website $b --index-document index.html"),
    case("website: index alone", "website s3://$b/ --index-document index.html"),
    case("website: nothing said", "website s3://$b/"),
    case("website: missing bucket", "website s3://$d --index-document index.html"),
    case("website: no bucket", "website"),
)
