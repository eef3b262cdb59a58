"""Who belongs to which group, so that a join or leave changes no vectors, and how old that knowledge is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, Table, and_, bindparam, delete, func, select, update

from connectors.addresses import find_address
from connectors.contract import EmptyGroup, GroupName, Membership, MembershipItem
from connectors.errors import SourceError, UnreadableUnits
from connectors.model import group_token
from pipelines.catalog import tables
from pipelines.catalog.membership_cache import ConnectionCache
from pipelines.catalog.statements import in_parts, upsert


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group, by its reader token, whose members could not be read. `read_at` is when they last were, `name` what
    people call it, where the source tells that."""

    group: str
    reason: str
    read_at: datetime | None
    name: str | None


@dataclass(frozen=True, slots=True)
class MembershipsAge:
    """Of one connection: when the group was read whose members were read longest ago, and how many groups could not be
    read. A group that was never read has no time: nobody belongs to it."""

    oldest_read: datetime | None = None
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class MembershipsRead:
    """How many memberships were read, and which groups (by id) could not be, with the reason."""

    count: int
    unreadable: dict[str, str]


class Memberships:
    """A group that was not read for longer than `max_age` means nobody."""

    def __init__(self, engine: Engine, max_age: timedelta) -> None:
        self._engine = engine
        self._max_age = max_age

    def replace(self, connection: str, found: Iterable[MembershipItem]) -> MembershipsRead:
        """Make these the memberships of a connection, at once. What is known of groups that could not be read stays;
        groups that are not named have no members any more, unless the source says that it has left units out: then
        they count as unreadable.

        Raises the SourceError that `found` raises. The groups that were named before have been brought up to date
        then, and the others are as they were.
        """
        started, told = datetime.now(UTC), _ToldGroups()
        error, left_out = told.take_all(found)
        self._record(
            connection, told.members, told.unreadable, read_at=started, is_complete=error is None, left_out=left_out
        )
        self._record_names(connection, {group_token(connection, group): name for group, name in told.names.items()})
        if error:
            raise error
        return MembershipsRead(sum(map(len, told.members.values())), told.unreadable)

    def cache(self, connection: str) -> ConnectionCache:
        """What the connector keeps of its groups, which goes with them."""
        return ConnectionCache(self._engine, connection)

    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to, as far as that was read lately enough."""
        table, groups = tables.memberships, tables.groups
        same = and_(groups.c.connection == table.c.connection, groups.c.group == table.c.group)
        fresh = groups.c.read_at >= self.count_since()
        statement = select(table.c.group).join(groups, same).where(table.c.email == find_address(email), fresh)
        with self._engine.connect() as transaction:
            return frozenset(transaction.execute(statement).scalars())

    def known_groups(self, connection: str) -> set[str]:
        """Reader tokens of the groups of which anything was ever told."""
        with self._engine.connect() as transaction:
            return _known_groups(transaction, connection)

    def names(self) -> dict[str, str]:
        """What people call groups, by their reader tokens, where their ids do not tell."""
        table = tables.groups
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(table.c.group, table.c.name).where(table.c.name.is_not(None)))
            return {row.group: row.name for row in rows}

    def is_too_old(self, read_at: datetime | None) -> bool:
        """Whether memberships that were read then count no longer."""
        return read_at is None or read_at < self.count_since()

    def count_since(self) -> datetime:
        """Groups that were read before mean nobody."""
        return datetime.now(UTC) - self._max_age

    def unreadable(self, connection: str) -> list[GroupState]:
        """Groups of a connection whose members could not be read the last time, by their tokens."""
        table = tables.groups
        where = (table.c.connection == connection, table.c.unreadable.is_not(None))
        statement = (
            select(table.c.group, table.c.unreadable, table.c.read_at, table.c.name)
            .where(*where)
            .order_by(table.c.group)
        )
        with self._engine.connect() as transaction:
            return [GroupState(*row) for row in transaction.execute(statement)]

    def ages(self) -> dict[str, MembershipsAge]:
        """How old the memberships of each connection are."""
        table = tables.groups
        figures = (func.min(table.c.read_at), func.count(table.c.unreadable))
        statement = select(table.c.connection, *figures).group_by(table.c.connection)
        with self._engine.connect() as transaction:
            return {connection: MembershipsAge(*row) for connection, *row in transaction.execute(statement)}

    def _record_names(self, connection: str, names: dict[str, str]) -> None:
        table = tables.groups
        own = (table.c.connection == connection, table.c.group == bindparam("named"))
        if names:
            rows = [{"named": group, "called": name} for group, name in names.items()]
            with self._engine.begin() as transaction:
                transaction.execute(update(table).where(*own).values(name=bindparam("called")), rows)

    def _record(
        self,
        connection: str,
        members: dict[str, set[str]],
        unreadable: dict[str, str],
        *,
        read_at: datetime,
        is_complete: bool,
        left_out: str,
    ) -> None:
        """`left_out` says why groups that were not named may be there, if they may."""
        read = {group_token(connection, group): emails for group, emails in members.items() if group not in unreadable}
        refused = {group_token(connection, group): reason for group, reason in unreadable.items()}
        with self._engine.begin() as transaction:
            if overtaken := _read_after(transaction, connection, read_at):
                # Another reading began later and is stored: of the groups that it has told, and of those that it has
                # not named any more, this one knows less.
                known = _known_groups(transaction, connection) - overtaken
                read = {group: emails for group, emails in read.items() if group in known}
                refused = {group: why for group, why in refused.items() if group in known}
            elif left_out:
                unnamed = _known_groups(transaction, connection) - read.keys() - refused.keys()
                refused |= dict.fromkeys(unnamed, left_out)
            if is_complete and not overtaken:
                gone = _known_groups(transaction, connection) - read.keys() - refused.keys()
                _remove(transaction, tables.memberships, connection, gone)
                _remove(transaction, tables.groups, connection, gone)
                _forget_kept(transaction, connection, but={*read, *refused})
            _remove(transaction, tables.memberships, connection, read)
            emails = [{"group": group, "email": one} for group in sorted(read) for one in sorted(read[group])]
            upsert(transaction, tables.memberships, [{"connection": connection, **row} for row in emails])
            rows = [{"connection": connection, "group": one, "read_at": read_at, "unreadable": None} for one in read]
            upsert(transaction, tables.groups, rows, update=("read_at", "unreadable"))
            rows = [{"connection": connection, "group": one, "unreadable": why} for one, why in refused.items()]
            upsert(transaction, tables.groups, rows, update=("unreadable",))


@dataclass
class _ToldGroups:
    """What one reading tells of groups, by their ids at the source."""

    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unreadable: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def take_all(self, found: Iterable[MembershipItem]) -> tuple[SourceError | None, str]:
        """The error that ended the reading, and why groups that were not named may be there, if they may."""
        try:
            for one in found:
                self._take(one)
        except UnreadableUnits as raised:
            return (None, str(raised)) if raised.gaps and raised.are_refused else (raised, "")
        except SourceError as raised:
            return raised, ""
        return None, ""

    def _take(self, one: MembershipItem) -> None:
        if isinstance(one, Membership):
            # A group without anybody whose address can be told is read all the same, and has no members.
            self.members[one.group].update(filter(None, [find_address(one.email)]))
        elif isinstance(one, EmptyGroup):
            self.members[one.group] = set()
        elif isinstance(one, GroupName):
            self.names[one.group] = one.name
        else:
            self.unreadable[one.group] = one.reason


def _read_after(transaction: Connection, connection: str, moment: datetime) -> set[str]:
    """Groups that a reading has told which began after that moment."""
    table = tables.groups
    statement = select(table.c.group).where(table.c.connection == connection, table.c.read_at > moment)
    return set(transaction.execute(statement).scalars())


def _known_groups(transaction: Connection, connection: str) -> set[str]:
    table = tables.groups
    return set(transaction.execute(select(table.c.group).where(table.c.connection == connection)).scalars())


def _forget_kept(transaction: Connection, connection: str, *, but: set[str]) -> None:
    """Also of a group that was gone before a reading was recorded which had kept something of it."""
    table = tables.membership_cache
    kept = transaction.execute(select(table.c.group).where(table.c.connection == connection)).scalars()
    _remove(transaction, table, connection, set(kept) - but)


def _remove(transaction: Connection, table: Table, connection: str, groups: Iterable[str]) -> None:
    for part in in_parts(groups):
        transaction.execute(delete(table).where(table.c.connection == connection, table.c.group.in_(part)))
