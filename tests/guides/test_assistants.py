"""Each configuration of an assistant's client reaches a server that was started, and finds what its person may see."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.guides.conftest import FOUND, PERSON, Answering
from tests.guides.fences import fences, page
from tests.paths import ROOT

PAGES = sorted((ROOT / "docs" / "assistants").glob("*.md"))
ADDRESS = "https://headrace.acme.com"
KEY = re.compile(r"\$\{(?:env:|input:)?(?:HEADRACE_KEY|headrace-key)\}|\$HEADRACE_KEY")
"""As Claude Code, Cursor, VS Code and a shell write where a secret goes."""


def servers() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Page, URL and headers of each server that a page has people configure."""
    for file in PAGES:
        for fence in fences(file, "json"):
            configured = json.loads(fence.text)
            for one in (configured.get("mcpServers") or configured["servers"]).values():
                yield file.name, one["url"], one.get("headers", {})
        for fence in fences(file, "sh"):
            yield file.name, *added_by_command(fence.text)


def added_by_command(text: str) -> tuple[str, Mapping[str, str]]:
    """What `claude mcp add` takes: options, a name, and the URL."""
    words = shlex.split(text)
    headers = [words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "--header"]
    assert words[:5] == ["claude", "mcp", "add", "--transport", "http"]
    return next(word for word in words if word.startswith("https://")), dict(headers)


async def ask(url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    async with (
        httpx2.AsyncClient(headers=dict(headers), timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        found = await client.call_tool("search", {"query": "why did the gateway lose readings?"})
        return dict(found.structured_content or {})


@pytest.mark.one_case
@pytest.mark.parametrize(("name", "url", "headers"), list(servers()))
def test_the_configuration_of_a_client_finds_what_its_person_may_see(
    answering: Answering, name: str, url: str, headers: Mapping[str, str]
) -> None:
    """Those without a key are for sign-in: there the client gets a token, which stands where the key would."""
    assert url == f"{ADDRESS}/mcp", name
    sent = {key: KEY.sub(answering.own_key, value) for key, value in headers.items()}
    sent.setdefault("Authorization", f"Bearer {answering.own_key}")
    found = asyncio.run(ask(url.replace(ADDRESS, answering.url), sent))
    assert [one["url"] for one in found["results"]] == [FOUND]


def test_every_client_is_in_the_table_and_in_the_menu() -> None:
    table = page("docs/assistants/README.md").read_text()
    menu = page("docs/zensical.toml").read_text()
    for file in PAGES:
        if file.name != "README.md":
            assert f"]({file.name})" in table
            assert f'"docs/assistants/{file.name}"' in menu


@pytest.mark.parametrize("name", ["langchain", "llamaindex"])
def test_a_retriever_has_fifteen_lines(name: str) -> None:
    """Imports and empty lines aside."""
    text = fences(page(f"docs/assistants/{name}.md"), "python")[0].text
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("import ", "from "))]
    assert len(lines) <= 15


def test_openais_client_finds_what_the_named_person_may_see(
    answering: Answering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_URL", answering.url)
    monkeypatch.setenv("HEADRACE_KEY", answering.key)
    [snippet] = fences(page("docs/assistants/README.md"), "python")
    assert PERSON in snippet.text
    exec(compile(snippet.text, "docs/assistants/README.md", "exec"), {})
    assert FOUND in capsys.readouterr().out
