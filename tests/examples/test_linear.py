"""The example source as a company meets it: a package that is installed, and nothing else that knows of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.testing.emulator import serving
from tests.e2e.conftest import Folder, Ran, embedding_settings, own_environment
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.examples.conftest import LINEAR

if TYPE_CHECKING:
    from headrace_linear.emulator import LinearEmulator

ROOT = LINEAR.parents[1]
LINEAR_ONLY, ELSEWHERE = "key-of-the-assistant-1", "key-of-the-assistant-2"
ASSISTANTS = [
    {"id": "linear-only", "api_key": LINEAR_ONLY, "identity": "user", "scope": {"sources": ["linear"]}},
    {"id": "elsewhere", "api_key": ELSEWHERE, "identity": "user", "scope": {"sources": ["github"]}},
]


def install(source: Path, target: Path) -> None:
    """As a user does it, from a copy: building leaves files beside the sources."""
    copy = target.with_name(f"{target.name}-source")
    shutil.copytree(source, copy)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-build-isolation", "--target", target, copy], check=True)


@contextmanager
def on_path(*directories: Path) -> Iterator[None]:
    """Processes that are started find packages there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([*map(str, directories), os.environ.get("PYTHONPATH", "")]))
        yield


@dataclass
class Mill:
    """A folder with settings for a Linear on loopback, into which the package is installed, and what a sync said."""

    folder: Folder
    packages: Path
    linear: LinearEmulator
    settings: dict[str, Any]
    teams: tuple[str, str]
    issues: list[str]
    sync: Ran


@pytest.fixture(scope="module")
def mill(importable: None, module_folder: Callable[[str], Path]) -> Iterator[Mill]:
    from headrace_linear.emulator import TOKEN, WEBHOOK_SECRET, LinearEmulator

    directory = module_folder("mill")
    packages = directory / "packages"
    install(LINEAR, packages)
    linear = LinearEmulator()
    teams = (
        linear.team("MILL", "Mill", linear.user("Ada"), linear.user("Bob")),
        linear.team("BOARD", "Board", linear.user("Cora"), visibility="private"),
    )
    issues = [linear.issue(teams[0], f"Pump {n} is stuck", f"It stood still for {n} hours.") for n in range(3)]
    issues.append(linear.issue(teams[1], "Buy another mill", "The neighbour sells."))
    linear.comment(issues[0], "Tallow makes it turn again.")
    with serving(linear.answer) as url, EmbeddingsServer(dimensions=64) as embeddings, on_path(packages):
        connection = {
            "id": "acme-linear",
            "source": "linear",
            "token": TOKEN,
            "base_url": url,
            "webhook_secret": WEBHOOK_SECRET,
        }
        settings = {
            "connections": [connection],
            "assistants": ASSISTANTS,
            "embedding": embedding_settings(embeddings),
        }
        folder = Folder(directory / "work")
        folder.path.mkdir()
        folder.settings(**settings)
        yield Mill(folder, packages, linear, settings, teams, issues, folder.spawn("sync", "--json"))


