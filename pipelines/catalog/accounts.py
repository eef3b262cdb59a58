"""What people are called at each source, so that all their logins, names and addresses mean the same person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, select, tuple_

from connectors.addresses import find_address
from connectors.contract import Account
from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert

_JOINTS = re.compile(r"[\s._-]+")
AliasKind: TypeAlias = Literal["name", "address", "other"]
AuthorKey: TypeAlias = tuple[str, str]
"""Connection, and the author as a document of it names them."""


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What somebody is known by: `at` each connection, and by names anywhere."""

    at: Mapping[str, Collection[str]]
    anywhere: frozenset[str]

    def is_author(self, connection: str, author: str) -> bool:
        key = person_key(author)
        return key in self.anywhere or key in self.at.get(connection, ())


class Accounts:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replace(self, connection: str, accounts: Sequence[Account]) -> None:
        """These are all accounts of a connection. Without any, nobody was asked for them, and the known ones stay."""
        table = tables.account_names
        if not accounts:
            return
        with self._engine.begin() as transaction:
            transaction.execute(delete(table).where(table.c.connection == connection))
            upsert(transaction, table, [row for one in accounts for row in _rows(connection, one)])

    def known_as(self, alias: str) -> KnownAs:
        """Whoever is known by this at any source: accounts with the same address are one person's. Two people of one
        name are both meant by it."""
        table = tables.account_names
        with self._engine.connect() as transaction:
            own = _of_accounts(transaction, _accounts(transaction, [person_key(alias)]))
            addresses = [row.alias for row in own if row.kind == "address"]
            every = _of_accounts(transaction, _accounts(transaction, addresses, table.c.kind == "address"))
        at: dict[str, set[str]] = {}
        for row in (*own, *every):
            at.setdefault(row.connection, set()).add(row.alias)
        names = {row.alias for row in (*own, *every) if row.kind == "name" and _is_full(row.alias)}
        return KnownAs(at, frozenset({*names, person_key(alias)}))

    def names(self, authors: Iterable[AuthorKey]) -> dict[AuthorKey, str]:
        """What to call authors, where another name is known of them than the one that their documents have: by their
        account, or by a full name that is spelled as a login (`ada-lovelace`) and that one person has."""
        table, found = tables.account_names, dict[AuthorKey, str]()
        keys: dict[AuthorKey, list[AuthorKey]] = {}
        for connection, author in authors:
            keys.setdefault((connection, person_key(author)), []).append((connection, author))
        own = tuple_(table.c.connection, table.c.alias)
        with self._engine.connect() as transaction:
            for part in in_parts(keys):
                for row in transaction.execute(select(table).where(own.in_(part), table.c.kind != "address")):
                    name = row.name or self._named_elsewhere(transaction, row.connection, row.account)
                    found |= dict.fromkeys(keys[row.connection, row.alias], name)
            full = {key for _, key in keys if _is_full(key)}
            for some in in_parts(full):
                named = select(table.c.alias, func.min(table.c.name)).where(table.c.alias.in_(some))
                one_person = named.where(table.c.kind == "name").group_by(table.c.alias)
                spelled = dict(row._tuple() for row in transaction.execute(one_person))
                for (_, key), same in keys.items():
                    found |= {one: spelled[key] for one in same if key in spelled and not found.get(one)}
        return {one: name for one, name in found.items() if name and name != one[1]}

    def addresses(self, authors: Iterable[AuthorKey]) -> dict[AuthorKey, list[str]]:
        """The e-mail addresses of each author who has an account: those who share one are one person."""
        table, found = tables.account_names, dict[AuthorKey, list[str]]()
        keys: dict[AuthorKey, list[AuthorKey]] = {}
        for connection, author in authors:
            keys.setdefault((connection, person_key(author)), []).append((connection, author))
        own = tuple_(table.c.connection, table.c.alias)
        with self._engine.connect() as transaction:
            for part in in_parts(keys):
                accounts: dict[AuthorKey, list[AuthorKey]] = {}
                for row in transaction.execute(select(table).where(own.in_(part), table.c.kind != "address")):
                    accounts.setdefault((row.connection, row.account), []).extend(keys[row.connection, row.alias])
                for row in _of_accounts(transaction, accounts):
                    if row.kind == "address":
                        for one in accounts[row.connection, row.account]:
                            found.setdefault(one, []).append(row.alias)
        return found

    @staticmethod
    def _named_elsewhere(transaction: Connection, connection: str, account: str) -> str:
        """The name of an account with the same address, at a source that tells names."""
        table = tables.account_names
        own = _of_accounts(transaction, [(connection, account)])
        addresses = [row.alias for row in own if row.kind == "address"]
        same = (table.c.alias.in_(addresses), table.c.kind == "address", table.c.name != "")
        return transaction.execute(select(table.c.name).where(*same).order_by(table.c.connection)).scalar() or ""


def fold(text: str) -> str:
    """Without regard to case, and to how blanks are put."""
    return " ".join(text.split()).casefold()


def person_key(alias: str) -> str:
    """How what people are known by is compared: addresses as such, and of all else no case, nor what joins words, so
    that `ada-lovelace` is Ada Lovelace."""
    return find_address(alias) or " ".join(_JOINTS.split(alias.casefold())).strip()


def _is_full(key: str) -> bool:
    """Whether it is a name of several words, which hardly anybody else's login is."""
    return " " in key


def _rows(connection: str, one: Account) -> list[dict[str, str]]:
    kinds: dict[str, AliasKind] = {person_key(alias): "other" for alias in (one.id, *one.aliases) if alias.strip()}
    kinds |= {person_key(one.name): "name"} if one.name.strip() else {}
    kinds |= dict.fromkeys(filter(None, map(find_address, one.emails)), "address")
    shared = {"connection": connection, "account": one.id, "name": one.name}
    return [shared | {"alias": alias, "kind": kind} for alias, kind in kinds.items()]


def _of_accounts(transaction: Connection, accounts: Iterable[tuple[str, str]]) -> list[Row[Any]]:
    table = tables.account_names
    own, found = tuple_(table.c.connection, table.c.account), list[Row[Any]]()
    for part in in_parts(accounts):
        found += transaction.execute(select(table).where(own.in_(part))).all()
    return found


def _accounts(transaction: Connection, aliases: Iterable[str], *where: ColumnElement[bool]) -> set[tuple[str, str]]:
    table = tables.account_names
    found: set[tuple[str, str]] = set()
    for part in in_parts(aliases):
        rows = transaction.execute(select(table.c.connection, table.c.account).where(table.c.alias.in_(part), *where))
        found.update((row.connection, row.account) for row in rows)
    return found
