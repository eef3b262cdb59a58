"""What a search takes, without the embedding call: 100,000 chunks in the embedded index, 20 clients, rights on.

Chunks are passages of the corpus with vectors around random centres; readers are drawn from 200 groups and 500
people. Every question is asked by a person of ten groups. What the machine does besides is in the figures, so
each measurement is repeated, and the best and the median are shown. Over HTTP, the client is in the figures too.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from connectors.contract import Membership
from pipelines.embedding.base import EmbeddedBatch
from pipelines.index import open_reader, open_store
from pipelines.index.contract import DocumentChange, IndexReader, IndexSpec, Point
from pipelines.retrieval import search
from pipelines.retrieval.principals import person_tokens
from pipelines.retrieval.schema import SearchFilters, SearchRequest
from pipelines.service.app import create_app
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.bench import revoked
from tests.pipelines.service.serving import served

CHUNKS = 100_000
CHUNK_CHARACTERS = 700
DIMENSIONS = 384
CLIENTS = 20
QUESTIONS = 400
REPEATS = 3
PACE = 100
"""Questions per second of all clients together, where they are paced."""
SOURCES = ("github", "slack", "notion", "drive")


@dataclass(frozen=True, slots=True)
class Question:
    request: SearchRequest
    readers: tuple[str, ...]

    @property
    def body(self) -> dict[str, Any]:
        return self.request.model_dump(mode="json", exclude_unset=True)


@dataclass(frozen=True, slots=True)
class Measured:
    per_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.per_second:.0f}/s, p50 {self.p50_ms:.1f} ms, p99 {self.p99_ms:.1f} ms"


class GivenVectors:
    """An embedder that has every question's vector at hand."""

    model = "given"
    dimensions = DIMENSIONS
    window_tokens: int | None = None
    price_per_million_tokens = 0.0

    def __init__(self, vectors: dict[str, Any]) -> None:
        self._vectors = vectors

    def embed(self, texts: Sequence[str], **_: Any) -> Iterator[EmbeddedBatch]:
        yield EmbeddedBatch(range(len(texts)), np.stack([self._vectors[text] for text in texts]), 0)

    def close(self) -> None:
        pass


def measure(corpus: Path, state: Path) -> None:
    """Index, ask and print."""
    settings, spec = Settings(directory=state), IndexSpec("knowledge", "given", DIMENSIONS, "bench")
    chance, vectors = random.Random(7), np.random.default_rng(7)
    centres = vectors.standard_normal((300, DIMENSIONS), dtype=np.float32)
    passages = _passages(corpus)
    with closing(open_store(settings, spec)) as store:
        started = time.perf_counter()
        store.apply(_documents(passages, centres, chance, vectors))
        written, started = time.perf_counter() - started, time.perf_counter()
        store.publish()
        published, info = time.perf_counter() - started, store.info()
    print(
        f"search index: {info.points} points of {info.documents} documents, {info.points / written:.0f} points/s, "
        f"published in {published:.1f} s, {info.bytes / 1e6:.0f} MB",
        flush=True,
    )
    for processes in (1, 2):
        with closing(open_reader(settings, spec, processes=processes)) as index:
            questions, given = _questions(passages, centres, chance, vectors, 0)
            _show(f"rights, read by {processes} of its own", index, GivenVectors(given), questions)
    with closing(open_reader(settings, spec)) as index:
        for name, sources in (("rights", 0), ("rights and two sources", 2)):
            questions, given = _questions(passages, centres, chance, vectors, sources)
            _show(name, index, GivenVectors(given), questions)
        _show_revoked(index, GivenVectors(given), questions)
        _over_http(settings, index, GivenVectors(given), questions)


def _show_revoked(index: IndexReader, embedder: GivenVectors, questions: Sequence[Question]) -> None:
    """A unit is one of 50 in each of four connections; there are about 12,500 documents."""

    def ask_all(asked: IndexReader) -> list[float]:
        taken = []
        for question in questions:
            started = time.process_time()
            search(question.request, question.readers, index=asked, embedder=embedder)
            taken.append(time.process_time() - started)
        return taken

    connections = [f"acme-{source}" for source in SOURCES]
    units = [(connection, f"unit {number}") for number in range(50) for connection in connections]
    documents = [f"{source}:acme/{number}" for number in range(12_500) for source in SOURCES]
    revoked.show(index, connections, units, documents, ask_all)


def _show(name: str, index: IndexReader, embedder: GivenVectors, questions: Sequence[Question]) -> None:
    def ask(question: Question) -> None:
        search(question.request, question.readers, index=index, embedder=embedder)

    for question in questions[:20]:
        ask(question)
    ways = (
        ("one client", 1, None),
        (f"{CLIENTS} clients", CLIENTS, None),
        (f"{CLIENTS} clients at {PACE}/s", CLIENTS, PACE),
    )
    for how, clients, pace in ways:
        rounds = [_measured(ask, questions, clients, pace) for _ in range(REPEATS)]
        best = min(rounds, key=lambda one: one.p99_ms)
        middle = Measured(*(median(values) for values in zip(*map(astuple, rounds), strict=True)))
        print(f"search, {name}, {how}: best {best}; median {middle}; load {os.getloadavg()[0]:.1f}", flush=True)


