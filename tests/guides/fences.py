"""The fenced snippets of a page, as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.paths import ROOT


@dataclass(frozen=True, slots=True)
class Fence:
    """`language` and the `marks` after it are what stands behind the backticks; `line` is where the text begins."""

    language: str
    marks: tuple[str, ...]
    text: str
    line: int


def page(name: str) -> Path:
    """A page of the repository by its path."""
    return ROOT / name


def fences(file: Path, language: str = "") -> list[Fence]:
    """All of a page, or those of a language."""
    found = []
    for token in MarkdownIt().parse(file.read_text(encoding="utf-8")):
        if token.type == "fence":
            named, *marks = token.info.split() or [""]
            found.append(Fence(named, tuple(marks), token.content, (token.map or [0])[0] + 2))
    return [one for one in found if language in ("", one.language)]
