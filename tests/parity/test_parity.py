"""Each case with both programs: all of it must be the same, but for the departures in docs/parity.md."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.case import Case
from tests.parity.cases import CASES
from tests.parity.compare import code_of_version_2, differences, view_of
from tests.parity.conftest import Programme
from tests.parity.departures import DOCUMENT, departure_of, read_departures
from tests.parity.sides import Observed, Ours

DEPARTURES = read_departures(DOCUMENT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("case", "variant"),
    [pytest.param(case, variant, id=f"{case.name} [{variant}]") for case in CASES for variant in case.variants],
)
def test_both_do_the_same(
    case: Case, variant: str, aws: Programme, ours: Ours, record_property: pytest.RecordProperty
) -> None:
    seen = ours.run(case, variant)
    found = differences(aspects(case, aws.result(case), version=1), aspects(case, seen, version=2))
    departure = departure_of(DEPARTURES, case.name, variant, ours.endpoint.name.partition("-")[0])
    expected = departure.aspects if departure else frozenset()
    verdict = "differs" if set(found) != expected else "departs" if departure else "equal"
    record_property("parity", verdict)
    shown = "\n".join(f"{aspect}:\n{text}" for aspect, text in found.items())
    told = "\n".join(f"{each.code}: {each.stderr}" for each in seen.ended)
    assert set(found) == expected, f"{case.commands}\n{shown}\nours told: {told}"


def aspects(case: Case, observed: Observed, *, version: int) -> dict[str, Any]:
    """All that is compared of a case."""
    names = {str(observed.here): "HERE", **{case.bucket(letter): f"BUCKET-{letter}" for letter in "bcd"}}
    views = []
    for line, ended in zip(case.commands, observed.ended, strict=True):
        code = code_of_version_2(ended.code, ended.stderr) if version == 1 else ended.code
        views.append(
            view_of(
                ended,
                code=code,
                now=ended.at,
                names=names,
                fetched=observed.fetched,
                ordered=case.ordered,
                silent="--quiet" in line or "--only-show-errors" in line,
            )
        )
    return {
        "exit codes": [view.code for view in views],
        "stdout": [view.stdout for view in views],
        "stderr": [view.stderr for view in views],
        "files": observed.files,
        "objects": observed.objects,
        "uploads": observed.uploads,
    }
