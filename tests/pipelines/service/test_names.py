"""Containers by their names, where one above has no title for whoever reads, or two are called alike; and a person who
is called otherwise elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.contract import Account
from connectors.model import Parent, Unit
from connectors.notion.settings import NotionConnection
from connectors.slack.settings import SlackConnection
from tests.pipelines.service.indexed import UnitContent, indexed, of
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_browse import browse

NOTION = NotionConnection(id="wiki", source="notion", token=SecretStr("t"), readers=("public",))
SLACK = SlackConnection(id="talk", source="slack", token=SecretStr("t"))
SPACE = Unit("p1", "Mills", "https://www.notion.so/p1")
CHANNEL = Unit("C1", "plans", "https://acme.slack.com/archives/C1")
TOP, HIDDEN = Parent("notion:wiki/p1", "Mills"), Parent("notion:wiki/hidden", "")
BELOW = Parent("notion:wiki/below", "Below it")
PLANS = [Parent("notion:wiki/plans-a", "Plans"), Parent("notion:wiki/plans-b", "Plans")]
PLACES = {"deep": (TOP, HIDDEN, BELOW), "a": (TOP, PLANS[0]), "b": (TOP, PLANS[1])}
TALK = Parent("slack:talk/C1", "plans")
SHARED, UNTITLED = Parent("slack:talk/shared", "Osprey"), Parent("slack:talk/shared", "")
NAMES = {"wiki": "Ada L.", "talk": "Ada Lovelace"}
THREADS: dict[str, dict[str, Any]] = {
    "Open": {"parents": (TALK, UNTITLED)},
    "Secret": {"parents": (TALK, SHARED), "readers": ("user:bo@example.com",)},
}


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    pages = [of(NOTION, SPACE, f"notion:wiki/{one}", one, SPACE.url, "Text.", parents=at) for one, at in PLACES.items()]
    threads = [
        of(SLACK, CHANNEL, f"slack:talk/{one}", one, CHANNEL.url, "Text.", **own) for one, own in THREADS.items()
    ]
    contents: list[UnitContent] = [(NOTION, SPACE, pages), (SLACK, CHANNEL, threads)]
    with indexed(module_folder("names"), contents) as services:
        for connection, name in NAMES.items():
            services.catalog.accounts.replace(connection, [Account("ada", name, emails=("ada@example.com",))])
        with served(app_of(services)) as address:
            yield address


def headers(person: str) -> dict[str, str]:
    return {"Authorization": "Bearer people-key", "X-Headrace-User": person}


def containers(url: str, person: str = "ada@example.com") -> set[str]:
    answer = httpx.get(f"{url}/v1/facets", headers=headers(person), params={"fields": "parents"}).json()
    return {one["name"] for one in answer["parents"]}


def found_in(url: str, container: str) -> set[str]:
    asked = {"query": "text", "filters": {"parents_in": [container]}}
    answer = httpx.post(f"{url}/v1/search", headers=headers("ada@example.com"), json=asked)
    assert answer.status_code == 200, answer.text
    return {one["title"] for one in answer.json()["results"]}


def test_what_is_below_a_container_without_a_title_has_its_name(url: str) -> None:
    assert {"Mills", "Below it", HIDDEN.id} <= containers(url)
    assert found_in(url, "below it") == {"deep"}
    shown = browse(url, "Below it")
    assert (shown["path"], [one["title"] for one in shown["children"]]) == (["Mills", "Below it"], ["deep"])
    (result,) = httpx.post(
        f"{url}/v1/search",
        headers=headers("ada@example.com"),
        json={"query": "text", "filters": {"parents_in": ["Below it"]}},
    ).json()["results"]
    assert result["breadcrumb"] == ["Mills", "Below it"]


def test_a_title_is_told_to_whoever_reads_a_document_that_has_it(url: str) -> None:
    assert SHARED.title in containers(url, "bo@example.com")
    assert SHARED.title not in containers(url)
    assert SHARED.id in containers(url)


def test_of_one_name_all_are_shown(url: str) -> None:
    shown = browse(url, "plans")
    assert (shown["id"], shown["path"], shown["total"]) == ("plans", ["plans"], 3)
    named = {one["id"]: (one["title"], one["documents"]) for one in shown["children"]}
    assert named == {one.id: ("Mills › Plans", 1) for one in PLANS} | {"slack:talk/C1": ("plans", 1)}
    for one, inside in zip(named, (["a"], ["b"], [SHARED.id]), strict=True):
        assert [child["title"] for child in browse(url, one)["children"]] == inside


def test_a_person_of_two_names_is_listed_once_with_all_documents(url: str) -> None:
    ada = headers("ada@example.com")
    (listed,) = httpx.get(f"{url}/v1/facets", headers=ada, params={"fields": "authors"}).json()["authors"]
    assert (listed["name"], listed["documents"]) == (NAMES["wiki"], len(PLACES) + 1)
    for name in NAMES.values():
        asked = {"query": "text", "filters": {"authors": [name]}}
        found = httpx.post(f"{url}/v1/search", headers=ada, json=asked).json()["results"]
        assert len(found) == listed["documents"]