def _over_http(settings: Settings, index: IndexReader, embedder: GivenVectors, questions: Sequence[Question]) -> None:
    """What one client waits for an answer over HTTP, beside the search alone, question by question."""
    alone: list[float] = []
    waited: list[float] = []
    told: list[float] = []
    assistant = AssistantSettings(id="bench", api_key=SecretStr("bench-key"))
    used = settings.model_copy(update={"assistants": (assistant,)})
    with Services(used, embedder) as services, httpx.Client(headers={"Authorization": "Bearer bench-key"}) as client:
        members = {(token.rpartition(":")[2], person) for one in questions for person, token in _groups(one)}
        services.catalog.memberships.replace("acme", [Membership(*one) for one in sorted(members)])
        app = create_app(
            used,
            index=index,
            embedder=embedder,
            reranker=None,
            memberships=services.catalog,
            assistants=services.catalog.assistants,
            inbox=services.catalog,
        )
        with served(app) as url:
            for question in questions:
                readers = person_tokens(question.request.user or "", used, services.catalog)
                started = time.perf_counter()
                search(question.request, readers, index=index, embedder=embedder)
                between = time.perf_counter()
                answer = client.post(f"{url}/v1/search", json=question.body).raise_for_status()
                alone.append(between - started)
                waited.append(time.perf_counter() - between)
                told.append(answer.json()["took_ms"] / 1000)
    p50 = [median(times) * 1000 for times in (waited, told, alone)]
    print(
        f"search over HTTP, one client: p50 {p50[0]:.1f} ms waited, {p50[1]:.1f} ms of it in the search; "
        f"alone the search takes {p50[2]:.1f} ms",
        flush=True,
    )


def _groups(question: Question) -> Iterator[tuple[str, str]]:
    person = question.request.user or ""
    return ((person, token) for token in question.readers if token.startswith("group:"))


def _measured(
    ask: Callable[[Question], None], questions: Sequence[Question], clients: int, pace: float | None
) -> Measured:
    """All questions once, spread over the clients. A paced question's time runs from when it was due."""
    taken: list[float] = []
    numbers, lock, started = count(), threading.Lock(), time.perf_counter()

    def client() -> None:
        while True:
            with lock:
                number = next(numbers)
            if number >= len(questions):
                return
            due = started + number / pace if pace else time.perf_counter()
            time.sleep(max(due - time.perf_counter(), 0))
            ask(questions[number])
            taken.append(time.perf_counter() - due)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    taken.sort()
    return Measured(len(taken) / seconds, taken[len(taken) // 2] * 1000, taken[int(len(taken) * 0.99)] * 1000)


def _passages(corpus: Path) -> list[str]:
    files = sorted(file for file in corpus.rglob("*") if file.is_file())
    texts = (re.sub(r"\s+", " ", file.read_text(errors="replace")) for file in files)
    return [text[at : at + CHUNK_CHARACTERS] for text in texts for at in range(0, len(text), CHUNK_CHARACTERS)]


def _documents(
    passages: Sequence[str], centres: Any, chance: random.Random, vectors: np.random.Generator
) -> Iterator[DocumentChange]:
    written = 0
    for number in count():
        if written >= CHUNKS:
            return
        chunks = chance.choice([1, 2, 5, 8, 12, 20])
        shared = _payload(number, chance)
        centre = centres[chance.randrange(len(centres))]
        points = []
        for position in range(chunks):
            text = passages[(written + position) % len(passages)]
            payload = shared | {"position": position, "text": text}
            points.append(
                Point(f"00000000-0000-0000-0000-{written + position:012}", _near(centre, vectors), text, payload)
            )
        written += chunks
        yield DocumentChange(shared["document_id"], points)


def _payload(number: int, chance: random.Random) -> dict[str, Any]:
    source = chance.choice(SOURCES)
    groups = [f"group:acme:{group}" for group in chance.sample(range(200), chance.choice([1, 2]))]
    people = [f"user:u{person}@example.com" for person in chance.sample(range(500), chance.choice([0, 1, 3]))]
    return {
        "document_id": f"{source}:acme/{number}",
        "version": "1",
        "source": source,
        "connection": f"acme-{source}",
        "unit": f"unit {number % 50}",
        "kind": "page",
        "title": f"Document {number}",
        "url": f"https://example.com/{number}",
        "author": f"author {number % 100}",
        "parents": [f"parent {number % 40}", f"root {number % 7}"],
        "breadcrumb": [f"Parent {number % 40}", f"Root {number % 7}"],
        "tags": [f"tag {number % 20}"],
        "readers": (["public"] if chance.random() < 0.3 else []) + groups + people,
        "created_at": None,
        "updated_at": f"2026-{1 + number % 11:02}-{1 + number % 28:02}T00:00:00Z",
        "headings": [],
    }


def _questions(
    passages: Sequence[str], centres: Any, chance: random.Random, vectors: np.random.Generator, sources: int
) -> tuple[list[Question], dict[str, Any]]:
    questions, given = [], {}
    for number in range(QUESTIONS):
        words = chance.choice(passages).split()
        text = f"{' '.join(chance.sample(words, min(6, len(words))))} {number}"
        given[text] = _near(centres[chance.randrange(len(centres))], vectors)
        person = f"u{chance.randrange(500)}@example.com"
        groups = [f"group:acme:{group}" for group in chance.sample(range(200), 10)]
        filters = SearchFilters(sources=chance.sample(SOURCES, sources))
        readers = ("public", f"user:{person}", *groups)
        questions.append(Question(SearchRequest(query=text, user=person, filters=filters), readers))
    return questions, given


def _near(centre: Any, vectors: np.random.Generator) -> Any:
    vector = centre + vectors.standard_normal(DIMENSIONS, dtype=np.float32)
    return vector / np.linalg.norm(vector)
