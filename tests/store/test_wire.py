"""Times as S3 writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.store.s3.wire import parse_time

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(MOMENTS)
def test_the_formats_of_s3_are_read_as_botocore_reads_them(moment: datetime) -> None:
    seconds = moment.replace(microsecond=0)
    thousandths = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_time(format_datetime(seconds, usegmt=True)) == seconds
    assert parse_time(seconds.strftime("%Y-%m-%dT%H:%M:%SZ")) == seconds
    assert parse_time(thousandths.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z") == thousandths
    assert parse_time(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T10:20:30+02:00",
        "20261101T102030Z",
        1793528430,
        1793528430.5,
        "1793528430",
        "Sun Nov  1 10:20:30 2026",
    ],
)
def test_other_formats_are_botocores_business(text: object) -> None:
    assert parse_time(text) == parse_timestamp(text)


def test_what_is_no_time_is_an_error() -> None:
    for text in ("0 GMT", "2026-13-01T00:00:00Z", "soon"):
        with pytest.raises(ValueError):
            parse_time(text)
