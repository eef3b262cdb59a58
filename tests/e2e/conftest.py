"""The command line as a user runs it: a folder with settings, source APIs and an embedding API on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.cli import main
from pipelines.settings import Settings
from tests.e2e.drive_search import Asked, asking
from tests.emulators.company import connections
from tests.emulators.embeddings import EmbeddingsServer
from tests.installed import StartedCommand, run_command, start_command


@dataclass
class Ran:
    code: int
    output: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return found


@dataclass
class Folder:
    """A working directory in which `headrace` runs."""

    path: Path

    def settings(self, **values: Any) -> None:
        (self.path / "headrace.yaml").write_text(yaml.safe_dump(values))

    def headrace(self, *arguments: str, **environment: str) -> Ran:
        code, output, errors = run_command(arguments, self.path, own_environment() | environment)
        return Ran(code, output.decode(), errors.decode())

    def spawn(self, *arguments: str) -> Ran:
        """With nothing imported before, as where other packages are installed."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.path, env=own_environment(), capture_output=True, text=True
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def started(self, *arguments: str, log: str = "started.log", **environment: str) -> StartedCommand:
        """A command that goes on beside the test; what it writes to standard error stands in this file."""
        nothing = Path(os.devnull)
        return start_command(arguments, self.path, own_environment() | environment, nothing, self.path / log)

    @property
    def log(self) -> str:
        """What commands that were started have written to standard error."""
        return (self.path / "started.log").read_text()

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("headrace")), *arguments]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "work"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def headrace(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., Ran]:
    """Runs `headrace …` in this process, where nobody waits between retries."""
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr("pipelines.logs.to_standard_error", lambda *_: None)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["headrace", *arguments])
        caplog.clear()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err + caplog.text)

    return run


@pytest.fixture
def embeddings() -> Iterator[EmbeddingsServer]:
    with EmbeddingsServer(dimensions=64, latency_ms=20) as server:
        yield server


def embedding_settings(server: EmbeddingsServer) -> dict[str, Any]:
    return {"provider": "openai", "model": "stub", "dimensions": 64, "base_url": server.url, "api_key": "unused"}


def company_settings(url: str, server: EmbeddingsServer) -> dict[str, Any]:
    return {"connections": connections(url), "embedding": embedding_settings(server)}


def own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "DAGSTER_"))}


@pytest.fixture
def asked(settings: Settings) -> Iterator[Asked]:
    with asking(settings) as found:
        yield found
