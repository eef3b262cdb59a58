"""What documents are in, in both databases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipelines.catalog import Catalog, Outcome, RightsRead
from pipelines.catalog.documents import Indexed
from pipelines.catalog.outcomes import Readers
from pipelines.catalog.revocations import EVERYBODY

ADA, BO = "user:ada", "user:bo"
TREE = {"top": (), "middle": ("folder", "top"), "leaf": ("folder", "top", "middle"), "beside": ("other",)}


def read(catalog: Catalog, paths: Mapping[str, tuple[str, ...]], connection: str = "acme", unit: str = "a") -> None:
    """Documents are read, indexed and found by two people."""
    rights = RightsRead()
    for one, path in paths.items():
        rights.add(one, None, Readers((ADA, BO)), ())
        rights.parents[one] = path
    outcomes = [Outcome(id=one, status="pending", version="v", landed=True) for one in paths]
    catalog.commit_read(
        connection, unit, outcomes, documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None,
        rights=rights,
    )  # fmt: skip
    catalog.documents.record_indexed({one: Indexed("v", 1, (ADA, BO)) for one in paths})


def hidden(catalog: Catalog) -> set[str]:
    return {one for one, scope in catalog.revocations.load().documents.items() if scope.hidden}


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        ("top", {"middle", "leaf"}),
        ("folder", {"middle", "leaf", "top"}),
        ("middle", {"leaf"}),
        ("leaf", set()),
        ("unknown", set()),
    ],
)
def test_all_that_is_below_is_hidden(catalog: Catalog, gone: str, lost: set[str]) -> None:
    """`folder` is above `top` by what is told of `middle` alone: containers are known by what is in them."""
    read(catalog, TREE)
    catalog.parents.hide_below("acme", "a", [gone])
    assert hidden(catalog) == lost
    assert catalog.parents.doubtful("acme", "a") == sorted(lost)
    assert catalog.parents.doubtful_units("acme") == ({"a"} if lost else set())
    assert {one for one, state in catalog.documents.states(TREE).items() if state.hidden} == lost


def test_many_containers_are_gone_at_once_and_what_was_seen_stays(catalog: Catalog) -> None:
    documents = {f"d{number}": (f"c{number}",) for number in range(600)}
    read(catalog, documents)
    catalog.parents.hide_below("acme", "a", [f"c{number}" for number in range(599)], seen={"d7"})
    assert hidden(catalog) == documents.keys() - {"d7", "d599"}


def test_another_connections_containers_are_others(catalog: Catalog) -> None:
    read(catalog, {"one": ("folder",)})
    read(catalog, {"two": ("folder",), "three": ("one",)}, "other", "b")
    catalog.parents.hide_below("acme", "a", ["folder", "one"])
    assert hidden(catalog) == {"one"}


def test_what_was_read_in_another_unit_is_not_lost_with_what_is_gone_from_this_one(catalog: Catalog) -> None:
    """A page was moved with what is below it, and another process was first to read that."""
    read(catalog, TREE)
    read(catalog, {"leaf": TREE["leaf"]}, unit="b")
    catalog.parents.hide_below("acme", "a", ["top"])
    assert hidden(catalog) == {"middle"}
    catalog.rights.revoke("acme", "a", {"leaf": (EVERYBODY,)})
    assert (catalog.parents.doubtful("acme", "a"), catalog.parents.doubtful("acme", "b")) == (["middle"], ["leaf"])
    assert catalog.parents.doubtful_units("acme") == {"a", "b"}


def test_containers_in_a_circle_come_to_an_end(catalog: Catalog) -> None:
    read(catalog, {"a": (), "b": (), "x": ("a", "b", "a")})
    catalog.parents.hide_below("acme", "a", ["a"])
    assert hidden(catalog) == {"a", "b", "x"}


def test_readers_are_lost_below_where_there_were_such(catalog: Catalog) -> None:
    read(catalog, TREE)
    catalog.parents.revoke_below(
        "acme", "a", {"middle": (ADA,), "beside": (BO,), "top": ("user:nobody",)}, seen=("beside",)
    )
    found = catalog.revocations.load().documents
    assert {one: scope.tokens for one, scope in found.items()} == {"leaf": {ADA}}
    assert catalog.parents.doubtful("acme", "a") == ["leaf"]
    assert catalog.parents.doubtful_units("acme") == {"a"}


def test_it_is_known_of_all_documents_that_are_found_or_not(catalog: Catalog) -> None:
    assert catalog.parents.are_known("acme", "a")
    read(catalog, TREE)
    catalog.commit_read(
        "acme", "a", [Outcome(id="empty", status="skipped")], documents_path=None, unchanged=[], fingerprints={},
        listing=None, cursor=None,
    )  # fmt: skip
    assert catalog.parents.are_known("acme", "a")
    catalog.documents.record_indexed({"empty": Indexed("v", 1, (ADA,))})
    assert not catalog.parents.are_known("acme", "a")
    catalog.parents.record("acme", "a", {"empty": ("x" * 2_000, "folder")})
    assert catalog.parents.are_known("acme", "a")
