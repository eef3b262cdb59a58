"""The embeddings API as a process of its own, as the benchmark runs it."""

from __future__ import annotations

import subprocess
import sys

import httpx


def test_it_prints_its_url_and_counts() -> None:
    command = [sys.executable, "-m", "tests.emulators.embeddings", "--port", "0", "--dimensions", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        for texts in (["a", "b"], "a"):
            answer = httpx.post(f"{url}/embeddings", json={"model": "m", "input": texts}).raise_for_status().json()
        counters = httpx.get(f"{url.removesuffix('/v1')}/counters").raise_for_status().json()
        process.terminate()
    assert [len(entry["embedding"]) for entry in answer["data"]] == [8]
    assert counters == {"requests": 2, "inputs": 3, "tokens": 3, "repeated": 1}
