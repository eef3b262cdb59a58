"""A source that is down: every connector leaves it alike, after a few requests, and goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from threading import Condition
from typing import Any

import httpx
import pytest
import stamina

from connectors.contract import Checkpoint, Connector, Cursor, Failed, Item, PartState
from connectors.drive.file_reads import AT_ONCE
from connectors.errors import TransientError
from connectors.http import ATTEMPTS
from connectors.model import Document, Unit
from connectors.registry import parse_connection
from tests.emulators import drive, github, notion, slack

OBJECTS = 40
MOST_REQUESTS = 10
"""That a source which answers none of them gets before it is left."""
MOST_SECONDS = 10.0
"""That a test waits for what should be done already."""

Refuses = Callable[[httpx.Request], bool]


class Outage(httpx.HTTPTransport):
    """Answers 503 to the requests that `refuses` picks, once `answered` of them were let through."""

    def __init__(self, refuses: Refuses, answered: int) -> None:
        super().__init__()
        self.refused = 0
        self._refuses = refuses
        self._left = answered

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._refuses(request):
            return super().handle_request(request)
        if self._left > 0:
            self._left -= 1
            return super().handle_request(request)
        self.refused += 1
        return httpx.Response(503, request=request)


class ContentOutage(httpx.HTTPTransport):
    """Gives the contents of the first files and no more, in the worst order for files that are read at once.

    The first refusal comes while those before it are on their way; then one file after the other is begun, told of its
    readers and refused; and only then is any of them asked for again.
    """

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__()
        self._attempts: Counter[str] = Counter()
        self._answered = files[: AT_ONCE - 1]
        self._changed = Condition()

    @property
    def refused(self) -> int:
        return self._attempts.total()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        *_, file, asked = request.url.path.split("/")
        if asked != "export":
            return super().handle_request(request)
        if file in self._answered:
            self._wait_for_retries(self._answered.index(file) + 1)
            return super().handle_request(request)
        with self._changed:
            self._attempts[file] += 1
            self._changed.notify_all()
        if self._attempts[file] > 1:
            self._wait_for_retries(AT_ONCE)
        return httpx.Response(503, request=request)

    def _wait_for_retries(self, files: int) -> None:
        """Until so many files are asked for again."""
        with self._changed:
            assert self._changed.wait_for(lambda: sum(n > 1 for n in self._attempts.values()) >= files, MOST_SECONDS)


@dataclass(frozen=True)
class Provider:
    """An emulated source with a unit of `OBJECTS` objects; `is_single` picks the requests that read one of them."""

    serve: Callable[[], AbstractContextManager[dict[str, Any]]]
    is_single: Refuses


@contextmanager
def serve_drive() -> Iterator[dict[str, Any]]:
    emulator = drive.GoogleDrive(page_size=10)
    folder = emulator.folder("Plans")
    for number in range(OBJECTS):
        emulator.doc(f"Plan {number}", f"Pump {number}.", folder)
    with drive.serving(emulator) as url:
        yield {"source": "drive", "token": drive.TOKEN, "base_url": url, "token_uri": f"{url}/token"}


@contextmanager
def serve_github() -> Iterator[dict[str, Any]]:
    emulator = github.GitHub()
    repository = emulator.repository("acme/api")
    for number in range(OBJECTS):
        issue = emulator.issue(repository, f"Issue {number}", "It leaks.")
        emulator.comment(repository, issue, "Mended.")
    with github.serving(emulator) as url:
        yield {"source": "github", "token": github.TOKEN, "base_url": url}


@contextmanager
def serve_notion() -> Iterator[dict[str, Any]]:
    emulator = notion.Notion()
    emulator.person("Ada")
    top = emulator.page("Top", notion.block("paragraph", "All plans."))
    for number in range(OBJECTS):
        emulator.page(f"Plan {number}", notion.block("paragraph", f"Pump {number}."), under=top)
    emulator.wait(hours=3)
    with notion.serving(emulator) as url:
        yield {"source": "notion", "token": notion.TOKEN, "base_url": url, "readers": ["workspace"]}


@contextmanager
def serve_slack() -> Iterator[dict[str, Any]]:
    emulator = slack.Slack()
    emulator.channel("C1", "general")
    emulator.person("U1", "ada")
    for number in range(OBJECTS):
        asked = slack.START + number * slack.DAY
        root = emulator.say("C1", f"Question {number}", at=asked)
        emulator.say("C1", "Answer.", at=asked + 60, thread=root)
    with slack.serving(emulator) as url:
        yield {"source": "slack", "token": slack.TOKEN, "base_url": url}


def _is_issue_comments(request: httpx.Request) -> bool:
    path = request.url.path
    return "/issues/" in path and path.endswith("/comments") and not path.endswith("/issues/comments")


PROVIDERS = {
    "drive": Provider(serve_drive, lambda r: r.url.path.endswith("/export") or r.url.params.get("alt") == "media"),
    "github": Provider(serve_github, _is_issue_comments),
    "notion": Provider(serve_notion, lambda r: r.url.path.endswith("/children")),
    "slack": Provider(serve_slack, lambda r: r.url.path.endswith("conversations.replies")),
}


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


def open_connector(settings: dict[str, Any], transport: httpx.BaseTransport) -> Connector:
    source = import_module(f"connectors.{settings['source']}.source")
    connector: Connector = source.connect(parse_connection({"id": "acme", **settings}), transport)
    return connector


def largest_unit(connector: Connector) -> Unit:
    """The one with the objects: Drive has `root` beside it."""
    return next(unit for unit in connector.units() if unit.id != "root")


def read_documents(
    settings: dict[str, Any], cursor: Cursor | None = None, failed: Sequence[str] = ()
) -> dict[str, Document]:
    """As a sync does: what a read yields, and what failed before, fetched by id."""
    with closing(open_connector(settings, httpx.HTTPTransport())) as connector:
        unit = largest_unit(connector)
        items = [*connector.read(unit, cursor), *connector.fetch(unit, failed)]
    return {item.id: item for item in items if isinstance(item, Document)}


def read_in_outage(settings: dict[str, Any], outage: httpx.BaseTransport) -> list[Item]:
    """What a read yields before it gives up, or goes on without a part of which it says that it fails."""
    items: list[Item] = []
    with closing(open_connector(settings, httpx.HTTPTransport())) as connector:
        unit = largest_unit(connector)
    with closing(open_connector(settings, outage)) as connector:
        try:
            items.extend(connector.read(unit))
        except TransientError:
            return items
    assert any(isinstance(item, PartState) and item.status == "failing" for item in items)
    return items


def up_to_last_checkpoint(items: list[Item]) -> tuple[list[Item], Cursor | None]:
    """What is done with, and where to go on; the rest is read again."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, Checkpoint):
            return items[:index], item.cursor
    return [], None


