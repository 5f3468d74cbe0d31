"""CITATION.cff names this version, and the paper as the method page does."""
import re

import yaml
from pages import ROOT

from cltdr_mm import __version__


def test_citation():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text('utf-8'))
    assert citation['cff-version'] == '1.2.0' and citation['version'] == __version__
    paper = citation['preferred-citation']
    entry = (ROOT / 'docs/methods/cltdr.md').read_text('utf-8')
    bibtex = dict(re.findall(r'^  (\w+)=\{(.*)\}', entry, re.MULTILINE))
    authors = ' and '.join(f'{a["family-names"]}, {a["given-names"]}' for a in paper['authors'])
    assert (paper['title'], authors, paper['collection-title'], str(paper['year'])) == tuple(
        bibtex[name] for name in ('title', 'author', 'booktitle', 'year'))
