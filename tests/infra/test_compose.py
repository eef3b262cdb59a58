"""What `infra/` says fits: the Compose specification, the code's needs, and its own parts each other."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from pipelines.index.server.requests import takes_idf_corpus
from tests.paths import ROOT

INFRA = ROOT / "infra"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((INFRA / "compose.yaml").read_text())["services"]
LASTING = sorted(SERVICES.keys() - {"migrate"})
OWN = sorted(name for name, service in SERVICES.items() if service.get("image") == "headrace")
DOCKERFILE = (INFRA / "Dockerfile").read_text()
OLDEST_MINIO = "RELEASE.2025-10-15T17-29-55Z"
"""The first without CVE-2025-62506 (https://github.com/minio/minio/security/advisories/GHSA-jjjj-jwhf-8rgr)."""
LEFT_OUT = {"llvmlite", "numba", "scipy", "spacy"}
# fmt: off
USED_BY_BOTH = {
    "cryptography", "graphql-core", "grpcio", "grpcio-health-checking", "httpx2", "jsonschema", "kubernetes",
    "pytrec-eval-terrier",
}
# fmt: on
"""Tests use them, and so do packages that Headrace runs with."""


def compose(**worker: object) -> PyCompose:
    """The compose file, with changes to one of its services. Anchors and merges are resolved."""
    whole = yaml.safe_load((INFRA / "compose.yaml").read_text())
    whole["services"]["worker"] |= worker
    return PyCompose.from_yaml(yaml.safe_dump(whole))


def test_the_compose_file_fits_the_specification() -> None:
    compose().validate()


def test_the_validator_sees_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="env_file"):
        compose(env_file={"path": "../.env", "required": False})
    with pytest.raises(ValueError, match="nowhere"):
        compose(configs=["nowhere"]).validate()


@pytest.mark.parametrize("name", LASTING)
def test_a_service_says_how_it_is_and_ends_in_its_time(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["stop_grace_period"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    limits = service["deploy"]["resources"]["limits"]
    assert {"memory", "cpus", "pids"} <= limits.keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        file = INFRA / service["build"]["context"] / service["build"]["dockerfile"]
        users = re.findall(r"^USER (\S+)$", file.read_text(), re.MULTILINE)
        assert users
        assert users[-1] not in ("root", "0")
    else:
        assert service.get("user", "root") != "root" or service["image"].endswith("-unprivileged")


@pytest.mark.parametrize("name", sorted(set(OWN) - {"migrate"}))
def test_nothing_starts_before_the_migration(name: str) -> None:
    def waits_for(service: str) -> dict[str, str]:
        direct = {other: how["condition"] for other, how in SERVICES[service].get("depends_on", {}).items()}
        return {key: value for other in direct for key, value in waits_for(other).items()} | direct

    waiting = waits_for(name)
    assert waiting["migrate"] == "service_completed_successfully"
    assert {waiting[one] for one in ("postgres", "qdrant", "minio")} == {"service_healthy"}


def test_figures_are_for_the_network_of_the_containers_alone() -> None:
    metrics = yaml.safe_load((INFRA / "settings.yaml").read_text())["metrics"]
    for service, setting in (("retrieval", "port"), ("worker", "worker_port")):
        (port,) = SERVICES[service]["expose"]
        assert metrics[setting].endswith(f":-{port}}}")
        assert not any(port in published for published in SERVICES[service].get("ports", ()))


def test_the_servers_are_as_new_as_the_code_needs() -> None:
    qdrant = SERVICES["qdrant"]["image"].partition(":v")[2].removesuffix("-unprivileged")
    assert takes_idf_corpus(qdrant)
    (minio,) = re.findall(r"minio@(\S+)", (INFRA / "minio.Dockerfile").read_text())
    assert minio >= OLDEST_MINIO
    (python,) = re.findall(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert python in workflow["test"]["strategy"]["matrix"]["python"]
    assert qdrant in {version.removeprefix("v") for version in workflow["services"]["strategy"]["matrix"]["qdrant"]}
    assert SERVICES["postgres"]["image"] == workflow["services"]["services"]["postgres"]["image"]


def test_every_variable_that_the_files_take_is_set() -> None:
    taken = set(re.findall(r"\$\{([A-Z0-9_]+)\}", (INFRA / "settings.yaml").read_text()))
    for file in ("dagster.yaml", "workspace.yaml"):
        taken |= set(re.findall(r"\{env: ([A-Z0-9_]+)\}", (INFRA / file).read_text()))
    in_image = set(re.findall(r"([A-Z0-9_]+)=\S+", DOCKERFILE))
    for name in OWN:
        assert taken <= set(SERVICES[name]["environment"]) | in_image, name


def test_the_second_database_is_made_and_used() -> None:
    made = re.findall(r"CREATE DATABASE (\w+);", (INFRA / "postgres-databases.sql").read_text())
    assert made == [SERVICES["definitions"]["environment"]["DAGSTER_POSTGRES_DB"]]
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] not in made


def pins(file: str) -> dict[str, set[str]]:
    """Versions of each package; there are several where they depend on the version of Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / file).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_image_holds_what_runs_and_no_test_package() -> None:
    assert "--requirement requirements.txt" in DOCKERFILE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    developing = {re.split(r"[\[<>=]", one)[0].lower() for one in project["dependency-groups"]["dev"]}
    running = pins("requirements.txt")
    assert running.keys() & (developing - USED_BY_BOTH) == set()
    assert running.keys() & ({"backlot"} | LEFT_OUT) == set()
    assert {"dagster-postgres", "dagster-webserver", "psycopg", "qdrant-client"} <= running.keys()


def test_what_is_developed_with_is_what_runs() -> None:
    developing = pins("requirements-dev.txt")
    assert {name: found for name, found in pins("requirements.txt").items() if developing.get(name) != found} == {}
