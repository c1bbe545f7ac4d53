"""How the documents are built: ``nox -s docs``. Nothing is fetched from the network."""

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from deltaglider._version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "DeltaGlider"
author = "The DeltaGlider developers"
copyright = "The DeltaGlider developers"  # noqa: A001  (Sphinx's name for it.)
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "bench_figures", "settings_table"]
exclude_patterns = ["_build", "_extensions"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3  # Links to headings, such as cli.md#sync.

# Signatures keep the names of their types short, and docstrings say the rest.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100  # A longer signature gets a line for each parameter.
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # "Attributes:" becomes a list in the class, not entries that autodoc would repeat.

html_theme = "furo"
html_title = f"DeltaGlider {version}"
html_copy_source = False
# No stylesheet or font of another host: the documents work offline and tell nobody who reads them.
html_static_path: list[str] = []


def keep_drawings(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Indented blocks of a module's docstring are drawings and code: they stay as they are."""
    if what != "module":
        return
    for at in range(len(lines) - 1, 1, -1):
        begins = lines[at].startswith("    ") and not lines[at - 1].strip() and not lines[at - 2].startswith("    ")
        if begins and not lines[at - 2].endswith("::"):
            lines[at:at] = ["::", ""]


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", keep_drawings)
