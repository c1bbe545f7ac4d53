"""Progress: what is counted, and how it is shown."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from deltaglider.cli import progress
from deltaglider.cli.bar import BarDisplay
from deltaglider.cli.choose import make_display
from deltaglider.cli.options import Given
from deltaglider.cli.progress import LineDisplay, NoDisplay, Tally
from deltaglider.cli.screen import Screen
from deltaglider.events import AllFound, BytesMoved, CacheUsed, Event, ItemFinished, ItemFound, ItemStarted
from deltaglider.models import Action, Outcome, OutcomeStatus
from tests.cli.conftest import Cli

MIB = 1 << 20


def finished(action: Action, size: int, stored: int, status: OutcomeStatus = "done") -> ItemFinished:
    return ItemFinished(Outcome(action, status, "a", "b", size, stored))


def tally_of(*events: Event) -> Tally:
    tally = Tally()
    for event in events:
        tally.take(event)
    return tally


def test_nothing_has_happened() -> None:
    tally = tally_of()
    assert (tally.done, tally.line(0)) == (0, "0 Bytes/~0 Bytes (0 Bytes/s), ~0 files left")


def test_a_total_is_certain_once_all_is_found() -> None:
    tally = tally_of(ItemFound(MIB), ItemFound(2 * MIB))
    assert tally.line(1) == "0 Bytes/~3.0 MiB (0 Bytes/s), ~2 files left"
    tally.take(AllFound())
    assert tally.line(1) == "0 Bytes/3.0 MiB (0 Bytes/s), 2 files left"
    tally.take(finished("upload", MIB, MIB))
    assert tally.line(2) == "1.0 MiB/3.0 MiB (512.0 KiB/s), 0:04 to go, 1 file left"
    assert tally.line(200) == "1.0 MiB/3.0 MiB (5.1 KiB/s), 6:40 to go, 1 file left"


def test_a_whole_file_moves_byte_by_byte() -> None:
    tally = tally_of(ItemFound(4 * MIB), AllFound(), ItemStarted("upload", "a", "b"), BytesMoved("up", MIB))
    assert tally.done == MIB
    tally.take(BytesMoved("down", MIB))  # Of a reference: no byte of the file.
    tally.take(CacheUsed(hit=True, size=5))
    assert tally.done == MIB
    tally.take(BytesMoved("up", 3 * MIB))
    tally.take(finished("upload", 4 * MIB, 4 * MIB))
    assert (tally.done, tally.files - tally.finished) == (4 * MIB, 0)


def test_a_delta_counts_as_the_file_it_stands_for() -> None:
    tally = tally_of(ItemFound(4 * MIB), ItemFound(4 * MIB), ItemStarted("upload", "a", "b"), BytesMoved("up", 100))
    assert tally.done == 100
    tally.take(finished("upload", 4 * MIB, 100))
    assert (tally.done, tally.finished, tally.files) == (4 * MIB, 1, 2)


def test_it_never_falls_and_never_exceeds_the_total() -> None:
    tally = tally_of(ItemFound(MIB), ItemFound(MIB), ItemStarted("download", "a", "b"), BytesMoved("down", 5 * MIB))
    assert tally.done == 2 * MIB
    tally.take(finished("download", MIB, 5 * MIB, "failed"))
    assert tally.done == 2 * MIB


def test_a_delete_is_a_file_without_bytes() -> None:
    tally = tally_of(ItemFound(0), ItemStarted("delete", "a", None), finished("delete", 500, 0))
    assert (tally.done, tally.total, tally.finished) == (0, 0, 1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with LineDisplay(2.0, clock) as display:
        display(ItemFound(4 * MIB))
        display(AllFound())
        display(ItemStarted("upload", "a", "b"))
        assert capsys.readouterr().err == ""
        clock.now += 2
        display(BytesMoved("up", MIB))
        assert capsys.readouterr().err == "Completed 1.0 MiB/4.0 MiB (512.0 KiB/s), 0:06 to go, 1 file left\n"
        clock.now += 1
        display(BytesMoved("up", MIB))
        assert capsys.readouterr().err == ""
        assert not display.shown


def test_lines_before_all_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with LineDisplay(2.0, clock) as display:
        clock.now += 2
        display(ItemFound(4 * MIB))
    assert capsys.readouterr().err == "Completed 0 Bytes/~4.0 MiB (0 Bytes/s), ~1 file left\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes stderr a terminal. Not a fixture: pytest puts its own stream back before the test itself begins."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return stream


def asked(**output: Any) -> Given:
    return Given(output=output)


def test_which_display_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing, shown, hidden = asked(), asked(progress=True), asked(progress=False)
    a_terminal(monkeypatch)
    assert isinstance(make_display(nothing), BarDisplay)
    assert isinstance(make_display(shown), BarDisplay)
    assert isinstance(make_display(hidden), NoDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_display(nothing), NoDisplay)
    assert isinstance(make_display(shown), LineDisplay)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_display(nothing), NoDisplay)
    assert isinstance(make_display(shown), LineDisplay)
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(make_display(nothing), NoDisplay)


def test_whoever_says_how_progress_is_shown_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(make_display(asked(progress_frequency=5.0)), LineDisplay)
    assert isinstance(make_display(asked(progress_frequency=0.0)), LineDisplay)
    assert isinstance(make_display(asked(progress_multiline=True)), LineDisplay)
    assert isinstance(make_display(asked(progress_multiline=True, progress=False)), NoDisplay)
    a_terminal(monkeypatch)
    assert isinstance(make_display(asked(progress_multiline=True)), LineDisplay)
    assert isinstance(make_display(asked(progress_frequency=5.0)), BarDisplay)


def test_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for seconds, interval in ((5.0, 5.0), (0.0, 2.0)):
        assert make_display(asked(progress_frequency=seconds))._interval == interval
    assert make_display(asked(progress=True))._interval == 2.0
    a_terminal(monkeypatch)
    assert make_display(asked())._interval == 0.1
    assert make_display(asked(progress_frequency=5.0))._interval == 5.0


@pytest.mark.parametrize(
    ("color", "variable", "colored"),
    [("auto", "", True), ("auto", "1", False), ("on", "1", True), ("off", "", False), (None, "1", False)],
)
def test_colors(monkeypatch: pytest.MonkeyPatch, color: str | None, variable: str, colored: bool) -> None:
    terminal = a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", variable)
    display = make_display(asked(color=color) if color else asked())
    with display:
        for event in (ItemFound(4 * MIB), AllFound(), ItemStarted("upload", "a", "b"), BytesMoved("up", MIB)):
            display(event)
    assert ("\x1b[38" in terminal.getvalue() or "\x1b[3" in terminal.getvalue()) is colored


def test_lines_in_a_log_stand_one_below_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with LineDisplay(1.0, clock) as display:
        for _ in range(3):
            clock.now += 1
            display(ItemFound(MIB))
    lines = capsys.readouterr().err
    assert lines.count("\n") == 3
    assert "\r" not in lines


def test_the_bar_shows_bytes_rate_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    with BarDisplay() as display:
        assert display.shown
        for event in (ItemFound(4 * MIB), AllFound(), ItemStarted("upload", "a", "b"), BytesMoved("up", MIB)):
            display(event)
    assert not display.shown
    assert "1.0 MiB/4.0 MiB" in terminal.getvalue()
    assert "1 file left" in terminal.getvalue()


def test_lines_go_above_the_bar_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    line = "upload: ./[red]markup[/red] to s3://bkt/" + "long/" * 40
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    with BarDisplay() as display:
        screen = Screen(display)
        screen.out(line)
        screen.err("warning: mind")
    assert f"{line}\n" in terminal.getvalue()
    assert "warning: mind\n" in terminal.getvalue()
    assert stdout.getvalue() == ""


def test_results_go_to_a_stdout_that_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    with BarDisplay() as display:
        Screen(display).out("upload: ./a to s3://bkt/a")
    assert stdout.getvalue() == "upload: ./a to s3://bkt/a\n"
    assert "upload" not in terminal.getvalue()


def test_nobody_looks() -> None:
    display = NoDisplay()
    assert not display.wanted
    assert BarDisplay.wanted.fget is progress.Display.wanted.fget
    with display:
        display(ItemFound(5))
        display.show(Tally())


@pytest.mark.parametrize("option", ["--json", "--quiet", "--no-progress", "--only-show-errors"])
async def test_where_there_is_no_bar(cli: Cli, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    cli.write("f", b"content")
    terminal = a_terminal(monkeypatch)
    await cli.ok("cp", "f", "s3://bkt/", option)
    assert "\x1b" not in terminal.getvalue()
    await cli.ok("cp", "f", "s3://bkt/")
    assert "\x1b" in terminal.getvalue()
