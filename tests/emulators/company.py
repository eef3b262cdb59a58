"""The four source APIs by `backlot`, over a corpus that a test edits between two servings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx

TOKEN = "admin-service-token"
ENVIRONMENT = {"BACKLOT_TELEMETRY": "0", "DO_NOT_TRACK": "1"}


def bundled_records() -> list[dict[str, Any]]:
    """The corpus that the emulator ships with, the four sources of it."""
    import backlot

    file = Path(backlot.__file__).parent / "data" / "hello.jsonl"
    ours = ("slack", "notion", "google_drive", "github")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if record["source_type"] in ours]


_PORTS = range(12_000, 32_000)
_ports = islice(cycle(_PORTS), os.getpid() * 61 % len(_PORTS), None)


def free_port() -> int:
    """A port that no other process is given meanwhile: it lies below those that the system hands out, and each process
    of the tests begins elsewhere."""
    for port in _ports:
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports are taken")


@contextmanager
def served(records: list[dict[str, Any]], directory: Path, port: int) -> Iterator[str]:
    """Serve these records while the context lasts; yields the base URL."""
    directory.mkdir(parents=True, exist_ok=True)
    corpus = directory / "corpus.jsonl"
    corpus.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    environment = {**os.environ, **ENVIRONMENT, "BACKLOT_DATA_DIR": str(directory / "data")}
    command = [sys.executable, "-c", "from backlot.cli import main; main()"]
    subprocess.run([*command, "import", str(corpus)], env=environment, check=True, stdout=subprocess.DEVNULL)
    with (directory / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "serve", "--port", str(port), "--log-level", "error"], env=environment, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


def connections(url: str) -> list[dict[str, Any]]:
    """Settings of a connection to each source."""
    bases = {"notion": "notion", "drive": "drive/v3/", "github": "github", "slack": "slack/api/"}
    return [
        {"id": f"acme-{source}", "source": source, "token": TOKEN, "base_url": f"{url}/{path}"}
        | ({"readers": ["workspace"]} if source == "notion" else {})
        for source, path in bases.items()
    ]


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{url}/_meta/users", headers={"Authorization": f"Bearer {TOKEN}"}).raise_for_status()
            return
        time.sleep(0.05)
    raise RuntimeError(f"the emulator ended with {server.returncode}")
