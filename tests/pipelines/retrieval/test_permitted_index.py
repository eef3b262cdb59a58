"""The index reader around the index reader: what is left out, when it is asked again, and at what depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from pipelines.catalog.revocations import EVERYBODY, RevokedScope, RightsInForce
from pipelines.catalog.withdrawals import Withdrawal
from pipelines.index.contract import Exclusion, Filters, Hit, Mode, Vector
from pipelines.index.fusion import candidates
from pipelines.retrieval.permitted_index import PermittedIndex
from tests.pipelines.retrieval.memory_index import MemoryIndex, chunk

ACME = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
BO = Filters(readers=("public", "user:bo"))
NOTHING = RightsInForce()


class InForce:
    """The catalog's side: what is in force, and how often it was loaded."""

    def __init__(self, rights: RightsInForce = NOTHING) -> None:
        self.rights = rights
        self.changes = 0
        self.loads = 0

    def change(self, rights: RightsInForce) -> None:
        self.rights = rights
        self.changes += 1

    def stamp(self) -> int:
        return self.changes

    def load(self, patterns: Mapping[str, str]) -> RightsInForce:
        self.loads += 1
        return self.rights


class AskedIndex(MemoryIndex):
    """Remembers how it was asked; leaves out by exclusions of documents what an engine would."""

    def __init__(self, hits: Sequence[Hit], points: int = 100_000) -> None:
        super().__init__(hits)
        self.points = points
        self.uncounted: list[tuple[Exclusion, ...]] = []
        self.asked: list[tuple[int, int | None, tuple[Exclusion, ...]]] = []

    def count_points(self) -> int:
        return self.points

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        self.asked.append((limit, depth, filters.exclusions))
        self.uncounted.append(filters.uncounted)
        hidden = {document for one in filters.exclusions for document in one.documents}
        found = super().search(mode=mode, text=text, dense=dense, filters=filters, limit=1_000, depth=depth)
        return [hit for hit in found if hit.payload["document_id"] not in hidden][:limit]

    def count_documents(self, field: str, filters: Filters) -> dict[str, int]:
        counted = Counter[str]()
        for hit in self._kept(super().beginnings(filters, 1_000), filters):
            held = hit.payload[field]
            counted.update([held] if isinstance(held, str) else held)
        return counted

    @staticmethod
    def _kept(hits: Sequence[Hit], filters: Filters) -> list[Hit]:
        """Without what exclusions of units and documents cover."""
        return [
            hit
            for hit in hits
            if not any(
                hit.payload["document_id"] in one.documents or hit.payload["unit"] in one.units
                for one in filters.exclusions
            )
        ]


def deleted(*documents: str) -> RightsInForce:
    return RightsInForce(documents={one: RevokedScope(frozenset({EVERYBODY}), frozenset()) for one in documents})


def found(index: PermittedIndex, limit: int) -> list[str]:
    hits = index.search(mode="lexical", text="water", dense=None, filters=BO, limit=limit)
    return [hit.payload["document_id"] for hit in hits]


def permitted(asked: AskedIndex, rights: InForce) -> PermittedIndex:
    return PermittedIndex(asked, rights, [ACME])


HITS = [chunk(f"d{place}", score=1 - place / 100) for place in range(20)]


def test_without_revocations_the_index_is_asked_once_and_for_no_more() -> None:
    asked = AskedIndex(HITS)
    assert found(permitted(asked, InForce()), 3) == ["d0", "d1", "d2"]
    assert asked.asked == [(3, candidates(3), ())]


def test_of_the_same_candidates_more_are_fused_and_the_revoked_left_out() -> None:
    asked = AskedIndex(HITS)
    assert found(permitted(asked, InForce(deleted("d1"))), 3) == ["d0", "d2", "d3"]
    assert asked.asked == [(4, candidates(3), ())]


def test_where_places_run_short_the_index_leaves_out_itself() -> None:
    asked = AskedIndex(HITS)
    hidden = [f"d{place}" for place in range(5)]
    assert found(permitted(asked, InForce(deleted(*hidden))), 3) == ["d5", "d6", "d7"]
    assert asked.asked[1:] == [(4, candidates(3), (Exclusion(documents=tuple(hidden)),))]


