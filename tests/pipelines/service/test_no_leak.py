"""No leak and no gap on any interface: random rights, moves and questions against a brute-force oracle."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.contract import Membership
from connectors.drive.settings import DriveConnection
from connectors.model import Unit
from pipelines.index.contract import DocumentChange, IndexStore, Point
from pipelines.service_settings import AssistantScope
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.retrieval.memory_index import NEW_YEAR, chunk
from tests.pipelines.service.interfaces import Client
from tests.pipelines.service.serving import app_of

PEOPLE = [f"{name}@{domain}" for name in ("ada", "bo", "cy") for domain in ("example.com", "other.test")]
GROUPS = ["group:drive:staff", "group:drive:board", "group:drive:sales"]
DOMAINS = ["group:drive:domain:example.com", "group:drive:domain:other.test"]
TOKENS = ["public", *(f"user:{person}" for person in PEOPLE), *GROUPS, *DOMAINS]
SOURCES, KINDS = ["notion", "drive", "github", "slack"], ["issue", "page", "thread"]
PARENTS, TAGS = ["p:1", "p:2", "p:3"], ["bug", "urgent"]
MOST_DOCUMENTS = 40
QUESTIONS_BETWEEN_MOVES = 10

ASSISTANTS = (
    AssistantSettings(id="people", api_key=SecretStr("k1")),
    AssistantSettings(id="people-in-part", api_key=SecretStr("k2"), scope=AssistantScope(sources=("slack", "drive"))),
    AssistantSettings(id="people-below", api_key=SecretStr("k3"), scope=AssistantScope(parents_in=("p:1", "p:2"))),
    AssistantSettings(id="board", api_key=SecretStr("k4"), identity="service", readers=("group:drive:board",)),
    AssistantSettings(id="nobody", api_key=SecretStr("k5"), identity="service"),
)


@dataclass
class World:
    """What is true: who belongs where, and what each document is. The index is told of every move."""

    chance: random.Random
    services: Services
    groups: dict[str, set[str]] = field(default_factory=dict)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    made: int = 0

    def move(self) -> None:
        with self.services.store() as store:
            for _ in range(self.chance.randrange(1, 6)):
                self.chance.choice([self._add, self._share, self._share, self._delete])(store)
            store.publish()

    def join_or_leave(self) -> None:
        self.groups.setdefault(self.chance.choice(PEOPLE), set()).symmetric_difference_update(
            {self.chance.choice(GROUPS)}
        )
        pairs = [(token.rpartition(":")[2], person) for person, held in self.groups.items() for token in held]
        self.services.catalog.memberships.replace("drive", [Membership(group, person) for group, person in pairs])

    def _add(self, store: IndexStore) -> None:
        if len(self.documents) < MOST_DOCUMENTS:
            self.made += 1
            self._write(store, f"d{self.made}")

    def _share(self, store: IndexStore) -> None:
        """Other readers, another place, another time: all that a document may change."""
        if self.documents:
            self._write(store, self.chance.choice(sorted(self.documents)))

    def _delete(self, store: IndexStore) -> None:
        if len(self.documents) > MOST_DOCUMENTS // 2:
            gone = self.chance.choice(sorted(self.documents))
            store.apply([DocumentChange(gone, stale=list(store.points([gone])))])
            del self.documents[gone]

    def _write(self, store: IndexStore, name: str) -> None:
        self.made += 1
        shared: dict[str, Any] = {
            "version": f"v{self.made}",
            "readers": sorted(self.chance.sample(TOKENS, self.chance.choice([0, 1, 1, 2, 3]))),
            "source": self.chance.choice(SOURCES),
            "connection": "drive",
            "kind": self.chance.choice(KINDS),
            "parents": self.chance.sample(PARENTS, self.chance.randrange(3)),
            "tags": self.chance.sample(TAGS, self.chance.randrange(3)),
            "updated_at": (NEW_YEAR + timedelta(days=self.chance.randrange(100))).isoformat(),
            "text": "certificate " + " ".join(self.chance.choices(["gateway", "river", "sonde"], k=3)),
        }
        payloads = [chunk(name, place, **shared).payload for place in range(self.chance.randrange(1, 4))]
        (batch,) = self.services.embedder.embed([payload["text"] for payload in payloads], purpose="document")
        points = [
            Point(f"00000000-0000-0000-{place:04}-{self.made:012}", vector, payload["text"], payload)
            for place, (payload, vector) in enumerate(zip(payloads, batch.vectors, strict=True))
        ]
        store.apply([DocumentChange(name, points=points, stale=list(store.points([name])))])
        self.documents[name] = payloads

    def visible(self, assistant: AssistantSettings, person: str | None) -> set[str]:
        return {name for name, (one, *_) in self.documents.items() if self._may_read(assistant, person, one)}

    def _may_read(self, assistant: AssistantSettings, person: str | None, one: dict[str, Any]) -> bool:
        """The rule, told once more in other words."""
        if assistant.scope.sources and one["source"] not in assistant.scope.sources:
            return False
        if assistant.scope.parents_in and not set(one["parents"]) & set(assistant.scope.parents_in):
            return False
        if "public" in one["readers"]:
            return True
        if assistant.identity == "service":
            return bool(set(assistant.readers) & set(one["readers"]))
        named = f"user:{person}" in one["readers"]
        domain = f"group:drive:domain:{str(person).split('@')[1]}" in one["readers"]
        return named or domain or bool(self.groups.get(str(person), set()) & set(one["readers"]))


def fits(one: dict[str, Any], filters: dict[str, Any]) -> bool:
    held = {
        "sources": {one["source"]},
        "kinds": {one["kind"]},
        "parents_in": set(one["parents"]),
        "tags_in": set(one["tags"]),
    }
    return (
        all(held[name] & set(filters[name]) for name in held if name in filters)
        and not set(one["parents"]) & set(filters.get("parents_not", ()))
        and not set(one["tags"]) & set(filters.get("tags_not", ()))
        and ("updated_after" not in filters or one["updated_at"] >= filters["updated_after"])
        and ("updated_before" not in filters or one["updated_at"] < filters["updated_before"])
    )


def exist(filters: dict[str, Any], visible: list[dict[str, Any]]) -> bool:
    """Whether each value that is asked for is one of a document that may be seen."""
    held = {
        "kinds": {one["kind"] for one in visible},
        "parents_in": {parent for one in visible for parent in one["parents"]},
        "tags_in": {tag for one in visible for tag in one["tags"]},
    }
    return all(set(filters.get(name, ())) <= values for name, values in held.items())


def some_filters(chance: random.Random) -> dict[str, Any]:
    def moment() -> str:
        return (NEW_YEAR + timedelta(days=chance.randrange(100))).isoformat()

    values: dict[str, Callable[[], Any]] = {
        "sources": lambda: chance.sample(SOURCES, 2),
        "kinds": lambda: chance.sample(KINDS, 2),
        "parents_in": lambda: chance.sample(PARENTS, 2),
        "parents_not": lambda: chance.sample(PARENTS, 1),
        "tags_in": lambda: chance.sample(TAGS, 1),
        "tags_not": lambda: chance.sample(TAGS, 1),
        "updated_after": moment,
        "updated_before": moment,
    }
    return {name: values[name]() for name in chance.sample(sorted(values), chance.choice([0, 0, 1, 2]))}


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    drive = DriveConnection(id="drive", source="drive", token=SecretStr("unused"))
    with Services(
        settings.model_copy(update={"assistants": ASSISTANTS, "connections": (drive,)}), FakeEmbedder()
    ) as opened:
        opened.catalog.units.replace_listing(drive.id, drive.source, [Unit("acme/api", "Gates")])
        yield opened


@pytest.mark.parametrize(
    ("seed", "queries"), [(1, 120), pytest.param(2, 10_000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_every_interface_equals_the_oracle(services: Services, seed: int, queries: int) -> None:
    chance = random.Random(seed)
    world, asked, shown = World(chance, services), 0, 0
    for _ in range(8):
        world.move()
    with TestClient(app_of(services)) as http:
        while asked < queries:
            world.move()
            for _ in range(QUESTIONS_BETWEEN_MOVES):
                world.join_or_leave()
                assistant = chance.choice(ASSISTANTS)
                person = chance.choice(PEOPLE) if assistant.identity == "user" else None
                client, filters = Client(http, assistant, person), some_filters(chance)
                visible = world.visible(assistant, person)
                expected = sorted(name for name in visible if fits(world.documents[name][0], filters))
                if exist(filters, [world.documents[one][0] for one in visible]):
                    found = client.searches(filters)
                    assert {interface: sorted(names) for interface, names in found.items()} == dict.fromkeys(
                        found, expected
                    )
                else:
                    assert set(client.statuses(filters).values()) == {"refused"}
                assert client.tags() == {tag for one in visible for tag in world.documents[one][0]["tags"]}
                name = chance.choice([*sorted(world.documents), "nothing"])
                assert set(client.reads(name).values()) == {name in visible}
                asked, shown = asked + 5, shown + len(expected)
    assert shown > queries / 10
