"""The contract of a source: what a connector promises, and what it yields.

Ids
    The id of a document is `<source>:<connection>/<path>`, where `path` is the source's own and never changes for
    this object (`ID_PATH`: it may hold spaces, as names of files do). What comes with another document has that one's
    id, then `/files/` and a name of its own (`attachment_id`): listings need not name it, and it goes when its
    document goes. A connector whose files stand for themselves may use the form `<unit>/files/<id>` as long as no
    document has that unit's id.
Times
    Aware, in UTC. `Document.updated_at` moves with every change that a reader sees, as far as the source tells.
Cursors
    JSON that only the connector which wrote it reads. Each `Checkpoint` can be resumed from, by another process too,
    and by this release from what the one before wrote.
Trouble
    Every method may raise `connectors.errors.SourceError`. One object's trouble never leaves `read` or `fetch`: it
    becomes a `Failed` item. Trouble of the source as a whole does leave them, after a few objects in a row that fail
    for a passing reason (`connectors.isolation`), and what was yielded before stands.
Threads
    A connector is used by one thread at a time. Several of one connection may run side by side: they share limits
    (`connectors.rate_limits`), and nothing else.

`connectors.testing` asks a running source for each of these promises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, Self, TypeAlias, runtime_checkable

from connectors.model import Document, Unit, readers_include

Cursor: TypeAlias = dict[str, Any]
"""Where a connector continues a unit; only the connector that wrote it reads it. JSON-serialisable."""

ID_PATH = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")
"""The path in a document's id: any text without control characters, in Unicode that can be encoded."""

ATTACHMENT = "/files/"
"""Stands in the id of an attachment between the id of the document that it came with and its own name."""


def id_prefix(source: str, connection: str) -> str:
    """What all ids of a connection's documents begin with."""
    return f"{source}:{connection}/"


def attachment_id(document_id: str, name: str) -> str:
    """Id of what came with a document. `name` is the provider's id of it, or a hash: it is unique in the document."""
    return f"{document_id}{ATTACHMENT}{name}"


_ANY_UNIT = re.compile(r"([^/]*)/\*/")
"""What the id begins with by which an event names an object whose unit it does not tell."""


def in_any_unit(source: str, connection: str, name: str) -> str:
    """Names an object whose unit is not told: all documents `<source>:<connection>/<unit>/<name>`. It is no document's
    id, and `fetch` is never given one."""
    return f"{id_prefix(source, connection)}*/{name}"


def is_in_any_unit(document_id: str) -> bool:
    return _ANY_UNIT.match(document_id) is not None


def in_unit(document_id: str, unit: str) -> str:
    """The id of an object in this unit, where its id does not tell in which it is; any other as it is.

    >>> in_unit("slack:acme/*/files/F1", "C1")
    'slack:acme/C1/files/F1'
    """
    named = _ANY_UNIT.match(document_id)
    return f"{named[1]}/{unit}/{document_id[named.end() :]}" if named else document_id


_BELOW = "/below"


def all_below(document_id: str) -> str:
    """Names all that is below an object, where an event is about that as well. It is no document's id; `fetch` yields
    one item for each of what is there."""
    return f"{document_id}{_BELOW}"


