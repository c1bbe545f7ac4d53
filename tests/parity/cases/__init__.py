"""All cases, by command."""

from __future__ import annotations

from tests.parity.cases import copying, listing, moving, signing, syncing, trees, writing

CASES = (
    *copying.CASES,
    *listing.CASES,
    *trees.CASES,
    *syncing.CASES,
    *moving.CASES,
    *signing.CASES,
    *writing.CASES,
)

assert len({case.name for case in CASES}) == len(CASES), "each case needs a name of its own"
