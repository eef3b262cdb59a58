"""What is promised of units and of a full read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.admission import wrong_id, wrong_origin
from connectors.contract import ID_PATH, Checkpoint, Failed, PartState, Skipped
from connectors.model import PUBLIC, user_token
from connectors.registry import sources
from connectors.testing.observation import Observation, id_of, objects_of, through_json
from connectors.testing.promise import Promise, promise


@promise("a new connector has sent nothing, and counts what it sends")
def _requests(seen: Observation) -> Iterator[str]:
    with seen.opened() as connector:
        if connector.requests:
            yield f"it has sent {connector.requests} requests before anything was asked of it"
        before = connector.requests
        list(connector.units())
        if connector.requests <= before:
            yield "`requests` is the same after the units were listed"


@promise("a check finds a server that is well to be well, and says so")
def _check(seen: Observation) -> Iterator[str]:
    findings = seen.connector.check()
    if not findings:
        yield "there are no findings"
    for finding in findings:
        if not (finding.subject and finding.detail):
            yield f"a finding without subject or detail: {finding}"
    if findings and not findings[0].ok:
        yield f"the first finding is not well: {findings[0]}"


@promise("units are listed once each, with an id and a name")
def _units(seen: Observation) -> Iterator[str]:
    if not seen.units:
        yield "there are no units: the case needs one at least"
    for unit_id, times in Counter(unit.id for unit in seen.units).items():
        if times > 1:
            yield f"unit {unit_id!r} is listed {times} times"
    for unit in seen.units:
        if not ID_PATH.fullmatch(unit.id) or not unit.name.strip():
            yield f"a unit with id {unit.id!r} and name {unit.name!r}"


@promise("a full read ends with a checkpoint, and only that one is complete")
def _completeness(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        last = read.items[-1] if read.items else None
        if not isinstance(last, Checkpoint):
            yield f"{read.unit.id}: the last item is {last}"
        elif not last.complete:
            yield f"{read.unit.id}: the last checkpoint is not complete"
        if early := [at for at, checkpoint in read.checkpoints[:-1] if checkpoint.complete]:
            yield f"{read.unit.id}: complete before the end, at items {early}"


@promise("checkpoints come as often as the case says")
def _frequency(seen: Observation) -> Iterator[str]:
    found = {read.unit.id: len(read.checkpoints) for read in seen.reads}
    for unit_id, expected in seen.case.checkpoints.items():
        if found.get(unit_id, 0) < expected:
            yield f"{unit_id}: {found.get(unit_id, 0)} checkpoints, and there should be {expected} at least"


@promise("cursors are JSON, and the same after a round trip")
def _cursors(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for at, checkpoint in read.checkpoints:
            try:
                json.dumps(checkpoint.cursor, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                yield f"{read.unit.id}, item {at}: {error}"
                continue
            if through_json(checkpoint.cursor) != checkpoint.cursor:
                yield f"{read.unit.id}, item {at}: JSON makes another of {checkpoint.cursor}"


@promise("ids are '<source>:<connection>/<path>', without control characters")
def _ids(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for item in read.items:
            if not isinstance(item, Checkpoint | PartState) and (wrong := wrong_id(id_of(item), seen.case.connection)):
                yield wrong


@promise("what is told of parts names those of the source's table")
def _parts(seen: Observation) -> Iterator[str]:
    known = sources().get(seen.case.connection.source)
    table = {part.name for part in known.parts} if known else set()
    for read in seen.reads:
        for item in read.items:
            if isinstance(item, PartState) and item.part not in table:
                yield f"{read.unit.id}: {item.part!r} is not one of {sorted(table)}"


@promise("a full read yields each object once, in one unit")
def _once(seen: Observation) -> Iterator[str]:
    named = Counter(
        id_of(item) for read in seen.reads for item in read.items if not isinstance(item, Checkpoint | PartState)
    )
    for document_id, times in named.items():
        if times > 1:
            yield f"{document_id} is yielded {times} times"


@promise("documents name their source, connection and unit")
def _origin(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for document in read.documents:
            if wrong := wrong_origin(document, seen.case.connection, read.unit):
                yield f"{document.id}: {wrong}"


@promise("times are aware and in UTC, and nothing changed before it was made")
def _times(seen: Observation) -> Iterator[str]:
    for document in seen.documents:
        created, updated = document.created_at, document.updated_at
        wrong = [moment for moment in (created, updated) if moment is not None and not _is_utc(moment)]
        if wrong:
            yield f"{document.id}: {wrong}"
        elif created and updated and updated < created:
            yield f"{document.id}: updated {updated}, created {created}"


@promise("documents can be shown: a title, a URL, a kind, content and its media type")
def _shown(seen: Observation) -> Iterator[str]:
    for document in seen.documents:
        missing = [name for name in ("title", "url", "kind", "content", "content_type") if not getattr(document, name)]
        if missing:
            yield f"{document.id} has no {', '.join(missing)}"
        elif not re.match(r"https?://", document.url):
            yield f"{document.id}: the URL is {document.url!r}"
        elif not re.fullmatch(r"[\w.+-]+/[\w.+-]+", document.content_type):
            yield f"{document.id}: the media type is {document.content_type!r}"


@promise("what was passed over says why")
def _reasons(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for item in read.items:
            if isinstance(item, Skipped) and not item.reason.strip():
                yield f"{item.document_id} is skipped without a reason"
            if isinstance(item, Failed):
                yield f"{item.document_id} failed, and the case's server is well: {item.error}"


@promise("parents have ids of the connection, and titles")
def _parents(seen: Observation) -> Iterator[str]:
    for document in seen.documents:
        for parent in document.parents:
            if not parent.id.startswith(seen.case.prefix) or not parent.title.strip():
                yield f"{document.id}: {parent}"


@promise("reader tokens are 'public', 'user:<address>' or 'group:<connection>:<id>'")
def _readers(seen: Observation) -> Iterator[str]:
    tokens = {(document.id, token) for document in seen.documents for token in document.readers}
    tokens |= {(unit.id, token) for unit in seen.units for token in unit.readers}
    for where, token in sorted(tokens):
        if not _is_reader_token(seen.case.connection.id, token):
            yield f"{where}: {token!r}"


@promise("a second connector reads the same")
def _repeatable(seen: Observation) -> Iterator[str]:
    with seen.opened() as connector:
        for read in seen.reads:
            again = objects_of(list(connector.read(read.unit)))
            for key in sorted(read.objects.keys() | again.keys()):
                if read.objects.get(key) != again.get(key):
                    yield f"{key} is another, or missing"


def _is_utc(moment: datetime) -> bool:
    return isinstance(moment, datetime) and moment.utcoffset() == timedelta(0)


def _is_reader_token(connection: str, token: str) -> bool:
    kind, _, rest = token.partition(":")
    match kind:
        case "user":
            return token == user_token(rest)
        case "group":
            return rest.startswith(f"{connection}:") and len(rest) > len(connection) + 1
    return token == PUBLIC


PROMISES: tuple[Promise, ...] = (
    _requests,
    _check,
    _units,
    _completeness,
    _frequency,
    _cursors,
    _ids,
    _parts,
    _once,
    _origin,
    _times,
    _shown,
    _reasons,
    _parents,
    _readers,
    _repeatable,
)
