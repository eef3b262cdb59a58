"""`headrace explain`: where a document is, printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, nullcontext

from pydantic import ValidationError
from rich.console import Console

from pipelines.cli import show
from pipelines.errors import UsageError
from pipelines.explain import Explanation, Rank, Sight, explain
from pipelines.retrieval.reranking import open_reranker
from pipelines.settings import Settings
from pipelines.workspace import Workspace


def explain_document(settings: Settings, id_or_url: str, user: str | None, query: str | None, json: bool) -> None:
    """Explain and print. Raises UsageError for an unknown document or a question that is none."""
    reranker = open_reranker(settings)
    with Workspace(settings) as workspace, closing(reranker) if reranker else nullcontext():
        try:
            found = explain(workspace, id_or_url, user=user, query=query, reranker=reranker)
        except ValidationError as error:
            raise UsageError(f"--query: {error.errors()[0]['msg']}") from None
    if json:
        show.as_json(found.as_json())
        return
    console = Console()
    for name, value in _lines(found):
        console.print(f"{name:<10} {value}", highlight=False, markup=False, soft_wrap=True)


def _lines(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "document", f"{found.title or '(no title)'}  {found.id}"
    yield "url", found.url or "none"
    yield "unit", f"{found.connection}/{found.unit}"
    yield "status", f"{found.status}{f': {found.reason}' if found.reason else ''}"
    if found.next_attempt:
        yield "", f"attempt {found.attempts + 1} at {found.next_attempt:%Y-%m-%d %H:%M} UTC"
    for stage in found.stages:
        yield f"  {stage.stage}", f"{stage.state}{f': {stage.detail}' if stage.detail else ''}"
    yield "version", f"read {found.version}, indexed {found.indexed_version}, published {found.published_version}"
    yield "load", str(found.load) if found.load is not None else "none"
    yield "chunks", f"{found.chunks} indexed, {found.published_chunks} published"
    yield "readers", ", ".join(found.readers) or "nobody but an administrator"
    for other in found.others:
        yield "also there", other
    if found.sight:
        yield "sight", _sight(found.sight)
    if found.rank:
        yield "rank", _rank(found.rank)


def _sight(sight: Sight) -> str:
    if sight.sees:
        return f"{sight.user} sees it through {', '.join(sight.through)}"
    return f"{sight.user} does not see it: none of their groups and addresses is among its readers"


def _rank(rank: Rank) -> str:
    if rank.rank is None:
        return f"not among the first hundred for {rank.query!r}"
    by = [("meaning", rank.dense_rank), ("words", rank.lexical_rank)]
    legs = ", ".join(f"{place or 'none'} by {leg}" for leg, place in by)
    return f"{rank.rank} for {rank.query!r} ({legs})"
