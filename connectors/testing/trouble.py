"""What is promised of a server in trouble: with one object, with some, with all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import TypeAlias, TypeVar

import httpx

from connectors.contract import (
    Checkpoint,
    Connector,
    Deleted,
    Failed,
    Item,
    Membership,
    MembershipItem,
    ObjectItem,
    PartState,
    UnreadableGroup,
)
from connectors.errors import AuthenticationFailed, SourceError
from connectors.isolation import FAILURES_IN_A_ROW
from connectors.model import Unit
from connectors.testing.observation import (
    Fault,
    Observation,
    UnitRead,
    differences,
    objects_of,
    through_json,
)
from connectors.testing.promise import Promise, promise

T = TypeVar("T")
_RequestKey: TypeAlias = tuple[str, bytes]

MOST_REQUESTS = 10
"""A source that is down is left after so many requests, over all retries; in the middle of a read as many may go to
what is beside its API (a host of files, another API)."""

MOST_PLACES = 6
"""About so many requests of a listing are made to fail, one at a time, spread from the first to the last."""

UNAVAILABLE = httpx.Response(503, text="unavailable")
REFUSED = httpx.Response(401, json={"message": "no"})
UNDOCUMENTED = {
    "half an answer": httpx.Response(200, text='{"id": "1'),
    "a list of nothing": httpx.Response(200, json=[]),
}


@promise("one object's trouble is its failure, and its neighbours are read")
def _one(seen: Observation) -> Iterator[str]:
    for name, ask in _WAYS.items():
        with seen.troubled(_failing_one(seen, ask)) as (connector, transport):
            items, error = _until_error(ask(seen, connector))
        found = objects_of(items)
        differing = _differing(seen, found)
        yield from _not_left(name, error) or _not_failed(name, found, differing)
        # An object may be read without a part of it, and then the part is told.
        expected = {0, 1} if any(map(_is_trouble_of_a_part, items)) else {1}
        if transport.refused and not error and len(differing) not in expected:
            yield f"{name}: one object's requests were refused, and another came of {differing}"


@promise("an answer that nobody documents leaves an object's neighbours alone")
def _undocumented(seen: Observation) -> Iterator[str]:
    for name, ask in _WAYS.items():
        for kind, answer in UNDOCUMENTED.items():
            with seen.troubled(_failing_one(seen, ask, answer)) as (connector, _):
                items, error = _until_error(ask(seen, connector))
            yield from _not_left(f"{name}, {kind}", error)
            if not error and len(differing := _differing(seen, objects_of(items))) > 1:
                yield f"{name}, {kind}: another came of {differing}"


@promise("the trouble of some objects is theirs, and the others are read")
def _some(seen: Observation) -> Iterator[str]:
    for name, ask in _WAYS.items():
        with seen.troubled(_failing_some(seen, ask)) as (connector, _):
            items, error = _until_error(ask(seen, connector))
        found = objects_of(items)
        yield from _not_left(name, error) or _not_failed(name, found, _differing(seen, found))


@promise("what failed can be fetched once the trouble is over")
def _recovery(seen: Observation) -> Iterator[str]:
    read = seen.largest
    with seen.troubled(_failing_one(seen, _WAYS["read"])) as (connector, transport):
        failed = [item.document_id for item in connector.read(read.unit) if isinstance(item, Failed)]
        transport.is_on = False
        found = objects_of(list(connector.fetch(read.unit, failed)))
    expected = {key: item for key, item in read.objects.items() if key in found or key in failed}
    for key in differences(expected, found):
        yield f"{key} is {found.get(key)}"


@promise("a source that fails every object is left after a few, and read on from there later")
def _all(seen: Observation) -> Iterator[str]:
    read = seen.largest
    with seen.troubled(_failing_all(seen)) as (connector, transport):
        items, error = _until_error(connector.read(read.unit))
    if not transport.refused:  # the listing is all that a read needs
        return
    failed = [item.document_id for item in items if isinstance(item, Failed)]
    # Each of a unit's parts (its issues, its discussions) may have a few of its own.
    is_told = error is not None or any(map(_is_trouble_of_a_part, items))
    if not is_told or len(failed) > 2 * FAILURES_IN_A_ROW:
        yield f"{len(failed)} objects failed, and the read ends with {error!r}"
    if gone := [item.document_id for item in items if isinstance(item, Deleted)]:
        yield f"deleted: {', '.join(gone)}"
    yield from _read_on(seen, read, items)


@promise(f"a source that is down is left within {MOST_REQUESTS} requests, whatever was asked")
def _down(seen: Observation) -> Iterator[str]:
    for name, ask in _questions(seen).items():
        with seen.troubled(_always(UNAVAILABLE)) as (connector, transport):
            items, error = _until_error(ask(connector))
            if not transport.refused:
                continue  # a source may know some answers without asking
            yield from _left(name, error, transport.refused)
            if not all(isinstance(item, Failed | UnreadableGroup) for item in items):
                yield f"{name} yields {items}"


@promise("a source that goes down during a read leaves what was read, and is read on from there later")
def _interrupted(seen: Observation) -> Iterator[str]:
    read = seen.largest
    with seen.opened() as counting:
        list(counting.read(read.unit))
        needed = counting.requests
    for after in sorted({needed // 3, needed * 2 // 3}):
        with seen.troubled(_down_after(after)) as (connector, transport):
            items, error = _until_error(connector.read(read.unit))
            yield from _left(f"after {after} requests, read", error, transport.refused, 2 * MOST_REQUESTS)
            yield from _read_on(seen, read, items)


@promise("a source that is down is no evidence that anything is gone")
def _no_evidence(seen: Observation) -> Iterator[str]:
    read = seen.largest
    asked = next(iter(read.objects))
    with seen.troubled(_always(UNAVAILABLE)) as (connector, _):
        said, error = _until_error(_unit_of(connector, asked))
        if error is None:
            yield f"unit_of says {said}"
        items, _ = _until_error(connector.fetch(read.unit, [asked]))
        if any(isinstance(item, Deleted) for item in items):
            yield f"fetch says that {asked} is deleted"
        if all(finding.ok for finding in connector.check()):
            yield "a check finds it well"


@promise("units and listings do not end early where a request fails in the middle")
def _ended_early(seen: Observation) -> Iterator[str]:
    for name in ("units", "listing"):
        ask = _questions(seen)[name]
        with seen.opened() as counting:
            expected = list(ask(counting))
            needed = counting.requests
        for number in range(0, needed, max(1, needed // MOST_PLACES)):
            with seen.troubled(_nth_down(number)) as (connector, _):
                found, error = _until_error(ask(connector))
            is_told = any(map(_is_trouble_of_a_part, found))
            if not (error or is_told) and list(map(_without_readers, found)) != list(map(_without_readers, expected)):
                yield f"{name}: {len(found)} of {len(expected)} and no error, where request {number + 1} fails"


@promise(
    "a group's members are told as a whole, or it is said that they cannot be, where a request fails in the middle"
)
def _groups(seen: Observation) -> Iterator[str]:
    expected = _by_group(seen.memberships)
    with seen.opened() as counting:
        list(counting.memberships())
        needed = counting.requests
    for number in range(0, needed, max(1, needed // MOST_PLACES)):
        with seen.troubled(_nth_down(number)) as (connector, _):
            found, error = _until_error(connector.memberships())
        for group, members in (told := _by_group(found)).items():
            if members and members != expected.get(group):
                yield f"{group}: {sorted(members)} are not all its members, where request {number + 1} fails"
        if error is None and (lost := expected.keys() - told.keys()):
            yield f"nothing is said of {sorted(lost)}, and no error, where request {number + 1} fails"


@promise("credentials that are refused are told at once")
def _refused(seen: Observation) -> Iterator[str]:
    for name, ask in _questions(seen).items():
        with seen.troubled(_always(REFUSED)) as (connector, transport):
            _, error = _until_error(ask(connector))
            if transport.refused and not isinstance(error, AuthenticationFailed):
                yield f"{name} ends with {error!r}"
            if transport.refused > MOST_REQUESTS:
                yield f"{name}: {transport.refused} requests"
    with seen.troubled(_always(REFUSED)) as (connector, transport):
        if all(finding.ok for finding in connector.check()):
            yield "a check finds them well"


def _is_trouble_of_a_part(found: object) -> bool:
    return isinstance(found, PartState) and found.status != "complete"


def _without_readers(found: object) -> object:
    """A unit whose readers cannot be read has none, and is named all the same."""
    return replace(found, readers=()) if isinstance(found, Unit) else found


def _questions(seen: Observation) -> dict[str, Callable[[Connector], Iterator[object]]]:
    """All that can be asked of a connector, each as the first thing that it is asked."""
    unit, ids = seen.largest.unit, list(seen.largest.objects)
    return {
        "units": lambda connector: connector.units(),
        "read": lambda connector: connector.read(unit),
        "listing": lambda connector: connector.listing(unit),
        "fetch": lambda connector: connector.fetch(unit, ids),
        "unit_of": lambda connector: _unit_of(connector, ids[0]),
        "memberships": lambda connector: connector.memberships(),
    }


def _by_group(found: list[MembershipItem]) -> dict[str, set[str]]:
    """Addresses of members, by group; none of a group that cannot be read."""
    groups: dict[str, set[str]] = {}
    for one in found:
        groups.setdefault(one.group, set()).update([one.email] if isinstance(one, Membership) else ())
    return groups


def _unit_of(connector: Connector, document_id: str) -> Iterator[object]:
    yield connector.unit_of(document_id)


_Way: TypeAlias = Callable[[Observation, Connector], Iterator[Item]]
_WAYS: dict[str, _Way] = {
    "read": lambda seen, connector: connector.read(seen.largest.unit),
    "fetch": lambda seen, connector: connector.fetch(seen.largest.unit, list(seen.largest.objects)),
}
"""How the objects of the largest unit are had."""


def _failing_all(seen: Observation) -> Fault:
    """Refuses every request for single objects."""
    return lambda request: _copied(UNAVAILABLE) if seen.case.reads_one(request) else None


def _failing_one(seen: Observation, ask: _Way, answer: httpx.Response = UNAVAILABLE) -> Fault:
    """Answers one request for a single object, and its retries."""
    chosen = _requests_for_objects(seen, ask)[1:2]
    return lambda request: _copied(answer) if _request_key(request) in chosen else None


def _failing_some(seen: Observation, ask: _Way) -> Fault:
    """Refuses every fourth request for single objects.

    Rarely enough that an object which takes a few requests has a neighbour that is well.
    """
    chosen = _requests_for_objects(seen, ask)[1::4]
    return lambda request: _copied(UNAVAILABLE) if _request_key(request) in chosen else None


def _requests_for_objects(seen: Observation, ask: _Way) -> list[_RequestKey]:
    """By their addresses, and not by the order in which they are sent: a source may send several at once."""
    sent: set[_RequestKey] = set()

    def record(request: httpx.Request) -> None:
        if seen.case.reads_one(request):
            sent.add(_request_key(request))

    with seen.troubled(record) as (connector, _):
        list(ask(seen, connector))
    return sorted(sent)


def _request_key(request: httpx.Request) -> _RequestKey:
    return request.url.path, request.content  # without the query: signatures in it are new each time


def _always(answer: httpx.Response) -> Fault:
    return lambda request: _copied(answer)


def _down_after(requests: int) -> Fault:
    passed = count()
    return lambda request: None if next(passed) < requests else _copied(UNAVAILABLE)


def _nth_down(chosen: int) -> Fault:
    """One request fails, at every try; all others are answered."""
    numbers: dict[tuple[str, bytes], int] = {}

    def fault(request: httpx.Request) -> httpx.Response | None:
        number = numbers.setdefault((str(request.url), request.content), len(numbers))
        return _copied(UNAVAILABLE) if number == chosen else None

    return fault


def _copied(answer: httpx.Response) -> httpx.Response:
    """A response of its own for each request: httpx closes those that were read."""
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def _differing(seen: Observation, found: dict[str, ObjectItem]) -> list[str]:
    """Ids of objects of the largest unit that are others than were read; attachments are their document's."""
    differing = differences(seen.largest.objects, found)
    return [key for key in differing if not any(key.startswith(f"{other}/") for other in differing)]


