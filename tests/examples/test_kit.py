"""The conformance kit notices when a promise is broken: each mutant of a connector that is well turns it red."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import chain, count
from typing import Any

import httpx
import pytest

from connectors.contract import (
    Checkpoint,
    Connector,
    Cursor,
    Deleted,
    DocumentReaders,
    Failed,
    Finding,
    Item,
    ListingEntry,
    Membership,
    MembershipCache,
    MembershipItem,
    PartState,
    RightsItem,
    SameContent,
    Skipped,
    UnreadableGroup,
    Window,
)
from connectors.errors import SourceError, Unavailable
from connectors.model import Document, Parent, Unit
from connectors.testing import Case, Observation, Promise
from connectors.testing.conformance import PROMISES

Mutant = Callable[[Connector], Connector]


class Mutated:
    """A connector that behaves as the one it is made of; mutants replace a method of it."""

    def __init__(self, inner: Connector) -> None:
        self.inner = inner

    @property
    def requests(self) -> int:
        return self.inner.requests

    def check(self) -> list[Finding]:
        return self.inner.check()

    def units(self) -> Iterator[Unit]:
        return self.inner.units()

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        return self.inner.read(unit, cursor, window)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        return self.inner.listing(unit)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        return self.inner.fetch(unit, document_ids)

    def unit_of(self, document_id: str) -> str | None:
        return self.inner.unit_of(document_id)

    def memberships(self) -> Iterator[MembershipItem]:
        return self.inner.memberships()

    def close(self) -> None:
        self.inner.close()


def with_method(name: str, method: Callable[..., Any]) -> Mutant:
    """`method` takes the connector that is mutated, then what the method of the contract takes."""

    def mutate(inner: Connector) -> Connector:
        found = Mutated(inner)
        setattr(found, name, lambda *arguments: method(inner, *arguments))
        return found

    return mutate


def reading(change: Callable[[Iterator[Item]], Iterator[Item]]) -> Mutant:
    """Changes what `read` yields, whatever it is asked for."""
    return with_method("read", lambda inner, *arguments: change(inner.read(*arguments)))


def documents(**changes: Callable[[Document], Any]) -> Mutant:
    """Changes fields of the documents that `read` yields."""

    def changed(item: Item) -> Item:
        made = {name: value(item) for name, value in changes.items()} if isinstance(item, Document) else {}
        return replace(item, **made) if isinstance(item, Document) else item

    return reading(lambda items: map(changed, items))


def cursors(change: Callable[[Cursor], Any]) -> Mutant:
    return reading(
        lambda items: (
            replace(item, cursor=change(item.cursor)) if isinstance(item, Checkpoint) else item for item in items
        )
    )


def reading_with(kept: MembershipCache, found: Iterator[MembershipItem]) -> Iterator[MembershipItem]:
    """Takes what was kept for all that there is."""
    is_known = kept.get("group")
    kept.put("group", {"is": "known"})
    return iter(()) if is_known else found


def reading_rights(inner: Connector, unit: Unit, **changes: Any) -> Iterator[RightsItem | Checkpoint]:
    for item in inner.read(unit):
        if isinstance(item, Document):
            yield replace(DocumentReaders(item.id, item.readers, item.readers_until), **changes)
        elif isinstance(item, Checkpoint):
            yield item


def without_contents(items: Iterator[Item]) -> Iterator[Item | SameContent]:
    for item in items:
        yield SameContent(item.id, "k", item.readers) if isinstance(item, Document) else item


def is_object(item: Item) -> bool:
    return not isinstance(item, Checkpoint)


def skipping_after_resumption(inner: Connector, unit: Unit, cursor: Cursor | None = None, *rest: Any) -> Iterator[Item]:
    skipped = not (cursor and cursor.get("after"))
    for item in inner.read(unit, cursor, *rest):
        if skipped or not is_object(item):
            yield item
        skipped = skipped or is_object(item)


def leaking(inner: Connector, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
    for item in inner.read(unit, cursor):
        yield replace(item, complete=False) if window and isinstance(item, Checkpoint) else item


def missing_in_windows(inner: Connector, unit: Unit, cursor: Any = None, window: Any = None) -> Iterator[Item]:
    items = inner.read(unit, cursor, window)
    return filter(lambda item: not is_object(item), items) if window else items


def complete_windows(inner: Connector, unit: Unit, cursor: Any = None, window: Any = None) -> Iterator[Item]:
    for item in inner.read(unit, cursor, window):
        yield replace(item, complete=True) if window and isinstance(item, Checkpoint) else item


def raising(items: Iterator[Item]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Failed):
            raise Unavailable("here", item.error)
        yield item


def never_leaving(inner: Connector, *arguments: Any) -> Iterator[Item]:
    """Takes the end of a source for the end of the unit."""
    try:
        yield from inner.read(*arguments)
    except SourceError:
        yield Checkpoint({}, complete=True)


def insisting(inner: Connector, *arguments: Any) -> Iterator[Item]:
    for attempt in range(8):
        try:
            yield from inner.read(*arguments)
            return
        except SourceError:
            if attempt == 7:
                raise


def knowing_no_better(inner: Connector, document_id: str) -> str | None:
    try:
        return inner.unit_of(document_id)
    except SourceError:
        return None


def disguised(inner: Connector, *arguments: Any) -> Iterator[Any]:
    try:
        yield from inner.read(*arguments)
    except SourceError as error:
        raise Unavailable("here", str(error)) from error


def entries(change: Callable[[list[ListingEntry]], list[ListingEntry]]) -> Mutant:
    return with_method("listing", lambda inner, unit: iter(change(list(inner.listing(unit)))))


def fetching(change: Callable[[list[Item]], list[Item]]) -> Mutant:
    return with_method("fetch", lambda inner, unit, ids: iter(change(list(inner.fetch(unit, ids)))))


def failed_for_good(inner: Connector, unit: Unit, ids: Sequence[str]) -> Iterator[Item]:
    return iter([Failed(one, "", "as before") for one in ids])


def members(change: Callable[[list[Membership]], Sequence[MembershipItem]]) -> Mutant:
    return with_method(
        "memberships",
        lambda inner: iter(change([one for one in inner.memberships() if isinstance(one, Membership)])),
    )


def ending_early(name: str) -> Mutant:
    """Takes an error for the end of what it lists."""

    def method(inner: Connector, *arguments: Any) -> Iterator[Any]:
        try:
            yield from getattr(inner, name)(*arguments)
        except SourceError:
            return

    return with_method(name, method)


def complete_with_cursor(inner: Connector, unit: Unit, cursor: Any = None, window: Any = None) -> Iterator[Item]:
    for item in inner.read(unit, cursor, window):
        yield replace(item, complete=True) if cursor and isinstance(item, Checkpoint) else item


def finding_no_changes(inner: Connector, unit: Unit, cursor: Any = None, window: Any = None) -> Iterator[Item]:
    return iter([Checkpoint(cursor)]) if cursor and not cursor.get("after") else inner.read(unit, cursor, window)


def unevenly(items: Iterator[Item]) -> Iterator[Item]:
    """As many checkpoints as ever, but those of the unit that is large are in the small one."""
    found = list(items)
    return iter([*found, *found[-1:] * 5] if len(found) < 4 else [*filter(is_object, found), found[-1]])


def later(moment: datetime | None) -> datetime | None:
    return moment + timedelta(hours=1) if moment else None


def shifted(inner: Connector) -> Connector:
    """An hour late throughout, as where a time zone is lost: nothing that it says contradicts the rest."""
    late = documents(updated_at=lambda one: later(one.updated_at), created_at=lambda one: later(one.created_at))(inner)
    return entries(lambda found: [replace(one, updated_at=later(one.updated_at)) for one in found])(late)


def swapped(inner: Connector) -> Connector:
    """Each unit is read as the other one."""
    units = list(inner.units())
    others = dict(zip(units, reversed(units), strict=True))
    return with_method("read", lambda inner, unit, *rest: inner.read(others[unit], *rest))(inner)


_numbers = count()

MUTANTS: dict[str, tuple[str, Mutant]] = {
    "requests are not counted": ("a new connector has sent nothing", lambda inner: Uncounted(inner)),
    "a check has nothing to say": ("a check finds", with_method("check", lambda inner: [])),
    "a check finds trouble": ("a check finds", with_method("check", lambda inner: [Finding("all", False, "bad")])),
    "a unit is listed twice": (
        "units are listed once",
        with_method("units", lambda inner: (unit for unit in inner.units() for _ in range(2))),
    ),
    "a unit has no name": (
        "units are listed once",
        with_method("units", lambda inner: (replace(unit, name=" ") for unit in inner.units())),
    ),
    "a part is none of the table's": (
        "what is told of parts",
        reading(lambda items: chain([PartState("gossip", "complete")], items)),
    ),
    "the last checkpoint is missing": ("a full read ends", reading(lambda items: iter(list(items)[:-1]))),
    "no checkpoint is complete": (
        "a full read ends",
        reading(lambda items: (replace(i, complete=False) if isinstance(i, Checkpoint) else i for i in items)),
    ),
    "every checkpoint is complete": (
        "a full read ends",
        reading(lambda items: (replace(i, complete=True) if isinstance(i, Checkpoint) else i for i in items)),
    ),
    "a checkpoint is dropped": (
        "checkpoints come as often",
        reading(lambda items: (i for n, i in enumerate(items) if is_object(i) or n > 3)),
    ),
    "checkpoints are where none is needed": ("checkpoints come as often", reading(unevenly)),
    "a cursor is no JSON": ("cursors are JSON", cursors(lambda cursor: cursor | {"seen": {1, 2}})),
    "a cursor holds a tuple": ("cursors are JSON", cursors(lambda cursor: cursor | {"seen": (1, 2)})),
    "a cursor holds no number": ("cursors are JSON", cursors(lambda cursor: cursor | {"seen": math.nan})),
    "an id is another connection's": ("ids are", documents(id=lambda one: one.id.replace("acme", "other"))),
    "an id holds a line break": ("ids are", documents(id=lambda one: f"{one.id}\n")),
    "an object comes twice": ("a full read yields each", reading(lambda items: (i for i in items for _ in range(2)))),
    "a unit is wrong": ("documents name their", documents(unit=lambda one: "other")),
    "a source is wrong": ("documents name their", documents(source=lambda one: "slack")),
    "a connection is wrong": ("documents name their", documents(connection=lambda one: "other")),
    "times are naive": ("times are aware", documents(updated_at=lambda one: datetime(2026, 4, 1))),
    "times are local": (
        "times are aware",
        documents(created_at=lambda one: datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))),
    ),
    "a document is older than itself": ("times are aware", documents(created_at=lambda one: later(one.updated_at))),
    "there is no content": ("documents can be shown", documents(content=lambda one: "")),
    "there is no URL": ("documents can be shown", documents(url=lambda one: "/issue/1")),
    "the media type is none": ("documents can be shown", documents(content_type=lambda one: "markdown")),
    "nothing says why": (
        "what was passed over",
        reading(lambda items: (Skipped(i.id, i.title, "") if isinstance(i, Document) else i for i in items)),
    ),
    "a parent is a bare id": ("parents have ids", documents(parents=lambda one: (Parent("C1", "Mill"),))),
    "everybody reads": ("reader tokens are", documents(readers=lambda one: ("everyone",))),
    "another connection's group reads": ("reader tokens are", documents(readers=lambda one: ("group:other:1",))),
    "an address is no address": ("reader tokens are", documents(readers=lambda one: ("user:Ada",))),
    "all is an hour late": ("what the server is known to hold is read, with", shifted),
    "units are swapped": ("documents name their", swapped),
    "a title is no text": ("all that is yielded", documents(title=lambda one: 7)),
    "tags are a list": ("all that is yielded", documents(tags=lambda one: ["Bug"])),
    "a parent's title is no text": ("all that is yielded", documents(parents=lambda one: (Parent(one.unit, None),))),  # type: ignore[arg-type]
    "half a surrogate pair": ("all that is yielded", documents(content=lambda one: str(one.content) + "\ud83d")),
    "an item is a tuple": (
        "all that is yielded",
        with_method("listing", lambda inner, unit: ((entry.document_id, entry) for entry in inner.listing(unit))),
    ),
    "titles are all the same": ("what the server is known to hold has", documents(title=lambda one: "Issue")),
    "content is cut short": ("what the server is known to hold has", documents(content=lambda one: "See Linear.")),
    "all is public": ("what the server is known to hold is read by", documents(readers=lambda one: ("public",))),
    "nobody reads": ("what the server is known to hold is read by", documents(readers=lambda one: ())),
    "members are swapped": (
        "people are members",
        members(lambda found: [replace(one, email=found[-at].email) for at, one in enumerate(found)]),
    ),
    "a member is forgotten": ("people are members", members(lambda found: found[:-1])),
    "a read with a cursor is complete": ("a read with a cursor claims", with_method("read", complete_with_cursor)),
    "units end early": ("units and listings", ending_early("units")),
    "a listing ends early": ("units and listings", ending_early("listing")),
    "memberships end early": ("a group's members are told as a whole", ending_early("memberships")),
    "changes are not found": ("what changed at the source", with_method("read", finding_no_changes)),
    "an object is forgotten": (
        "what the server is known to hold is read, with",
        reading(lambda items: (i for i in items if not isinstance(i, Document) or i.title != "Pump 1 is stuck")),
    ),
    "no two reads agree": ("a second connector reads", documents(title=lambda one: f"Read {next(_numbers)}")),
    "what is unchanged comes changed": (
        "where nothing changed, a read with the cursor yields",
        with_method(
            "read",
            lambda inner, unit, cursor=None, window=None: documents(
                tags=lambda one: ("again",) if cursor else one.tags
            )(inner).read(unit, cursor, window),
        ),
    ),
    "what is unchanged is deleted": (
        "where nothing changed, a read with the cursor yields",
        with_method(
            "read",
            lambda inner, unit, cursor=None, window=None: (
                Deleted(i.id) if cursor and isinstance(i, Document) else i for i in inner.read(unit, cursor, window)
            ),
        ),
    ),
    "cursors are not looked at": (
        "where nothing changed, a read with the cursor costs",
        with_method("read", lambda inner, unit, cursor=None, window=None: inner.read(unit, None, window)),
    ),
    "an item is skipped after a resumption": (
        "a read that is interrupted",
        with_method("read", skipping_after_resumption),
    ),
    "a resumption leads to no cursor": (
        "the cursor after a resumption",
        with_method(
            "read",
            lambda inner, unit, cursor=None, window=None: (
                Checkpoint({}) if cursor and isinstance(i, Checkpoint) else i for i in inner.read(unit, cursor, window)
            ),
        ),
    ),
    "checkpoints are empty": ("a resumption does not repeat", cursors(lambda cursor: {})),
    "a window leaks": ("a window yields", with_method("read", leaking)),
    "a window is empty": ("a window yields", with_method("read", missing_in_windows)),
    "a window is complete": ("a window claims", with_method("read", complete_windows)),
    "a listing's entry vanishes": ("a listing names", entries(lambda found: found[1:])),
    "a listing names an object twice": ("a listing names", entries(lambda found: found[:1] + found)),
    "a listing names what nobody read": (
        "a listing names",
        entries(lambda found: [*found, ListingEntry("linear:acme-linear/other")]),
    ),
    "a listing's times are shifted": (
        "a listing's times",
        entries(lambda found: [replace(one, updated_at=later(one.updated_at)) for one in found]),
    ),
    "a fingerprint is changed": ("a listing's times", documents(fingerprint=lambda one: "0123456789ab")),
    "fetch forgets an id": ("fetch yields one item", fetching(lambda found: found[1:])),
    "fetch repeats itself": ("fetch yields one item", fetching(lambda found: found + found)),
    "fetch yields more than was asked for": (
        "fetch yields one item",
        fetching(lambda found: [*found, Deleted("linear:acme-linear/other")]),
    ),
    "fetch yields another version": (
        "fetch yields the version",
        fetching(lambda found: [replace(one, tags=()) if isinstance(one, Document) else one for one in found]),
    ),
    "fetch yields another fingerprint": (
        "fetch yields the version",
        fetching(lambda found: [replace(one, fingerprint="") if isinstance(one, Document) else one for one in found]),
    ),
    "fetch says nothing of what is gone": (
        "fetch says of what is not there",
        fetching(lambda found: [one for one in found if not isinstance(one, Deleted)]),
    ),
    "unit_of knows nothing": ("unit_of names", with_method("unit_of", lambda inner, document_id: None)),
    "unit_of knows everything": (
        "unit_of knows no unit",
        with_method("unit_of", lambda inner, document_id: next(inner.units()).id),
    ),
    "a group is unknown": ("memberships are", members(lambda found: [Membership("nobody", "ada@acme.test")])),
    "a member has no address": ("memberships are", members(lambda found: [replace(found[0], email="Ada")])),
    "a group comes in two parts": ("memberships are", members(lambda found: [*found[1:], found[0]])),
    "a group is unreadable": ("memberships are", members(lambda found: [UnreadableGroup(found[0].group, "no")])),
    "a member comes twice": ("memberships are", members(lambda found: found + found)),
    "what was kept lets others in": (
        "memberships that are read with",
        with_method("cached_memberships", lambda inner, kept: reading_with(kept, inner.memberships())),
    ),
    "units with changes are named otherwise": (
        "units with changes",
        with_method("changed_units", lambda inner, cursors: [replace(one, name="?") for one in inner.units()]),
    ),
    "units with changes are kept back": (
        "what changed at the source",
        with_method("changed_units", lambda inner, cursors: iter(())),
    ),
    "rights alone are nobody's": (
        "rights that are read alone",
        with_method("read_rights", lambda inner, unit, cursor=None: reading_rights(inner, unit, readers=())),
    ),
    "rights alone do not go on": (
        "rights alone are read on",
        with_method(
            "read_rights", lambda inner, unit, cursor=None: iter(()) if cursor else reading_rights(inner, unit)
        ),
    ),
    "rights alone miss a change": (
        "what changed at the source",
        with_method("read_rights", lambda inner, unit, cursor=None: iter([Checkpoint({})])),
    ),
    "what has changed comes without its content": (
        "what changed at the source",
        with_method("read_changes", lambda inner, unit, cursor, _: without_contents(inner.read(unit, cursor))),
    ),
    "a change is missed where contents are compared": (
        "what changed at the source",
        with_method("read_changes", lambda inner, unit, cursor, _: iter([Checkpoint(cursor)])),
    ),
    "one object's trouble leaves a read": ("one object's trouble", reading(raising)),
    "an odd answer leaves a read": ("an answer that nobody", reading(raising)),
    "some objects' trouble leaves a read": ("the trouble of some", reading(raising)),
    "a failure is for good": ("what failed can be fetched", with_method("fetch", failed_for_good)),
    "a source that fails is read to the end": ("a source that fails every", with_method("read", never_leaving)),
    "a source that is down is asked on": ("a source that is down is left", with_method("read", insisting)),
    "a source that goes down is at its end": ("a source that goes down", with_method("read", never_leaving)),
    "what is out of reach is gone": ("a source that is down is no", with_method("unit_of", knowing_no_better)),
    "what is out of reach is deleted": (
        "a source that is down is no",
        fetching(lambda found: [Deleted(one.document_id) if isinstance(one, Failed) else one for one in found]),
    ),
    "wrong credentials are taken for an outage": ("credentials that are refused", with_method("read", disguised)),
}
"""Each with the beginning of the promise that it breaks."""


class Uncounted(Mutated):
    @property
    def requests(self) -> int:
        return 0


def named(beginning: str) -> Promise:
    (found,) = (promise for promise in PROMISES if promise.name.startswith(beginning))
    return found


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_turns_its_promise_red(name: str, linear_case: Callable[[], Case]) -> None:
    beginning, mutate = MUTANTS[name]
    case = linear_case()
    mutant = replace(case, connect=lambda transport: mutate(case.connect(transport)))
    with closing(Observation(mutant)) as observation:
        assert named(beginning).broken(observation)


def test_every_promise_is_broken_by_a_mutant() -> None:
    assert {named(beginning).name for beginning, _ in MUTANTS.values()} == {promise.name for promise in PROMISES}


def test_a_connector_that_asks_when_it_is_opened_is_noticed(linear_case: Callable[[], Case]) -> None:
    case = linear_case()

    def eager(transport: httpx.BaseTransport) -> Connector:
        connector = case.connect(transport)
        list(connector.units())
        return connector

    with closing(Observation(replace(case, connect=eager))) as observation:
        assert named("a new connector has sent nothing").broken(observation)