@pytest.fixture(scope="module")
def service(mill: Mill) -> Iterator[str]:
    """`headrace serve` on what was synced; its URL."""
    port = free_port()
    command = mill.folder.command("serve", "--port", str(port))
    process = subprocess.Popen(command, cwd=mill.folder.path, env=own_environment(), stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _is_ready(url):
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the service is not ready"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.HTTPError:
        return False


def search(url: str, key: str = LINEAR_ONLY, **asked: Any) -> httpx.Response:
    body = {"query": "pump stuck", "user": "ada@acme.test", "mode": "lexical"} | asked
    return httpx.post(f"{url}/v1/search", headers={"Authorization": f"Bearer {key}"}, json=body)


def titles(answer: httpx.Response) -> set[str]:
    return {result["title"] for result in answer.raise_for_status().json()["results"]}


def test_a_sync_indexes_its_issues(mill: Mill) -> None:
    assert mill.sync.code == 0, mill.sync.errors
    assert mill.sync.json["documents"]["new"] == len(mill.issues)
    assert mill.sync.json["documents"]["failed"] == 0


def test_its_issues_are_found_and_filtered_by_its_name(mill: Mill, service: str) -> None:
    pumps = {"Pump 0 is stuck", "Pump 1 is stuck", "Pump 2 is stuck"}
    assert titles(search(service)) == pumps
    assert titles(search(service, filters={"sources": ["linear"]})) == pumps
    assert titles(search(service, filters={"sources": ["github"]})) == set()
    (first,) = search(service, query="tallow", top_k=1).json()["results"]
    assert (first["source"], first["kind"], first["unit"]) == ("linear", "issue", mill.teams[0])


def test_an_unknown_source_is_refused_by_naming_the_installed_ones(service: str) -> None:
    answer = search(service, filters={"sources": ["jira"]})
    assert answer.status_code == 422
    assert "installed: drive, github, linear, notion, push, slack" in answer.text


def test_a_private_team_is_for_its_members(service: str) -> None:
    assert titles(search(service, query="neighbour", user="bob@acme.test")) == set()
    assert titles(search(service, query="neighbour", user="cora@acme.test")) == {"Buy another mill"}


def test_an_assistant_may_be_limited_to_it(service: str) -> None:
    assert titles(search(service, LINEAR_ONLY))
    assert titles(search(service, ELSEWHERE)) == set()


def test_schemas_and_the_page_name_it(service: str) -> None:
    schemas = httpx.get(f"{service}/openapi.json").text
    assert '"linear"' in schemas
    assert "Linear" in httpx.get(service).text


def test_its_webhooks_are_taken_when_they_are_signed(mill: Mill, service: str) -> None:
    headers, body = mill.linear.issue_delivery(mill.issues[0])
    webhook = f"{service}/webhooks/acme-linear"
    assert httpx.post(webhook, content=body, headers=headers).status_code == 200
    assert httpx.post(webhook, content=body + b" ", headers=headers).status_code == 401
    assert httpx.post(webhook, content=body).status_code == 401
    events = mill.folder.spawn("events", "list", "--json").json["events"]
    assert [(event["connection"], event["kind"]) for event in events] == [("acme-linear", "Issue.update")]


def test_an_error_in_its_settings_names_the_field(mill: Mill, folder: Folder) -> None:
    wrong = mill.settings["connections"][0] | {"token": ["no", "token"]}
    folder.settings(**mill.settings | {"connections": [wrong]})
    ran = folder.spawn("status")
    assert ran.code != 0
    assert re.search(r"connections\[0\]\.token\b", ran.errors)


@pytest.mark.slow
def test_dagster_has_its_assets(mill: Mill) -> None:
    code = (
        "import json\n"
        "from assets.definitions import build_definitions\n"
        "from pipelines.settings import load_settings\n"
        "graph = build_definitions(load_settings()).resolve_asset_graph()\n"
        "print(json.dumps(sorted(key.to_user_string() for key in graph.get_all_asset_keys())))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=mill.folder.path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert {"acme-linear/documents", "acme-linear/chunks", "acme-linear/vectors"} <= set(found)


@pytest.mark.slow
def test_its_own_tests_pass_where_it_is_installed(mill: Mill) -> None:
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", "pyproject.toml"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests"], cwd=LINEAR, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
def test_a_missing_method_is_an_error_of_the_type_checker(tmp_path: Path) -> None:
    package = tmp_path / "headrace_linear"
    shutil.copytree(LINEAR / "headrace_linear", package)
    source = package / "source.py"
    source.write_text(source.read_text().replace("def unit_of(", "def unit_of_nothing("))
    contract = [ROOT / "connectors" / name for name in ("contract.py", "model.py")]
    # What is imported beside these files is not looked at: the contract alone decides, and so it takes a second.
    mypy = [sys.executable, "-m", "mypy", "--follow-imports=skip", "--cache-dir=/dev/null"]
    ran = subprocess.run(
        [*mypy, package / "__init__.py", source, *contract],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stderr
    assert re.search(r'"LinearConnector" is missing following "Connector" protocol member:\n.* unit_of\n', ran.stdout)


@pytest.mark.slow
def test_a_wrong_source_in_its_documents_is_a_failure_in_the_ledger(mill: Mill, folder: Folder, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(mill.packages, wrong)
    documents = wrong / "headrace_linear" / "documents.py"
    documents.write_text(documents.read_text().replace('source="linear"', 'source="slack"'))
    folder.settings(**mill.settings)
    with on_path(wrong):
        synced = folder.spawn("sync", "acme-linear", "--json")
        explained = folder.spawn("explain", f"linear:acme-linear/{mill.issues[0]}", "--json")
    assert synced.json["documents"]["failed"] == len(mill.issues)
    assert synced.json["documents"]["new"] == 0
    assert "not admitted: source is 'slack', and must be 'linear'" in explained.output
