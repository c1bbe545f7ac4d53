"""What each encoder makes of one fixed text: by that it is known, and not by a version."""

from __future__ import annotations

import functools
import hashlib
from typing import Final

from deltaglider.archive.encoder import CHROMIUM, GZIP, ZLIB, Encoder

_SIZE, _NOISE = 96_000, 40_000


@functools.cache
def text() -> bytes:
    """The text: words, noise, repeats near and far, and runs, so that each level makes something else of it."""
    noise = hashlib.shake_128(b"deltaglider").digest(_NOISE)
    words = [noise[at * 8 : at * 8 + 2 + noise[at] % 7] for at in range(1000)]
    out, state = bytearray(), 1
    while len(out) < _SIZE:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        kind, number = (state >> 8) % 16, state >> 12
        if kind < 8:
            out += b" ".join(words[(number * each * each + each) % 600] for each in range(1, 30))
        elif kind < 11:
            out += noise[8000 + number % 31000 :][:200]
        elif kind < 15:
            out += out[number % (len(out) + 1) :][: 3 + number % 300]
        else:
            out += bytes([97 + number % 3]) * (1 + number % 700)
    return bytes(out[:_SIZE])


def digest(stream: bytes) -> str:
    """What is noted of a deflate stream: the first half of its SHA-256."""
    return hashlib.sha256(stream).hexdigest()[:32]


CANARIES: Final = {
    Encoder(ZLIB, 1, 8, 0): "3a6eb52acb6b95595b3e2f0844ab2247",
    Encoder(ZLIB, 2, 8, 0): "4a15ba78e0650d5cb904b40c3160b488",
    Encoder(ZLIB, 3, 8, 0): "73b7b2c9125abbcba453ec27cb8bbe97",
    Encoder(ZLIB, 4, 8, 0): "f9e575325ad7ff55580b06bc04ed7070",
    Encoder(ZLIB, 5, 8, 0): "dec0bcc2ae18d84e66ea3ad3421a6bdc",
    Encoder(ZLIB, 6, 8, 0): "6c74963bdf6eae2b2e728e5017678aae",
    Encoder(ZLIB, 7, 8, 0): "5b247294d2f261ed131260e72c047a07",
    Encoder(ZLIB, 8, 8, 0): "b74fa3d7fab4cc5f03569d08e743425f",
    Encoder(ZLIB, 9, 8, 0): "3a28987e6ac745b84944e0b605f6f896",
    Encoder(ZLIB, 1, 9, 0): "20a80c740e736b96f7bcd053c64cfb2e",
    Encoder(ZLIB, 2, 9, 0): "3f38f6232b3002868395088d5bff3e47",
    Encoder(ZLIB, 3, 9, 0): "da629772a5a0232eab96183e395f222d",
    Encoder(ZLIB, 4, 9, 0): "01f5a029eadf58e709ca10b60dfbe482",
    Encoder(ZLIB, 5, 9, 0): "7725339b8a3d8f875eca51cce73bdc8d",
    Encoder(ZLIB, 6, 9, 0): "726bcba8fc4e6543c26b11ec7a40940d",
    Encoder(ZLIB, 7, 9, 0): "702ec00fa30c96e13189593b22fa6ae8",
    Encoder(ZLIB, 8, 9, 0): "037b4b0127d8fd7b8e7d1c3ee0494f1b",
    Encoder(ZLIB, 9, 9, 0): "27dcd8d1c96ac0d45bc90736a0d393e3",
    Encoder(ZLIB, 4, 8, 1): "7504f20947f3c3331fa848e22ee8fd2f",
    Encoder(ZLIB, 5, 8, 1): "42af9aee0550434d1e03054a4abd6eac",
    Encoder(ZLIB, 6, 8, 1): "d68040fe4e07d6db02853c9a859ad32a",
    Encoder(ZLIB, 7, 8, 1): "be1b4a66df3a0aef2bd01cd4c70cfc83",
    Encoder(ZLIB, 8, 8, 1): "17ed4ce10bf6e4f83f8f88e397e6c4d3",
    Encoder(ZLIB, 9, 8, 1): "4d43237cd36d9a89cbd50f2f52a54ddb",
    Encoder(ZLIB, 4, 9, 1): "e98fc1545f076159005830a9a8aae299",
    Encoder(ZLIB, 5, 9, 1): "ed717f819d93a3e0d1e6d78e8bb58198",
    Encoder(ZLIB, 6, 9, 1): "ead31600c32316ae7f9d1760fb87591c",
    Encoder(ZLIB, 7, 9, 1): "7da0696c3da0ce152e42fb197fde3019",
    Encoder(ZLIB, 8, 9, 1): "f90b126ac1b5ccdccc62147a2decc1cf",
    Encoder(ZLIB, 9, 9, 1): "dda60717a2658451c56ebab0a0d2ea09",
    Encoder(ZLIB, 6, 8, 2): "9197db904b752d2fac5a407deb33fee4",
    Encoder(ZLIB, 6, 9, 2): "b6eccce7e3b583bf2da6b20129cf8ee6",
    Encoder(ZLIB, 6, 8, 3): "fa79e5cbc5b4f2ae873fcfa5f41fd3cc",
    Encoder(ZLIB, 6, 9, 3): "3c86906643457b4c680f6df72cb4cf39",
    Encoder(GZIP, 1): "c0a8ab3acc1d7e194a35877a2b5913f6",
    Encoder(GZIP, 2): "ad1ebeb757d7887082d28d30e58b67ca",
    Encoder(GZIP, 3): "aebc61f292d0e3f7f266ef162cc74dbb",
    Encoder(GZIP, 4): "90f03463137581f24c0c184d71fe742f",
    Encoder(GZIP, 5): "7850a5de942dbd08a0d8a71fa111b813",
    Encoder(GZIP, 6): "a94d3451ed905ee4463c834273073865",
    Encoder(GZIP, 7): "b297da136e4ae6dda41be5cd7ee1e04c",
    Encoder(GZIP, 8): "ffe020c0a3a8d7721c90a3f7ce05d38c",
    Encoder(GZIP, 9): "b023994a2e0254a158abf960c4384d03",
    Encoder(CHROMIUM, 1): "b855abe7790619a1040c66b0ae4773f9",
    Encoder(CHROMIUM, 2): "970af658895b99f88a0b0d7ff8971ecf",
    Encoder(CHROMIUM, 3): "699d546cf3e27b1ffad76a029e5b58b3",
    Encoder(CHROMIUM, 4): "421e6570f9b2df6c0f965ea722e1bf18",
    Encoder(CHROMIUM, 5): "a533aab69e472954f41b9f2d2079f3ef",
    Encoder(CHROMIUM, 6): "b42e19b3b7cd3be74eb2b98955ac6d50",
    Encoder(CHROMIUM, 7): "fcd8e57f96ab0d4ed9bc2116b79bfc76",
    Encoder(CHROMIUM, 8): "6832c8dd5d023a59ae0b69f7514151a2",
    Encoder(CHROMIUM, 9): "7ab4db8d0b46c6c65460467d322a41c0",
}
"""The digest of the text's deflate stream, for each encoder there is.

What is not in here is no encoder: of zlib's strategies, the filtered one is the default one up to level 3, the next two
have no levels, and the fixed one and level 0 differ between the versions of zlib."""
