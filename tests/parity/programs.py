"""The two programs, each a process of its own for each command line, started without importing it anew."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

_ZYGOTE = Path(__file__).with_name("zygote.py")


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    stdout: str
    stderr: str
    at: datetime


class Program:
    """A program that is started often.

    Args:
        name: As its usage shows it.
        python: The interpreter it is installed with.
        entry: ``module:function``, its entry point.
        modules: What else to import beforehand.
        prefix: The first arguments of every command line.
    """

    def __init__(self, name: str, python: Path, entry: str, modules: Sequence[str], prefix: Sequence[str] = ()) -> None:
        self._prefix = list(prefix)
        environ = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "HOME": os.devnull}
        if python == Path(sys.executable):
            environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        self._process = subprocess.Popen(
            [str(python), str(_ZYGOTE), name, entry, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], directory: Path, scratch: Path, environ: Mapping[str, str], stdin: bytes
    ) -> Ended:
        """Runs a command line to its end.

        Args:
            arguments: Without the program's name.
            directory: The working directory.
            scratch: A directory for what is piped in and printed.
            environ: The whole environment.
            stdin: What is piped in.

        Returns:
            How it ended.
        """
        streams = {name: scratch / name for name in ("stdin", "stdout", "stderr")}
        for path in streams.values():
            path.unlink(missing_ok=True)
        streams["stdin"].write_bytes(stdin)
        request = {
            "arguments": [*self._prefix, *arguments],
            "directory": str(directory),
            "environ": dict(environ),
            **{name: str(path) for name, path in streams.items()},
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process that starts the program has ended"
        texts = [streams[name].read_bytes().decode(errors="backslashreplace") for name in ("stdout", "stderr")]
        return Ended(int(answer), *texts, datetime.now(UTC))

    def close(self) -> None:
        """Ends the process that starts the program."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def aws(executable: Path) -> Program:
    """The real ``aws s3``."""
    modules = ["awscli.handlers", "awscli.customizations.s3.s3", "awscli.customizations.s3.subcommands", "s3transfer"]
    python = executable.parent / "python"
    return Program("aws", python, "awscli.clidriver:main", [*modules, "botocore.httpsession"], ["s3"])


def ours() -> Program:
    """``deltaglider``."""
    modules = ["deltaglider.cli.main", "deltaglider.cli.app", "deltaglider.client.aio", "deltaglider.store.s3"]
    modules.append("deltaglider.client.piecemeal")
    return Program("deltaglider", Path(sys.executable), "deltaglider.cli:run", [*modules, "aiobotocore.session"])
