"""Charts of Office files (DrawingML charts, ECMA-376-1, 21.2; the newer `cx` charts, MS-ODRAWXML 2.24.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.openxml.number_formats import number_text
from pipelines.chunking.formats.openxml.xml import attribute, child, local_name, whole_number
from pipelines.chunking.formats.tables import table

if TYPE_CHECKING:
    from lxml.etree import _Element

_TITLES = ".//{*}title"
_LABELS = (".//{*}rich", ".//{*}dLbl/{*}tx/{*}strRef", ".//{*}trendline/{*}name", ".//{*}datalabelsRange//{*}v")
"""What is written beside points, lines and axes: words of the chart's author, and cells that labels are taken from."""


def chart_blocks(root: _Element) -> list[Block]:
    """A chart's titles, its values as a table under the names of its series, and its labels."""
    titles = [text for title in root.iterfind(_TITLES) if (text := _words(title))]
    labels = [text for path in _LABELS for label in root.iterfind(path) if (text := _words(label)) not in ("", *titles)]
    blocks = [Block("text", f"Chart: {', '.join(titles)}")] if titles else []
    blocks.extend(table(_series_rows(root)))
    if labels:
        blocks.append(Block("text", f"Labels: {', '.join(dict.fromkeys(labels))}"))
    return blocks


def _words(element: _Element) -> str:
    """Text that is typed, or else that a chart has taken from a cell."""
    paragraphs = ["".join(p.itertext("{*}t")) for p in element.iter("{*}p")]
    cached = [value.text or "" for value in element.iter("{*}v")]
    return " ".join(" ".join(paragraphs or cached or [element.text or ""]).split())


def _series_rows(root: _Element) -> Iterator[list[str]]:
    """Rows of a category and its values; a header of the series' names above each run with the same categories."""
    shared: dict[int, str] | None = None
    together: list[tuple[str, dict[int, str]]] = []
    for name, categories, values in [*_classic_series(root), *_extended_series(root)]:
        if shared is not None and categories != shared:
            yield from _rows(shared, together)
            together = []
        shared = categories
        together.append((name, values))
    if shared is not None:
        yield from _rows(shared, together)


def _rows(categories: dict[int, str], series: list[tuple[str, dict[int, str]]]) -> Iterator[list[str]]:
    yield ["Category", *(name or f"Series {number}" for number, (name, _) in enumerate(series, start=1))]
    for index in sorted(categories.keys() | {index for _, values in series for index in values}):
        yield [categories.get(index, ""), *(values.get(index, "") for _, values in series)]


def _classic_series(root: _Element) -> Iterator[tuple[str, dict[int, str], dict[int, str]]]:
    for series in root.iterfind(".//{*}plotArea//{*}ser"):
        name = child(series, "tx")
        categories = _points(series, "cat") or _points(series, "xVal")
        values = _points(series, "val") or _points(series, "yVal")
        sizes = _points(series, "bubbleSize")
        for index, size in sizes.items():
            values[index] = f"{values.get(index, '')} ({size})"
        yield "" if name is None else _words(name), categories, values


def _points(series: _Element, name: str) -> dict[int, str]:
    """The texts of points by their place; of categories with several levels all, the outermost first."""
    data = child(series, name)
    if data is None:
        return {}
    levels = [_cached(level) for level in data.iter("{*}lvl")] or [_cached(data)]
    texts = levels[0]
    for level in levels[1:]:
        outer = ""
        for index in sorted(texts):
            outer = level.get(index, outer)
            texts[index] = f"{outer} {texts[index]}".strip()
    return texts


def _cached(data: _Element) -> dict[int, str]:
    """The texts of the points that a chart keeps of its data, by their place; numbers in their format."""
    points = {}
    for position, point in enumerate(data.iter("{*}pt")):
        kept = point.getparent()
        text = " ".join((point.findtext("{*}v") or point.text or "").split())
        if local_name(kept) in ("numCache", "numLit") or local_name(kept.getparent()) == "numDim":
            code = attribute(point, "formatCode") or kept.findtext("{*}formatCode") or attribute(kept, "formatCode")
            text = _number(text, code or "General")
        points[whole_number(attribute(point, "idx"), position)] = text
    return points


def _number(text: str, code: str) -> str:
    try:
        return number_text(float(text), code)
    except ValueError:
        return text


def _extended_series(root: _Element) -> Iterator[tuple[str, dict[int, str], dict[int, str]]]:
    """Series of the newer charts, whose data stand apart."""
    for data in root.iterfind(".//{*}chartData/{*}data"):
        identity = attribute(data, "id")
        names = (
            _words(name)
            for series in root.iterfind(".//{*}plotArea//{*}series")
            for reference in series.iterfind("{*}dataId")
            if attribute(reference, "val") == identity and (name := child(series, "tx")) is not None
        )
        yield next(names, ""), _dimension(data, "strDim"), _dimension(data, "numDim")


def _dimension(data: _Element, name: str) -> dict[int, str]:
    levels = data.findall(f"{{*}}{name}/{{*}}lvl")
    if not levels:
        return {}
    texts = _cached(levels[0])
    for level in map(_cached, levels[1:]):
        texts = {index: f"{level.get(index, '')} {text}".strip() for index, text in texts.items()}
    return texts
