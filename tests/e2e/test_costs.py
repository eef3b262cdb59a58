"""What connections cost, and budgets, by the installed command, against an embedding API that counts."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer, refusal, truncated
from tests.emulators.github import TOKEN, GitHub, Repository, serving
from tests.exposition import complaints, parse, value

PRICE = 20.0
ADA = "ada@acme.test"
KEY = "a-key-for-the-figures-of-costs"
PATIENCE = 120.0
SPENT_ALREADY = {"tokens_per_day": 1}
PLENTY = {"tokens_per_day": 1_000_000, "usd_per_month": 100}


@dataclass
class Company:
    """A folder with a connection for each of some repositories, and what their texts cost."""

    folder: Folder
    embeddings: EmbeddingsServer
    github: GitHub
    url: str
    metrics_port: int

    def settings(self, **budgets: dict[str, Any] | None) -> None:
        """Connections by id, each of the repository of its name, with its budget."""
        github = {"source": "github", "token": TOKEN, "base_url": self.url, "schedule": "0 0 1 1 *"}
        self.folder.settings(
            connections=[
                {**github, "id": name, "include": [f"acme/{name}"], **({"budget": budget} if budget else {})}
                for name, budget in budgets.items()
            ],
            embedding=embedding_settings(self.embeddings) | {"price_per_million_tokens": PRICE},
            metrics={"key": KEY, "worker_port": self.metrics_port},
        )

    def repository(self, name: str, issues: int) -> Repository:
        made = self.github.repository(f"acme/{name}", private=True, collaborators=["ada"])
        for number in range(1, issues + 1):
            self.github.issue(made, f"{name} {number}", f"The pump {number} of the {name} is stuck.")
        return made

    def sync(self, *targets: str) -> dict[str, Any]:
        ran = self.folder.headrace("sync", *targets, "--json")
        assert ran.code == 0, ran.errors
        return ran.json

    def costs(self, connection: str) -> dict[str, Any]:
        status = self.folder.headrace("status", "--json").json
        return next(one["costs"] for one in status["connections"] if one["id"] == connection)

    def found(self, word: str) -> bool:
        """Whether the person finds a text with this word."""
        ran = self.folder.headrace("search", word, "--mode", "lexical", "--user", ADA, "--json")
        return any(word in chunk["text"] for result in ran.json["results"] for chunk in result["chunks"])


@pytest.fixture
def company(folder: Folder) -> Iterator[Company]:
    github = GitHub(emails={"ada": ADA})
    with ExitStack() as opened:
        url = opened.enter_context(serving(github))
        embeddings = opened.enter_context(EmbeddingsServer(dimensions=64))
        yield Company(folder, embeddings, github, url, free_port())


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_status_tells_of_each_connection_what_its_apis_have_counted(company: Company) -> None:
    """What was answered and could not be read is billed, and so is what is sent once more."""
    company.repository("mill", issues=3)
    company.repository("dam", issues=5)
    company.settings(mill={}, dam={})
    counted: dict[str, dict[str, int]] = {}
    company.embeddings.faults += [refusal(429, retry_after="0"), truncated]
    for name in ("mill", "dam"):
        before = company.embeddings.counters()
        company.github.forget()
        report = company.sync(name)
        now = company.embeddings.counters()
        counted[name] = {one: now[one] - before[one] for one in ("requests", "tokens")}
        counted[name]["source"] = len(company.github.log)
        assert (report["embedding"]["requests"], report["embedding"]["tokens"]) == (
            counted[name]["requests"],
            counted[name]["tokens"],
        )
    assert counted["mill"]["requests"] == 3
    before = company.embeddings.counters()
    assert company.folder.headrace("search", "a stuck pump").code == 0
    question = company.embeddings.counters()["tokens"] - before["tokens"]
    status = company.folder.headrace("status", "--json").json
    for one in status["connections"]:
        today, expected = one["costs"]["today"], counted[one["id"]]
        assert (today["embedding_requests"], today["tokens"]) == (expected["requests"], expected["tokens"])
        assert today["requests"] == expected["source"]
        assert today["cost_usd"] == pytest.approx(expected["tokens"] * PRICE / 1e6, abs=1e-6)
        assert one["costs"]["days"] == [{"day": f"{datetime.now(UTC):%Y-%m-%d}", **today}]
        assert (one["costs"]["month"], one["costs"]["budget"]) == (today, None)
    assert status["questions"]["costs"]["today"]["tokens"] == question > 0
    lines = company.folder.headrace("status").output.splitlines()
    assert [line.split()[0] for line in lines if f"{datetime.now(UTC):%Y-%m-%d}" in line.split()[1:2]] == [
        "mill",
        "dam",
        "(questions)",
    ]


def test_a_budget_that_is_spent_holds_up_new_texts_and_nothing_else(company: Company) -> None:
    mill = company.repository("mill", issues=4)
    company.settings(mill={})
    company.sync()
    paid = company.embeddings.inputs
    company.settings(mill=SPENT_ALREADY)
    company.github.edit_issue(mill, 1, body="Now the turbine hums.")
    company.github.edit_issue(mill, 2, title="The renamed one")
    company.github.delete_issue(mill, 3)
    said = company.folder.headrace("sync", "--full")
    assert (said.code, company.embeddings.inputs) == (0, paid), said.errors
    wait = "mill: 1 documents wait for the budget to be embedded: "
    assert f"waiting  {wait}" in said.output
    assert wait in said.errors, "the log says so as well"
    found = {text: company.found(text) for text in ("turbine", "pump 1", "pump 3", "pump 4")}
    assert found == {"turbine": False, "pump 1": False, "pump 3": False, "pump 4": True}, "what was taken out is gone"
    (renamed, *_) = company.folder.headrace("search", "renamed", "--mode", "lexical", "--json").json["results"]
    assert renamed["title"] == "The renamed one"
    _shows_what_waits(company, renamed["document_id"].replace("issues/2", "issues/1"))
    mill.collaborators = []
    assert company.sync()["waiting"].keys() == {"mill"}, "with nothing new it says so too"
    assert not company.found("pump 4"), "who lost the right finds nothing"
    mill.collaborators = ["ada"]
    company.settings(mill=PLENTY)
    paid = company.embeddings.inputs
    assert company.sync()["waiting"] == {}
    assert company.found("turbine")
    assert (company.embeddings.inputs, company.embeddings.counters()["repeated"]) == (paid + 1, 0)
    costs = company.costs("mill")["budget"]
    assert (costs["is_spent"], costs["waiting_documents"]) == (False, 0)


def _shows_what_waits(company: Company, document: str) -> None:
    status = company.folder.headrace("status", "--json").json
    (connection,) = status["connections"]
    budget = connection["costs"]["budget"]
    assert (budget["is_spent"], budget["waiting_documents"], connection["totals"]["failed"]) == (True, 1, 0)
    assert budget["resumes_at"].endswith("T00:00:00+00:00")
    assert [one["kind"] for one in status["health"]["incidents"]] == ["budget"]
    findings = company.folder.headrace("check", "--json").json["findings"]
    (finding,) = [one for one in findings if one["subject"] == "mill: budget"]
    assert (finding["ok"], "1 documents wait" in finding["detail"]) == (False, True)
    explained = company.folder.headrace("explain", document, "--user", ADA).output
    assert "its text was replaced at the source, and the new one waits to be indexed" in explained
    (line,) = [line for line in explained.splitlines() if line.split()[:1] == ["vectors"]]
    assert "waiting: 1 documents wait for the budget" in line


@pytest.mark.slow
def test_a_worker_goes_on_with_what_waited_once_there_is_room_and_says_what_it_spent(company: Company) -> None:
    company.repository("mill", issues=2)
    company.settings(mill=SPENT_ALREADY)
    assert company.sync()["waiting"].keys() == {"mill"}  # the first request has room: one text at a time
    company.settings(mill=PLENTY)
    with company.folder.started("worker") as worker:
        # Each look is a command of its own: not before there is something to be seen.
        until(lambda: company.embeddings.inputs == 2)
        until(lambda: company.found("pump 2"))
        figures = httpx.get(f"http://127.0.0.1:{company.metrics_port}/metrics").text
        worker.send_signal(signal.SIGTERM)
    families = parse(figures)
    assert complaints(figures) == []
    assert value(families, "headrace_embedding_tokens_total", connection="mill") == company.embeddings.tokens
    assert value(families, "headrace_spent_today_tokens", connection="mill") == company.embeddings.tokens
    cost = pytest.approx(company.embeddings.tokens * PRICE / 1e6)
    assert value(families, "headrace_spent_month_usd", connection="mill") == cost
    assert value(families, "headrace_budget_spent", connection="mill") == 0
    assert 0 < value(families, "headrace_budget_used_ratio", connection="mill", limit="usd_per_month") < 1
    assert company.embeddings.counters()["repeated"] == 0


def test_a_backfill_beyond_the_budget_says_so_before_it_starts(company: Company) -> None:
    company.repository("mill", issues=12)
    company.settings(mill={"usd_per_month": 0.0005})
    planned = company.folder.headrace("backfill", "mill", "--dry-run", "--json")
    assert "more than the " in planned.json["beyond_budget"]
    ran = company.folder.headrace("backfill", "mill", "--json")
    assert (ran.code, "that the budget of mill leaves" in ran.errors) == (0, True)
    assert ran.json["waiting"].keys() == {"mill"}
    month = company.costs("mill")["month"]
    assert month["tokens"] == company.embeddings.tokens
    assert month["cost_usd"] >= 0.0005 > (month["tokens"] - 40) * PRICE / 1e6, "beyond it by a text, at the most"


@pytest.mark.slow
@pytest.mark.parametrize("budget", [PLENTY, None], ids=["with a budget", "without one"])
def test_a_kill_loses_no_more_than_what_was_not_answered(company: Company, budget: dict[str, float] | None) -> None:
    company.repository("mill", issues=200)
    company.settings(mill=budget)
    company.embeddings.latency_ms = 300
    command = company.folder.started("sync")
    until(lambda: company.embeddings.requests >= 3)
    command.kill()
    command.wait()
    until(lambda: company.embeddings.under_way == 0)
    company.embeddings.latency_ms = 0
    today = company.costs("mill")["today"]
    billed = company.embeddings.tokens
    assert 0 < today["tokens"] <= billed <= today["tokens"] + today["unanswered_tokens"]
    assert today["embedding_requests"] == company.embeddings.requests
    company.sync()
    assert company.costs("mill")["today"]["tokens"] + company.embeddings.counters()["repeated"] * 40 >= billed
    assert company.found("pump 200")


@pytest.mark.parametrize(
    ("embedding", "advice"),
    [({"provider": "local"}, "tokens_per_day"), ({}, "embedding.price_per_million_tokens")],
)
def test_a_budget_in_dollars_needs_a_price(company: Company, embedding: dict[str, Any], advice: str) -> None:
    connection = {"id": "mill", "source": "github", "token": TOKEN, "budget": {"usd_per_month": 1}}
    company.folder.settings(connections=[connection], embedding=embedding or embedding_settings(company.embeddings))
    ran = company.folder.headrace("check")
    assert (ran.code, "connections[0].budget.usd_per_month" in ran.errors, advice in ran.errors) == (2, True, True)
