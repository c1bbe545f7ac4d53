"""Is this machine fit for the work, and is what lies in a bucket sound? ``survey`` also mends what can be mended."""

from __future__ import annotations

from deltaglider.engine.doctor.case import Survey
from deltaglider.engine.doctor.machine import examine
from deltaglider.engine.doctor.survey import survey

__all__ = ["Survey", "examine", "survey"]
