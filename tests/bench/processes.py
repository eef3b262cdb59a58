"""The installed commands as processes of their own, ended with the measurement."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def running(
    commands: Sequence[Sequence[Path | str]], environment: Mapping[str, str], log: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes of these commands, which write into one log."""
    with log.open("wb") as file:
        processes = [
            subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
            for command in commands
        ]
        try:
            yield processes
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGTERM)
            for process in processes:
                process.wait(timeout=60)


def wait_until_it_answers(client: httpx.Client, url: str) -> None:
    """Raises RuntimeError after two minutes."""
    for _ in range(600):
        try:
            if client.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer")
