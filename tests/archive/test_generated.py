"""Any two files: what comes back is what was there, whatever they hold or pretend to."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from deltaglider.archive.limits import Limits
from tests.archive.generated import DAMAGES, FILES, Damage
from tests.archive.material import there_and_back
from tests.faults.scale import scaled

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

LIMITS = Limits(unpacked=4 << 20)


@settings(max_examples=scaled(100, 2_000), suppress_health_check=list(HealthCheck))
@given(reference=FILES, target=FILES, damage=DAMAGES)
def test_any_pair_of_files_comes_back(reference: bytes, target: bytes, damage: Damage) -> None:
    target = damage.done_to(target)
    with tempfile.TemporaryDirectory() as home:
        result = there_and_back(reference, target, Path(home), limits=LIMITS)

        assert len(result.expanded) <= len(target) + LIMITS.unpacked
        spool = Path(home, "spool")
        assert spool.stat().st_size <= 2 * LIMITS.unpacked
