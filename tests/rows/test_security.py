"""S1 to S5."""

from __future__ import annotations

import asyncio
import shutil
import signal
import stat
from pathlib import Path

import pytest

from tests.rows.material import V1, version
from tests.rows.tool import Child, Tool, files_below, shows_the_defect

SCRIPTS = Path(__file__).with_name("scripts")


@pytest.mark.parametrize("command", [["sync"], ["cp", "-r"]])
async def test_s1_keys_that_climb_out_of_the_target(tool: Tool, command: list[str]) -> None:
    tool.store("p/../../evil.txt", b"evil")
    tool.store("p/good.txt", b"good")
    await tool.run(*command, tool.url("p/"), tool.here / "trav/a/b")
    with shows_the_defect(tool, r"evil\.txt"):
        assert files_below(tool.here) == {"trav/a/b/good.txt": b"good"}


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
async def test_s2_what_a_killed_process_leaves_is_readable_by_nobody_else(tool: Tool, way: signal.Signals) -> None:
    await tool.put("p/a.zip", V1)
    waiting = SlowXdelta3(tool)
    upload = await tool.start("cp", tool.write("b.zip", version(1)), tool.url("p/b.zip"))
    await waiting.begun(upload)
    upload.process.send_signal(way)
    await upload.process.wait()
    waiting.go_on()
    await upload.ended()
    left = {path.name: stat.filemode(path.stat().st_mode) for path in tool.leftovers()}
    with shows_the_defect(tool, r"decrypted"):
        if way == signal.SIGTERM:
            assert not left, sorted(left)
        assert [path for path, mode in left.items() if not mode.endswith("------")] == []


async def test_s3_a_failed_request_puts_no_secret_into_the_log(tool: Tool) -> None:
    token = "a-session-token-that-is-secret"
    tool.write("note.txt", b"hello")
    ran = await tool.script(SCRIPTS / "failed_put.py", tool.endpoint.url, tool.bucket, token)
    assert "it failed" in ran.out, ran
    with shows_the_defect(tool, "the token is in the log"):
        assert token not in ran.out + ran.err, "the token is in the log"


async def test_s4_a_name_in_the_temporary_directory_cannot_be_taken(tool: Tool) -> None:
    """There is no name to guess, so nobody can stand in its way."""
    (tool.temporary / "x.zip").mkdir()
    with shows_the_defect(tool, "Is a directory|IsADirectoryError"):
        await tool.sdk_put("p/x.zip", V1)
        await tool.reads({"p/x.zip": V1})


async def test_s4_a_link_in_the_temporary_directory_leads_nowhere(tool: Tool) -> None:
    link = tool.temporary / "x.zip"
    link.symlink_to(tool.here / "elsewhere")
    await tool.sdk_put("p/x.zip", V1)
    with shows_the_defect(tool, "the link is gone"):
        assert link.is_symlink(), "the link is gone"
        assert not (tool.here / "elsewhere").exists()


async def test_s5_the_environment_cannot_change_what_xdelta3_does(tool: Tool) -> None:
    await tool.put("p/a.zip", V1)
    tool.setenv("XDELTA", "--no-such-option")
    with shows_the_defect(tool, "xdelta3 encode failed"):
        await tool.put("p/b.zip", version(1))
        await tool.reads({"p/b.zip": version(1)})


class SlowXdelta3:
    """An xdelta3 on the PATH that waits before it encodes."""

    def __init__(self, tool: Tool) -> None:
        self._begun, self._go = tool.here / "begun", tool.here / "go"
        script = f"""#!/bin/sh
case " $* " in *" -e "*)
  : > '{self._begun}'
  while [ ! -e '{self._go}' ]; do {shutil.which("sleep")} 0.02; done
esac
exec {shutil.which("xdelta3")} "$@"
"""
        program = tool.write("programs/xdelta3", script.encode())
        program.chmod(0o700)
        tool.setenv("PATH", f"{program.parent}:{tool.environ['PATH']}")

    async def begun(self, child: Child) -> None:
        """Waits until it is called, by a process that lives."""
        while not self._begun.exists():
            assert child.process.returncode is None, await child.ended()
            await asyncio.sleep(0.01)

    def go_on(self) -> None:
        self._go.touch()
