"""The sample company's source APIs, served on this machine by `backlot`."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import httpx

from pipelines.errors import HeadraceError, UsageError

COMPANY = Path(__file__).with_name("company.jsonl")
PORT = 8790
"""Preferred, so that a second demo finds the same URLs and has nothing to do; any other if it is taken."""
TOKEN = "admin-service-token"  # noqa: S105  the emulator's fixed token for its own sample data

_LACKING = ("connectors.github.client", "connectors.slack.directory")
"""Who warns of what the emulator has not, GraphQL and user groups; in a demo there is nothing that one could do."""
_START_SECONDS = 60
_WATCH_PARENT = (
    "import os, threading; threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start(); "
)
"""Nothing is ever written to its standard input, which is closed with the process at the other end."""
_ENVIRONMENT = {"BACKLOT_TELEMETRY": "0", "DO_NOT_TRACK": "1"}


@contextmanager
def serve_company(directory: Path) -> Iterator[str]:
    """Serve the four APIs while the context lasts; yields their base URL.

    Raises UsageError if the emulator is not installed, HeadraceError if it does not start.
    """
    if find_spec("backlot") is None:
        raise UsageError("the demo needs the emulator: install headrace[demo]")
    data = directory / "company"
    log = directory / "sources.log"
    directory.mkdir(parents=True, exist_ok=True)
    for name in _LACKING:
        logging.getLogger(name).setLevel(logging.ERROR)
    _import(data, log)
    port = PORT if _is_free(PORT) else _free_port()
    with _running(data, port, log) as server:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, server, log)
        yield url


@contextmanager
def _running(data: Path, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The emulator's process, ended with the context, or with this process however that ends."""
    with log.open("ab") as output:
        server = subprocess.Popen(
            _backlot("serve", "--port", str(port), "--log-level", "warning", prepared=_WATCH_PARENT),
            env=_environment(data),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=20)


def _import(data: Path, log: Path) -> None:
    """Load the corpus, unless the folder holds this very corpus already."""
    digest = hashlib.sha256(COMPANY.read_bytes()).hexdigest()
    mark = data / "corpus.sha256"
    if mark.exists() and mark.read_text() == digest:
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with log.open("wb") as output:
        done = subprocess.run(
            _backlot("import", str(COMPANY)), env=_environment(data), stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise HeadraceError(f"the sample company could not be loaded; see {log}")
    mark.write_text(digest)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{url}/_meta/users", headers={"Authorization": f"Bearer {TOKEN}"}).raise_for_status()
            return
        time.sleep(0.1)
    raise HeadraceError(f"the emulated sources did not start; see {log}")


def _backlot(*arguments: str, prepared: str = "") -> list[str]:
    return [sys.executable, "-c", f"{prepared}from backlot.cli import main; main()", *arguments]


def _environment(data: Path) -> dict[str, str]:
    return {**os.environ, **_ENVIRONMENT, "BACKLOT_DATA_DIR": str(data.absolute())}


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