@pytest.mark.each_value
@pytest.mark.parametrize("everything", [False, True], ids=["every object", "everything"])
@pytest.mark.parametrize("answered", [0, 25])
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_source_that_is_down_is_left_and_continued(name: str, answered: int, everything: bool) -> None:
    provider = PROVIDERS[name]
    refuses: Refuses = (lambda request: True) if everything else provider.is_single
    with provider.serve() as settings:
        undisturbed = read_documents(settings)
        assert len(undisturbed) >= OBJECTS
        outage = Outage(refuses, answered)
        items = read_in_outage(settings, outage)
        assert 0 < outage.refused <= MOST_REQUESTS
        done, cursor = up_to_last_checkpoint(items)
        before = {item.id: item for item in done if isinstance(item, Document)}
        failed = [item.document_id for item in done if isinstance(item, Failed)]
        assert before | read_documents(settings, cursor, failed) == undisturbed


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_source_that_fails_all_that_is_fetched_is_left(name: str) -> None:
    """What is asked of each object first is answered, and what it is made of is not."""
    provider = PROVIDERS[name]
    with provider.serve() as settings:
        ids = sorted(read_documents(settings))
        outage = Outage(provider.is_single, 0)
        items: list[Item] = []
        with closing(open_connector(settings, outage)) as connector:
            unit = largest_unit(connector)
            with pytest.raises(TransientError):
                items.extend(connector.fetch(unit, ids))
    assert 0 < outage.refused <= MOST_REQUESTS
    # What is not asked for any more is not given, or given as hidden: who may read it now was not told.
    given = [item for item in items if not (isinstance(item, Failed) and item.hides)]
    assert len(given) < OBJECTS


def test_answers_about_some_files_do_not_renew_the_attempts_for_others() -> None:
    emulator = drive.GoogleDrive()
    shared = emulator.shared_drive("Plans")
    files = [emulator.doc(f"Plan {number}", f"Pump {number}.", shared) for number in range(OBJECTS)]
    with drive.serving(emulator) as url:
        settings = {"source": "drive", "token": drive.TOKEN, "base_url": url, "token_uri": f"{url}/token"}
        outage = ContentOutage(files)
        read_in_outage(settings, outage)
    assert 2 * AT_ONCE <= outage.refused <= MOST_REQUESTS
