"""`headrace explain`: where a document is, printed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError
from rich.console import Console

from pipelines.audit import audit_query, operator
from pipelines.cli import output
from pipelines.cli.options import parse_address
from pipelines.errors import UsageError
from pipelines.operations.explain import Explanation, explain
from pipelines.operations.explain.context import RelatedEvent, UnitContext
from pipelines.operations.explain.ranks import Rank
from pipelines.operations.explain.revocations import RevocationInForce
from pipelines.operations.explain.visibility import Reader, Visibility
from pipelines.printable import printable
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.validation import first_problem

PASSAGES_SHOWN = 10


def explain_document(settings: Settings, id_or_url: str, user: str | None, query: str | None, json: bool) -> None:
    """Explain and print. Raises UsageError for an unknown document or a question that is none."""
    person = None if user is None else parse_address(user, "--user")
    started = time.perf_counter()
    with Services(settings) as services:
        try:
            found = explain(services, id_or_url, user=person, query=query)
        except ValidationError as error:
            raise UsageError(f"--query: {first_problem(error)[1]}") from None
        audit_query(operator(person), [found.id], 1_000 * (time.perf_counter() - started), asked_for=found.id)
    if json:
        output.print_json(found.as_json())
        return
    console = Console()
    for name, value in _lines(found):
        console.print(f"{name:<11} {printable(value)}", highlight=False, markup=False, soft_wrap=True)


def _lines(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "document", f"{found.title or '(no title)'}  {found.id}"
    if found.doubt:
        yield "doubt", found.doubt
    yield "url", found.url or "none"
    yield "status", f"{found.status}{_detail(found.reason)}"
    if found.next_attempt:
        yield "", f"attempt {found.attempts + 1} at {_time(found.next_attempt)}"
    for stage in found.stages:
        yield f"  {stage.stage}", f"{stage.state}{_detail(stage.detail)}"
    versions = {"read": found.version, "indexed": found.indexed_version, "published": found.published_version}
    yield "version", ", ".join(f"{what} {version or 'none'}" for what, version in versions.items())
    yield "load", f"{found.load}, {found.load_state}" if found.load is not None else "none"
    yield "unit", _unit(found.unit_context)
    if found.unit_context.error:
        yield "", f"its last sync failed: {found.unit_context.error}"
    for part in found.unit_context.parts:
        yield "", f"its {part.part}: {part.status} since {_time(part.since)}: {part.reason}"
    yield from _passage_lines(found)
    yield from _rights(found)
    for event in found.events:
        yield "event", f"{event.id}  {_time(event.received_at)}  {event.kind} ({event.scope}): {_state(event)}"
    for other in found.others:
        yield "also there", other
    for rank in found.ranks:
        yield "rank", _rank(rank)


def _passage_lines(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "chunks", f"{found.chunks} indexed, {len(found.published)} published"
    for passage in found.published[:PASSAGES_SHOWN]:
        yield "", f"{passage.position}  {' > '.join(passage.headings) or '(no heading)'}: {passage.opening}"
    if len(found.published) > PASSAGES_SHOWN:
        yield "", f"and {len(found.published) - PASSAGES_SHOWN} more"


def _rights(found: Explanation) -> Iterator[tuple[str, str]]:
    if found.published:
        hidden = any(one.everybody for one in found.revocations)
        nobody = "nobody" if hidden else "nobody but an administrator"
        yield "readers", ", ".join(map(_reader, found.readers)) or nobody
    if found.withdrawn_since:
        since = f"since {_time(found.withdrawn_since)}, text was deleted from it"
        yield "withdrawn", f"{since}: passages that hold it are not found until the new version is published"
    for one in found.revocations:
        yield "revoked", _revocation(one)
    if found.visibility:
        yield "visibility", _visibility(found.visibility)


def _unit(unit: UnitContext) -> str:
    said = [
        f"{unit.connection}/{unit.unit}" + (f" ({unit.name})" if unit.name not in ("", unit.unit) else ""),
        f"last sync {_time(unit.last_sync)}" if unit.last_sync else "never read as a whole",
        "continues from its cursor" if unit.cursor else "no cursor: the next sync reads all of it",
        "paused" if unit.paused else "",
        "its connection is paused" if unit.connection_paused else "",
        "no longer listed at the source" if unit.gone else "",
        "" if unit.configured else "its connection is not in the settings",
    ]
    return "; ".join(part for part in said if part)


def _reader(reader: Reader) -> str:
    match reader.grant:
        case "public":
            return "everybody"
        case "direct":
            return reader.name
    return f"{reader.grant} {reader.name} ({reader.token})"


def _visibility(found: Visibility) -> str:
    if not found.sees:
        return f"not visible to {found.user}: {found.why_not}"
    grants = {"public": "as to everybody", "direct": "by their own address"}
    through = ", ".join(grants.get(one.grant) or f"through {_reader(one)}" for one in found.through)
    return f"visible to {found.user} {through}"


def _revocation(one: RevocationInForce) -> str:
    since = f"since {_time(one.since)}, " if one.since else ""
    whom = "nobody sees it" if one.everybody else f"not any more: {', '.join(map(_reader, one.readers))}"
    return f"{since}of its {one.scope}: {one.reason}; {whom}"


def _rank(rank: Rank) -> str:
    who = rank.user or "an administrator"
    if rank.rank is None:
        return f"not among the first {rank.depth} for {rank.query!r}, asked as {who}"
    by = [("meaning", rank.dense_rank), ("words", rank.lexical_rank)]
    legs = ", ".join(f"{place or 'none'} by {leg}" for leg, place in by)
    return f"{rank.rank} for {rank.query!r} ({legs}), asked as {who}"


def _state(event: RelatedEvent) -> str:
    return f"{event.state}{_detail(event.reason)}"


def _detail(text: str | None) -> str:
    return f": {text}" if text else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
