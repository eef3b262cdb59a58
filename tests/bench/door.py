"""What the door of `headrace serve` stands: half-open connections, endless heads and large unsigned bodies at once.

`make bench-door` prints how fast the server answers meanwhile, how much its memory grows, and whether real webhooks
and searches get through. The attackers run in a process of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
import yaml

from tests.bench.processes import running, wait_until_it_answers
from tests.emulators.company import free_port

HALF_OPEN, HEADS, BODIES = 1_000, 50, 50
BODY = 5 * 1024 * 1024
SECONDS = 15.0
SECRET, KEY = "a-secret-of-the-bench", "a-key-for-the-bench-alone"
ISSUE = {"action": "edited", "repository": {"id": 77, "full_name": "acme/api", "private": False}}
UNSIGNED = "Host: headrace\r\nX-GitHub-Event: issues\r\n"
FORGED = UNSIGNED + f"X-Hub-Signature-256: sha256={'0' * 64}\r\n"


@dataclass(frozen=True)
class DoorFigures:
    """What was measured. Times in milliseconds, memory in MB; refused and tried are counts of real requests."""

    healthz_median: float
    healthz_most: float
    search_median: float
    search_most: float
    webhook_most: float
    grown: float
    tried: int
    refused: int


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, psutil.Process]]:
    """`headrace serve` with a GitHub connection and an assistant, and its process."""
    connection = {"id": "acme", "source": "github", "token": "t", "webhook_secret": SECRET}
    assistant = {"id": "bench", "api_key": KEY, "identity": "service", "readers": ["public"]}
    (directory / "headrace.yaml").write_text(yaml.safe_dump({"connections": [connection], "assistants": [assistant]}))
    port = free_port()
    command = (Path(sys.executable).with_name("headrace"), "serve", "--port", str(port))
    environment = {**os.environ, "HEADRACE_CONFIG": str(directory / "headrace.yaml")}
    url = f"http://127.0.0.1:{port}"
    with running([command], environment, directory / "log") as (process,):
        with httpx.Client() as client:
            wait_until_it_answers(client, f"{url}/healthz")
        yield url, psutil.Process(process.pid)


@contextmanager
def attacked(url: str) -> Iterator[None]:
    """Attackers of all kinds, as a process of their own."""
    command = (sys.executable, "-m", "tests.bench.door", url.rpartition(":")[2])
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def measure(url: str, server: psutil.Process, seconds: float = SECONDS) -> DoorFigures:
    """Ask as real clients do, each time over a connection of its own, while the attack goes on."""
    times: dict[str, list[float]] = {"healthz": [], "search": [], "webhook": []}
    asked = (("healthz", _healthz), ("search", _search), ("webhook", _webhook))
    with httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for _, ask in asked:  # what is imported or built once is not the attack's
            ask(client, 0)
        before, most, refused, number = _memory(server), 0.0, 0, 0
        with attacked(url):
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                number += 1
                for name, ask in asked:
                    started = time.perf_counter()
                    refused += not _is_ok(partial(ask, client, number))
                    times[name].append((time.perf_counter() - started) * 1000)
                most = max(most, _memory(server))
    return DoorFigures(
        median(times["healthz"]),
        max(times["healthz"]),
        median(times["search"]),
        max(times["search"]),
        max(times["webhook"]),
        most - before,
        3 * number,
        refused,
    )


def _healthz(client: httpx.Client, number: int) -> httpx.Response:
    return client.get("/healthz")


def _search(client: httpx.Client, number: int) -> httpx.Response:
    return client.post("/v1/search", json={"query": "pump"}, headers={"Authorization": f"Bearer {KEY}"})


def _webhook(client: httpx.Client, number: int) -> httpx.Response:
    body = json.dumps(ISSUE | {"issue": {"number": number + 1, "body": "x" * 20_000}}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    named = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": f"d{number}",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return client.post("/webhooks/acme", content=body, headers=named)


def _is_ok(ask: Callable[[], httpx.Response]) -> bool:
    try:
        return ask().status_code == 200
    except httpx.TransportError:
        return False


def _memory(server: psutil.Process) -> float:
    return float(server.memory_info().rss) / 1e6


async def attack(port: int) -> None:
    """Until it is ended."""
    kinds = [(_half_open, HALF_OPEN), (_endless_head, HEADS), (_unsigned_body, BODIES), (_forged_body, BODIES)]
    await asyncio.gather(*(_repeatedly(kind, port) for kind, count in kinds for _ in range(count)))


Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def _repeatedly(kind: Attack, port: int) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await kind(reader, writer)
            finally:
                writer.close()
        except OSError:
            pass
        await asyncio.sleep(0.5)


async def _half_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET / HTTP/1.1\r\nHost: headrace\r\nX-Waiting: ")
    await reader.read()


async def _endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET / HTTP/1.1\r\nHost: headrace\r\nX-Endless: ")
    while not reader.at_eof():
        writer.write(b"a" * 16_384)
        await writer.drain()
        await asyncio.sleep(0.01)


async def _unsigned_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _send_body(writer, UNSIGNED)


async def _forged_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As large, slow, and signed with nothing: it has to be read before that is seen."""
    await _send_body(writer, FORGED, pause=0.1)


async def _send_body(writer: asyncio.StreamWriter, headers: str, pause: float = 0.0) -> None:
    writer.write(f"POST /webhooks/acme HTTP/1.1\r\n{headers}Content-Length: {BODY}\r\n\r\n".encode())
    for _ in range(BODY // 65_536):
        writer.write(b" " * 65_536)
        await writer.drain()
        await asyncio.sleep(pause)


def main() -> None:
    if sys.argv[1:]:
        asyncio.run(attack(int(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as directory, served(Path(directory)) as (url, server):
        for name, figure in asdict(measure(url, server)).items():
            print(f"{name.replace('_', ' '):<16}{figure:>10.0f}")


if __name__ == "__main__":
    main()
