"""Rights that come and go at random moments, between any two stages, with crashes: against an oracle.

Nobody ever finds more than what the source has told allows them, whatever stage was killed. After a sync that came to
its end, everybody finds exactly what the source allows.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Checkpoint, Cursor, Deleted, Finding, Item, ListingEntry, Membership, Window
from connectors.drive.settings import DriveConnection
from connectors.github.settings import GitHubConnection
from connectors.model import PUBLIC, Document, Unit, group_token, user_token
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.documents import Documents
from pipelines.catalog.revocations import Revocations
from pipelines.catalog.rights import Rights
from pipelines.index.embedded.store import EdgeStore
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import apply_rights, read_rights
from pipelines.ingestion.sync import refresh_memberships, sync_connection, sync_unit
from pipelines.ingestion.unit_listing import sync_units
from pipelines.retrieval import document as whole_document
from pipelines.retrieval import search
from pipelines.retrieval.principals import person_tokens
from pipelines.retrieval.schema import SearchRequest
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.documents import document

PEOPLE = [f"{name}@example.com" for name in ("ada", "bo", "cy")]
UNITS = ["u1", "u2", "u3"]
DOCUMENTS_PER_UNIT = 4
STEPS_PER_ROUND = 12
CONNECTIONS: dict[str, Connection] = {
    "github": GitHubConnection(id="acme", source="github", token=SecretStr("t")),
    "drive": DriveConnection(id="acme", source="drive", token=SecretStr("t")),
}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Company:
    """A source of units, whose documents have their readers (GitHub) or readers of their own (Drive).

    Documents keep the readers that a file of a shared drive has by itself in `shared`.
    """

    connection: Connection
    chance: random.Random
    units_read_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    requests: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for unit in UNITS:
            self.units_read_by[unit] = self._some_readers(unit)
            for _ in range(DOCUMENTS_PER_UNIT):
                self._add(unit)

    @property
    def is_uniform(self) -> bool:
        return self.connection.source == "github"

    def move(self) -> None:
        """Something changes at the source."""
        moves = [self._flip_unit, self._flip_unit, self._join_or_leave, self._delete, self._edit, self._lose_unit]
        self.chance.choice(moves if self.is_uniform else [*moves, self._share, self._share, self._share])()

    def readers_of(self, name: str) -> tuple[str, ...]:
        unit = self.unit_of(name)
        return self.units_read_by[unit or ""] if self.is_uniform else self.shared[name]

    def units(self) -> Iterator[Unit]:
        for unit, readers in sorted(self.units_read_by.items()):
            yield Unit(unit, unit.upper(), readers=readers if self.is_uniform else ())

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        for name in self.names(unit.id):
            yield self._document(name)
        yield Checkpoint({"read": 1}, complete=True)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        yield from map(ListingEntry, self.names(unit.id))

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        for name in document_ids:
            yield self._document(name) if name in self.texts and self.unit_of(name) else Deleted(name)

    def unit_of(self, document_id: str) -> str | None:
        unit = document_id.split("/")[1]
        return unit if unit in self.units_read_by else None

    def memberships(self) -> Iterator[Membership]:
        for group, people in sorted(self.members.items()):
            yield from (Membership(group, person) for person in sorted(people))

    def check(self) -> list[Finding]:
        return []

    def close(self) -> None:
        """Nothing is open."""

    def names(self, unit: str) -> list[str]:
        return [name for name in sorted(self.texts) if name.split("/")[1] == unit and unit in self.units_read_by]

    def _document(self, name: str) -> Document:
        id_, source, unit = self.connection.id, self.connection.source, self.unit_of(name) or ""
        text = f"certificate {name} {self.texts[name]}"
        made = document(1, id=name, connection=id_, source=source, unit=unit, content=text, parents=())
        return replace(made, readers=self.readers_of(name))

    def _some_readers(self, unit: str) -> tuple[str, ...]:
        token = group_token(self.connection.id, unit)
        return self.chance.choice([(PUBLIC,), (token,), (token,), ()])

    def _add(self, unit: str) -> None:
        name = f"{self.connection.source}:{self.connection.id}/{unit}/{next(self.numbers)}"
        self.texts[name] = 0
        self.shared[name] = self._some_sharing(unit)

    def _some_sharing(self, unit: str) -> tuple[str, ...]:
        people = [f"user:{one}" for one in self.chance.sample(PEOPLE, self.chance.randrange(3))]
        return (*people, *self.chance.choice([(), (group_token(self.connection.id, unit),), (PUBLIC,)]))

    def _flip_unit(self) -> None:
        if self.units_read_by:
            unit = self.chance.choice(sorted(self.units_read_by))
            self.units_read_by[unit] = self._some_readers(unit)

    def _lose_unit(self) -> None:
        """A unit gets out of reach, or comes back."""
        unit = self.chance.choice(UNITS)
        if self.units_read_by.pop(unit, None) is None:
            self.units_read_by[unit] = self._some_readers(unit)

    def _join_or_leave(self) -> None:
        self.members.setdefault(self.chance.choice(UNITS), set()).symmetric_difference_update(
            {self.chance.choice(PEOPLE)}
        )

    def _delete(self) -> None:
        if self.texts:
            del self.texts[self.chance.choice(sorted(self.texts))]
        self._add(self.chance.choice(UNITS))

    def _edit(self) -> None:
        if self.texts:
            self.texts[self.chance.choice(sorted(self.texts))] += 1

    def _share(self) -> None:
        if self.texts:
            name = self.chance.choice(sorted(self.texts))
            self.shared[name] = self._some_sharing(name.split("/")[1])


@dataclass
class Told:
    """What the source has told so far: the most that anybody may be shown."""

    company: Company
    units: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    readers: dict[str, set[str]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def listing(self) -> None:
        self.units = set(self.company.units_read_by)
        if self.company.is_uniform:
            for name in self.readers:
                unit = name.split("/")[1]
                self.readers[name] = set(self.company.units_read_by.get(unit, self.readers[name]))

    def memberships(self) -> None:
        self.members = {group: set(people) for group, people in self.company.members.items()}

    def contents(self, unit: str) -> None:
        for name in self.company.names(unit):
            self.readers[name] = set(self.company.readers_of(name))
            self.gone.discard(name)

    def look(self, name: str) -> None:
        """What was gained waits for certainty."""
        if name in self.company.texts and self.company.unit_of(name):
            self.readers[name] &= set(self.company.readers_of(name))
        else:
            self.gone.add(name)

    def everything(self) -> None:
        self.listing()
        self.memberships()
        self.gone = {name for name in self.readers if name not in self.company.texts}
        for unit in self.units:
            self.contents(unit)

    def merge(self, other: Told) -> None:
        """Allow what either allows: nobody knows how far a step came that was killed."""
        self.units |= other.units
        self.gone &= other.gone
        for mine, theirs in ((self.readers, other.readers), (self.members, other.members)):
            for name, tokens in theirs.items():
                mine[name] = mine.get(name, set()) | tokens

    def allows(self, person: str, name: str) -> bool:
        if name.split("/")[1] not in self.units or name in self.gone:
            return False
        held = {group_token(self.company.connection.id, one) for one, who in self.members.items() if person in who}
        return bool(self.readers.get(name, set()) & {PUBLIC, user_token(person), *held})


@dataclass
class Run:
    """Steps of the product in any order, any of which may be killed."""

    services: Services
    company: Company
    told: Told
    chance: random.Random

    def step(self) -> None:
        """One step; the most that may be shown is told first, since a step may be killed after it learned it."""
        before = deepcopy_of(self.told)
        try:
            self.chance.choice(
                [self._list, self._list, self._people, self._look, self._read, self._apply, self._publish]
            )()
        except Killed:
            self.told.merge(before)

    def _steps(self) -> Sequence[Callable[[], None]]:
        return self._list, self._list, self._people, self._look, self._read, self._apply, self._publish

    def sync(self) -> None:
        """All of it, to the end."""
        options = SyncOptions(mode="full", allow_mass_delete=True)
        report = sync_connection(self.services, self.company.connection, options=options)
        assert report.errors == {}
        publish(self.services)
        self.told.everything()

    def found(self, person: str) -> set[str]:
        """By search, and by reading some documents whole: both must agree."""
        tokens = person_tokens(person, self.services.settings, self.services.catalog)
        request = SearchRequest(query="certificate", top_k=50, mode="lexical")
        index, embedder = self.services.reader, self.services.embedder
        results = search(request, tokens, index=index, embedder=embedder).results
        found = {one.document_id for one in results}
        asked = self.chance.sample(sorted(self.told.readers), min(len(self.told.readers), 3))
        assert {name for name in asked if whole_document(name, tokens, index=index)} == found & set(asked)
        return found

    def _list(self) -> None:
        self.told.listing()
        sync_units(self.services, self.company.connection, self.company)

    def _people(self) -> None:
        self.told.memberships()
        refresh_memberships(self.services, self.company.connection, self.company)

    def _look(self) -> None:
        """An event about a document of a unit on which another process works."""
        if self.told.readers:
            name = self.chance.choice(sorted(self.told.readers))
            self.told.look(name)
            read_rights(self.services, self.company.connection, self.company, Unit(name.split("/")[1], ""), [name])

    def _read(self) -> None:
        units = [unit for unit in self.company.units() if unit.id in self.told.units]
        if units:
            unit = self.chance.choice(units)
            self.told.contents(unit.id)
            sync_unit(self.services, self.company.connection, self.company, unit)

    def _apply(self) -> None:
        connection, unit = self.company.connection, self.chance.choice(UNITS)
        with self.services.catalog.leases.hold(connection.id, unit):
            apply_rights(self.services, connection.id, connection.source, unit)

    def _publish(self) -> None:
        publish(self.services)


WRITES = (
    (Catalog, "commit_read"),
    (Documents, "record_indexed"),
    (Rights, "record_intended"),
    (Rights, "record_applied"),
    (Revocations, "end"),
    (EdgeStore, "apply"),
    (EdgeStore, "set_readers"),
    (EdgeStore, "remove"),
    (EdgeStore, "publish"),
)
"""What a step writes, one after the other: between any two it may be killed."""


def kill_at_random(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> Callable[[bool], None]:
    """Lets one in twenty of these writes be the last, before or after it, while it is switched on."""
    switched_on = False

    def switch(on: bool) -> None:
        nonlocal switched_on
        switched_on = on

    def perhaps_killed(write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            fate = chance.randrange(40) if switched_on else -1
            if fate == 0:
                raise Killed
            result = write(*arguments, **named)
            if fate == 1:
                raise Killed
            return result

        return wrapped

    for owner, name in WRITES:
        monkeypatch.setattr(owner, name, perhaps_killed(getattr(owner, name)))
    return switch


@pytest.mark.parametrize("source", ["github", "drive"])
@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 4), pytest.param(2, 100, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_nobody_sees_more_and_nobody_less_after_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, seed: int, rounds: int
) -> None:
    chance = random.Random(seed)
    connection = CONNECTIONS[source]
    company = Company(connection, chance)
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: company)
    kills = kill_at_random(monkeypatch, chance)
    settings = Settings(directory=tmp_path).model_copy(update={"connections": (connection,)})
    with Services(settings, FakeEmbedder()) as services:
        run = Run(services, company, Told(company), chance)
        for _ in range(rounds):
            run.sync()
            assert {one: run.found(one) for one in PEOPLE} == {one: truly_visible(company, one) for one in PEOPLE}
            kills(True)
            for _ in range(STEPS_PER_ROUND):
                company.move()
                run.step()
                for person in PEOPLE:
                    too_much = {name for name in run.found(person) if not run.told.allows(person, name)}
                    assert too_much == set(), person
            kills(False)


def truly_visible(company: Company, person: str) -> set[str]:
    held = {group_token(company.connection.id, one) for one, people in company.members.items() if person in people}
    tokens = {PUBLIC, user_token(person), *held}
    return {name for unit in UNITS for name in company.names(unit) if tokens & set(company.readers_of(name))}


def deepcopy_of(told: Told) -> Told:
    copies = {name: deepcopy(getattr(told, name)) for name in ("units", "gone", "readers", "members")}
    return replace(told, **copies)
