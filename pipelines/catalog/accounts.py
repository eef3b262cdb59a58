"""What people are called at each source, so that all their logins, names and addresses mean the same person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, select, tuple_

from connectors.addresses import find_address
from connectors.contract import Account
from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert

AliasKind: TypeAlias = Literal["name", "address", "other"]
AuthorKey: TypeAlias = tuple[str, str]
"""Connection, and the author as a document of it names them."""


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

    def aliases(self, alias: str) -> frozenset[str]:
        """In lower case, all that whoever is known by this is known by at any source: accounts with the same address
        are one person's. Empty where nobody is. Two people of one name are both meant by it."""
        table = tables.account_names
        with self._engine.connect() as transaction:
            own = _of_accounts(transaction, _accounts(transaction, [fold(alias)]))
            addresses = [row.alias for row in own if row.kind == "address"]
            every = _of_accounts(transaction, _accounts(transaction, addresses, table.c.kind == "address"))
        return frozenset(row.alias for row in (*own, *every))

    def names(self, authors: Iterable[AuthorKey]) -> dict[AuthorKey, str]:
        """What to call authors, where another name is known of them than the one that their documents have."""
        table, folded = tables.account_names, {(one[0], fold(one[1])): one for one in authors}
        own = tuple_(table.c.connection, table.c.alias)
        found: dict[AuthorKey, str] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(folded):
                for row in transaction.execute(select(table).where(own.in_(part), table.c.kind == "other")):
                    if name := row.name or self._named_elsewhere(transaction, row.connection, row.account):
                        found[folded[row.connection, row.alias]] = name
        return found

    def people(self, authors: Iterable[str]) -> dict[str, str]:
        """The names of those of these authors who are known by another one, whatever connection they are of; of a login
        that two people have, none."""
        table, folded = tables.account_names, {fold(one): one for one in authors}
        found: dict[str, set[str]] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(folded):
                for row in transaction.execute(select(table).where(table.c.alias.in_(part), table.c.kind == "other")):
                    name = row.name or self._named_elsewhere(transaction, row.connection, row.account)
                    found.setdefault(folded[row.alias], set()).add(name)
        return {author: name for author, names in found.items() if len(names) == 1 for name in names if name}

    @staticmethod
    def _named_elsewhere(transaction: Connection, connection: str, account: str) -> str:
        """The name of an account with the same address, at a source that tells names."""
        table = tables.account_names
        own = _of_accounts(transaction, [(connection, account)])
        addresses = [row.alias for row in own if row.kind == "address"]
        same = (table.c.alias.in_(addresses), table.c.kind == "address", table.c.name != "")
        return transaction.execute(select(table.c.name).where(*same).order_by(table.c.connection)).scalar() or ""


def fold(alias: str) -> str:
    """Without regard to case, and to how blanks are put."""
    return " ".join(alias.split()).casefold()


def _rows(connection: str, one: Account) -> list[dict[str, str]]:
    kinds: dict[str, AliasKind] = {fold(alias): "other" for alias in (one.id, *one.aliases) if alias.strip()}
    kinds |= {fold(one.name): "name"} if one.name.strip() else {}
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
