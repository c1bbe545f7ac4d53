"""The progress bar on a terminal; the only module that knows rich."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from deltaglider.cli.progress import Display, Tally

BAR_SECONDS = 0.1
"""Between two looks of the bar."""


class _Words(ProgressColumn):
    """The line beside the bar, made anew each time it is drawn: while xdelta3 computes, nothing happens but time."""

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def render(self, task: Task) -> Text:
        return Text(self._words())


class BarDisplay(Display):
    """Bytes done, rate, time and files left, on one line that results are printed above.

    Args:
        interval: Seconds between two looks.
        color: Whether it has colors; ``None`` leaves it to ``NO_COLOR``.
    """

    def __init__(self, interval: float = BAR_SECONDS, *, color: bool | None = None) -> None:
        super().__init__(interval)
        self._console = Console(stderr=True, highlight=False, no_color=None if color is None else not color)
        self._progress = Progress(
            BarColumn(bar_width=None),
            _Words(lambda: self.line),
            console=self._console,
            transient=True,
            # Results go to stdout, wherever that leads; rich would send them here.
            redirect_stdout=False,
            redirect_stderr=False,
            expand=True,
            refresh_per_second=1 / interval,
        )
        self._task = self._progress.add_task("", total=None)
        self._shown = False

    def __enter__(self) -> Self:
        self._progress.start()
        self._shown = True
        return self

    def close(self) -> None:
        """Takes the bar away."""
        self._shown = False
        self._progress.stop()

    @property
    def shown(self) -> bool:
        """Whether the bar stands on the terminal."""
        return self._shown

    def above(self, line: str) -> None:
        """Prints a line above the bar, as it is: neither wrapped nor read as markup."""
        self._console.print(Text(line), soft_wrap=True)

    def show(self, tally: Tally) -> None:
        """Moves the bar."""
        self._progress.update(self._task, total=tally.total or None, completed=tally.done)
