"""``--include`` and ``--exclude``: which names take part.

Everything starts included; each rule that matches overwrites the verdict, so the last match wins. Patterns are those of
``fnmatch``: ``*`` and ``?`` cross ``/``. A pattern is relative to the root of either side; an absolute one is matched
against the whole local path.
"""

from __future__ import annotations

import fnmatch
import os.path
import re
from collections.abc import Callable
from typing import Literal

from deltaglider.late import dataclass

Verdict = Literal["include", "exclude"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One ``--include`` or ``--exclude``.

    Attributes:
        verdict: What becomes of the names that match.
        pattern: An ``fnmatch`` pattern.
    """

    verdict: Verdict
    pattern: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Rules in the order they were given.

    Attributes:
        rules: The rules.
    """

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, *rules: tuple[Verdict, str]) -> Filters:
        """Filters from pairs such as ``("exclude", "*.log")``, in order."""
        return cls(tuple(Rule(verdict, pattern) for verdict, pattern in rules))

    def rooted(self, *roots: str | os.PathLike[str]) -> Callable[[str], bool]:
        """The test for names, the same for both sides of a sync, so that what is excluded is not deleted either.

        Args:
            *roots: The local roots; absolute patterns mean files under them.

        Returns:
            A function that says whether a name, relative to any root, takes part.
        """
        # aws joins the root and the pattern and matches whole paths, so that a "[" in the root acts as a glob. Matching
        # relative names against relative patterns is the same without that.
        bases = [os.path.normcase(os.path.join(os.path.abspath(root), "")) for root in roots]  # noqa: PTH100, PTH118
        tests = [_test(rule, bases) for rule in self.rules]

        def keeps(name: str) -> bool:
            name = os.path.normcase(name)
            verdict: Verdict = "include"
            for rule_verdict, matches in tests:
                if matches(name):
                    verdict = rule_verdict
            return verdict == "include"

        return keeps


def _test(rule: Rule, bases: list[str]) -> tuple[Verdict, Callable[[str], bool]]:
    match = re.compile(fnmatch.translate(os.path.normcase(rule.pattern))).match
    if os.path.isabs(rule.pattern):
        return rule.verdict, lambda name: any(match(base + name) for base in bases)
    return rule.verdict, lambda name: match(name) is not None
