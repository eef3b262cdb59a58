"""The commands of the README, in order and as they stand, in a shell that has no variables but those that they set.

In place of `make` there is one that only says what it would do, in the repository: a test installs nothing. Between
`cp` and `check` the settings are filled in as the README says, with emulated sources.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.test_interfaces import serving
from tests.e2e.test_parts import made
from tests.emulators.embeddings import EmbeddingsServer
from tests.guides.conftest import FOUND, PERSON, Answering
from tests.guides.fences import Fence, fences, page
from tests.paths import ROOT

SHELL = [one for one in fences(page("README.md"), "sh") if not one.marks]
"""Those that run to their end. What says in its title what it needs is looked at as a whole, below."""
CURL = SHELL[-1].text
PORT = ":8800"
ALL = [
    (file, one) for file in (page("README.md"), *sorted((ROOT / "docs").rglob("*.md"))) for one in fences(file, "sh")
]


def run(text: str, folder: Path) -> str:
    """What a fence prints, run by a shell that ends at the first command that fails."""
    environment = {"PATH": f"{folder / 'bin'}:{os.defpath}", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Folder:
    """What the commands use of a checkout."""
    folder = tmp_path / "clone"
    (folder / "bin").mkdir(parents=True)
    for name in ("headrace.example.yaml", ".env.example"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    make = folder / "bin" / "make"
    make.write_text(f'#!/bin/sh\nexec /usr/bin/make --directory={ROOT} --dry-run "$@"\n')
    make.chmod(0o755)
    return Folder(folder)


@pytest.mark.parametrize(("file", "fence"), ALL, ids=[f"{file.stem}:{one.line}" for file, one in ALL])
def test_a_snippet_is_a_script(file: Path, fence: Fence) -> None:
    """That of what needs a cluster, an account or another program as well."""
    checked = subprocess.run(["bash", "-n", "-c", fence.text], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_curl_of_the_readme_finds_what_the_named_person_may_see(answering: Answering, clone: Folder) -> None:
    (clone.path / ".env").write_text(f"INCIDENT_RESPONDER_KEY={answering.key}\n")
    asked = CURL.replace(f"http://127.0.0.1{PORT}", answering.url).replace("ada@example.com", PERSON)
    assert asked != CURL
    assert [one["url"] for one in json.loads(run(asked, clone.path))["results"]] == [FOUND]


@pytest.fixture
def connections() -> Iterator[list[dict[str, Any]]]:
    """One to each source, each with something of each part."""
    with ExitStack() as stack:
        found = []
        for name in ("slack", "notion", "github", "drive"):
            source = made(name)
            url = stack.enter_context(source.serving)
            own = {key: value.replace("{url}", url) for key, value in source.settings.items() if isinstance(value, str)}
            found.append({"id": f"acme-{name}", "base_url": url, **source.settings, **own})
        yield found


@pytest.mark.slow
def test_every_command_of_the_readme_runs_as_it_stands(clone: Folder, connections: list[dict[str, Any]]) -> None:
    setup, use, ask = (one.text for one in SHELL)
    assert "venv" in run(setup, clone.path)
    with EmbeddingsServer(dimensions=64) as embeddings:
        fill_in(clone, {"connections": connections, "embedding": embedding_settings(embeddings)})
        assert run(use, clone.path).count("ok") > 10
        with serving(clone) as url:
            found = json.loads(run(ask.replace(f"http://127.0.0.1{PORT}", url), clone.path))
    assert "results" in found


def fill_in(clone: Folder, company: dict[str, Any]) -> None:
    """Connections and embedding of the company; the assistant stays the one of the example."""
    example = yaml.safe_load((clone.path / "headrace.yaml").read_text())
    clone.settings(**{**example, **company})
    env = (clone.path / ".env").read_text()
    (clone.path / ".env").write_text(env.replace("INCIDENT_RESPONDER_KEY=", "INCIDENT_RESPONDER_KEY=" + "a1" * 16))
    assert [one.id for one in load_settings(clone.path / "headrace.yaml", {}).assistants] == ["incident-responder"]
