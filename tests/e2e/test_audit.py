"""The audit log and the service's own lines, as the installed command writes them."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.model import Unit
from pipelines.catalog import Outcome, open_catalog
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators import github
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer

KEY = "key-of-the-incident-responder"
ADA = "ada@acme.test"
QUESTION = "what does the zebra cost"


@contextmanager
def serving(folder: Folder, log: Path, port: int = 0) -> Iterator[str]:
    """`headrace serve` with standard error in a file, from its first answer until the context ends."""
    port = port or free_port()
    process = folder.started("serve", "--port", str(port), log=log.name)
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                httpx.get(f"{url}/healthz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def search(url: str, key: str, **body: Any) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{url}/v1/search", headers=headers, json={"query": QUESTION} | body, timeout=60).status_code


def audited(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def embedding(embeddings: EmbeddingsServer) -> dict[str, Any]:
    """Settings of an API in the place of the bundled model, which each process would load."""
    return embedding_settings(embeddings)


@pytest.fixture
def folder(folder: Folder, embedding: dict[str, Any]) -> Folder:
    folder.settings(assistants=[{"id": "responder", "api_key": KEY}], embedding=embedding)
    return folder


def test_every_query_refusal_and_change_of_a_key_leaves_one_line(folder: Folder) -> None:
    log = folder.path / "log"
    added = folder.headrace("assistants", "add", "--for", ADA.upper(), "--json")
    own = added.json["api_key"]
    with serving(folder, log) as url:
        assert search(url, KEY, user=ADA, filters={"tags_not": ["issue\n\u2028{"]}) == 200
        assert search(url, own) == 200
        assert search(url, own, user="bo@acme.test") == 403
        assert search(url, "key-that-nobody-has-ever-had") == 401
        odd = httpx.get(
            f"{url}/v1/documents/x%0D%7B%22event%22%3A%22forged%22%7D", headers={"Authorization": f"Bearer {own}"}
        )
        assert odd.status_code == 404
        revoked = folder.headrace("assistants", "revoke", added.json["assistant"]["id"])
        assert search(url, own) == 401
    text = log.read_text()
    first, second, *others = audited(text)
    assert [first[name] for name in ("event", "interface", "assistant")] == ["query", "search", "responder"]
    assert [first[name] for name in ("person", "proof", "client")] == [ADA, "named", None]
    assert first["filters"] == {"tags_not": ["issue\n\u2028{"]}
    assert (first["documents"], len(first["request"]), first["milliseconds"] > 0) == ([], 32, True)
    assert first["time"].endswith("+00:00")
    assert (second["assistant"], second["person"], second["proof"]) == ("ada-acme-test", ADA, "key")
    assert [(one["event"], one.get("status"), one["assistant"]) for one in others] == [
        ("refusal", 403, "ada-acme-test"),
        ("refusal", 401, ""),
        ("query", None, "ada-acme-test"),
        ("refusal", 401, ""),
    ]
    assert others[0]["remote"] == "127.0.0.1"
    assert others[2]["asked_for"] == 'x\r{"event":"forged"}'
    ((made,), (taken,)) = audited(added.errors), audited(revoked.errors)
    assert (made["event"], made["person"]) == ("key_added", ADA)
    assert (taken["event"], taken["assistant"]) == ("key_revoked", "ada-acme-test")
    assert not [secret for secret in (KEY, own, QUESTION, "zebra") if secret in text + added.errors]


@pytest.mark.parametrize("person", [ADA, None])
def test_a_search_of_an_operator_leaves_one_line(folder: Folder, person: str | None) -> None:
    done = folder.headrace("search", QUESTION, "--source", "github", *(("--user", person.upper()) if person else ()))
    assert done.code == 0
    (line,) = audited(done.errors)
    assert [line[name] for name in ("event", "interface", "person", "proof")] == ["query", "cli", person, "operator"]
    assert (line["filters"], line["documents"], len(line["request"])) == ({"sources": ["github"]}, [], 32)
    assert "zebra" not in done.errors


def test_each_question_of_an_evaluation_leaves_one_line(folder: Folder) -> None:
    asked = [{"query": QUESTION, "user": person, "expected": ["github:acme/1"]} for person in (ADA.upper(), None)]
    (folder.path / "questions.jsonl").write_text("\n".join(map(json.dumps, asked)))
    done = folder.headrace("eval", "questions.jsonl")
    assert done.code == 0, done.errors
    lines = audited(done.errors)
    assert [(one["event"], one["interface"], one["person"]) for one in lines] == [
        ("query", "cli", ADA),
        ("query", "cli", None),
    ]
    assert "zebra" not in done.errors


def test_an_explanation_leaves_one_line(folder: Folder) -> None:
    found = Outcome(id="github:acme/1", status="pending", url="https://example.com/zebra")
    with open_catalog(load_settings(folder.path / "headrace.yaml", {})) as catalog:
        catalog.commit_read(
            "acme", "unit", [found], documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None
        )
        catalog.units.replace_listing("acme", "github", [Unit("unit", "Unit")])
    done = folder.headrace("explain", found.url, "--user", ADA.upper(), "--query", QUESTION)
    assert done.code == 0, done.errors
    (line,) = audited(done.errors)
    assert [line[name] for name in ("event", "interface", "person", "proof")] == ["query", "cli", ADA, "operator"]
    assert (line["asked_for"], line["documents"]) == (found.id, [found.id])
    assert "zebra" not in done.errors


def test_the_server_says_what_it_serves_and_where(folder: Folder) -> None:
    log = folder.path / "log"
    with serving(folder, log) as url:
        pass
    lines = log.read_text()
    assert "INFO pipelines.service.run: index knowledge: 0 documents, 0 points" in lines
    assert f"running on {url}" in lines
    assert folder.headrace("status").errors == ""


def test_a_file_of_its_own_is_private_and_may_be_rotated(folder: Folder, embedding: dict[str, Any]) -> None:
    settings = {"assistants": [{"id": "responder", "api_key": KEY}], "embedding": embedding}
    folder.settings(**settings, audit={"file": "audit.jsonl"})
    file, log = folder.path / "audit.jsonl", folder.path / "log"
    with serving(folder, log) as url:
        assert search(url, KEY, user=ADA) == 200
        file.rename(folder.path / "audit.jsonl.1")
        assert search(url, KEY, user="bo@acme.test") == 200
    assert [one["person"] for one in audited((folder.path / "audit.jsonl.1").read_text())] == [ADA]
    assert [one["person"] for one in audited(file.read_text())] == ["bo@acme.test"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert audited(log.read_text()) == []


def test_a_file_that_cannot_be_opened_is_an_error_of_the_settings(folder: Folder) -> None:
    folder.settings(assistants=[{"id": "responder", "api_key": KEY}], audit={"file": "missing/audit.jsonl"})
    done = folder.headrace("serve")
    assert (done.code, "audit.file: " in done.errors, "No such file" in done.errors) == (2, True, True)


def test_a_full_disk_is_told_and_stops_nothing(folder: Folder) -> None:
    folder.settings(assistants=[{"id": "responder", "api_key": KEY}], audit={"file": "/dev/full"})
    done = folder.headrace("assistants", "add", "robot")
    assert done.code == 0
    assert "ERROR pipelines.audit: /dev/full: audit lines are not written, 1 so far" in done.errors


@pytest.mark.slow
def test_a_file_that_is_moved_from_a_full_disk_is_written_anew(folder: Folder) -> None:
    folder.settings(assistants=[{"id": "responder", "api_key": KEY}], audit={"file": "audit.jsonl"})
    file = folder.path / "audit.jsonl"
    file.symlink_to("/dev/full")
    with serving(folder, folder.path / "log") as url:
        assert search(url, KEY, user=ADA) == 200
        file.unlink()
        assert search(url, KEY, user="bo@acme.test") == 200
    assert [one["person"] for one in audited(file.read_text())] == ["bo@acme.test"]


@pytest.mark.parametrize(
    ("host", "public"), [("0.0.0.0", None), ("127.0.0.1", "https://headrace.acme.test")], ids=["address", "public_url"]
)
def test_the_key_of_the_demo_is_served_to_this_machine_alone(folder: Folder, host: str, public: str | None) -> None:
    folder.settings(assistants=[{"id": "demo", "api_key": "demo"}], public_url=public)
    done = folder.headrace("serve", "--host", host)
    assert (done.code, "assistants[0].api_key: everybody knows the demo's key" in done.errors) == (2, True)


def test_what_is_kept_is_private_whatever_the_umask(folder: Folder) -> None:
    state = folder.path / ".headrace"
    state.mkdir(mode=0o755)
    (state / "of-an-earlier-release").write_text("documents")
    command = f"umask 022; exec {' '.join(folder.command('assistants', 'add', 'robot'))}"
    subprocess.run(["sh", "-c", command], cwd=folder.path, check=True, capture_output=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.rglob("*"))}
    assert {"catalog.db", "of-an-earlier-release"} < modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_sync_says_what_it_published_and_which_rights_were_taken_away(
    folder: Folder, embedding: dict[str, Any]
) -> None:
    hub = github.GitHub()
    repository = hub.repository("acme/api")
    hub.issue(repository, "Pump", "The pump leaks.")
    with github.serving(hub) as url:
        connection = {"id": "gh", "source": "github", "token": github.TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding)
        first = folder.headrace("sync", "--json")
        repository.private = True
        second = folder.headrace("sync", "--json")
    assert "INFO pipelines.ingestion.publish: published knowledge: 1 documents, 1 points" in first.errors
    assert audited(first.errors) == []
    (revoked,) = audited(second.errors)
    assert (revoked["event"], revoked["connection"], revoked["tokens"]) == ("rights_revoked", "gh", 1)
    assert "pump" not in second.errors.lower()


def test_the_worker_says_that_it_works(folder: Folder) -> None:
    log = folder.path / "log"
    process = folder.started("worker", log=log.name)
    while process.poll() is None and not (log.exists() and b"working for no connection" in log.read_bytes()):
        time.sleep(0.1)
    process.terminate()
    assert process.wait() == 143
    assert log.read_text().endswith("ended by SIGTERM\n")
