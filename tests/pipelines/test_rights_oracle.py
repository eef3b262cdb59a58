"""Rights that come and go at random moments, between any two stages, with crashes: against an oracle.

On every store and through every interface nobody ever finds more than what the source has told allows them, whatever
stage was killed, and no part of a document that an event has told to be deleted. After a sync that came to its end,
everybody finds exactly what the source allows.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
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
from pipelines.catalog.withdrawals import Withdrawals
from pipelines.errors import UsageError
from pipelines.index.embedded.store import EdgeStore
from pipelines.index.server.store import QdrantStore
from pipelines.ingestion.connection_rights import refresh_memberships
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import apply_rights, read_rights
from pipelines.ingestion.sync import sync_connection
from pipelines.ingestion.unit_listing import sync_units
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.explain import explain
from pipelines.services import Services
from pipelines.settings import AssistantSettings, IndexSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.documents import document
from tests.pipelines.index.conftest import Rest
from tests.pipelines.service.interfaces import Client
from tests.pipelines.service.serving import app_of

PEOPLE = [f"{name}@example.com" for name in ("ada", "bo", "cy")]
UNITS = ["u1", "u2", "u3"]
DOCUMENTS_PER_UNIT = 4
STEPS_PER_ROUND = 12
SECONDS_LENT = (0.0, 0.2, 0.5, 3600.0)
ASSISTANT = AssistantSettings(id="people", api_key=SecretStr("key"))
PART = re.compile(r"part(\d+)")
FILLER = " ".join(["water"] * 200)
"""As long that two parts of a document share a chunk, and not three."""
CONNECTIONS: dict[str, Connection] = {
    "github": GitHubConnection(id="acme", source="github", token=SecretStr("t")),
    "drive": DriveConnection(id="acme", source="drive", token=SecretStr("t")),
}


DESCRIBED = {"id": "acme", "token": "t"}
SETTINGS = {
    "embedding": {
        "provider": "openai",
        "base_url": "http://localhost",
        "model": FakeEmbedder.model,
        "dimensions": FakeEmbedder.dimensions,
        "api_key": "unused",
    }
}
"""The same for the command, which asks for words alone and embeds nothing."""

Asked = TypeVar("Asked")


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Company:
    """A source of units, whose documents have their readers (GitHub) or readers of their own (Drive).

    Documents keep the readers that a file of a shared drive has by itself in `shared`, and when some of them end in
    `ends`, as Unix times. Before that the source names them, and afterwards no more.
    """

    connection: Connection
    chance: random.Random
    units_read_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ends: dict[str, dict[str, float]] = field(default_factory=dict)
    all_ends: set[float] = field(default_factory=set)
    texts: dict[str, list[int]] = field(default_factory=dict)
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
        moves = [self._flip_unit, self._flip_unit, self._join_or_leave, self._delete, self._write, self._cut, self._cut]
        moves.append(self._lose_unit)
        self.chance.choice(moves if self.is_uniform else [*moves, *[self._share] * 3, *[self._lend] * 3])()

    def parts_of(self, name: str) -> set[str]:
        return set(map(str, self.texts.get(name, ())))

    def readers_of(self, name: str) -> tuple[str, ...]:
        return tuple(self.readings_of(name))

    def readings_of(self, name: str) -> dict[str, float]:
        """Who may read it now, each with the end; infinity where there is none."""
        unit, now = self.unit_of(name), time.time()
        tokens = self.units_read_by[unit or ""] if self.is_uniform else self.shared[name]
        ends = {token: self.ends.get(name, {}).get(token, inf) for token in tokens}
        return {token: end for token, end in ends.items() if end > now}

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
        text = "\n\n".join([f"certificate {name}", *(f"part{part} {FILLER}" for part in self.texts[name])])
        made = document(1, id=name, connection=id_, source=source, unit=unit, content=text, parents=())
        readings = self.readings_of(name)
        until = tuple((token, datetime.fromtimestamp(end, UTC)) for token, end in readings.items() if end < inf)
        return replace(made, readers=tuple(readings), readers_until=until)

    def _some_readers(self, unit: str) -> tuple[str, ...]:
        token = group_token(self.connection.id, unit)
        return self.chance.choice([(PUBLIC,), (token,), (token,), ()])

    def _add(self, unit: str) -> None:
        name = f"{self.connection.source}:{self.connection.id}/{unit}/{next(self.numbers)}"
        self.texts[name] = [next(self.numbers) for _ in range(3)]
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

    def _write(self) -> None:
        """Another part comes, at the end or in between."""
        if self.texts:
            parts = self.texts[self.chance.choice(sorted(self.texts))]
            parts.insert(self.chance.randrange(len(parts) + 1), next(self.numbers))

    def _cut(self) -> None:
        """A part is deleted."""
        if names := sorted(name for name, parts in self.texts.items() if parts):
            parts = self.texts[self.chance.choice(names)]
            parts.remove(self.chance.choice(parts))

    def _share(self) -> None:
        if self.texts:
            name = self.chance.choice(sorted(self.texts))
            self.shared[name] = self._some_sharing(name.split("/")[1])
            self.ends.pop(name, None)

    def _lend(self) -> None:
        """Whoever may read a document may until a moment that comes between two of the next steps."""
        if self.texts:
            name = self.chance.choice(sorted(self.texts))
            end = time.time() + self.chance.choice(SECONDS_LENT)
            self.ends[name] = {token: end for token in self.shared[name] if self.chance.randrange(3)}
            self.all_ends.add(end)


@dataclass
class Told:
    """What the source has told so far: the most that anybody may be shown."""

    company: Company
    units: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    readers: dict[str, dict[str, float]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    parts: dict[str, set[str]] = field(default_factory=dict)

    def listing(self) -> None:
        self.units = set(self.company.units_read_by)
        if self.company.is_uniform:
            for name in self.readers:
                unit = name.split("/")[1]
                told = self.company.units_read_by.get(unit)
                self.readers[name] = self.readers[name] if told is None else dict.fromkeys(told, inf)

    def memberships(self) -> None:
        self.members = {group: set(people) for group, people in self.company.members.items()}

    def contents(self, unit: str) -> None:
        for name in self.company.names(unit):
            self.readers[name] = self.company.readings_of(name)
            # What was edited is found until what came in its place is.
            self.parts[name] = self.parts.get(name, set()) | self.company.parts_of(name)
            self.gone.discard(name)

    def look(self, name: str) -> None:
        """What was gained waits for certainty."""
        if name in self.company.texts and self.company.unit_of(name):
            before = self.readers[name]
            # Whoever reads it now was among all who did before, where all did.
            to_all = before.get(PUBLIC, 0.0)
            now = {
                one: min(end, max(before.get(one, 0.0), to_all)) for one, end in self.company.readings_of(name).items()
            }
            self.readers[name] = {one: end for one, end in now.items() if end}
            self.parts[name] = self.parts.get(name, set()) & self.company.parts_of(name)
        else:
            self.gone.add(name)

    def everything(self) -> None:
        self.listing()
        self.memberships()
        self.gone = {name for name in self.readers if name not in self.company.texts}
        self.parts = {}
        for unit in self.units:
            self.contents(unit)

    def merge(self, other: Told) -> None:
        """Allow what either allows: nobody knows how far a step came that was killed."""
        self.units |= other.units
        self.gone &= other.gone
        for mine, theirs in ((self.members, other.members), (self.parts, other.parts)):
            for name, tokens in theirs.items():
                mine[name] = mine.get(name, set()) | tokens
        for name, readings in other.readers.items():
            own = self.readers.setdefault(name, {})
            own.update({token: max(end, own.get(token, end)) for token, end in readings.items()})

    def allows(self, person: str, name: str, at: float) -> bool:
        """Whether a person may be shown a document by who asks at this moment."""
        if name.split("/")[1] not in self.units or name in self.gone:
            return False
        held = {group_token(self.company.connection.id, one) for one, who in self.members.items() if person in who}
        tokens = {PUBLIC, user_token(person), *held}
        return any(end > at for token, end in self.readers.get(name, {}).items() if token in tokens)


@dataclass(frozen=True)
class Answers:
    """What a person finds by each way of searching, and, by document, whether each way of reading shows it."""

    by_interface: dict[str, set[str]]
    read: dict[str, list[bool]]


@dataclass
class Run:
    """Steps of the product in any order, any of which may be killed."""

    services: Services
    company: Company
    told: Told
    chance: random.Random
    http: TestClient
    queries: int = 0

    def step(self) -> None:
        """One step; the most that may be shown is told first, since a step may be killed after it learned it."""
        before = deepcopy_of(self.told)
        try:
            self.chance.choice(
                [self._list, self._list, self._people, self._look, self._read, self._apply, self._publish]
            )()
        except Killed:
            self.told.merge(before)

    def sync(self) -> None:
        """All of it, to the end."""
        options = SyncOptions(mode="full", allow_mass_delete=True)
        report = sync_connection(self.services, self.company.connection, options=options)
        assert report.errors == {}
        publish(self.services)
        self.told.everything()

    def found(self, person: str) -> set[str]:
        """By every interface, which must agree; and by reading some documents whole, and explaining them."""
        asked = self.chance.sample(sorted(self.told.readers), min(len(self.told.readers), 2))
        answers = self.undisturbed(lambda: self._ask(person, asked))
        found = answers.by_interface["search"]
        assert answers.by_interface == dict.fromkeys(answers.by_interface, found)
        assert answers.read == {name: [name in found] * 3 for name in asked}
        self.queries += len(answers.by_interface) + 3 * len(asked)
        return found

    def undisturbed(self, ask: Callable[[], Asked]) -> Asked:
        """What is answered while no permission ends: what was asked before and after that does not compare."""
        while True:
            started, answer = time.time(), ask()
            if not any(started <= end <= time.time() for end in self.company.all_ends):
                return answer

    def _ask(self, person: str, names: Sequence[str]) -> Answers:
        client = Client(self.http, ASSISTANT, person)
        read = {}
        for name in names:
            read[name] = [*client.reads(name).values(), self._explained(name, person)]
        return Answers({name: set(found) for name, found in client.searches({}).items()}, read)

    def _explained(self, name: str, person: str) -> bool:
        """Whether it is said to be seen; of what a killed step never recorded, nothing is known."""
        try:
            seen = explain(self.services, name, user=person).visibility
        except UsageError:
            return False
        return bool(seen and seen.sees)

    def require_all_visible(self, person: str) -> None:
        """A person finds exactly what the source allows, with all that stands in it."""

        def ask() -> tuple[set[str], dict[str, set[str]], set[str]]:
            found = self.found(person)
            return found, {name: self.shown(person, name) for name in found}, truly_visible(self.company, person)

        found, shown, visible = self.undisturbed(ask)
        assert found == visible
        assert shown == {name: self.company.parts_of(name) for name in visible}

    def require_same_by_command(self, person: str) -> None:
        """The installed command, another process on the same files, finds the same by words. (What was withdrawn may be
        the one passage that has them, of a document that is found by others.)"""
        client = Client(self.http, ASSISTANT, person)
        by_command, found = self.undisturbed(lambda: (self._found_by_command(person), client.finds_by_words()))
        assert by_command == found

    def _found_by_command(self, person: str) -> set[str]:
        self.queries += 1
        arguments = ("search", "certificate", "--mode", "lexical", "--user", person, "--top-k", "50", "--json")
        command = [str(Path(sys.executable).with_name("headrace")), *arguments]
        done = subprocess.run(command, cwd=self.services.settings.directory, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {one["document_id"] for one in json.loads(done.stdout)["results"]}

    def too_much(self, person: str) -> set[str]:
        """What a person finds of what they may not, in documents and in parts of them."""
        asked = time.time()
        found = self.found(person)
        more = {name for name in found if not self.told.allows(person, name, asked)}
        for name in self.chance.sample(sorted(found), min(len(found), 3)):
            more |= {f"{name} part {part}" for part in self.shown(person, name) - self.told.parts.get(name, set())}
        return more

    def shown(self, person: str, name: str) -> set[str]:
        """The parts of a document that a person reads."""
        self.queries += 1
        return set(PART.findall(Client(self.http, ASSISTANT, person).text(name)))

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
            unit = Unit(name.split("/")[1], "")
            read_rights(self.services, self.company.connection, self.company, unit, [name], [name])

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
    (Withdrawals, "end"),
    *((store, name) for store in (EdgeStore, QdrantStore) for name in ("apply", "set_readers", "remove", "publish")),
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


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture(params=["embedded", pytest.param("rest", marks=pytest.mark.slow), "server"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> IndexSettings:
    """Both stores; that for a server over its REST API to an engine in this process, and on a server where there is
    one."""
    if request.param == "embedded":
        return IndexSettings()
    if request.param == "rest":
        rest = Rest()
        monkeypatch.setattr("pipelines.index.server.connection.connect", lambda settings: rest.client())
        return IndexSettings(url="http://qdrant.test:6333")
    if not (url := os.environ.get("QDRANT_URL")):
        pytest.skip("QDRANT_URL is not set")
    return IndexSettings(url=url, collection=f"test-{uuid4().hex}")


@pytest.mark.parametrize("source", ["github", pytest.param("drive", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("seed", "rounds"), [(1, 1), pytest.param(2, 6, marks=pytest.mark.slow)], ids=["some", "many"])
def test_nobody_sees_more_and_nobody_less_after_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: IndexSettings, source: str, seed: int, rounds: int
) -> None:
    chance = random.Random(seed)
    connection = CONNECTIONS[source]
    company = Company(connection, chance)
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: company)
    kills = kill_at_random(monkeypatch, chance)
    settings = Settings(directory=tmp_path).model_copy(
        update={"connections": (connection,), "index": index, "assistants": (ASSISTANT,)}
    )
    (tmp_path / "headrace.yaml").write_text(json.dumps(SETTINGS | {"connections": [{**DESCRIBED, "source": source}]}))
    embedder = FakeEmbedder()
    embedder.model = f"localhost/{FakeEmbedder.model}"
    with Services(settings, embedder) as services, TestClient(app_of(services)) as http:
        run = Run(services, company, Told(company), chance, http)
        for _ in range(rounds):
            run.sync()
            for person in PEOPLE:
                run.require_all_visible(person)
            kills(True)
            for _ in range(STEPS_PER_ROUND):
                company.move()
                run.step()
                assert {person: run.too_much(person) for person in PEOPLE} == {person: set() for person in PEOPLE}
            kills(False)
            if settings.index.embedded:
                run.require_same_by_command(chance.choice(PEOPLE))
    print(f"{run.queries} queries")


def truly_visible(company: Company, person: str) -> set[str]:
    held = {group_token(company.connection.id, one) for one, people in company.members.items() if person in people}
    tokens = {PUBLIC, user_token(person), *held}
    return {name for unit in UNITS for name in company.names(unit) if tokens & set(company.readers_of(name))}


def deepcopy_of(told: Told) -> Told:
    copies = {name: deepcopy(getattr(told, name)) for name in ("units", "gone", "readers", "members", "parts")}
    return replace(told, **copies)
