"""`make bench-rights`: from a right that is taken away at the source to the moment when nobody finds by it any more.

The installed server and worker run on synced sources; these and the embedding API are emulated in this process, which
delivers the webhooks and asks. What is measured runs from the moment at which Headrace knows to the first answer
without the documents. It knows by the event itself, once its webhook is answered, all requests to the source included;
or by the answer of the source that tells, where the event only says to look again: of a listing, that is its last page.
A unit has as many documents as `--documents` says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from starlette.responses import JSONResponse

from tests.bench import processes, rights_in_drive, rights_in_notion
from tests.bench.asking import ADA, KEY, STRANGER, Answers, Delivery, Measured, System
from tests.bench.processes import wait_until_it_answers
from tests.bench.rights_in_drive import TeamDrive
from tests.bench.rights_in_notion import Handbook
from tests.emulators import drive as drive_emulator
from tests.emulators import github as github_emulator
from tests.emulators import notion as notion_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer, refusal
from tests.emulators.github import GitHub, Repository
from tests.emulators.slack import Slack

FEW = 10
MOST_PAGES = 1_000
"""Each page of Notion takes requests of its own: to load 10,000 takes longer than all that is measured."""


@dataclass
class Sources:
    """Repositories, channels, files and pages by what will happen to them, each with words of its own."""

    documents: int
    github: GitHub = field(default_factory=GitHub)
    slack: Slack = field(default_factory=lambda: Slack(clock=time.time() - 180))
    repositories: dict[str, Repository] = field(default_factory=dict)
    slip: str = ""
    """The message that is deleted from a day with another one."""
    team: TeamDrive = field(init=False)
    handbook: Handbook = field(init=False)

    def __post_init__(self) -> None:
        self.team = TeamDrive(self.documents)
        self.handbook = Handbook(min(self.documents, MOST_PAGES))
        self.github.emails = {"ada": ADA}
        for word in ("large", "leaving", "paused", "gated", "golden", "broken"):
            repository = self.github.repository(f"acme/{word}", collaborators=["ada"])
            repository.private = word in ("leaving", "paused")
            self.repositories[word] = repository
            for number in range(self.documents if word == "large" else FEW):
                self.github.issue(repository, f"Trouble {number}", f"The {word} pump {number} is stuck.")
        self.slack.person("U1", "ada")
        self.slack.person("U2", "stranger")
        self.slack.users["U2"]["profile"]["email"] = STRANGER
        self.slack.channel("C1", "board")
        self.slack.members["C1"] = ["U1"]
        for day in range(FEW):
            self.slack.say("C1", f"The board meets, {day}.", at=slack_emulator.START + day * slack_emulator.DAY)
        self.slack.channel("C2", "plant")
        self.slip = self.slack.say("C2", "The password of the sluice is 4711.")
        self.slack.say("C2", "The mill is quiet today.")

    def hub(self, event: str, repository: Repository, **payload: Any) -> Delivery:
        return "hub", *self.github.webhook(event, repository, **payload)


def rows(sources: Sources, system: System, api: EmbeddingsServer) -> Iterator[Measured]:
    """What happens, and how long somebody finds by the right that was lost."""
    yield from rights_in_drive.rows(sources.team, system)
    yield from rights_in_notion.rows(sources.handbook, system)
    yield from _rows_of_others(sources, system, api)


def _rows_of_others(sources: Sources, system: System, api: EmbeddingsServer) -> Iterator[Measured]:
    hub, chat, made = sources.github, sources.slack, sources.repositories

    made["large"].private = True
    system.deliver(sources.hub("repository", made["large"], action="privatized"))
    yield system.measure("repository made private", "large pump", STRANGER)
    system.wait_until_found("large pump", ADA)

    api.faults.extend([refusal(503)] * 10_000)
    hub.issue(made["broken"], "New", "Something that needs a vector of its own.")
    hub.delete_issue(made["broken"], 1)
    system.deliver(sources.hub("issues", made["broken"], action="deleted", issue={"number": 1}))
    yield system.measure("issue deleted, embedding API down", "broken pump 0", STRANGER)
    system.wait_until_found("broken pump", STRANGER)
    chat.delete("C2", sources.slip)
    told = {"type": "message", "subtype": "message_deleted", "channel": "C2", "deleted_ts": sources.slip}
    chat.clock = time.time()
    system.deliver(("chat", *chat.delivery(told)))
    yield system.measure("message of a day deleted, embedding API down", "password of the sluice", STRANGER)
    api.faults.clear()
    system.run("sync", "chat")
    system.wait_until_found("The mill is quiet", STRANGER)

    made["leaving"].collaborators.clear()
    system.deliver(sources.hub("member", made["leaving"], action="removed", member={"login": "ada"}))
    yield system.measure("collaborator removed", "leaving pump", ADA)

    chat.channels["C1"]["is_private"] = True
    chat.fail(10_000, lambda: slack_emulator.refusal("fatal_error"), only="conversations.history")
    converted = {"type": "message", "subtype": "channel_convert_to_private", "channel": "C1", "ts": "1.0", "user": "U1"}
    chat.clock = time.time()
    system.deliver(("chat", *chat.delivery(converted)))
    yield system.measure("channel made private, its history fails", "The board meets", STRANGER)
    system.wait_until_found("The board meets", ADA)

    system.run("pause", "hub")
    made["paused"].collaborators.clear()
    system.deliver(sources.hub("member", made["paused"], action="removed", member={"login": "ada"}))
    yield system.measure("collaborator removed, connection paused", "paused pump", ADA)
    hub.delete_issue(made["broken"], 2)
    system.deliver(sources.hub("issues", made["broken"], action="deleted", issue={"number": 2}))
    yield system.measure("issue deleted, connection paused", "broken pump 1", STRANGER)
    system.run("resume", "hub")

    hub.delete_issue(made["golden"], 1)
    system.deliver(sources.hub("issues", made["golden"], action="deleted", issue={"number": 1}))
    system.wait_until_gone("golden pump 0", STRANGER)
    system.run("sync", "hub", allowed=(0, 1))  # the gate shuts: the golden question has lost its document
    made["gated"].private = True
    system.deliver(sources.hub("repository", made["gated"], action="privatized"))
    yield system.measure("repository made private, gate shut", "gated pump", STRANGER)

    del hub.repositories["acme/large"]
    system.deliver(sources.hub("repository", made["large"], action="deleted"))
    yield system.measure("repository deleted", "large pump", ADA)

    system.answers.wait_until_quiet()
    made["broken"].private = True
    hub.fail(10_000, _slowly(hub), only="")
    system.deliver(sources.hub("repository", made["broken"], action="privatized"))
    yield system.measure(
        "repository made private, source at 1 request a second", "broken pump", STRANGER, "/user/repos"
    )
    hub.faults.clear()


def _slowly(hub: GitHub) -> Callable[[], JSONResponse]:
    """Answers a listing of repositories after a second; whatever else is asked is over the limit."""

    def fault() -> JSONResponse:
        time.sleep(1)
        return JSONResponse([one.described() for one in hub.repositories.values()])

    return fault


@contextmanager
def running(directory: Path, documents: int) -> Iterator[tuple[Sources, System, EmbeddingsServer]]:
    """The system on synced sources."""
    sources, answers = Sources(documents), Answers()
    for source in (sources.github, sources.team.drive, sources.handbook.notion):
        answers.watch(source)
    with (
        EmbeddingsServer(dimensions=64, api_key="sk-bench") as api,
        github_emulator.serving(sources.github) as hub_url,
        slack_emulator.serving(sources.slack) as chat_url,
        drive_emulator.serving(sources.team.drive) as files_url,
        notion_emulator.serving(sources.handbook.notion) as notes_url,
        httpx.Client(timeout=60) as client,
    ):
        golden = {"query": "golden pump 0", "expected": [f"github:hub/{sources.repositories['golden'].id}/issues/1"]}
        (directory / "golden.jsonl").write_text(json.dumps(golden) + "\n")
        (directory / "headrace.yaml").write_text(
            yaml.safe_dump(_settings(hub_url, chat_url, files_url, notes_url, api.url))
        )
        environment = {**os.environ, "HEADRACE_CONFIG": str(directory / "headrace.yaml")}
        headrace = Path(sys.executable).parent / "headrace"

        def run(*arguments: str, allowed: tuple[int, ...] = (0,)) -> None:
            done = subprocess.run([headrace, *arguments], env=environment, check=False, capture_output=True, text=True)
            assert done.returncode in allowed, done.stderr

        run("sync")
        port = free_port()
        commands = ((headrace, "serve", "--port", str(port)), (headrace, "worker"))
        with processes.running(commands, environment, directory / "log"):
            wait_until_it_answers(client, f"http://127.0.0.1:{port}/readyz")
            system = System(f"http://127.0.0.1:{port}", client, run, answers)
            _wait_for_worker(sources, system)
            sources.team.wait_for_channels()
            yield sources, system, api


def _wait_for_worker(sources: Sources, system: System) -> None:
    """Its start is not what is measured."""
    repository = sources.repositories["broken"]
    sources.github.edit_issue(repository, FEW, body="The worker is awake.")
    system.deliver(("hub", *sources.github.issue_webhook("edited", repository, FEW)))
    system.wait_until_found("The worker is awake", STRANGER)


def _settings(hub_url: str, chat_url: str, files_url: str, notes_url: str, api_url: str) -> dict[str, object]:
    hub = {"id": "hub", "source": "github", "token": github_emulator.TOKEN, "base_url": hub_url}
    chat = {"id": "chat", "source": "slack", "token": slack_emulator.TOKEN, "base_url": chat_url}
    return {
        "connections": [
            hub | {"webhook_secret": github_emulator.WEBHOOK_SECRET},
            chat | {"webhook_secret": slack_emulator.SIGNING_SECRET},
            rights_in_drive.settings(files_url),
            rights_in_notion.settings(notes_url),
        ],
        "assistants": [{"id": "people", "api_key": KEY}],
        "embedding": {"provider": "openai", "model": "m", "dimensions": 64, "base_url": api_url, "api_key": "sk-bench"},
        "golden": {"file": "golden.jsonl", "recall_at_10": 0.9},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, running(Path(directory), options.documents) as parts:
        print(f"{options.documents} documents in the large unit")
        for measured in rows(*parts):
            print(measured, flush=True)


if __name__ == "__main__":
    main()
