"""No leak and no gap: every answer of the embedded index equals that of a brute-force oracle."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.drive.settings import DriveConnection
from pipelines.index import open_reader, open_store
from pipelines.index.contract import DocumentChange, Filters, IndexReader, IndexSpec, Mode, Payload, Point
from pipelines.retrieval import document, search
from pipelines.retrieval.principals import person_tokens
from pipelines.retrieval.schema import SearchFilters, SearchRequest
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.retrieval.memory_index import NEW_YEAR, chunk

PEOPLE = [f"{name}@{domain}" for name in ("ada", "bo", "cy") for domain in ("example.com", "other.test")]
GROUPS = ["group:chat:C1", "group:chat:C2", "group:acme:team", "group:drive:staff@example.com"]
DOMAINS = ["group:drive:domain:example.com", "group:drive:domain:other.test"]
TOKENS = ["public", *(f"user:{person}" for person in PEOPLE), *GROUPS, *DOMAINS]
SOURCES = ["notion", "drive", "github", "slack"]
PARENTS, TAGS, KINDS = ["p:1", "p:2", "p:3"], ["bug", "urgent"], ["issue", "page", "thread"]
EMBEDDER = FakeEmbedder()
DRIVE = DriveConnection(id="drive", source="drive", token=SecretStr("unused"))
SETTINGS = Settings().model_copy(update={"connections": (DRIVE,)})


def _payloads() -> list[Payload]:
    chance = random.Random(7)
    documents = []
    for number in range(60):
        shared: Payload = {
            "readers": sorted(chance.sample(TOKENS, chance.choice([0, 1, 1, 2, 3]))),
            "source": chance.choice(SOURCES),
            "kind": chance.choice(KINDS),
            "parents": chance.sample(PARENTS, chance.randrange(3)),
            "tags": chance.sample(TAGS, chance.randrange(3)),
            "updated_at": (NEW_YEAR + timedelta(days=chance.randrange(100))).isoformat(),
            "text": "certificate " + " ".join(chance.choices(["gateway", "river", "sonde"], k=3)),
        }
        documents += [chunk(f"d{number}", place, **shared).payload for place in range(chance.randrange(1, 4))]
    return documents


PAYLOADS = _payloads()


@pytest.fixture(scope="module")
def index(module_folder: Callable[[str], Path]) -> Iterator[IndexReader]:
    placed = Settings(directory=module_folder("rights"))
    spec = IndexSpec("knowledge", EMBEDDER.model, EMBEDDER.dimensions, "v1")
    texts = [str(payload["text"]) for payload in PAYLOADS]
    (batch,) = EMBEDDER.embed(texts, purpose="document", inputs_per_request=len(texts))
    with closing(open_store(placed, spec)) as store:
        for number, (payload, vector) in enumerate(zip(PAYLOADS, batch.vectors, strict=True)):
            point = Point(f"00000000-0000-0000-0000-{number:012}", vector, texts[number], payload)
            store.apply([DocumentChange(f"{payload['document_id']}", points=[point])])
        store.publish()
    reader = open_reader(placed, spec)
    yield reader
    reader.close()


def some(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


moments = st.none() | st.integers(0, 100).map(lambda days: NEW_YEAR + timedelta(days=days))
filters = st.builds(
    SearchFilters,
    sources=some(SOURCES),
    kinds=some(KINDS),
    parents_in=some(PARENTS),
    parents_not=some(PARENTS),
    tags_in=some(TAGS),
    tags_not=some(TAGS),
    updated_after=moments,
    updated_before=moments,
)
scopes = st.none() | some(SOURCES).map(lambda sources: Filters(sources=tuple(sources)))
memberships = st.dictionaries(st.sampled_from(PEOPLE), st.sets(st.sampled_from(GROUPS)))


class Groups:
    def __init__(self, groups: dict[str, set[str]]) -> None:
        self._groups = groups

    def groups_of(self, email: str) -> frozenset[str]:
        return frozenset(self._groups.get(email, ()))


def may_read(person: str, groups: dict[str, set[str]], readers: list[str]) -> bool:
    """The rule, told once more in other words."""
    domain = person.split("@")[1]
    for token in readers:
        match token.split(":", 1):
            case ["public"]:
                return True
            case ["user", address] if address == person:
                return True
            case ["group", group] if group == f"drive:domain:{domain}":
                return True
    return any(group in readers for group in groups.get(person, ()))


def fits(asked: SearchFilters, scope: Filters | None, payload: Payload) -> bool:
    updated = datetime.fromisoformat(str(payload["updated_at"])).astimezone(UTC)
    parents, tags = set(payload["parents"]), set(payload["tags"])
    refusals = (
        scope and scope.sources and payload["source"] not in scope.sources,
        asked.sources and payload["source"] not in asked.sources,
        asked.kinds and payload["kind"] not in asked.kinds,
        asked.parents_in and not parents & set(asked.parents_in),
        parents & set(asked.parents_not),
        asked.tags_in and not tags & set(asked.tags_in),
        tags & set(asked.tags_not),
        asked.updated_after and updated < asked.updated_after,
        asked.updated_before and updated >= asked.updated_before,
    )
    return not any(refusals)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    person=st.sampled_from(PEOPLE),
    groups=memberships,
    asked=filters,
    scope=scopes,
    mode=st.sampled_from(["hybrid", "dense", "lexical"]),
    budget=st.none() | st.just(500),
)
def test_search_equals_the_oracle(
    index: IndexReader,
    person: str,
    groups: dict[str, set[str]],
    asked: SearchFilters,
    scope: Filters | None,
    mode: Mode,
    budget: int | None,
) -> None:
    request = SearchRequest(query="certificate", top_k=100, mode=mode, filters=asked, target_document_tokens=budget)
    tokens = person_tokens(person, SETTINGS, Groups(groups))
    results = search(request, tokens, index=index, embedder=EMBEDDER, scope=scope).results
    found = [one.document_id for one in results]
    expected = {
        payload["document_id"]
        for payload in PAYLOADS
        if may_read(person, groups, payload["readers"]) and fits(asked, scope, payload)
    }
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("groups", [set(), {"group:chat:C1"}, set(GROUPS)], ids=["none", "one", "all"])
def test_documents_equal_the_oracle(index: IndexReader, person: str, groups: set[str]) -> None:
    tokens = person_tokens(person, SETTINGS, Groups({person: groups}))
    every = {payload["document_id"]: payload["readers"] for payload in PAYLOADS}
    shown = {one for one in every if document(one, tokens, index=index)}
    assert shown == {one for one, readers in every.items() if may_read(person, {person: groups}, readers)}