def holder_of(name: str) -> str:
    """The id of the object that `all_below` is given; empty for what names a single object."""
    return name.removesuffix(_BELOW) if name.endswith(_BELOW) else ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object passed over on purpose: too large, unsupported type, encrypted, empty."""

    document_id: str
    title: str
    reason: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """An object that could not be read. Later syncs fetch it again by its id.

    What is known of it stays in use, unless `hides` says that who may read it now could not be told: then nobody sees
    it until it has been read. Where that was told, and only the content is missing, `readers` are those of now: those
    who lost it see it no more. `is_transient` says that it failed for a passing reason, which may be the source's own.
    """

    document_id: str
    title: str
    error: str
    url: str = ""
    hides: bool = False
    readers: tuple[str, ...] | None = None
    is_transient: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object that is gone at the source: deleted, archived, in the trash or out of reach.

    `is_unfound`: all that is known of it is that nothing was found where it was asked for, which sources answer for
    want of a right, too, and some for a moment. Nobody sees it from then on; but it may be there all the same.
    `moved_to` is the unit that it is in now, where it is gone from its own alone.
    """

    document_id: str
    is_unfound: bool = field(default=False, compare=False)
    moved_to: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All items yielded so far are complete; reading can resume from `cursor`.

    `complete` marks the end of a listing that has named every object of the unit, but for those of parts that were
    reported as not complete. Only after a complete listing may objects that were not named be taken for deleted.
    """

    cursor: Cursor
    complete: bool = False


PartStatus: TypeAlias = Literal["complete", "refused", "failing"]
"""`refused`: not with these credentials, until something is granted. `failing`: for a reason that passes."""


@dataclass(frozen=True, slots=True)
class PartState:
    """How a part of a unit stands: `part` names it in the source's table (`connectors.source_parts`).

    `read` and `listing` tell of each part that they asked for, before the checkpoint that ends the reading or the end
    of the listing. What is complete, goes on without what is not. `reason` says why it is not, with the permission to
    grant. Such documents as have one of `id_prefixes` are the part's: that a listing lacks them tells nothing. One that
    is complete has some only where its source does not tell what is gone from what may not be seen.
    """

    part: str
    status: PartStatus
    reason: str = ""
    id_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListingEntry:
    """An object as a listing names it, without its content.

    The rest is given where the listing tells it. `updated_at` means what `Document.updated_at` means: an object
    that is newer here than in the catalog has been missed, and is read again. `fingerprint` stands for all that
    the listing shows of the object, and is equal to `Document.fingerprint` of the same state: one that is another
    than in the catalog has changed, whatever its time says. `parents` are the ids of `Document.parents`.
    """

    document_id: str
    title: str = ""
    updated_at: datetime | None = None
    fingerprint: str = ""
    parents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class DocumentReaders:
    """Who may read an object now, told without its content. The fields mean what those of `Document` do."""

    document_id: str
    readers: tuple[str, ...]
    readers_until: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class SameContent:
    """A document whose content was not read, since what was landed of it under this `content_key` is what it is now.

    The other fields mean what those of `Document` do; `parents` are ids.
    """

    document_id: str
    content_key: str
    readers: tuple[str, ...]
    readers_until: tuple[tuple[str, datetime], ...] = ()
    parents: tuple[str, ...] = ()
    fingerprint: str = ""

    @classmethod
    def of(cls, document: Document) -> Self:
        """All that is told of a document but for what it holds and shows."""
        parents = tuple(one.id for one in document.parents)
        told = (document.readers, document.readers_until, parents, document.fingerprint)
        return cls(document.id, document.content_key, *told)


@dataclass(frozen=True, slots=True)
class LandedContent:
    """What is landed of a document, by its `content_key`, and for whom it is."""

    content_key: str
    readers: tuple[str, ...]

    def readers_include(self, others: Collection[str]) -> bool:
        """Whether it is for these already, as far as reader tokens tell."""
        return readers_include(self.readers, others)


ObjectItem: TypeAlias = Document | Skipped | Failed | Deleted
Item: TypeAlias = ObjectItem | PartState | Checkpoint
ChangeItem: TypeAlias = Item | SameContent
"""What is told of changes where the connector is told what is landed."""
RightsItem: TypeAlias = DocumentReaders | Skipped | Failed | Deleted
"""What is told of an object where only rights are read."""
FindLanded: TypeAlias = Callable[[Collection[str]], Mapping[str, LandedContent]]
"""What is landed of documents, by id: of those that were read as they should be, and of which the key is known."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, by when objects were last updated; `until` is exclusive."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, moment: datetime | None) -> bool:
        if moment is None:
            return True
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person belongs to a group of the connection. `group` is the id that `group_token` takes."""

    group: str
    email: str


@dataclass(frozen=True, slots=True)
class UnreadableGroup:
    """A group of which the source does not tell who belongs to it; `reason` says why, in the source's words.

    What is known of it stays in use for a limited time. A group that has no members is not this.
    """

    group: str
    reason: str


@dataclass(frozen=True, slots=True)
class EmptyGroup:
    """A group that was read to its end and has no members."""

    group: str


@dataclass(frozen=True, slots=True)
class GroupName:
    """What people call a group whose id tells them nothing. It comes beside the group's members, and stays as it was
    where it does not come."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody is known by at the source: `name` is what people call them, empty where only a login is known, and
    `aliases` whatever else documents may name as their author."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


