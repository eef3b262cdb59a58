"""What strangers may try at the door of the installed `headrace serve`, over the network."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.bench import door
from tests.e2e.conftest import Folder, own_environment
from tests.emulators import notion
from tests.emulators.company import free_port
from tests.installed import StartedCommand

KEY = "a-key-of-the-watch-for-tests"
PATIENCE = 60.0
PAGES: dict[str, object] = {"id": "acme-notion", "source": "notion", "token": "t", "readers": ["workspace"]}


@dataclass
class Door:
    url: str
    metrics_url: str
    log: Path
    process: StartedCommand | None = None


@contextmanager
def serving(folder: Folder, *connections: Mapping[str, object], **more: object) -> Iterator[Door]:
    """`headrace serve`, until it answers and then until the context ends."""
    port, metrics_port = free_port(), free_port()
    folder.settings(connections=[dict(one) for one in connections], metrics={"port": metrics_port}, **more)
    found = Door(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}/metrics", folder.path / "log")
    process = found.process = folder.started("serve", "--port", str(port), log=found.log.name)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(found.url):
            assert process.poll() is None, found.log.read_text()
            assert time.monotonic() < deadline
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").text == "ok"
    except httpx.TransportError:
        time.sleep(0.1)
        return False


@pytest.fixture(scope="module")
def opened(module_folder: Callable[[str], Path]) -> Iterator[Door]:
    github = {"id": "acme", "source": "github", "token": "t", "webhook_secret": door.SECRET}
    assistants = [{"id": "watch", "api_key": KEY}]
    with serving(Folder(module_folder("door")), github, assistants=assistants) as found:
        yield found


def connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)


def test_a_head_without_end_is_cut_off(opened: Door) -> None:
    with connected(opened.url) as one, pytest.raises(ConnectionError):
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 48_000_000)
    assert answers(opened.url)


@pytest.mark.parametrize("path", ["webhooks/acme", "v1/search", "mcp"])
def test_an_aborted_upload_leaves_no_traceback(opened: Door, path: str) -> None:
    headers = "Host: localhost\r\nX-Hub-Signature-256: sha256=00\r\nContent-Type: application/json\r\n"
    with connected(opened.url) as one:
        one.sendall(f"POST /{path} HTTP/1.1\r\n{headers}Content-Length: 9999\r\n\r\n{{".encode())
    assert answers(opened.url)
    assert "Traceback" not in opened.log.read_text()


def test_a_name_of_somebody_else_that_points_here_is_refused(opened: Door) -> None:
    """DNS rebinding: a page has its own name lead to this machine, and its requests seem to be its own."""
    port = opened.url.rpartition(":")[2]
    rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
    assert [httpx.get(f"{opened.url}{path}", headers=rebound).status_code for path in ("/", "/docs")] == [421, 421]
    assert httpx.post(f"{opened.url}/mcp", json={}, headers=rebound).status_code == 421
    assert httpx.get(f"{opened.url}/").status_code == 200


def test_figures_have_a_port_of_their_own(opened: Door) -> None:
    assert httpx.get(f"{opened.url}/metrics").status_code == 404
    assert httpx.post(f"{opened.url}/webhooks/acme", content=b"{}").status_code == 401
    figures = httpx.get(opened.metrics_url).raise_for_status().text
    assert 'headrace_deliveries_total{connection="acme",result="refused"} 1.0' in figures


def test_processes_that_read_the_index_are_killed_and_nobody_who_asks_notices(opened: Door) -> None:
    assert opened.process
    readers = psutil.Process(opened.process.pid).children()
    assert readers
    for reader in readers:
        reader.kill()
    question = {"query": "water wheel", "mode": "lexical", "user": "ada@acme.test"}
    bearer = {"Authorization": f"Bearer {KEY}"}
    for _ in range(4):
        answer = httpx.post(f"{opened.url}/v1/search", json=question, headers=bearer, timeout=60)
        assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_a_port_for_figures_that_is_taken_is_named(folder: Folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        folder.settings(metrics={"port": taken.getsockname()[1]})
        ran = folder.headrace("serve", "--port", str(free_port()))
    assert (ran.code, "metrics.port" in ran.errors, "Traceback" in ran.errors) == (2, True, False)


@pytest.mark.slow
def test_notion_s_secret_is_taken_once_somebody_waits_for_it(folder: Folder) -> None:
    """As in Notion's form: an address is given, Notion sends a token there, and wants to be told which."""
    token = "secret_of_notion"
    body = json.dumps({"verification_token": token}).encode()
    public = "https://headrace.acme.test"
    with serving(folder, PAGES, public_url=public) as served:
        address = f"{served.url}/webhooks/acme-notion"
        assert httpx.post(address, content=body, headers=notion.signature(body, token)).status_code == 401
        assert "headrace events verify acme-notion" in folder.headrace("events", "list", "--json").output
        with subprocess.Popen(
            folder.command("events", "verify", "acme-notion"),
            cwd=folder.path,
            env=own_environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as waiting:
            assert waiting.stdout
            told = waiting.stdout.readline()
            assert ("waiting until" in told, f"{public}/webhooks/acme-notion" in told) == (True, True)
            assert httpx.post(address, content=body, headers=notion.signature(body, token)).status_code == 200
            printed = waiting.stdout.read()
        assert (waiting.returncode, printed.splitlines()[0]) == (0, token)
        assert "webhook_secret" in printed
        other = b'{"verification_token": "another"}'
        assert httpx.post(address, content=other, headers=notion.signature(other, "another")).status_code == 401
    event = json.dumps({"id": "e1", "type": "view.updated", "entity": {"id": "v", "type": "view"}}).encode()
    with serving(folder, PAGES | {"webhook_secret": token}) as served:
        address = f"{served.url}/webhooks/acme-notion"
        assert httpx.post(address, content=event, headers=notion.signature(event, token)).status_code == 200


def test_only_who_offers_a_secret_is_waited_for(folder: Folder) -> None:
    folder.settings(connections=[{"id": "acme", "source": "github", "token": "t"}])
    ran = folder.headrace("events", "verify", "acme")
    assert (ran.code, "webhook_secret" in ran.errors) == (2, True)


@pytest.mark.slow
def test_real_requests_get_through_an_attack(tmp_path: Path) -> None:
    """Times are the bench's: `make bench-door`. Here: nothing real is refused, and memory is bounded."""
    with door.served(tmp_path) as (url, server):
        figures = door.measure(url, server)
    assert (figures.refused, figures.grown < 50) == (0, True), figures
    assert figures.healthz_median < 200, figures
