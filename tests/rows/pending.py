"""What the rows speak of and this tool does not have yet.

A row that has no test waits here for its verb; most have one already, which asks the same of a verb there is.
``test_pending`` fails as soon as the verb exists, so that no row is forgotten.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Pending:
    """What a row waits for.

    Attributes:
        what: The verb, and what is to be tested of it.
        command: A command, with the option after it if that is what is missing.
        method: A method of the clients.
    """

    what: str
    command: str = ""
    method: str = ""


UNTESTED: dict[str, Pending] = {}
"""Rows without a test."""

MORE_TO_TEST = {
    "D23": Pending("upload_batch: the files share a reference", method="upload_batch"),
}
"""Rows with a test, of which more is to be tested when the verb is there."""
