"""The loopback embedding API that benchmarks pay, in a process of its own, and what it has counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

LATENCY_MS = 80


@contextmanager
def embedding_api() -> Iterator[str]:
    """Its URL, without `/v1`."""
    command = [sys.executable, "-m", "tests.emulators.embeddings", "--port", "0", "--latency-ms", str(LATENCY_MS)]
    process = subprocess.Popen([*command, "--dimensions", "384"], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("the embedding API has no output")
        yield process.stdout.readline().split()[-1].rstrip("/").removesuffix("/v1")
    finally:
        process.terminate()
        process.wait()


def read_counters(api: str) -> dict[str, int]:
    """Requests and inputs so far, and inputs that came more than once."""
    counters: dict[str, int] = httpx.get(f"{api}/counters").raise_for_status().json()
    return counters
