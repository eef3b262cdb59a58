"""What the README, the example settings and infra/ say is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from typer.testing import CliRunner

from connectors.registry import source
from connectors.source_parts import table_of
from docs.site.staging import pages
from pipelines.cli.app import app
from pipelines.cli.demo.questions import QUESTIONS, RIGHTS_QUESTION
from pipelines.cli.demo.sources import COMPANY
from pipelines.settings import load_settings
from tests.paths import ROOT

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def environment(text: str) -> dict[str, str]:
    return dict.fromkeys(VARIABLE.findall(text), "value") | {"INCIDENT_RESPONDER_KEY": "value-of-twenty-letters"}


def test_the_example_settings_are_valid() -> None:
    file = ROOT / "headrace.example.yaml"
    settings = load_settings(file, environment(file.read_text()))
    assert [connection.source for connection in settings.connections] == ["github", "slack", "notion", "drive"]


def test_every_variable_of_the_example_is_in_the_example_environment() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(VARIABLE.findall((ROOT / "headrace.example.yaml").read_text())) <= named


def test_the_shared_settings_of_infra_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "infra" / "settings.yaml").read_text()
    (tmp_path / "headrace.yaml").write_text(text)
    urls = {"QDRANT_URL": "http://value", "S3_URL": "http://value", "POSTGRES_PORT": "5432"}
    settings = load_settings(tmp_path / "headrace.yaml", environment(text) | urls)
    assert settings.catalog.url.get_secret_value() == "postgresql://value:value@value:5432/value"


@pytest.mark.parametrize("file", ["dagster.yaml", "infra/dagster.yaml"])
def test_dagster_accepts_its_settings(file: str) -> None:
    checked = validate_config(dagster_instance_config_schema(), yaml.safe_load((ROOT / file).read_text()))
    assert checked.success, checked.errors


def test_the_services_of_infra_name_what_exists() -> None:
    services = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        if "build" in service:
            assert (ROOT / "infra" / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / path).exists() for line in copied for path in line.split())


def test_the_commands_of_the_readme_exist() -> None:
    named = set(re.findall(r"headrace ([a-z-]+)", (ROOT / "README.md").read_text()))
    for command in named:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command


def test_the_answers_of_the_demo_are_in_its_company() -> None:
    company = COMPANY.read_text(encoding="utf-8")
    assert all(question.answer in company for question in (*QUESTIONS, RIGHTS_QUESTION))
    assert len(company.splitlines()) >= 120


def test_the_tests_that_the_connectors_name_exist() -> None:
    named = re.findall(r"::(test_\w+)`", (ROOT / "connectors" / "README.md").read_text())
    written = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(named) > 40
    assert set(named) <= written


PAGES = pages()
ROOMS = ("assets/", "connectors/", "docs/", "examples/", "infra/", "pipelines/", "tests/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`([\w./-]+)`", page.read_text(encoding="utf-8"))
    assert [
        one for one in named if one.startswith(ROOMS) and not any((base / one).exists() for base in (ROOT, page.parent))
    ] == []


def test_the_targets_that_pages_name_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets


def test_the_workflow_runs_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert {run.removeprefix("make ") for run in runs if run.startswith("make ")} <= targets
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


@pytest.mark.parametrize("name", ["github", "slack", "notion", "drive"])
def test_the_guide_prints_the_parts_that_are_read(name: str) -> None:
    assert table_of(source(name).parts) in (ROOT / "docs" / "permissions.md").read_text()


def test_one_version_stands_everywhere() -> None:
    """What is installed, what the chart runs, and what the pages and the workflow build."""
    released = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((ROOT / "infra" / "helm" / "headrace" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (released, released)
    built = (ROOT / "docs" / "kubernetes.md").read_text() + (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert set(re.findall(r"headrace:(\d+\.\d+\.\d+)", built)) == {released}
    first, *_ = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first == released
