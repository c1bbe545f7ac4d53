"""What bulk work may be told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from deltaglider.bulk.caseconflict import CaseConflict
from deltaglider.bulk.filters import Filters
from deltaglider.bulk.guard import DeleteLimit
from deltaglider.errors import InvalidInputError
from deltaglider.late import dataclass

Archived = Literal["skip", "ignore", "force"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOptions:
    """How a tree is transferred, synced or deleted. What does not apply to a verb means nothing to it.

    Attributes:
        filters: Which names take part.
        names: Transfers of trees: only these of the source, in place of all that is there. Drawn once, in threads.
        dryrun: Find out what would be done, and do none of it.
        fail_fast: Begin nothing more after the first failure; what is in flight is finished.
        follow_symlinks: Of a local source: upload what symbolic links lead to. Otherwise links are left out.
        move: Transfers: remove what was transferred from the source.
        escape_names: Keys are written, and read, as names of files that every system takes.
        case_conflict: Down: what becomes of names that differ only by case.
        preserve: Sync: compare by the recorded times of files, where they are known.
        delete: Sync: delete what only the target has.
        max_delete: Sync: delete nothing if there is more than this to delete.
        force: Sync: delete everything if the source is empty.
        size_only: Sync: sizes alone decide whether a file is transferred again.
        exact_timestamps: Sync down: any difference of the times counts.
        checksum: Sync: of files of one size, let the content decide.
        no_overwrite: Leave alone what exists. What is stored is told so besides, as it may come to be meanwhile.
        archived: What becomes of objects to read that lie in an archive: ``skip`` with a warning, ``ignore`` without,
            or ``force``: try, and fail where the store refuses.
    """

    filters: Filters = Filters()
    names: Iterable[str] | None = None
    dryrun: bool = False
    fail_fast: bool = False
    follow_symlinks: bool = True
    move: bool = False
    escape_names: bool = False
    case_conflict: CaseConflict = "ignore"
    preserve: bool = False
    delete: bool = False
    max_delete: DeleteLimit | None = None
    force: bool = False
    size_only: bool = False
    exact_timestamps: bool = False
    checksum: bool = False
    no_overwrite: bool = False
    archived: Archived = "skip"

    def __post_init__(self) -> None:
        if self.checksum and (self.size_only or self.exact_timestamps):
            raise InvalidInputError(
                "checksum and another rule (size_only, exact_timestamps) cannot both decide",
                remedy="Give one of them",
            )
