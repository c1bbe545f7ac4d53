"""Global options of ``aws`` that change nothing here: scripts that give them need no change."""

from __future__ import annotations

from typing import Any

import asyncclick

from deltaglider.cli.framework import Option


def _ignored(name: str, **attributes: Any) -> Option:
    return Option(name, expose_value=False, hidden=True, help="Ignored.", **attributes)


IGNORED = (
    # "aws s3" heeds none of these two either.
    _ignored("--output", type=asyncclick.Choice(["json", "text", "table", "yaml", "yaml-stream", "off"])),
    _ignored("--query"),
    # Nothing here pages its output, prompts for arguments, or takes binary parameters.
    _ignored("--no-paginate", is_flag=True),
    _ignored("--no-cli-pager", is_flag=True),
    _ignored("--cli-auto-prompt", is_flag=True),
    _ignored("--no-cli-auto-prompt", is_flag=True),
    _ignored("--cli-binary-format", type=asyncclick.Choice(["base64", "raw-in-base64-out"])),
    _ignored("--cli-error-format"),
)
