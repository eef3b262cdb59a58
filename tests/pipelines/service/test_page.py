"""The search page: what it may load, and what it shows in a browser where there is one."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from lxml import html

from pipelines.services import Services
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO, HOSTILE, SEES

CHROMIUM = shutil.which("chromium")
in_a_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium on PATH")


@pytest.fixture
def shown(url: str, tmp_path: Path) -> Callable[..., Any]:
    """The page as it stands once it has asked."""

    def show(path: str = "", **asked: str) -> Any:
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}")
        address = f"{url}/{path}#{urlencode(asked)}"
        command = [str(CHROMIUM), *flags, "--virtual-time-budget=5000", "--dump-dom", address]
        return html.fromstring(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)

    return show


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_nothing_comes_from_elsewhere(client: TestClient, path: str) -> None:
    page = html.fromstring(client.get(path).content)
    assert not page.xpath("//script[@src] | //link[@rel='stylesheet'] | //img | //iframe | //object")
    assert all(link.startswith(("data:", "/")) or link == "openapi.json" for link in page.xpath("//@href"))
    assert "@import" not in page.xpath("string(//style)")


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_only_the_script_that_was_written_may_run(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    (script,) = html.fromstring(answer.content).xpath("//script/text()")
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    for words in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert words not in script


def test_every_field_can_be_named(client: TestClient) -> None:
    page = html.fromstring(client.get("/").content)
    for field in page.xpath("//input | //select"):
        assert field.get("aria-label") or field.xpath("ancestor::label")


@in_a_browser
@pytest.mark.parametrize("person", [ADA, BO])
def test_a_person_sees_what_the_api_answers(shown: Callable[..., Any], client: TestClient, person: str) -> None:
    page = shown(key="people-key", user=person, q="certificate has expired")
    asked = {"query": "certificate has expired", "user": person}
    answer = client.post("/v1/search", headers={"Authorization": "Bearer people-key"}, json=asked).json()
    assert sorted(page.xpath("//li/h2/a/text()")) == sorted(one["title"] for one in answer["results"])
    assert len(answer["results"]) == len(SEES[person])
    assert {mark.lower() for mark in page.xpath("//mark/text()")} == {"certificate", "expired"}
    assert not page.xpath("//*[@id='status'][@class='trouble']")
    assert all("updated" in text for text in (one.text_content() for one in page.xpath("//p[@class='about']")))


@in_a_browser
def test_who_is_known_to_no_source_is_told(shown: Callable[..., Any]) -> None:
    page = shown(key="people-key", user="stranger@example.com", q="certificate has expired")
    assert "1 document" in page.xpath("string(//*[@id='status'])")
    assert "no source knows the person who asks" in page.xpath("string(//*[@id='status'][@class='trouble'])")


@in_a_browser
def test_a_hostile_document_is_shown_as_text(shown: Callable[..., Any]) -> None:
    page = shown(key="people-key", user=BO, q="certificate")
    links = {link.text: link.get("href") for link in page.xpath("//li/h2/a")}
    assert links == {HOSTILE["title"]: None, "Issue 1": document().url}
    assert (page.findtext(".//title"), page.xpath("//li//img")) == ("Headrace", [])


@in_a_browser
def test_a_wrong_key_is_told_and_can_be_corrected(shown: Callable[..., Any]) -> None:
    page = shown(key="wrong", user=ADA, q="certificate")
    assert "key of an assistant" in page.xpath("string(//*[@id='status'])")
    assert page.xpath("//input[@id='key']/@hidden") == []


@in_a_browser
def test_the_api_is_described_for_people(shown: Callable[..., Any], client: TestClient) -> None:
    page = shown("docs")
    described = client.get("/openapi.json").json()["paths"]
    shown_paths = {heading.text_content() for heading in page.xpath("//section/h2")}
    assert shown_paths == {f"{method}{path}" for path, operations in described.items() for method in operations}
    assert "X-Headrace-User" in page.xpath("string(//*[@id='about'])")
    assert any("my-assistant/search" in example for example in page.xpath("//pre/text()"))


@pytest.fixture
def outage(services: Services) -> Iterator[None]:
    """The source does not answer."""
    failures = services.catalog.failures
    failures.record("listing", "acme", "", "source_unavailable", "https://api.test/secret-project: HTTP 503")
    yield
    failures.resolve("listing", "acme")


@in_a_browser
def test_what_is_in_trouble_stands_on_the_page(shown: Callable[..., Any], outage: None) -> None:
    page = shown(key="people-key", user=ADA, q="certificate has expired")
    said = page.xpath("string(//p[@id='health'])")
    assert said.startswith("What is new may be missing.\nacme: the source does not answer, since ")
    assert "secret-project" not in said
    assert page.xpath("//li/h2/a"), "what is published is found all the same"


@in_a_browser
def test_sources_that_are_connected_can_be_chosen_and_no_others(shown: Callable[..., Any]) -> None:
    page = shown(key="people-key", user=ADA)
    assert page.xpath("//*[@id='sources']/button/text()") == ["GitHub"]
    assert not shown(key="wrong").xpath("//*[@id='sources']/button")
