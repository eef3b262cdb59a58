"""One question, asked by the same person on every interface of the running service, has one answer."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import httpx2
import openai
import pytest
from lxml import html
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import Folder, company_settings
from tests.emulators.company import bundled_records, free_port, served
from tests.emulators.embeddings import EmbeddingsServer

QUESTION = "engineering onboarding guide"
PEOPLE = ("ava.chen@acme.com", "stranger@example.com")
CHROMIUM = shutil.which("chromium")


@contextmanager
def serving(folder: Folder) -> Iterator[str]:
    """`headrace serve`, until it answers and then until the context ends."""
    port = free_port()
    process = folder.started("serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"{url}/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def by_http(url: str, key: str, person: str, top_k: int = 50) -> httpx.Response:
    body = {"query": QUESTION, "user": person, "top_k": top_k}
    return httpx.post(f"{url}/v1/search", headers={"Authorization": f"Bearer {key}"}, json=body, timeout=60)


def by_curl(url: str, key: str, person: str) -> set[str]:
    return {one["document_id"] for one in by_http(url, key, person).raise_for_status().json()["results"]}


def by_openai(url: str, key: str, person: str) -> set[str]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, default_headers={"X-Headrace-User": person}) as client:
        return {one.file_id for one in client.vector_stores.search("people", query=QUESTION, max_num_results=50)}


def by_mcp(url: str, key: str, person: str) -> set[str]:
    async def asked() -> set[str]:
        headers = {"Authorization": f"Bearer {key}", "X-Headrace-User": person}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            found = await client.call_tool("search", {"query": QUESTION, "top_k": 50})
            return {one["id"] for one in found.structured_content["results"]}

    return asyncio.run(asked())


def units_of(url: str, key: str, person: str) -> set[str]:
    """The units that filters can ask for, by name."""
    headers = {"Authorization": f"Bearer {key}", "X-Headrace-User": person}
    told = httpx.get(f"{url}/v1/facets", headers=headers, params={"fields": "units", "limit": 1_000}, timeout=60)
    return {one["name"] for one in told.raise_for_status().json()["units"]}


def questions_from_feedback(url: str, key: str, folder: Folder) -> list[tuple[str, str]]:
    """What a golden file holds once somebody has found the first document of an answer good."""
    answer = by_http(url, key, PEOPLE[0], top_k=10).raise_for_status()  # as many as an evaluation looks at
    said = {
        "request_id": answer.headers["x-request-id"],
        "document_id": answer.json()["results"][0]["document_id"],
        "rating": "good",
        "user": PEOPLE[0],
    }
    headers = {"Authorization": f"Bearer {key}"}
    httpx.post(f"{url}/v1/feedback", headers=headers, json=said, timeout=60).raise_for_status()
    done = folder.headrace("eval", "golden.jsonl", "--from-feedback", "--json")
    assert (done.code, done.json["total"]["mrr_at_10"]) == (0, 1)
    lines = (folder.path / "golden.jsonl").read_text().splitlines()
    return [(one["query"], one["user"]) for one in map(json.loads, lines)]


def titles_on_page(url: str, key: str, person: str, folder: Folder) -> list[str]:
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder.path / 'browser'}")
    address = f"{url}/#{urlencode({'key': key, 'user': person, 'q': QUESTION})}"
    command = [str(CHROMIUM), *flags, "--virtual-time-budget=8000", "--dump-dom", address]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return [str(title) for title in html.fromstring(shown).xpath("//li/h2/a/text()")]


@pytest.fixture
def service(folder: Folder, embeddings: EmbeddingsServer, tmp_path: Path) -> Iterator[str]:
    with served(bundled_records(), tmp_path / "company", free_port()) as sources:
        folder.settings(**company_settings(sources, embeddings))
        done = folder.headrace("sync", "acme-drive", "acme-notion", "--json")
        assert (done.code, done.json["errors"]) == (0, {})
    with serving(folder) as url:
        yield url


@pytest.mark.slow
def test_all_interfaces_answer_alike_until_the_key_is_revoked(service: str, folder: Folder) -> None:
    key = folder.headrace("assistants", "add", "people", "--json").json["api_key"]
    answers = {}
    for person in PEOPLE:
        answers[person] = by_curl(service, key, person)
        assert by_openai(service, key, person) == answers[person]
        assert by_mcp(service, key, person) == answers[person]
    assert answers[PEOPLE[1]] < answers[PEOPLE[0]]
    assert units_of(service, key, PEOPLE[1]) < units_of(service, key, PEOPLE[0])
    assert questions_from_feedback(service, key, folder) == [(QUESTION, PEOPLE[0])]
    assert folder.headrace("assistants", "revoke", "people").code == 0
    assert by_http(service, key, PEOPLE[0]).status_code == 401
    with pytest.raises(openai.AuthenticationError):
        by_openai(service, key, PEOPLE[0])


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_the_page_shows_what_is_answered(service: str, folder: Folder) -> None:
    key = folder.headrace("assistants", "add", "people", "--json").json["api_key"]
    answered = by_http(service, key, PEOPLE[0]).json()["results"][:10]
    assert sorted(titles_on_page(service, key, PEOPLE[0], folder)) == sorted(one["title"] for one in answered)
