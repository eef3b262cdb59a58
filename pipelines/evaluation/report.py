"""A run as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.errors import UsageError
from pipelines.evaluation.comparison import QuestionChange, RunComparison
from pipelines.evaluation.measures import Figures
from pipelines.evaluation.run import AskedQuestion, RetrievedDocument, Run

COLUMNS = ("nDCG@10", "recall@10", "MRR@10")
WORST_SHOWN = 50

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b2430 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
tr + tr td { border-top: 1px solid #dde3ea } .missing { color: #a3271f } small { color: #5b6878 }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #dfe6ee } tr + tr td { border-color: #333c47 }
a { color: #8ab8ff } .missing { color: #ff8f85 } small { color: #93a1b1 } }
"""


def write_report(run: Run, comparison: RunComparison | None, file: Path) -> None:
    """Raises UsageError where the file cannot be written."""
    try:
        file.write_text(page(run, comparison), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error}") from None


def page(run: Run, comparison: RunComparison | None = None) -> str:
    """The whole page. All that comes from documents and questions is escaped."""
    parts = [
        f"<h1>{len(run.asked)} questions, {escape(run.mode)} search</h1>",
        f"<p><small>Embedding model {escape(run.model)}{_comparison_note(comparison)}</small></p>",
        _figures_table(run, comparison),
        _moves("Worse than before", comparison.worse if comparison else ()),
        _moves("Better than before", comparison.better if comparison else ()),
        _worst(run.worst(WORST_SHOWN)),
        _unknown_names(run.unknown),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Headrace evaluation</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _comparison_note(comparison: RunComparison | None) -> str:
    if not comparison:
        return ""
    earlier = f"{escape(comparison.mode)} search with {escape(comparison.model)}"
    return f"; small figures: change since {earlier}, over the {comparison.questions} questions of both runs"


def _figures_table(run: Run, comparison: RunComparison | None) -> str:
    changes = comparison.by_source if comparison else {}
    rows = [_figures_row("all", len(run.asked), run.total, comparison.change if comparison else None)]
    rows += [
        _figures_row(source, count, figures, changes.get(source)) for source, (count, figures) in run.by_source.items()
    ]
    numbers = "".join(f'<th class="number">{name}</th>' for name in ("questions", *COLUMNS))
    return f"<table><tr><th>source</th>{numbers}</tr>{''.join(rows)}</table>"


def _figures_row(name: str, count: int, figures: Figures, change: Figures | None) -> str:
    values = (figures.ndcg_at_10, figures.recall_at_10, figures.mrr_at_10)
    changes = (change.ndcg_at_10, change.recall_at_10, change.mrr_at_10) if change else (None,) * len(values)
    cells = "".join(
        f'<td class="number">{value:.3f}{_signed(moved)}</td>' for value, moved in zip(values, changes, strict=True)
    )
    return f'<tr><td>{escape(name)}</td><td class="number">{count}</td>{cells}</tr>'


def _signed(change: float | None) -> str:
    return "" if change is None else f" <small>{change:+.3f}</small>"


def _moves(title: str, moves: Sequence[QuestionChange]) -> str:
    if not moves:
        return ""
    rows = (
        f'<tr><td>{escape(one.asked.query)}</td><td class="number">{one.before.figures.ndcg_at_10:.3f} '
        f"→ {one.asked.figures.ndcg_at_10:.3f}</td></tr>"
        for one in moves
    )
    return f"<h2>{title}</h2><table>{''.join(rows)}</table>"


def _worst(asked: Sequence[AskedQuestion]) -> str:
    if not asked:
        return "<p>Every question found all its documents first.</p>"
    return f"<h2>Worst questions</h2>{''.join(map(_question, asked))}"


def _unknown_names(names: Sequence[str]) -> str:
    if not names:
        return ""
    items = _items((f'<span class="missing">{escape(one)}</span>' for one in names), "ul")
    return f"<h2>Expected, and in no connection</h2>{items}"


def _question(asked: AskedQuestion) -> str:
    who = f" <small>as {escape(asked.user)}</small>" if asked.user else ""
    missing = _items((f'<span class="missing">missing: {escape(one)}</span>' for one in asked.missing), "ul")
    came = _items((_link(one, one.document_id in asked.expected) for one in asked.found), "ol")
    heading = f"<h3>{escape(asked.query)}{who}</h3><p><small>nDCG@10 {asked.figures.ndcg_at_10:.3f}</small></p>"
    return heading + missing + came


def _items(items: Iterable[str], tag: str) -> str:
    joined = "".join(f"<li>{item}</li>" for item in items)
    return f"<{tag}>{joined}</{tag}>" if joined else ""


def _link(found: RetrievedDocument, expected: bool) -> str:
    """The title, as a link where the address is one of the web."""
    title = escape(found.title or found.document_id)
    if urlsplit(found.url).scheme in ("http", "https"):
        title = f'<a href="{escape(found.url)}">{title}</a>'
    return f"{title} <small>{escape(found.document_id)}{' ✓' if expected else ''}</small>"
