"""One person is known by all of their logins, names and addresses, and by nobody else's."""

from __future__ import annotations

import pytest

from connectors.contract import Account
from pipelines.catalog import Catalog

ADA = "ada@example.com"


@pytest.fixture(autouse=True)
def _people(catalog: Catalog) -> None:
    catalog.accounts.replace(
        "code", [Account("ada-l", "", emails=(ADA,)), Account("bo", "", emails=("bo@example.com",))]
    )
    talk = [
        Account("U1", "Ada Lovelace", ("ada", "Ada  L."), (ADA.upper(),)),
        Account("U2", "Sam", emails=("sam@one.test",)),
        Account("U3", "Sam", emails=("sam@two.test",)),
        Account("U4", "Gone", emails=("",)),
    ]
    catalog.accounts.replace("talk", talk)


@pytest.mark.parametrize("known_by", ["ada-l", "ADA@example.com", "ada lovelace", " Ada L. ", "u1"])
def test_a_person_is_all_that_they_are_known_by(catalog: Catalog, known_by: str) -> None:
    assert catalog.accounts.aliases(known_by) == {"ada-l", ADA, "u1", "ada lovelace", "ada", "ada l."}


def test_people_of_one_name_are_both_meant_by_it_and_not_by_an_address(catalog: Catalog) -> None:
    assert {"sam@one.test", "sam@two.test"} <= catalog.accounts.aliases("sam")
    assert "sam@two.test" not in catalog.accounts.aliases("sam@one.test")
    assert catalog.accounts.aliases("nobody") == frozenset()


def test_a_login_has_the_name_that_another_source_tells(catalog: Catalog) -> None:
    authors = [("code", "Ada-L"), ("code", "bo"), ("talk", "ada"), ("talk", "Ada Lovelace"), ("other", "ada-l")]
    assert catalog.accounts.names(authors) == {("code", "Ada-L"): "Ada Lovelace", ("talk", "ada"): "Ada Lovelace"}
    assert catalog.accounts.people(["ada-l", "bo", "Sam"]) == {"ada-l": "Ada Lovelace"}


def test_who_is_told_of_no_more_is_forgotten_but_not_where_nobody_was_asked_for(catalog: Catalog) -> None:
    catalog.accounts.replace("code", [])
    assert "ada-l" in catalog.accounts.aliases(ADA)
    catalog.accounts.replace("code", [Account("bo", "Bo")])
    assert "ada-l" not in catalog.accounts.aliases(ADA)
