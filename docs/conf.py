"""Sphinx: the documentation site, built by `make site` without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import reference  # noqa: E402 - beside this file

from mlrunner import __version__  # noqa: E402

project = "mlrunner"
release = version = __version__
copyright = "the mlrunner authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["requirements.lock"]

html_theme = "furo"
html_title = "mlrunner"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
smartquotes = False  # quotes in commands stay as they are typed

autodoc_typehints_format = "short"
maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
default_role = "code"  # docstrings write code in single backticks
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True


class Mermaid(Directive):
    """A diagram, drawn while the site is built: the pages load nothing."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the diagram as SVG."""
        import mermaidx

        svg = mermaidx.render("\n".join(self.content), theme="neutral").svg()
        return [nodes.raw("", f'<div class="diagram">{svg}</div>', format="html")]


def write_reference(app: Any) -> None:
    """Write the pages that are made of the code."""
    reference.write_pages(Path(app.srcdir) / "generated")


def setup(app: Any) -> None:
    """Register what this file adds to Sphinx."""
    app.add_directive("mermaid", Mermaid)
    app.connect("builder-inited", write_reference)
