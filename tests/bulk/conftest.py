"""The engine's world, for bulk work that looks at the store itself."""

from __future__ import annotations

from tests.engine.conftest import any_world, ctx, world

__all__ = ["any_world", "ctx", "world"]
