"""How Sphinx builds the documentation: ``make docs``."""

from vantage6.common import __version__

project = "vantage6"
author = "the vantage6 project"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"vantage6 {version}"
html_show_sphinx = html_show_copyright = html_copy_source = False

myst_heading_anchors = 3
# The prompt and what a command prints are not copied.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

# Docstrings say `name` for what is no link, too.
default_role = "code"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# A parameter a line where they are many.
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = False
napoleon_use_rtype = False
# Otherwise `id_` loses what it ends with.
napoleon_use_param = False
# Types of Python itself: there is no internet to link to while the pages are built.
nitpick_ignore_regex = [("py:.*", ".*")]