MembershipItem: TypeAlias = Membership | UnreadableGroup | EmptyGroup | GroupName


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `headrace check`: what was looked at, whether it is well, and what to do if not.

    Of a part that is refused (`connectors.source_parts`), `lost` is what is missing without it, and `permission` what
    to grant.
    """

    subject: str
    ok: bool
    detail: str
    lost: str = ""
    permission: str = ""


class Connector(Protocol):
    """One configured account of a source. Made by `connectors.connect`; close it after use."""

    @property
    def requests(self) -> int:
        """How many HTTP requests this connector has sent."""

    def check(self) -> list[Finding]:
        """Try the credentials, and name what they can and cannot reach: one finding for each part of the source's
        table, asked for on a real object."""

    def units(self) -> Iterator[Unit]:
        """All units that the token sees and the connection's patterns include, each once. Each call asks the source:
        what it shows counts as of then, so nothing is remembered from before.

        A unit whose name, URL or readers differ from those known before is read anew, since its documents show them.
        Raises `connectors.errors.UnreadableUnits` after all others, where single units that the settings spell out
        could not be looked at, or where the source says that it has not listed all that there are; any other error
        leaves open what else there is.
        """

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Read a unit: everything without a cursor, what changed since with one.

        The last item is a `Checkpoint`. With `window`, what lies inside it, and no complete listing is claimed: where
        a source cannot be asked by the time of changes, an object that began outside and was changed inside may be
        missing, and bounds may be rounded outwards to whole days (UTC).
        """

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        """Name every object that the unit has now, each that `read` would yield, without reading contents.

        Ends only when the listing is complete, but for parts whose state says otherwise; what keeps it from that is
        raised as SourceError.
        """

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """Look again at these objects: yields one item for each, `Deleted` where it is gone, with `is_unfound` where no
        listing and no word of the source's says so. A document that is in another unit now is gone from this one, best
        with `moved_to`, or carries that unit, which reads it next.

        Objects that came with one of them (its attachments) may follow, and the states of parts that turned out not to
        be complete.
        """

    def unit_of(self, document_id: str) -> str | None:
        """Id of the unit that an object is in now; None if it is gone, or in none that is read.

        Of an object that an event names in any unit (`in_any_unit`), one of those that it is in.
        """

    def memberships(self) -> Iterator[MembershipItem]:
        """Who belongs to the groups that this connection's reader tokens name, group by group; as `units`, by what the
        source says now.

        A group's members are yielded one after the other, once all of them are known: so each group that was named
        before an error is complete. One group's trouble is its `UnreadableGroup` (`connectors.groups`), and never
        that of the others. A group that is not named, by the end, has no members; one that is named as an
        `EmptyGroup` has none even if an error follows.
        """

    def close(self) -> None:
        """Release network connections."""


@runtime_checkable
class RightsFeed(Protocol):
    """A connector that tells what has changed of objects' rights without reading contents.

    It is for a source whose documents may have other readers than their unit: of the others, `units` tells all.
    """

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        """Say of what has changed in a unit who may read it now, or that it is gone. Reads no content.

        Goes on from a cursor of `read`, or of a checkpoint of its own, which `read` is never given; without one it
        names everything. A checkpoint is complete where it ends such a naming. An object of which nobody told is
        `Failed`, and is looked at again by the next call that goes on from there.
        """


