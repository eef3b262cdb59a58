"""Which files of a wiki are pages, and what these are called. Pure.

https://docs.github.com/en/communities/documenting-your-project-with-wikis/editing-wiki-content
"""

from __future__ import annotations

from pathlib import PurePosixPath

from connectors.github.file_rules import MAX_FILE_BYTES, SYMBOLIC_LINK
from connectors.github.trees import GitFile

_FORMATS = frozenset(
    {".adoc", ".asc", ".asciidoc", ".creole", ".markdown", ".md", ".mdown", ".mediawiki", ".mkd", ".mkdn", ".org"}
    | {".pod", ".rdoc", ".rest", ".rst", ".textile", ".wiki"}
)
"""Of pages: https://github.com/github/markup#markups"""
_NAVIGATION = frozenset({"_footer", "_header", "_sidebar"})
TOO_LARGE = f"larger than {MAX_FILE_BYTES / 1e6:g} MB"


def reason_to_skip(file: GitFile) -> str | None:
    """Why a file of a wiki is passed over without reading it, None for a page."""
    path = PurePosixPath(file.path)
    if path.suffix.lower() not in _FORMATS:
        return "not a page of the wiki"
    if path.stem.lower() in _NAVIGATION:
        return "navigation of the wiki"
    return "symbolic link" if file.mode == SYMBOLIC_LINK else None


def page_name(path: str) -> str:
    """What stands in the address of a page: its name alone, whichever folder it is in. A file's is its path.

    >>> page_name("How-To/Oil-the-wheel.md"), page_name("How-To/wheel.png")
    ('Oil-the-wheel', 'How-To/wheel.png')
    """
    name = PurePosixPath(path)
    return name.stem if name.suffix.lower() in _FORMATS else path


def page_title(path: str) -> str:
    """As GitHub shows it: dashes stand for spaces."""
    return page_name(path).replace("-", " ").strip() or path


def page_fingerprint(file: GitFile) -> str:
    """Enough of its SHA to tell a page's versions apart."""
    return file.sha[:16]
