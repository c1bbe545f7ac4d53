"""The version, here so that neither importing the package nor building it reads anything else."""

__version__ = "7.0.0"
