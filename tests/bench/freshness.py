"""`make bench-freshness`: from a webhook to the answer of a search, against the running system. `POINTS=100000` has as
many passages in the index before, with vectors of an API on loopback.

Dagster's UI, the server and the worker run as `make dev` runs them, on the embedded index and, where nothing else is
asked for, the local model; GitHub and Slack are emulated in this process, which also asks. All of it shares the
machine's cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import yaml

from tests.bench.made_corpus import VOCABULARY
from tests.bench.processes import running, wait_until_it_answers
from tests.emulators import github as github_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import GitHub, Repository
from tests.emulators.slack import Slack

KEY = "a-key-for-the-bench-of-freshness"
ARCHIVE = "acme/archive"
PASSAGES_PER_ISSUE, WORDS_PER_PASSAGE = 8, 230
CHANNELS, MESSAGES = 10, 40
REPOSITORIES, ISSUES = 5, 60
SECONDS_BETWEEN_QUESTIONS = 0.05
BURSTS = 2
"""The second shows whether memory stays where the first has brought it."""
PATIENCE = 120.0
"""Seconds after which a change that is not found counts as lost."""

Delivery = tuple[str, dict[str, str], bytes]


@dataclass
class Company:
    """Two sources and what happens in them. Each happening gives the delivery that tells of it."""

    github: GitHub
    slack: Slack
    chance: random.Random
    numbers: Iterator[int] = field(default_factory=itertools.count)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    untouched: list[tuple[Repository, int]] = field(default_factory=list)

    def fill(self) -> None:
        self.slack.person("U1", "ada")
        for channel in range(CHANNELS):
            self.slack.channel(f"C{channel}", f"mill-{channel}")
            for message in range(MESSAGES):
                at = slack_emulator.START + message * 6 * 3_600
                self.slack.say(f"C{channel}", f"The wheel of mill {channel} has turned {message} times.", at=at)
        for name in range(REPOSITORIES):
            repository = self.github.repository(f"acme/mill-{name}")
            for issue in range(ISSUES):
                number = self.github.issue(repository, f"Trouble {issue}", f"Pump {issue} of mill {name} is stuck.")
                self.untouched.append((repository, number))
        self.chance.shuffle(self.untouched)

    def fill_archive(self, points: int) -> None:
        """A repository whose issues become about as many passages, and to which nothing happens."""
        words = VOCABULARY.read_text(encoding="utf-8").split()
        archive = self.github.repository(ARCHIVE)
        for issue in range(points // PASSAGES_PER_ISSUE):
            passages = (" ".join(self.chance.choices(words, k=WORDS_PER_PASSAGE)) for _ in range(PASSAGES_PER_ISSUE))
            self.github.issue(archive, f"Archived {issue}", "\n\n".join(f"## Part\n\n{one}" for one in passages))

    def something(self) -> tuple[str, Delivery]:
        """A new word in one of the sources."""
        word = f"zq{next(self.numbers)}x"
        return word, self.chance.choice([self._message, self._comment, self._issue])(word)

    def deletion(self) -> tuple[str, Delivery] | None:
        if not self.said:
            return None
        channel, ts, word = self.said.pop(self.chance.randrange(len(self.said)))
        self.slack.delete(channel, ts)
        event = {"type": "message", "subtype": "message_deleted", "channel": channel, "deleted_ts": ts}
        return word, self._told(event)

    def _message(self, word: str) -> Delivery:
        channel = self.chance.choice(list(self.slack.channels))
        # A day of its own for each: what is measured is the way of one change, not how changes are gathered.
        at = slack_emulator.START + 1_000 * slack_emulator.DAY + next(self.numbers) * slack_emulator.DAY
        ts = self.slack.say(channel, f"The miller says {word} today.", at=at)
        self.said.append((channel, ts, word))
        return self._told({"type": "message", "channel": channel, "ts": ts})

    def _issue(self, word: str) -> Delivery:
        # Edited once more before it is found, an issue would not hold the word any longer.
        repository, number = self.untouched.pop()
        self.github.edit_issue(repository, number, body=f"The pump says {word} now.")
        return "bench-github", *self.github.issue_webhook("edited", repository, number)

    def _comment(self, word: str) -> Delivery:
        repository, number = self._any_issue()
        self.github.comment(repository, number, f"Oil says {word} here.")
        issue = repository.issues[number]
        return "bench-github", *self.github.webhook("issue_comment", repository, action="created", issue=issue)

    def _any_issue(self) -> tuple[Repository, int]:
        changing = [one for name, one in self.github.repositories.items() if name != ARCHIVE]
        repository = self.chance.choice(changing)
        return repository, self.chance.choice(list(repository.issues))

    def _told(self, event: dict[str, str]) -> Delivery:
        envelope = {"type": "event_callback", "event_id": f"Ev{next(self.numbers)}", "event": event}
        body = json.dumps(envelope).encode()
        return "bench-slack", slack_emulator.signature(body, int(time.time())), body


@dataclass
class System:
    """The running system, as a sender of webhooks and an asker see it."""

    url: str
    client: httpx.Client

    def tell(self, delivery: Delivery) -> None:
        connection, headers, body = delivery
        self.client.post(f"{self.url}/webhooks/{connection}", content=body, headers=headers).raise_for_status()

    def finds(self, word: str) -> bool:
        question = {"query": word, "mode": "lexical", "top_k": 1}
        answer = self.client.post(f"{self.url}/v1/search", json=question, headers={"Authorization": f"Bearer {KEY}"})
        found = answer.raise_for_status().json()["results"]
        return any(word in chunk["text"] for document in found for chunk in document["chunks"])

    def seconds_until(self, word: str, found: bool) -> float | None:
        """From now until the word is found, or no longer found; None if it takes too long."""
        started = time.monotonic()
        while (seconds := time.monotonic() - started) < PATIENCE:
            if self.finds(word) is found:
                return seconds
            time.sleep(SECONDS_BETWEEN_QUESTIONS)
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--burst", type=int, default=5_000)
    parser.add_argument("--points", type=int, default=0, help="Passages in the index before anything happens")
    options = parser.parse_args()
    company = Company(GitHub(), Slack(), random.Random(7))
    company.fill()
    if options.points:
        company.fill_archive(options.points)
    with (
        tempfile.TemporaryDirectory() as directory,
        github_emulator.serving(company.github) as github_url,
        slack_emulator.serving(company.slack) as slack_url,
        EmbeddingsServer() as api,
        _running(Path(directory), _settings(github_url, slack_url, api if options.points else None)) as running_now,
    ):
        system, worker = running_now
        _show_memory("before", worker)
        _steady(company, system, options.events, options.seconds)
        _show_memory("after", worker)
        for _ in range(BURSTS if options.burst else 0):
            _burst(company, system, worker, options.burst)


def _steady(company: Company, system: System, events: int, seconds: float) -> None:
    """Changes at even distances; every fifth is a deletion of something that was said before."""
    found: list[float | None] = []
    gone: list[float | None] = []
    with ThreadPoolExecutor(32) as askers:
        started = time.monotonic()
        waiting: list[Callable[[], None]] = []
        for number in range(events):
            time.sleep(max(started + number * seconds / events - time.monotonic(), 0))
            deletion = company.deletion() if number % 5 == 4 else None
            word, delivery = deletion or company.something()
            system.tell(delivery)
            times = gone if deletion else found
            future = askers.submit(system.seconds_until, word, deletion is None)
            waiting.append(lambda future=future, times=times: times.append(future.result()))  # type: ignore[misc]
        for wait in waiting:
            wait()
    _show(f"{len(found)} changes in {seconds:.0f} s, received to searchable", found)
    _show(f"{len(gone)} deletions among them, received to no longer found", gone)


def _burst(company: Company, system: System, worker: psutil.Process, events: int) -> None:
    """All at once over all issues; then how often each was fetched, and how long until nothing waits."""
    company.github.forget()
    issues = [(one, number) for one in company.github.repositories.values() for number in one.issues]
    last: dict[tuple[str, int], str] = {}
    before = worker.memory_info().rss
    started = time.monotonic()
    with ThreadPoolExecutor(8) as senders:
        sent = []
        for number in range(events):
            repository, issue = issues[number % len(issues)]
            word = last[repository.full_name, issue] = f"zb{next(company.numbers)}x"
            company.github.edit_issue(repository, issue, body=f"The pump says {word} now.")
            delivery = company.github.issue_webhook("edited", repository, issue)
            sent.append(senders.submit(system.tell, ("bench-github", *delivery)))
            time.sleep(max(started + 10 * number / events - time.monotonic(), 0))
        for one in sent:
            one.result()
    received = time.monotonic() - started
    words = list(last.values())
    while words and time.monotonic() - started < 300:
        words = [word for word in words if not system.finds(word)]
        time.sleep(0.2)
    drained = time.monotonic() - started
    looks = [
        count
        for path, count in company.github.asked().items()
        if path.startswith("repos/") and path.count("/") == 4 and path.split("/")[3] == "issues"
    ]
    print(
        f"{events} events on {len(issues)} objects, accepted in {received:.1f} s: {len(words)} lost, all found after "
        f"{drained:.1f} s ({events / drained:.0f} events/s), an object fetched at most {max(looks, default=0)} times, "
        f"worker {before / 1e6:.0f} MB before and {worker.memory_info().rss / 1e6:.0f} MB after",
        flush=True,
    )


def _show(what: str, times: Sequence[float | None]) -> None:
    known = sorted(one for one in times if one is not None)
    if not known:
        print(f"{what}: none found")
        return
    p50, p95, p99 = (known[min(int(len(known) * share), len(known) - 1)] for share in (0.5, 0.95, 0.99))
    lost = len(times) - len(known)
    print(
        f"{what}: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s, mean {statistics.mean(known):.2f} s, {lost} lost",
        flush=True,
    )


def _show_memory(when: str, worker: psutil.Process) -> None:
    print(f"{when}: worker {worker.memory_info().rss / 1e6:.0f} MB", flush=True)


@contextmanager
def _running(directory: Path, settings: dict[str, object]) -> Iterator[tuple[System, psutil.Process]]:
    """The system on a synced index; yields it with the worker's process."""
    (directory / "headrace.yaml").write_text(yaml.safe_dump(settings))
    home = directory / ".headrace" / "dagster"
    environment = {**os.environ, "HEADRACE_CONFIG": str(directory / "headrace.yaml"), "DAGSTER_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    beside, port, ui = Path(sys.executable).parent, free_port(), free_port()
    subprocess.run([beside / "headrace", "sync"], env=environment, check=True)
    commands: list[list[Path | str]] = [
        [beside / "dagster", "dev", "--module-name", "assets.definitions", "--host", "127.0.0.1", "--port", str(ui)],
        [beside / "headrace", "serve", "--port", str(port)],
        [beside / "headrace", "worker"],
    ]
    with (
        running(commands, environment, directory / "log") as processes,
        httpx.Client(timeout=60, limits=httpx.Limits(max_connections=64)) as client,
    ):
        system = System(f"http://127.0.0.1:{port}", client)
        wait_until_it_answers(client, f"{system.url}/readyz")
        wait_until_it_answers(client, f"http://127.0.0.1:{ui}/server_info")
        yield system, psutil.Process(processes[-1].pid)


def _settings(github_url: str, slack_url: str, api: EmbeddingsServer | None) -> dict[str, object]:
    """With the local model where there is no `api`."""
    connections = [
        {
            "id": "bench-github",
            "source": "github",
            "token": github_emulator.TOKEN,
            "base_url": github_url,
            "webhook_secret": github_emulator.WEBHOOK_SECRET,
        },
        {
            "id": "bench-slack",
            "source": "slack",
            "token": slack_emulator.TOKEN,
            "base_url": slack_url,
            "webhook_secret": slack_emulator.SIGNING_SECRET,
        },
    ]
    readers = ["public", "group:bench-slack:workspace"]
    assistants = [{"id": "bench", "api_key": KEY, "identity": "service", "readers": readers}]
    settings: dict[str, object] = {"connections": connections, "assistants": assistants}
    if api:
        embedding = {"provider": "openai", "model": "stub", "dimensions": api.dimensions, "base_url": api.url}
        settings["embedding"] = embedding
    return settings


if __name__ == "__main__":
    main()
