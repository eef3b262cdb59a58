"""What it costs a search to leave out what was revoked: CPU time, beside a search with nothing in force."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from pydantic import SecretStr

from connectors.settings import Connection
from pipelines.catalog.revocations import EVERYBODY, RevokedScope, RightsInForce
from pipelines.index.contract import IndexReader
from pipelines.retrieval.permitted_index import PermittedIndex
from pipelines.retrieval.revocations import RevocationFilter

EVERYTHING = RevokedScope(frozenset({EVERYBODY}), frozenset())


class GivenRights:
    """What is in force, at hand."""

    def __init__(self, rights: RightsInForce) -> None:
        self._rights = rights

    def stamp(self) -> int:
        return 0

    def load(self, patterns: Mapping[str, str]) -> RightsInForce:
        return self._rights


def show(
    index: IndexReader,
    connections: Sequence[str],
    units: Sequence[tuple[str, str]],
    documents: Sequence[str],
    ask_all: Callable[[IndexReader], Iterable[float]],
) -> None:
    """`ask_all` asks every question of an index, and gives the CPU seconds that each took."""
    known = [
        Connection(id=one, source="github", token=SecretStr("t"), base_url="https://api.invalid") for one in connections
    ]
    loss = RevokedScope(frozenset({"public"}), frozenset())
    cases = {
        "nothing revoked": RightsInForce(),
        "1,000 documents": RightsInForce(documents=dict.fromkeys(documents[:1_000], EVERYTHING)),
        "10,000 documents": RightsInForce(documents=dict.fromkeys(documents[:10_000], EVERYTHING)),
        "10 units": RightsInForce(units=dict.fromkeys(units[:10], EVERYTHING)),
        "10 units less public": RightsInForce(units=dict.fromkeys(units[:10], loss)),
        "half of all units": RightsInForce(units=dict.fromkeys(units[::2], EVERYTHING)),
    }
    alone = median(ask_all(index)) * 1_000
    print(f"search with revocations: {alone:.2f} ms of CPU without the reader around the index (p50)", flush=True)
    for name, rights in cases.items():
        taken = median(ask_all(PermittedIndex(index, GivenRights(rights), known))) * 1_000
        print(f"search with revocations: {name}: {taken:.2f} ms, {taken - alone:+.2f} ms", flush=True)
    tracemalloc.start()
    started = time.process_time()
    held = RevocationFilter.of(
        RightsInForce(documents={f"document {one}": RevokedScope(frozenset({"public"}), frozenset({f"user:{one}"}))
                                 for one in range(10_000)}), known
    )  # fmt: skip
    used = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    print(f"10,000 rows in force: {used:.1f} MB, made in {time.process_time() - started:.3f} s", flush=True)
    assert not held.is_empty
