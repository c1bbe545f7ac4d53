"""The cases, one a module, each with ``run(tools) -> Table``."""
