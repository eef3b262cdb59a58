"""A corpus made from a seed: as many Markdown, HTML and text files, about as long, as the public one has.

The words are those of the local model's vocabulary, drawn by Zipf's law; the structure (headings, lists, code, tables,
navigation around HTML) is what makes chunking work. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

from tests.paths import ROOT

VOCABULARY = ROOT / "pipelines" / "embedding" / "bert_uncased_vocabulary.txt"
SEED = 7
KINDS = {"md": 1_420, "html": 400, "txt": 180}
"""Files by suffix."""
MEDIAN_CHARACTERS = {"md": 6_400, "html": 16_000, "txt": 6_500}
SPREAD = 0.45
"""Standard deviation of the logarithm of a file's length."""


def write_corpus(folder: Path, kinds: dict[str, int] | None = None) -> None:
    """Write the files below `folder`."""
    author = _Author(random.Random(SEED))
    for suffix, count in (kinds or KINDS).items():
        for number in range(count):
            length = MEDIAN_CHARACTERS[suffix] * author.chance.lognormvariate(0, SPREAD)
            file = folder / f"part{number % 20:02}" / f"{suffix}{number:04}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(author.write(suffix, int(length)), encoding="utf-8")


class _Author:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        words = VOCABULARY.read_text(encoding="utf-8").split()
        self._words = [word for word in words if word.isalpha() and word.isascii() and len(word) > 2]
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))

    def write(self, suffix: str, length: int) -> str:
        formats: dict[str, Callable[[], Iterator[str]]] = {"md": self._markdown, "html": self._html, "txt": self._text}
        parts: list[str] = []
        written = 0
        for part in formats[suffix]():
            parts.append(part)
            written += len(part)
            if written > length:
                break
        return "\n\n".join(parts)

    def _markdown(self) -> Iterator[str]:
        yield f"# {self._title()}"
        while True:
            yield f"{'#' * self.chance.choice((2, 2, 3))} {self._title()}"
            for _ in range(self.chance.randint(1, 4)):
                yield self.chance.choices((self._paragraph, self._list, self._code, self._table), (8, 3, 2, 1))[0]()

    def _html(self) -> Iterator[str]:
        links = "".join(f'<li><a href="#{number}">{self._title()}</a></li>' for number in range(12))
        yield f"<html><head><title>{self._title()}</title></head><body><nav><ul>{links}</ul></nav><main>"
        while True:
            yield f"<h2>{self._title()}</h2>"
            for _ in range(self.chance.randint(1, 4)):
                yield f"<p>{self._paragraph()}</p>"
            yield f"<ul>{''.join(f'<li>{self._sentence()}</li>' for _ in range(4))}</ul>"

    def _text(self) -> Iterator[str]:
        while True:
            yield self._paragraph()

    def _list(self) -> str:
        return "\n".join(f"- {self._sentence()}" for _ in range(self.chance.randint(3, 8)))

    def _code(self) -> str:
        lines = (f"{self._word()}_{self._word()} = {self._word()}({self._word()!r})" for _ in range(6))
        return "\n".join(["```python", *lines, "```"])

    def _table(self) -> str:
        rows = (f"| {self._word()} | {self._sentence()} |" for _ in range(self.chance.randint(3, 9)))
        return "\n".join(["| name | meaning |", "| --- | --- |", *rows])

    def _paragraph(self) -> str:
        return " ".join(self._sentence() for _ in range(self.chance.randint(2, 6)))

    def _sentence(self) -> str:
        return " ".join(self._drawn(self.chance.randint(7, 18))).capitalize() + "."

    def _title(self) -> str:
        return " ".join(self._drawn(self.chance.randint(2, 5))).capitalize()

    def _word(self) -> str:
        return self._drawn(1)[0]

    def _drawn(self, count: int) -> list[str]:
        return self.chance.choices(self._words, cum_weights=self._weights, k=count)
