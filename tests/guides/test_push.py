"""The guide to documents of one's own: its program and its commands, against a server that was started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.test_push import Running, bearer
from tests.emulators.embeddings import EmbeddingsServer
from tests.guides.fences import fences, page

GUIDE = page("docs/sources/push.md")
KEY, ASSISTANT_KEY, PERSON = "a-key-that-nobody-has-guessed", "a-key-for-the-test-of-pushing", "ada@acme.com"
LONGEST_EXAMPLE = 15


@pytest.fixture(scope="module")
def running(module_folder: Callable[[str], Path]) -> Iterator[Running]:
    folder = Folder(module_folder("guide"))
    (settings,) = (one.text for one in fences(GUIDE, "yaml"))
    connections = yaml.safe_load(settings.replace("${PUSH_KEY}", KEY))["connections"]
    with EmbeddingsServer(dimensions=64) as embeddings:
        assistants = [{"id": "people", "api_key": ASSISTANT_KEY}]
        folder.settings(connections=connections, assistants=assistants, embedding=embedding_settings(embeddings))
        started = Running(folder, embeddings)
        try:
            started.start("serve")
            started.start("worker")
            yield started
        finally:
            started.stop()


@pytest.mark.slow
def test_the_program_of_the_guide_pushes_a_folder(running: Running, tmp_path: Path) -> None:
    (program,) = (one.text for one in fences(GUIDE, "python"))
    assert len([line for line in program.splitlines() if line.strip()]) <= LONGEST_EXAMPLE
    (tmp_path / "handbook" / "people").mkdir(parents=True)
    (tmp_path / "handbook" / "people" / "leave.md").write_text("# Leave\n\nTwelve weeks of sabbatical.")
    for result in ("created", "unchanged"):
        assert _run([sys.executable, "-c", program], tmp_path, running) == (
            f"push:acme-push/handbook/people/leave.md {result}\n"
        )
    running.until(lambda: running.ids("sabbatical", PERSON) == ["push:acme-push/handbook/people/leave.md"])


def test_the_commands_of_the_guide_put_and_delete(running: Running, tmp_path: Path) -> None:
    (commands,) = (one.text for one in fences(GUIDE, "sh") if "headrace" in " ".join(one.marks))
    (tmp_path / "contract.pdf").write_text("%PDF-1.4")
    said = _run(["bash", "-euc", commands.replace("http://127.0.0.1:8800", running.url)], tmp_path, running)
    assert said.count('"result":"created"') == 2
    shown = httpx.get(
        running.address("push:acme-push/handbook/leave"), params={"user": PERSON}, headers=bearer(ASSISTANT_KEY)
    )
    assert shown.status_code == 404


def _run(command: list[str], folder: Path, running: Running) -> str:
    environment = {"PATH": os.environ["PATH"], "PUSH_KEY": KEY, "HEADRACE_URL": running.url}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout
