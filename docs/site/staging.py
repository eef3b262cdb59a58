"""What the site is built from: a copy of the pages in the places that they have in the repository.

Pages are written to be read in a checkout too, so that their links lead to pages and files of the whole repository. The
copy has them all where they are, and no link has to be changed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PAGES = ("*.md", "connectors/*.md", "docs/**/*.md", "examples/*/*.md", "infra/**/*.md")
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")
_INCLUDED = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


def pages() -> list[Path]:
    """Every page of the documentation, the ones beside the code included."""
    return sorted({page for pattern in _PAGES for page in ROOT.glob(pattern)})


def stage(target: Path) -> None:
    """Copy pages, the files that they link to and those that they include. What was there before is removed."""
    shutil.rmtree(target, ignore_errors=True)
    for source in {*pages(), *_files()}:
        copy = target / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _files() -> Iterator[Path]:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        linked = (page.parent / target for target in _LINK.findall(text))
        included = (ROOT / target for target in _INCLUDED.findall(text))
        yield from (file.resolve() for file in (*linked, *included) if file.is_file())
