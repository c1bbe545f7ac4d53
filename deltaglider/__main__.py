"""``python -m deltaglider``."""

from deltaglider.cli import run

if __name__ == "__main__":
    run()