def test_an_answer_that_is_whole_is_not_asked_for_again() -> None:
    asked = AskedIndex(HITS[:2])
    assert found(permitted(asked, InForce(deleted("d0"))), 3) == ["d1"]
    assert len(asked.asked) == 1


def test_what_is_in_force_is_loaded_when_it_has_changed_and_only_then() -> None:
    rights = InForce()
    index = permitted(AskedIndex(HITS), rights)
    for _ in range(3):
        assert found(index, 2) == ["d0", "d1"]
    assert rights.loads == 1
    rights.change(deleted("d0"))
    assert [found(index, 2), found(index, 2)] == [["d1", "d2"], ["d1", "d2"]]
    assert rights.loads == 2


@pytest.mark.parametrize(("name", "points"), [("d1", 1), ("d0", 0)])
def test_a_document_is_read_under_the_same_rights(name: str, points: int) -> None:
    index = permitted(AskedIndex(HITS), InForce(deleted("d0")))
    assert len(index.document(name, BO)) == points


def test_an_administrator_sees_no_document_that_is_gone() -> None:
    index = permitted(AskedIndex(HITS), InForce(deleted("d0")))
    assert index.document("d0", Filters(readers=None)) == []


@pytest.mark.parametrize(
    ("points", "exact"),
    [
        pytest.param(20_000, True, id="a small index"),
        pytest.param(20_001, False, id="a large one, until the next publication"),
    ],
)
def test_what_is_revoked_takes_no_places_and_weighs_no_words(points: int, exact: bool) -> None:
    asked = AskedIndex(HITS, points)
    rights = replace(
        deleted("d1"),
        withdrawals={"d9": Withdrawal(frozenset(), frozenset({"v1"}))},
    )
    assert found(permitted(asked, InForce(rights)), 3) == ["d0", "d2", "d3"]
    gone = Exclusion(documents=("d1",))
    assert asked.asked == [(4, candidates(3), (gone,) if exact else ())]
    assert asked.uncounted == [(gone, Exclusion(documents=("d9",))) if exact else ()]


OWN = Filters(readers=("public",))


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (NOTHING, {"a": 1, "b": 1, "c": 1}),
        (deleted("a"), {"b": 1, "c": 1}),
        (RightsInForce(documents={"b": RevokedScope(frozenset({"public"}), frozenset())}), {"a": 1, "c": 1}),
        (RightsInForce(documents={"b": RevokedScope(frozenset({"user:eve"}), frozenset())}), {"a": 1, "b": 1, "c": 1}),
        (RightsInForce(listed=frozenset({("acme", "acme/api")})), {"a": 1, "b": 1}),
        (RightsInForce(withdrawals={"a": Withdrawal(frozenset(), frozenset())}), {"a": 1, "b": 1, "c": 1}),
    ],
    ids=["nothing", "deleted", "lost", "another's", "unknown unit", "lost text"],
)
def test_only_what_may_be_seen_is_counted_and_listed(rights: RightsInForce, expected: dict[str, int]) -> None:
    hits = [chunk("a", tags=["a"]), chunk("b", tags=["b"]), chunk("c", tags=["c"], unit="lost/unit")]
    index = permitted(AskedIndex(hits), InForce(rights))
    assert index.count_documents("tags", OWN) == expected
    assert {hit.payload["document_id"] for hit in index.beginnings(OWN, 10)} == set(expected)
    assert {hit.payload["document_id"] for hit in index.newest(OWN, 10)} == set(expected)


def test_of_text_that_was_taken_out_no_beginning_is_told() -> None:
    rights = RightsInForce(withdrawals={"a": Withdrawal(frozenset(), frozenset())})
    (hit,) = permitted(AskedIndex([chunk("a")]), InForce(rights)).newest(OWN, 1)
    assert (hit.payload["title"], hit.payload["text"]) == ("A", "")


def test_as_many_are_listed_as_are_asked_for() -> None:
    index = permitted(AskedIndex(HITS), InForce(deleted(*(f"d{place}" for place in range(10)))))
    assert len(index.beginnings(OWN, 5)) == 5
