"""How the documents are built: ``nox -s docs``. Nothing is fetched from the network."""

import sys
from pathlib import Path

from deltaglider._version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "DeltaGlider"
author = "The DeltaGlider developers"
copyright = "The DeltaGlider developers"  # noqa: A001  (Sphinx's name for it.)
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "settings_table"]
exclude_patterns = ["_build", "_extensions"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3  # Links to headings, such as cli.md#sync.

# Signatures keep the names of their types short, and docstrings say the rest.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # "Attributes:" becomes a list in the class, not entries that autodoc would repeat.

html_theme = "furo"
html_title = f"DeltaGlider {version}"
html_copy_source = False
# No stylesheet or font of another host: the documents work offline and tell nobody who reads them.
html_static_path: list[str] = []
