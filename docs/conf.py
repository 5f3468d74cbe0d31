"""How Sphinx makes a site of these pages: ``make docs``.

The source folder is the root of the project, so that a relative link is the same on the site and in
a repository browser. Tables of links, such as those of docs/index.md, are the site's menu.
"""
import re
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
warnings.filterwarnings('ignore', category=DeprecationWarning)  # of the packages that are imported

from cltdr_mm import __version__, visualization  # noqa: E402

for name in visualization.__all__:  # imported when first asked for; the reference asks for all
    setattr(visualization, name, getattr(visualization, name))

project = 'cltdr_mm'
author = 'the authors of cltdr_mm'
version = release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
root_doc = 'docs/index'
include_patterns = ['docs/**.md', 'CONTRIBUTING.md', *(
    f'configs/{name}/README.md' for name in ('ablations', 'encoded', 'mix', 'release'))]
exclude_patterns = ['docs/_build', '.*', 'data', 'work_dirs', 'build']

myst_heading_anchors = 4

autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # the docstrings say them, with shapes and units
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = 'furo'
html_title = f'cltdr_mm {release}'
html_copy_source = False
templates_path = ['_templates']
html_additional_pages = {'index': 'to_docs.html'}  # the site's front page is docs/index

#: Pages whose tables of links make a level of the menu.
MENUS = {'docs/index', 'docs/datasets/README', 'docs/api/README'}


def add_menu(app, docname, source):
    """Append a hidden toctree for each section of a page: what the rows of its table begin with."""
    if docname not in MENUS:
        return
    for section in re.split(r'^## ', source[0], flags=re.MULTILINE):
        rows = re.findall(r'^\| \[([^\]]*)\]\(([^):#]+)\.md\)', section, re.MULTILINE)
        caption = [] if section.startswith('# ') else [f':caption: {section.splitlines()[0]}']
        if rows:
            entries = [f'{title[0].upper()}{title[1:]} <{page}>' for title, page in rows]
            source[0] += '\n\n' + '\n'.join(
                ['```{toctree}', ':hidden:', *caption, '', *entries, '```']) + '\n'


def setup(app):
    """Register the hook."""
    app.connect('source-read', add_menu)