@runtime_checkable
class ComparesContents(Protocol):
    """A connector whose source tells of documents, without their content, whether that is what was read before.

    A change of who may see many of them is then read without the content of any.
    """

    def read_changes(self, unit: Unit, cursor: Cursor, find_landed: FindLanded) -> Iterator[ChangeItem]:
        """As `read` with a cursor, but that a document may come as `SameContent`: where the source says, not before it
        has said who may read it, that what is landed of it is what there is."""


@runtime_checkable
class Paced(Protocol):
    """A connector of which each look at a unit counts on a quota, whether or not anything has happened there.

    Schedules look at quiet units less often (`pipelines.ingestion.pacing`); events and commands do at once.
    """

    def is_quiet(self, cursor: Cursor, now: datetime) -> bool:
        """Whether by this cursor, of the unit's last read, nothing is left to be read, and nothing has happened for so
        long that nothing is to be expected soon. Asks nobody."""


@runtime_checkable
class LooksAhead(Protocol):
    """A connector whose source tells of many units at once whether anything has happened in them."""

    def look_ahead(self, units: Collection[Unit], *, scheduled: bool) -> None:
        """These units are about to be read, one after the other; where a schedule does it, a quiet one in which nothing
        has happened may be left at that. Sends no request."""


@runtime_checkable
class ChangedUnits(Protocol):
    """A connector that finds its units by having its source name all it holds: many requests, where that is much.

    Schedules have it named once an hour (`pipelines.ingestion.pacing`), and ask in between what has changed; events and
    commands have it named.
    """

    def changed_units(self, cursors: Collection[Cursor]) -> Iterator[Unit]:
        """Units that hold something which is new or has changed since these cursors, of the last reads of all units
        that are read, as the units are now. The reads that follow take what was named here for all that there is.

        It is no listing: a unit that it does not name may be as it was, or gone. Raises UnreadableUnits where something
        that has changed may be missing from it.
        """


@runtime_checkable
class Dependents(Protocol):
    """A connector whose documents can show text of others, of which their own times do not tell.

    `read` finds them by itself; this is for events about the documents that the text is of.
    """

    def find_dependents(
        self, document_ids: Collection[str], cursors: Mapping[str, Cursor]
    ) -> Mapping[str, Collection[str]]:
        """Ids of documents that show these as they were before, by unit; `cursors` are those of all units by id."""


class MembershipCache(Protocol):
    """What a connector keeps of each group from one reading of its members to the next: JSON that it alone reads, by
    the group's id. What is kept of groups that are there no more is forgotten for it."""

    def get(self, group: str) -> dict[str, Any] | None: ...

    def put(self, group: str, kept: dict[str, Any]) -> None: ...

    def all(self) -> dict[str, dict[str, Any] | None]:
        """Of each group that is known; None where nothing is kept of one."""


@runtime_checkable
class CachedMemberships(Protocol):
    """A connector whose source can be asked whether the members of a group have changed."""

    def cached_memberships(self, cache: MembershipCache) -> Iterator[MembershipItem]:
        """All that `Connector.memberships` tells at this moment, for less. What was kept may be lost at any time."""


class AnswerCache(Protocol):
    """What a connector keeps of its source's answers from one process to the next: JSON that it alone reads, by the
    name that it gives an answer. Any of it may be lost at any time."""

    def get(self, name: str) -> dict[str, Any] | None: ...

    def put(self, name: str, kept: dict[str, Any]) -> None: ...


@runtime_checkable
class KeepsAnswers(Protocol):
    """A connector whose source can be asked whether its list of units has changed."""

    def keep_answers(self, cache: AnswerCache) -> None:
        """Where what is told from now on is kept, and what was told before. Sends no request."""


@runtime_checkable
class TellsAccounts(Protocol):
    """A connector that comes to know people while it reads memberships."""

    def accounts(self) -> Iterator[Account]:
        """All of whom the reading of memberships has told that came to its end just before; sends no request."""


@runtime_checkable
class PushChannels(Protocol):
    """A connector whose source tells of changes only through channels that expire."""

    def renew_channels(self, state: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Open and renew channels; takes the state kept from the last time, and returns the state to keep, as JSON."""
