"""An agent without a model does ten tasks through the tools alone, each within 20,000 tokens, over real MCP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp_types import TextResourceContents
from pydantic import SecretStr

from connectors.contract import Account
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.notion.settings import NotionConnection
from connectors.slack.settings import SlackConnection
from pipelines.chunking.tokens import estimate_tokens
from tests.pipelines.service.indexed import UnitContent, indexed, of
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_mcp import connected, text_of

BUDGET = 20_000
"""Tokens of all that one task is answered, in both forms where there are two."""
REPOSITORY = Unit("77", "acme/api", "https://github.com/acme/api")
INCIDENTS = Unit("C01", "incidents", "https://acme.slack.com/archives/C01")
HANDBOOKS = Unit("p1", "Handbooks", "https://www.notion.so/p1")
GITHUB = GitHubConnection(id="code", source="github", token=SecretStr("t"))
SLACK = SlackConnection(id="talk", source="slack", token=SecretStr("t"))
NOTION = NotionConnection(id="wiki", source="notion", token=SecretStr("t"), readers=("public",))
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
PULL, ISSUE = "github:code/77/pull/14", "github:code/77/issues/12"
THREAD, OLD_THREAD = "slack:talk/C01/threads/2", "slack:talk/C01/threads/1"
HANDBOOK, RUNBOOK = "notion:wiki/handbook", "notion:wiki/runbook"
SECRET = "slack:talk/C01/threads/3"


def on(day: int) -> datetime:
    return datetime(2026, 11, day, 9, tzinfo=UTC)


def handbook() -> str:
    sections = (f"## Section {number}\n\nRule {number}: {'keep the gauge clean. ' * 90}" for number in range(1, 41))
    return "\n\n".join(sections)


CODE_URL, TALK_URL, WIKI_URL = REPOSITORY.url, INCIDENTS.url, HANDBOOKS.url
SAID = "**Ada**: INC-31 again.\n\nBo proposes https://github.com/acme/api/pull/14, which should be merged today."
DROPPED = "The gateway drops readings when its certificate expires."
RENEW = "Renew the certificate with `make renew`."
ONLY_BO = ("user:bo@example.com",)


def company() -> list[UnitContent]:
    code, talk, wiki = partial(of, GITHUB, REPOSITORY), partial(of, SLACK, INCIDENTS), partial(of, NOTION, HANDBOOKS)
    pull = {"kind": "pull_request", "author": "ada-l", "updated_at": on(25)}
    return [
        (
            GITHUB,
            REPOSITORY,
            [
                code(ISSUE, "Readings are dropped", f"{CODE_URL}/issues/12", DROPPED, kind="issue"),
                code(PULL, "Renew certificates in time", f"{CODE_URL}/pull/14", "Closes #12.", **pull),
            ],
        ),
        (
            SLACK,
            INCIDENTS,
            [
                talk(OLD_THREAD, "Disk full", f"{TALK_URL}/p1", "The disk is full.", updated_at=on(2)),
                talk(THREAD, "INC-31", f"{TALK_URL}/p2", SAID, updated_at=on(24)),
                talk(SECRET, "Layoffs", f"{TALK_URL}/p3", SAID, updated_at=on(26), readers=ONLY_BO),
            ],
        ),
        (
            NOTION,
            HANDBOOKS,
            [
                wiki(HANDBOOK, "Gauge handbook", f"{WIKI_URL}/h", handbook(), updated_at=on(3)),
                wiki(
                    RUNBOOK,
                    "Runbook: certificates",
                    f"{WIKI_URL}/r",
                    RENEW,
                    author="Ada Lovelace",
                    updated_at=on(20),
                ),
            ],
        ),
    ]


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    with indexed(module_folder("agent"), company()) as services:
        services.catalog.accounts.replace("code", [Account("ada-l", "", emails=("ada@example.com",))])
        services.catalog.accounts.replace("talk", [Account("U1", "Ada Lovelace", emails=("ada@example.com",))])
        with served(app_of(services)) as address:
            yield address


@dataclass
class Agent:
    """Calls tools, and counts what it has to read."""

    client: Client
    tokens: int = 0

    async def call(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        self.tokens += estimate_tokens(result.model_dump_json(by_alias=True, exclude_none=True))
        text = text_of(result)
        return text if result.is_error else json.loads(text)


Task = Callable[[Agent], Awaitable[Any]]


async def what_changed_in_incidents_since_monday(agent: Agent) -> Any:
    found = await agent.call("recent_changes", unit="#incidents", since=MONDAY.isoformat())
    return [one["id"] for one in found["changes"]]


async def read_the_third_part_of_the_handbook(agent: Agent) -> Any:
    found = await agent.call("search", query="gauge handbook", top_k=3, max_tokens=500)
    first = await agent.call("fetch", id=found["results"][0]["id"], limit=4_000)
    second = await agent.call("fetch", id=first["id"], limit=4_000, offset=first["next_offset"])
    third = await agent.call("fetch", id=first["id"], limit=4_000, offset=second["next_offset"])
    return third["id"], third["part"], "Rule 21:" in third["text"], "Rule 1:" in third["text"]


async def which_thread_led_to_pull_request_14(agent: Agent) -> Any:
    found = await agent.call("search", query="pull request 14 certificates", filters={"kinds": ["pull_request"]})
    related = await agent.call("related", id=found["results"][0]["id"])
    return [(one["id"], "Bo proposes" in one["text"]) for one in related["mentioned_by"]]


async def which_issue_does_it_close(agent: Agent) -> Any:
    return [one["id"] for one in (await agent.call("related", id=PULL))["mentions"]]


async def what_is_there_to_search(agent: Agent) -> Any:
    found = await agent.call("list_sources")
    return {unit["name"]: unit["documents"] for one in found["connections"] for unit in one["units"]}


async def what_is_in_the_channel(agent: Agent) -> Any:
    found = await agent.call("browse", container="#incidents")
    return [one["title"] for one in found["children"]]


async def who_wrote_the_runbook_and_when(agent: Agent) -> Any:
    found = await agent.call("search", query="runbook certificates", filters={"sources": ["notion"]}, top_k=1)
    (one,) = found["results"]
    return one["title"], one["author"], one["updated_at"][:10], one["path"]


async def what_has_ada_written_lately(agent: Agent) -> Any:
    found = await agent.call("recent_changes", person="ADA@example.com")
    return [(one["id"], one["author"]) for one in found["changes"]]


async def read_around_a_passage(agent: Agent) -> Any:
    found = await agent.call("search", query="Rule 33", filters={"parents_in": ["Handbooks"]}, top_k=1)
    (position, *_) = found["results"][0]["positions"]
    around = await agent.call("fetch", id=HANDBOOK, around=position, limit=2_000)
    return around["tokens"] <= 2_000 < around["total_tokens"]


async def put_a_channel_s_name_right(agent: Agent) -> Any:
    told = await agent.call("recent_changes", unit="#incident")
    return told, [one["id"] for one in (await agent.call("recent_changes", unit="incidents", limit=1))["changes"]]


TASKS: dict[Task, Any] = {
    what_changed_in_incidents_since_monday: [THREAD],
    read_the_third_part_of_the_handbook: (HANDBOOK, "part 3 of 6", True, False),
    which_thread_led_to_pull_request_14: [(THREAD, True)],
    which_issue_does_it_close: [ISSUE],
    what_is_there_to_search: {"acme/api": 2, "incidents": 2, "Handbooks": 2},
    what_is_in_the_channel: ["Disk full", "INC-31"],
    who_wrote_the_runbook_and_when: ("Runbook: certificates", "Ada Lovelace", "2026-11-20", ["Handbooks"]),
    what_has_ada_written_lately: [(PULL, "Ada Lovelace"), (RUNBOOK, "Ada Lovelace")],
    read_around_a_passage: True,
    put_a_channel_s_name_right: (
        "unit: no unit '#incident' among what you may see; near it: incidents",
        [THREAD],
    ),
}


@pytest.mark.parametrize(("task", "expected"), TASKS.items(), ids=[task.__name__ for task in TASKS])
def test_an_agent_answers_within_its_budget(url: str, task: Task, expected: Any) -> None:
    async def done() -> tuple[Any, int]:
        async with connected(url, person="ada@example.com") as client:
            agent = Agent(client)
            return await task(agent), agent.tokens

    answer, tokens = asyncio.run(done())
    print(f"{task.__name__}: {tokens} tokens")
    assert answer == expected
    assert tokens <= BUDGET


def test_documents_are_resources_under_the_same_rights(url: str) -> None:
    async def read() -> tuple[list[str], str, str]:
        async with connected(url, person="ada@example.com") as client:
            listed = [str(one.uri) for one in (await client.list_resources()).resources]
            (template,) = (await client.list_resource_templates()).resource_templates
            (first,) = (await client.read_resource(f"headrace://documents/{HANDBOOK}")).contents
            with pytest.raises(Exception, match="not visible"):
                await client.read_resource(f"headrace://documents/{SECRET}")
            assert isinstance(first, TextResourceContents)
            return listed, template.uri_template, first.text

    listed, template, text = asyncio.run(read())
    assert listed[0] == f"headrace://documents/{PULL}"
    assert f"headrace://documents/{SECRET}" not in listed
    assert template == "headrace://documents/{+id}{?offset}"
    assert "Rule 1:" in text
    assert f"[part 1 of 2; the next one: headrace://documents/{HANDBOOK}?offset=" in text


def test_what_may_not_be_seen_is_related_to_nothing(url: str) -> None:
    """The hidden thread mentions the pull request as well."""

    async def asked(person: str) -> set[str]:
        async with connected(url, person=person) as client:
            related = await Agent(client).call("related", id=PULL)
            return {one["id"] for one in related["mentioned_by"]}

    assert asyncio.run(asked("ada@example.com")) == {THREAD}
    assert asyncio.run(asked("bo@example.com")) == {THREAD, SECRET}


def test_nulls_are_what_is_left_out_and_errors_name_the_arguments(url: str) -> None:
    async def asked() -> tuple[Any, list[str]]:
        async with connected(url, person="ada@example.com") as client:
            agent = Agent(client)
            nulls = {"top_k": None, "max_tokens": None, "filters": {"sources": ["GitHub"], "units": None}}
            found = await agent.call("search", query="certificates", **nulls)
            wrong = [await agent.call("browse", container="nope"), await agent.call("recent_changes", person="nope")]
            return found, wrong

    found, wrong = asyncio.run(asked())
    assert {one["source"] for one in found["results"]} == {"github"}
    assert [one.partition(":")[0] for one in wrong] == ["container", "person"]


def test_titles_and_places_count_to_what_a_search_may_answer(url: str) -> None:
    async def asked() -> Any:
        async with connected(url, person="bo@example.com") as client:
            return await Agent(client).call("search", query="certificate INC-31", max_tokens=250, top_k=100)

    found = asyncio.run(asked())
    told = json.dumps(found["results"], ensure_ascii=False)
    assert found["left_out"] > 0
    assert estimate_tokens(told) <= 250 * 1.2


def test_what_is_behind_the_end_is_no_part_and_the_last_one_says_so(url: str) -> None:
    async def asked() -> tuple[list[str], list[Any]]:
        async with connected(url, person="ada@example.com") as client:
            agent = Agent(client)
            behind = [await agent.call("fetch", id=HANDBOOK, **one) for one in ({"around": 40}, {"offset": 10**9})]
            last = [await agent.call("fetch", id=HANDBOOK, around=39, limit=limit) for limit in (2_000, 700)]
            return behind, last

    behind, last = asyncio.run(asked())
    assert behind[0] == "around: the document has no passage 40; its last one is 39"
    assert behind[1].startswith("offset: is behind the end of the document, which has ")
    for one in last:
        _, number, _, count = one["part"].split()
        assert (number, one.get("next_offset")) == (count, None)