def _not_failed(where: str, found: dict[str, ObjectItem], differing: list[str]) -> list[str]:
    """Objects of which something came that is neither what was read nor their failure."""
    return [f"{where}: {key} is {found.get(key)}" for key in differing if not isinstance(found.get(key), Failed)]


def _not_left(where: str, error: SourceError | None) -> list[str]:
    return [f"{where} breaks off: {error!r}"] if error else []


def _until_error(items: Iterator[T]) -> tuple[list[T], SourceError | None]:
    """What comes before a SourceError, and that."""
    found: list[T] = []
    try:
        for item in items:
            found.append(item)
    except SourceError as error:
        return found, error
    return found, None


def _left(where: str, error: SourceError | None, refused: int, most: int = MOST_REQUESTS) -> Iterator[str]:
    if error is None:
        yield f"{where} goes on to the end, over {refused} refused requests"
    if refused > most:
        yield f"{where} asks {refused} times before it ends with {error!r}"


def _read_on(seen: Observation, read: UnitRead, items: list[Item]) -> Iterator[str]:
    """What is there in the end, after a sync that broke off and one that went on from its last checkpoint."""
    cursors = [through_json(item.cursor) for item in items if isinstance(item, Checkpoint)]
    with seen.opened() as connector:
        rest = list(connector.read(read.unit, cursors[-1] if cursors else None))
        found = objects_of([*items, *rest])
        failed = [key for key, item in found.items() if isinstance(item, Failed)]
        found |= objects_of(list(connector.fetch(read.unit, failed)))
    if lost := differences(read.objects, found):
        yield f"{read.unit.id}, read on: {', '.join(lost)}"


PROMISES: tuple[Promise, ...] = (
    _one,
    _undocumented,
    _some,
    _recovery,
    _all,
    _down,
    _interrupted,
    _no_evidence,
    _ended_early,
    _groups,
    _refused,
)
