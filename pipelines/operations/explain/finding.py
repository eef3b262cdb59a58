"""Which document is meant by what somebody has copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.model import Utterance
from connectors.registry import ids_in_url, said_in_url, sources
from pipelines.catalog.lookup import readings, resolve
from pipelines.errors import IndexStoreError, UsageError
from pipelines.index.contract import Filters
from pipelines.operations.incomplete_parts import parts_around
from pipelines.services import Services

_CANDIDATES = 200
"""Documents in which something that was said is looked for."""


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """`row` is the catalog's; `others` are ids of documents that can be meant too; `doubt` is why it may be none of
    them."""

    row: dict[str, Any]
    others: tuple[str, ...] = ()
    doubt: str | None = None


def find_document(services: Services, id_or_url: str) -> NamedDocument:
    """Raises UsageError for a document that no source has named."""
    rows = resolve(services.catalog, id_or_url)
    said = _said_in(id_or_url)
    if said and not (rows and _is_named(id_or_url, rows[0]["id"])):
        in_texts = [row for own in _saying(services, said) for row in services.catalog.documents.by_id_or_url(own)]
        if in_texts:
            return _found(in_texts)
        if rows:
            return _found(rows, _doubt(said))
    if rows:
        return _found(rows)
    raise UsageError(_unknown(services, id_or_url))


def _found(rows: list[dict[str, Any]], doubt: str | None = None) -> NamedDocument:
    return NamedDocument(rows[0], tuple(row["id"] for row in rows[1:]), doubt)


def _said_in(id_or_url: str) -> Utterance | None:
    found = (said_in_url(one, url) for url in readings(id_or_url) for one in sources().values())
    return next((said for said in found if said), None)


def _is_named(id_or_url: str, document_id: str) -> bool:
    """Whether it is the document that a URL names first."""
    named = (ids_in_url(one, url)[:1] for url in readings(id_or_url) for one in sources().values())
    return any(document_id.endswith(f"/{own}") for ids in named for own in ids)


def _saying(services: Services, said: Utterance) -> Iterator[str]:
    """Published documents that hold what was said, by its time."""
    filters = Filters(units=(said.unit,), updated_after=said.moment, readers=None)
    try:
        for hit in services.published.newest(filters, _CANDIDATES):
            own = hit.payload["document_id"]
            passages = services.published.document(own, Filters(readers=None))
            if any(said.mark in passage.payload["text"] for passage in passages):
                yield own
    except IndexStoreError:  # of which the answer tells
        return


def _doubt(said: Utterance) -> str:
    return (
        f"the link names what was said at {said.moment:%Y-%m-%d %H:%M} UTC, and not the document in which it stands: "
        "nothing that is published there was said at that time, so that this may be another one"
    )


def _unknown(services: Services, id_or_url: str) -> str:
    missing = "".join(
        f"; {part.part} of {name} {'are refused' if part.status == 'refused' else 'fail'}: {part.reason}"
        for name, part in parts_around(services.catalog, id_or_url)
    )
    return (
        f"{id_or_url.strip()}: no connection has named a document with this id or URL; see whether "
        "`headrace units` lists what it lies in (the connection's `include` and its token decide), then read it "
        f"with `headrace sync`, or with `headrace reconcile` where a sync does not find it{missing}"
    )
