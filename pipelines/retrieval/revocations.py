"""What queries leave out because a right was taken away, at the moment it is asked. Pure but for loading it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from connectors.settings import Connection
from pipelines.catalog.revocations import RevokedScope, RightsInForce
from pipelines.index.contract import Exclusion, Hit

MOST_UNCOUNTED = 1_000
"""Documents that have lost their readers one by one, of which the words do not count. 10,000 cost 70 ms of CPU."""

_NOTHING = RevokedScope(frozenset(), frozenset())


class RightsSource(Protocol):
    """Where what is in force stands: the catalog."""

    def stamp(self) -> int:
        """Raised with each change of what `load` gives."""

    def load(self, patterns: Mapping[str, str]) -> RightsInForce:
        """See `pipelines.catalog.revocations.Revocations.load`."""


@dataclass(frozen=True, slots=True)
class RevocationFilter:
    """`connections` are all that the settings name, `former` those that they no longer do, and `excluded` the units
    that they exclude. `certain` are the only readers of connections whose settings have changed since they were listed:
    those to whom the settings of now give everything."""

    in_force: RightsInForce
    connections: frozenset[str]
    former: frozenset[str] = field(default_factory=frozenset)
    excluded: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    certain: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, in_force: RightsInForce, connections: Collection[Connection]) -> RevocationFilter:
        """What is in force under these settings: what they exclude or no longer name is found by nobody."""
        named = {one.id: one for one in connections}
        excluded = frozenset(
            key for key, name in in_force.names.items() if (one := named.get(key[0])) and not one.includes(key[1], name)
        )
        former = frozenset(connection for connection, _ in in_force.names if connection not in named)
        doubtful = {connection for connection, _ in in_force.names}
        readers = {one.id: one.certain_readers for one in connections if one.id in doubtful}
        certain = {connection: tokens for connection, tokens in readers.items() if tokens is not None}
        return cls(in_force, frozenset(named), former, excluded, certain)

    @classmethod
    def load(cls, rights: RightsSource, connections: Collection[Connection]) -> RevocationFilter:
        """What is in force at this moment under these settings."""
        return cls.of(rights.load({one.id: one.unit_patterns for one in connections}), connections)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is left out."""
        in_force = self.in_force
        by_rows = in_force.units or in_force.documents or in_force.withdrawals or in_force.ends
        return not (by_rows or self.former or self.excluded or self.certain)

    def permits(self, hit: Hit, asker: frozenset[str] | None, now: datetime) -> bool:
        """Whether a point that the index found for these reader tokens may be shown; None asks as an administrator,
        who sees all that somebody may see."""
        return self.keeps_text(hit) and self.permits_document(hit, asker, now)

    def permits_document(self, hit: Hit, asker: frozenset[str] | None, now: datetime) -> bool:
        """As `permits`, of the document that a point is of: its name and its place, whatever stands in the point."""
        payload = hit.payload
        connection, document = payload["connection"], payload["document_id"]
        if connection not in self.connections:
            return False
        # A document that has moved is in two units, until what is published names the second alone.
        named = {payload["unit"], self.in_force.moved.get(document, payload["unit"])}
        units = [(connection, unit) for unit in named]
        if any(unit in self.excluded or not self._is_listed(unit) for unit in units):
            return False
        of_units = [self.in_force.units.get(unit, _NOTHING) for unit in units]
        of_document = self.in_force.documents.get(document, _NOTHING)
        if of_document.hidden or any(one.hidden for one in of_units):
            return False
        if asker is None:
            return True
        left = _readers_left(payload["readers"], of_units, of_document, self._ended(document, now))
        return not asker.isdisjoint(left & self.certain.get(connection, left))

    def _is_listed(self, unit: tuple[str, str]) -> bool:
        """Of a unit of which the catalog says nothing, because it was lost, nobody knows who may see it."""
        return self.in_force.listed is None or unit in self.in_force.listed

    def keeps_text(self, hit: Hit) -> bool:
        """Whether nothing that was deleted from a document stands in this point of it."""
        withdrawal = self.in_force.withdrawals.get(hit.payload["document_id"])
        return withdrawal is None or withdrawal.permits(hit.id, hit.payload["version"])

    def exclusions(self, asker: frozenset[str] | None, now: datetime) -> tuple[Exclusion, ...]:
        """The same as conditions of the index, as far as those can tell; what is left out is left to `permits`.

        Nothing that may be shown is left out, but for what a document has gained by itself in a unit that has lost
        readers: until that is published, it is read and not found.
        """
        return (*self._excluded_units(asker), *self._excluded_documents(asker), *self._ended_documents(asker, now))

    def certain_exclusions(self, asker: frozenset[str] | None) -> tuple[Exclusion, ...]:
        """Leaves out all that may not be shown, but for what the catalog does not know at all; and of what may be shown
        the documents that are `doubtful`, which have to be looked at one by one."""
        doubtful = tuple(sorted(self.doubtful))
        own = (Exclusion(documents=doubtful),) if doubtful else ()
        return (*self._excluded_units(asker), *self._excluded_by_settings(asker), *own)

    @property
    def doubtful(self) -> frozenset[str]:
        """Documents of which something was taken away by themselves, or that have moved."""
        in_force = self.in_force
        return frozenset((*in_force.documents, *in_force.ends, *in_force.moved))

    def unknown(self, units: Iterable[str], connections: Iterable[str]) -> tuple[Exclusion, ...]:
        """Of these units and connections those of which the catalog or the settings say nothing."""
        others = (Exclusion(one) for one in sorted(set(connections) - self.connections))
        if self.in_force.listed is None:
            return tuple(others)
        unlisted = tuple(sorted(set(units) - {unit for _, unit in self.in_force.listed}))
        return (*others, *((Exclusion(units=unlisted),) if unlisted else ()))

    def _excluded_by_settings(self, asker: frozenset[str] | None) -> Iterator[Exclusion]:
        """What names the asker only by readers whom changed settings may have taken out."""
        if asker is not None:
            for connection, tokens in self.certain.items():
                yield Exclusion(connection, unless_readers=tuple(sorted(tokens & asker)))

    def uncounted(self, exclusions: Sequence[Exclusion]) -> tuple[Exclusion, ...]:
        """What does not count when words are weighed: what is excluded, and documents that have lost text."""
        withdrawn = tuple(sorted(self.in_force.withdrawals))[:MOST_UNCOUNTED]
        bounded = (replace(one, documents=one.documents[:MOST_UNCOUNTED]) for one in exclusions)
        return (*bounded, *((Exclusion(documents=withdrawn),) if withdrawn else ()))

    def _ended(self, document: str, now: datetime) -> Collection[str]:
        ends = self.in_force.ends.get(document)
        return [token for token, end in ends.items() if end <= now.timestamp()] if ends else ()

    def _ended_documents(self, asker: frozenset[str] | None, now: datetime) -> Iterator[Exclusion]:
        """Those that name the asker by permissions alone that have ended."""
        return self._excluded_unless(asker, ((one, self._ended(one, now)) for one in self.in_force.ends))

    def _excluded_units(self, asker: frozenset[str] | None) -> Iterator[Exclusion]:
        yield from map(Exclusion, sorted(self.former))
        hidden = self.excluded | {key for key, one in self.in_force.units.items() if one.hidden}
        for connection in sorted({connection for connection, _ in hidden}):
            units = {unit for other, unit in hidden if other == connection}
            yield from self._covered(connection, units)
        for (connection, unit), one in self.in_force.units.items():
            if asker is not None and not one.hidden and asker.isdisjoint(one.readers):
                yield from self._covered(connection, {unit}, tuple(sorted(asker - one.tokens)))

    def _covered(
        self, connection: str, units: Collection[str], unless_readers: tuple[str, ...] = ()
    ) -> Iterator[Exclusion]:
        """What names these units, and what has moved to them under another name."""
        yield Exclusion(connection, tuple(sorted(units)), unless_readers=unless_readers)
        if moved := tuple(sorted(document for document, unit in self.in_force.moved.items() if unit in units)):
            yield Exclusion(connection, documents=moved, unless_readers=unless_readers)

    def _excluded_documents(self, asker: frozenset[str] | None) -> Iterator[Exclusion]:
        """Those that are hidden, and those that name the asker by readers alone that were taken away."""
        revoked = self.in_force.documents.items()
        if hidden := tuple(sorted(document for document, one in revoked if one.hidden)):
            yield Exclusion(documents=hidden)
        lost = ((document, one.tokens) for document, one in revoked if not one.hidden)
        yield from self._excluded_unless(asker, lost)

    def _excluded_unless(
        self, asker: frozenset[str] | None, lost: Iterable[tuple[str, Collection[str]]]
    ) -> Iterator[Exclusion]:
        """Documents that have lost reader tokens of the asker, unless the index names another one of them."""
        if not asker:
            return
        by_lost: dict[frozenset[str], list[str]] = {}
        for document, tokens in lost:
            own = asker.intersection(tokens)
            if own and self._left_of(document).isdisjoint(asker):
                by_lost.setdefault(own, []).append(document)
        for own, documents in by_lost.items():
            yield Exclusion(documents=tuple(sorted(documents)), unless_readers=tuple(sorted(asker - own)))

    def _left_of(self, document: str) -> frozenset[str]:
        """Who has come, as far as the catalog knows, in the place of readers that a document has lost by itself."""
        one = self.in_force.documents.get(document, _NOTHING)
        return one.readers - one.tokens


def _readers_left(
    readers: Collection[str], of_units: Sequence[RevokedScope], of_document: RevokedScope, ended: Collection[str]
) -> set[str]:
    """Whom the index names, and who has come in the place of those that were taken away, without these.

    A document may have more readers than its unit: so what a unit has lost is taken away, and no more. And a document
    that has lost something by itself may since have shut out whom its unit has let in.
    """
    left = set(readers)
    lost = of_document.tokens.union(ended)
    for of_unit in of_units:
        if not of_document.tokens and not of_unit.tokens.isdisjoint(readers):
            left |= of_unit.readers
        lost |= of_unit.tokens
    if of_document.tokens:
        left |= of_document.readers
    return left - lost
