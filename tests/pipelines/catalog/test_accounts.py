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


@pytest.mark.each_value
@pytest.mark.parametrize("known_by", ["ada-l", "ADA@example.com", "ada lovelace", " Ada.L. ", "u1"])
def test_a_person_is_all_that_they_are_known_by(catalog: Catalog, known_by: str) -> None:
    known = catalog.accounts.known_as(known_by)
    for connection, author in (("code", "Ada-L"), ("talk", "Ada Lovelace"), ("talk", "ada"), ("wiki", "ada-lovelace")):
        assert known.is_author(connection, author)
    for connection, author in (("code", "bo"), ("code", "ada"), ("talk", "Sam")):
        assert not known.is_author(connection, author)


def test_people_of_one_name_are_both_meant_by_it_and_not_by_an_address(catalog: Catalog) -> None:
    assert catalog.accounts.known_as("sam").is_author("talk", "U2")
    assert catalog.accounts.known_as("sam").is_author("talk", "U3")
    assert not catalog.accounts.known_as("sam@one.test").is_author("talk", "U3")
    assert not catalog.accounts.known_as("nobody").is_author("talk", "Sam")


def test_a_login_has_the_name_that_another_source_tells(catalog: Catalog) -> None:
    named = {("code", "Ada-L"), ("talk", "ada"), ("wiki", "ada-lovelace")}
    authors = [*named, ("code", "bo"), ("talk", "Ada Lovelace"), ("other", "ada"), ("wiki", "Ada Lovelace")]
    assert catalog.accounts.names(authors) == dict.fromkeys(named, "Ada Lovelace")


def test_who_is_told_of_no_more_is_forgotten_but_not_where_nobody_was_asked_for(catalog: Catalog) -> None:
    catalog.accounts.replace("code", [])
    assert catalog.accounts.known_as(ADA).is_author("code", "ada-l")
    catalog.accounts.replace("code", [Account("bo", "Bo")])
    assert not catalog.accounts.known_as(ADA).is_author("code", "ada-l")
