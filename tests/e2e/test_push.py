"""Documents of one's own, pushed over HTTP to a server that was started, with a worker beside it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.pushed_documents import LARGEST_FILE
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.installed import StartedCommand
from tests.pipelines.chunking.files import pdf, word

KEY, OTHER_KEY = "the-key-of-acme-push-alone", "the-key-of-the-other-alone"
ASSISTANT_KEY = "a-key-for-the-test-of-pushing"
ADA, BOB = "ada@acme.test", "bob@acme.test"
PATIENCE = 60.0


@dataclass
class Running:
    """Headrace with two connections to which documents are pushed. What was stopped can be started again."""

    folder: Folder
    embeddings: EmbeddingsServer
    port: int = field(default_factory=free_port)
    processes: dict[str, StartedCommand] = field(default_factory=dict)

    def start(self, name: str, **environment: str) -> None:
        command = ("serve", "--port", str(self.port)) if name == "serve" else (name,)
        self.processes[name] = self.folder.started(*command, **environment)
        if name == "serve":
            self.until(lambda: httpx.get(f"{self.url}/healthz").status_code == 200)

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self, name: str) -> str:
        return f"{self.url}/v1/documents/{name}"

    def put(self, name: str, text: str, key: str = KEY, **fields: object) -> httpx.Response:
        said = {"title": name, "text": text, **fields}
        return httpx.put(self.address(name), json=said, headers=bearer(key))

    def delete(self, name: str, key: str = KEY) -> httpx.Response:
        return httpx.delete(self.address(name), headers=bearer(key))

    def found(self, word: str, person: str = ADA) -> list[dict[str, Any]]:
        """What a person finds that has this word in it."""
        question = {"query": word, "mode": "lexical", "top_k": 20, "user": person}
        answer = httpx.post(f"{self.url}/v1/search", json=question, headers=bearer(ASSISTANT_KEY))
        results: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
        return [one for one in results if any(word in chunk["text"].lower() for chunk in one["chunks"])]

    def ids(self, word: str, person: str = ADA) -> list[str]:
        return [one["document_id"] for one in self.found(word, person)]

    def get(self, document_id: str, person: str = ADA) -> httpx.Response:
        return httpx.get(self.address(document_id), params={"user": person}, headers=bearer(ASSISTANT_KEY))

    def settle(self) -> None:
        """Return when no event waits."""
        listed = ("events", "list", "--state", "pending", "--json")
        self.until(lambda: not self.folder.headrace(*listed).json["events"])

    @property
    def inputs(self) -> int:
        return self.embeddings.inputs

    @staticmethod
    def until(so: Callable[[], object]) -> None:
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            with suppress(httpx.HTTPError):
                if so():
                    return
            time.sleep(0.1)
        raise AssertionError("it took too long")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def settings_of(embeddings: EmbeddingsServer) -> dict[str, Any]:
    groups = {"staff": [ADA, BOB], "board": [ADA]}
    return {
        "connections": [
            {"id": "acme-push", "source": "push", "token": KEY, "groups": groups},
            {"id": "other", "source": "push", "token": OTHER_KEY, "readers": ["public"], "exclude": ["secret*"]},
        ],
        "assistants": [{"id": "people", "api_key": ASSISTANT_KEY}],
        "embedding": embedding_settings(embeddings),
    }


@pytest.fixture(scope="module")
def running(module_folder: Callable[[str], Path]) -> Iterator[Running]:
    folder = Folder(module_folder("pushed"))
    with EmbeddingsServer(dimensions=64, latency_ms=20) as embeddings:
        folder.settings(**settings_of(embeddings))
        started = Running(folder, embeddings)
        try:
            started.start("serve")
            started.start("worker")
            yield started
        finally:
            started.stop()


def test_what_is_pushed_is_found_by_its_readers_alone(running: Running) -> None:
    answer = running.put(
        "handbook/leave",
        "Twelve weeks of zanzibar.",
        title="Parental leave",
        url="https://handbook.acme.test/leave",
        readers=["group:board"],
        parents=["Handbook", "People"],
        tags=["hr"],
        author="Ada",
        unit="handbook",
        updated_at="2026-03-01T10:00:00+01:00",
    )
    assert answer.status_code == 202
    assert answer.json() == {"document_id": "push:acme-push/handbook/leave", "unit": "handbook", "result": "created"}
    running.until(lambda: running.found("zanzibar"))
    (found,) = running.found("zanzibar")
    shown = ("document_id", "title", "url", "source", "connection", "unit", "kind", "breadcrumb", "author")
    assert {name: found[name] for name in shown} == {
        "document_id": "push:acme-push/handbook/leave",
        "title": "Parental leave",
        "url": "https://handbook.acme.test/leave",
        "source": "push",
        "connection": "acme-push",
        "unit": "handbook",
        "kind": "document",
        "breadcrumb": ["Handbook", "People"],
        "author": "Ada",
    }
    assert found["updated_at"] == "2026-03-01T09:00:00Z"
    assert running.ids("zanzibar", BOB) == []
    whole = running.get("push:acme-push/handbook/leave")
    assert whole.json()["text"].strip() == "Twelve weeks of zanzibar."
    assert whole.json()["tags"] == ["hr"]
    assert running.get("push:acme-push/handbook/leave", BOB).status_code == 404


def test_what_names_no_readers_is_for_those_of_the_settings_or_for_nobody(running: Running) -> None:
    running.put("closed", "Nobody reads of bora.")
    running.put("open", "Everybody reads of bora.", OTHER_KEY)
    running.until(lambda: running.found("bora"))
    running.settle()
    assert running.ids("bora") == running.ids("bora", "stranger@acme.test") == ["push:other/open"]


@pytest.mark.slow
def test_what_is_pushed_again_just_as_it_was_costs_nothing(running: Running) -> None:
    fields: dict[str, Any] = {"readers": ["public"], "tags": ["a", "b"], "created_at": "2026-01-01T00:00:00Z"}
    assert running.put("same", "The mistral blows.", **fields).json()["result"] == "created"
    running.until(lambda: running.found("mistral"))
    running.settle()
    before = running.inputs
    again = running.put("same", "The mistral blows.", **fields)
    assert (again.status_code, again.json()["result"]) == (200, "unchanged")
    assert running.put("same", "The mistral blows.", **fields | {"tags": ["a"]}).json()["result"] == "changed"
    running.settle()
    assert running.inputs == before  # another tag is no other text


def test_whom_a_change_leaves_out_finds_it_no_more_at_once_and_a_deletion_hides_at_once(running: Running) -> None:
    for name in ("narrowed", "deleted"):
        running.put(name, f"The scirocco is {name}.", readers=["group:staff"])
    running.until(lambda: len(running.ids("scirocco", BOB)) == 2)
    running.settle()
    running.kill("worker")
    assert running.put("narrowed", "The scirocco is narrowed.", readers=[ADA]).status_code == 202
    assert "push:acme-push/narrowed" not in running.ids("scirocco", BOB)
    assert running.get("push:acme-push/narrowed", BOB).status_code == 404
    assert running.delete("deleted").status_code == 204
    assert "push:acme-push/deleted" not in running.ids("scirocco")
    assert running.get("push:acme-push/deleted").status_code == 404
    running.start("worker")
    running.settle()
    assert (running.ids("scirocco"), running.ids("scirocco", BOB)) == (["push:acme-push/narrowed"], [])
    running.put("narrowed", "The scirocco is narrowed.", readers=["group:staff"])
    running.until(lambda: running.ids("scirocco", BOB) == ["push:acme-push/narrowed"])
    assert running.delete("push:acme-push/deleted").status_code == 204  # it says nothing of what is there


@pytest.mark.slow
def test_what_was_deleted_can_be_pushed_again(running: Running) -> None:
    fields: dict[str, Any] = {"readers": ["public"]}
    running.put("back", "The zephyr sighs.", **fields)
    running.until(lambda: running.found("zephyr"))
    running.delete("back")
    assert running.put("back", "The zephyr sighs.", **fields).json()["result"] == "created"
    running.until(lambda: running.found("zephyr"))
    running.settle()
    assert running.ids("zephyr") == ["push:acme-push/back"]


@pytest.mark.slow
def test_a_document_that_moves_to_another_unit_is_there_and_nowhere_else(running: Running) -> None:
    def units() -> list[str]:
        return [one["unit"] for one in running.found("harmattan")]

    running.put("moving", "The harmattan moves.", readers=["public"], unit="first")
    running.until(lambda: units() == ["first"])
    running.put("moving", "The harmattan moves.", readers=["public"], unit="second")
    running.until(lambda: units() == ["second"])
    running.settle()
    assert running.folder.headrace("sync", "acme-push").code == 0
    assert units() == ["second"]


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("name", "data", "declared"),
    [
        ("letter.pdf", pdf("A letter of garbi"), "application/pdf"),
        ("minutes.docx", word(), "application/octet-stream"),
        ("page.html", b"<html><h1>Winds</h1><p>A page of garbi</p></html>", "text/html"),
    ],
)
def test_files_are_read_as_those_of_any_source(running: Running, name: str, data: bytes, declared: str) -> None:
    form = {"readers": ["public", ADA], "url": f"https://files.acme.test/{name}"}
    answer = httpx.put(running.address(name), files={"file": (name, data, declared)}, data=form, headers=bearer(KEY))
    assert answer.status_code == 202, answer.text
    running.until(lambda: running.get(f"push:acme-push/{name}", "stranger@acme.test").status_code == 200)
    whole = running.get(f"push:acme-push/{name}").json()
    assert (whole["title"], whole["kind"], whole["url"]) == (name, "file", form["url"])
    assert "garbi" in whole["text"] or (name == "minutes.docx" and len(whole["text"]) > 10)


def test_a_landing_that_takes_nothing_holds_up_no_right_and_no_deletion(running: Running) -> None:
    for name in ("narrowed there", "deleted there"):
        running.put(name, f"The etesian is {name}.", readers=[ADA, BOB])
    running.until(lambda: len(running.ids("etesian", BOB)) == 2)
    (bodies,) = (running.folder.path / ".headrace" / "landing").glob("**/acme-push-bodies")
    away = bodies.rename(bodies.with_name("away"))
    bodies.touch()
    try:
        refused = running.put("narrowed there", "The etesian blows.", readers=[ADA])
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert running.delete("deleted there").status_code == 204
        assert running.ids("etesian", BOB) == []
    finally:
        bodies.unlink()
        away.rename(bodies)
    assert running.put("narrowed there", "The etesian blows.", readers=[ADA]).status_code == 202
    running.until(lambda: [chunk["text"].strip() for one in running.found("etesian") for chunk in one["chunks"]])
    assert running.ids("etesian", BOB) == []


def test_a_file_of_the_largest_size_is_taken(running: Running) -> None:
    for size, status in ((LARGEST_FILE, 202), (LARGEST_FILE + 1, 422)):
        files = {"file": ("mostly-empty.txt", b"wind".ljust(size, b"\n"), "text/plain")}
        answer = httpx.put(running.address("large"), files=files, headers=bearer(KEY), timeout=60)
        assert answer.status_code == status, answer.text
    assert running.delete("large").status_code in (200, 202, 204)


def test_what_was_answered_survives_a_kill(running: Running) -> None:
    running.kill("worker")
    assert running.put("kept", "The tramontana is kept.", readers=["public"]).status_code == 202
    running.kill("serve")
    running.start("serve")
    running.start("worker")
    running.until(lambda: running.ids("tramontana") == ["push:acme-push/kept"])


@pytest.mark.slow
def test_of_many_that_push_one_document_at_once_the_last_that_was_taken_stays(running: Running) -> None:
    with ThreadPoolExecutor(8) as threads:
        said = [f"The levanter {n}." for n in range(16)]
        answers = list(threads.map(lambda text: running.put("raced", text, readers=["public"]), said))
    assert {one.status_code for one in answers} <= {200, 202}
    running.settle()
    text = running.get("push:acme-push/raced").json()["text"].strip()
    assert text in said
    assert running.put("raced", text, readers=["public"]).json()["result"] == "unchanged"


@pytest.mark.slow
def test_a_full_read_and_a_listing_find_what_was_pushed_and_embed_nothing(running: Running) -> None:
    running.settle()
    before = running.inputs
    for command in (("sync", "--full", "acme-push"), ("reconcile", "acme-push"), ("sync", "acme-push")):
        ran = running.folder.headrace(*command, "--json")
        assert ran.code == 0, ran.errors
        counted = ran.json["documents"]
        assert [counted[name] for name in ("new", "changed", "failed", "deleted")] == [0, 0, 0, 0], command
    assert running.inputs == before


def test_the_key_of_a_connection_is_for_its_documents_alone(running: Running) -> None:
    for key in (ASSISTANT_KEY, "of-nobody", KEY[:-1], f"{KEY} {KEY}"):
        for answer in (running.put("mine", "Text.", key), running.delete("mine", key)):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert "WWW-Authenticate" in answer.headers
    there, absent = (running.put(f"push:acme-push/{name}", "Text.", OTHER_KEY) for name in ("handbook/leave", "never"))
    assert there.status_code == absent.status_code == 403
    assert there.json()["detail"] == absent.json()["detail"]
    assert running.delete("push:acme-push/handbook/leave", OTHER_KEY).status_code == 403
    question = httpx.post(f"{running.url}/v1/search", json={"query": "leave"}, headers=bearer(KEY))
    assert question.status_code == 401


@pytest.mark.slow
def test_two_connections_have_documents_of_the_same_id(running: Running) -> None:
    running.put("twice", "The foehn of acme.", readers=["public"])
    running.put("twice", "The foehn of the other.", OTHER_KEY)
    running.until(lambda: len(running.ids("foehn")) == 2)
    running.delete("twice", OTHER_KEY)
    assert running.ids("foehn") == ["push:acme-push/twice"]


@pytest.mark.slow
def test_what_waits_in_a_paused_connection_is_kept_and_what_is_lost_counts(running: Running) -> None:
    running.put("paused", "The bise before.", readers=[ADA, BOB])
    running.until(lambda: running.found("bise"))
    assert running.folder.headrace("pause", "acme-push").code == 0
    running.put("paused", "The bise whistles.", readers=[ADA])
    assert running.found("bise", BOB) == []
    assert [chunk["text"].strip() for chunk in running.found("bise")[0]["chunks"]] == ["The bise before."]
    assert running.folder.headrace("resume", "acme-push").code == 0
    running.until(lambda: running.found("whistles"))
    assert running.found("bise", BOB) == []


@pytest.mark.slow
def test_a_purge_removes_what_was_pushed_to_a_unit(running: Running) -> None:
    running.put("purged", "The papagayo is purged.", readers=["public"], unit="rubbish")
    running.until(lambda: running.found("papagayo"))
    running.settle()
    ran = running.folder.headrace("purge", "acme-push/rubbish", "--yes", "--json")
    assert (ran.code, ran.json["pushed"]) == (0, 1), ran.errors
    assert running.folder.headrace("sync", "--full", "acme-push").code == 0
    assert running.found("papagayo") == []
    kept = (running.folder.path / ".headrace" / "landing" / "pushed").rglob("*")
    assert not any(b"papagayo" in one.read_bytes() for one in kept if one.is_file())


@pytest.mark.slow
def test_check_status_and_explain_tell_of_it(running: Running) -> None:
    running.put("told", "The monsoon is told.", readers=["public"], url="https://told.acme.test/1")
    running.until(lambda: running.found("monsoon"))
    running.settle()
    findings = running.folder.headrace("check", "--json").json["findings"]
    assert {one["subject"]: one["ok"] for one in findings}["acme-push: documents"]
    units = running.folder.headrace("units", "acme-push", "--json").json["units"]
    assert "documents" in {one["name"] for one in units}
    (status,) = [
        one for one in running.folder.headrace("status", "--json").json["connections"] if one["id"] == "acme-push"
    ]
    assert status["totals"]["failed"] == 0
    for asked in ("push:acme-push/told", "https://told.acme.test/1"):
        explained = running.folder.headrace("explain", asked, "--user", ADA, "--json")
        assert explained.code == 0, explained.errors
    estimate = running.folder.headrace("backfill", "acme-push", "--dry-run", "--json")
    assert estimate.code == 0
    assert estimate.json["documents"] > 0


@pytest.mark.slow
def test_text_that_was_replaced_or_deleted_leaves_the_landing_after_its_days(running: Running) -> None:
    running.put("old", "The pampero of old.", readers=["public"])
    running.put("old", "The brisa of now.", readers=["public"])
    running.put("gone", "The pampero is gone.", readers=["public"])
    running.settle()
    running.delete("gone")
    running.settle()
    folder = running.folder.path / ".headrace" / "landing" / "pushed"

    def holding(word: bytes) -> int:
        return sum(word in one.read_bytes() for one in folder.rglob("*") if one.is_file())

    assert holding(b"pampero") == 2
    values = settings_of(running.embeddings) | {"retention": {"superseded_loads_days": 0, "deleted_text_days": 0}}
    running.folder.settings(**values)
    try:
        assert running.folder.headrace("prune", "--json").json["pushed"] >= 2
    finally:
        running.folder.settings(**settings_of(running.embeddings))
    assert (holding(b"pampero"), holding(b"brisa")) == (0, 1)
    assert running.folder.headrace("sync", "--full", "acme-push", "--json").json["documents"]["failed"] == 0


TEXT = {"title": "A", "text": "b"}
LONG = "x" * 600
WRONG: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "a naive time": ("a", {"json": TEXT | {"created_at": "2026-01-01T00:00:00"}}, 422, "created_at"),
    "a time as a number": ("a", {"json": TEXT | {"updated_at": 1767225600}}, 422, "updated_at"),
    "a time beyond the years": ("a", {"json": TEXT | {"updated_at": "9999-12-31T23:59:59-12:00"}}, 422, "updated_at"),
    "an unknown field": ("a", {"json": TEXT | {"colour": "red"}}, 422, "colour"),
    "no title": ("a", {"json": {"text": "b"}}, 422, "title"),
    "no text": ("a", {"json": {"title": "A"}}, 422, "text"),
    "blank text": ("a", {"json": {"title": "A", "text": " \n\u200b"}}, 422, "text"),
    "a title of two lines": ("a", {"json": TEXT | {"title": "A\nB"}}, 422, "title"),
    "a long title": ("a", {"json": TEXT | {"title": LONG}}, 422, "title"),
    "NUL in the text": ("a", {"json": TEXT | {"text": "a\0b"}}, 422, "text"),
    "NUL in a tag": ("a", {"json": TEXT | {"tags": ["a\0b"]}}, 422, "tags.0"),
    "an empty tag": ("a", {"json": TEXT | {"tags": [" "]}}, 422, "tags.0"),
    "a script as address": ("a", {"json": TEXT | {"url": "javascript:alert(1)"}}, 422, "url"),
    "a file as address": ("a", {"json": TEXT | {"url": "file:///etc/passwd"}}, 422, "url"),
    "a reader that is none": ("a", {"json": TEXT | {"readers": [ADA, "everybody"]}}, 422, "readers.1"),
    "a group that nobody knows": ("a", {"json": TEXT | {"readers": ["group:pirates"]}}, 422, "readers.0"),
    "readers that are no list": ("a", {"json": TEXT | {"readers": "public"}}, 422, "readers"),
    "a kind of two words": ("a", {"json": TEXT | {"kind": "Two words"}}, 422, "kind"),
    "a type that no text has": ("a", {"json": TEXT | {"content_type": "application/pdf"}}, 415, "content_type"),
    "no JSON": ("a", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "body"),
    "bad UTF-8": ("a", {"content": b'{"title": "\xff"}', "headers": {"Content-Type": "application/json"}}, 422, "body"),
    "half a pair": (
        "a",
        {"content": b'{"title": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
        422,
        "body",
    ),
    "a list": ("a", {"json": [TEXT]}, 422, "body"),
    "a body of another type": ("a", {"content": b"text", "headers": {"Content-Type": "text/plain"}}, 415, ""),
    "no body": ("a", {}, 415, ""),
    "more than a text may have": ("a", {"json": TEXT | {"text": "x" * 6_000_000}}, 413, ""),
    "more than anything may have": ("a", {"content": b"x" * 27_000_000}, 413, ""),
    "a form without a file": ("a", {"files": {"title": (None, "A")}}, 422, "file"),
    "an empty file": ("a", {"files": {"file": ("a.txt", b" ")}}, 422, "file"),
    "a file of a type that is not read": ("a", {"files": {"file": ("a.exe", b"MZ\0\1")}}, 415, "file"),
    "a picture": ("a", {"files": {"file": ("a.png", b"\x89PNG\r\n\x1a\n\0")}}, 415, "file"),
    "a file and a text": ("a", {"files": {"file": ("a.txt", b"a")}, "data": {"text": "b"}}, 422, "text"),
    "two titles": ("a", {"files": {"file": ("a.txt", b"a")}, "data": {"title": ["a", "b"]}}, 422, "title"),
    "a long id": (LONG, {"json": TEXT}, 422, "path.document_id"),
    "an id with a control character": ("a%1Fb", {"json": TEXT}, 422, "path.document_id"),
    "an id with NUL": ("a%00b", {"json": TEXT}, 422, "path.document_id"),
    "an id that begins with a slash": ("%2Fa", {"json": TEXT}, 422, "path.document_id"),
    "an id with an empty part": ("a%2F%2Fb", {"json": TEXT}, 422, "path.document_id"),
    "an id that leads upwards": ("a%2F..%2Fb", {"json": TEXT}, 422, "path.document_id"),
    "an id that ends with a space": ("a%20", {"json": TEXT}, 422, "path.document_id"),
    "an id that means all below": ("a%2Fbelow", {"json": TEXT}, 422, "path.document_id"),
    "an id that means any unit": ("*%2Fa", {"json": TEXT}, 422, "path.document_id"),
    "an id that is no UTF-8": ("a%FFb", {"json": TEXT}, 400, ""),
    "an id of another source": ("slack:acme/C1/threads/1", {"json": TEXT}, 403, ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_and_nothing_is_kept(running: Running, case: str) -> None:
    name, sent, status, place = WRONG[case]
    before = _files(running)
    headers = bearer(KEY) | sent.get("headers", {})
    answer = httpx.put(running.address(name), **{**sent, "headers": headers}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert len(problem["detail"]) > 8
    if place:
        assert problem["errors"][0]["field"] == place, problem
        assert problem["errors"][0]["problem"] in problem["detail"]
    assert _files(running) == before


def test_an_excluded_unit_is_refused(running: Running) -> None:
    answer = running.put("a", "b", OTHER_KEY, unit="secret plans")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "unit")


@pytest.mark.one_case
@pytest.mark.parametrize("name", ["a b", "Ä/ö", "2026-01-01T00:00:00Z", "https:x", "a%2Fb", "a?b".replace("?", "%3F")])
def test_ids_may_hold_what_names_hold(running: Running, name: str) -> None:
    answer = running.put(name, f"The ostro is {name}.", readers=["public"])
    assert answer.status_code in (200, 202), answer.text
    document_id = answer.json()["document_id"]
    running.until(lambda: running.get(document_id.replace("?", "%3F")).status_code == 200)
    assert running.delete(document_id.replace("?", "%3F")).status_code == 204


def _files(running: Running) -> set[str]:
    folder = running.folder.path / ".headrace" / "landing" / "pushed"
    return {str(one) for one in folder.rglob("*") if one.is_file()}
