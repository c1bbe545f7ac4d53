"""CLI: the ``deltaglider`` command. asyncclick and rich live here, and nowhere else."""
