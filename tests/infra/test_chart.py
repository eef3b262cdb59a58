"""What the Helm chart renders fits: Kubernetes, its own parts each other, and what the processes need."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from kubernetes_validate.utils import validate

from pipelines.cli.signals import SECONDS_TO_UNWIND
from pipelines.settings import load_settings
from tests.infra.helm_chart import (
    CASES,
    CHART,
    WORKLOADS,
    Manifest,
    Values,
    container,
    find,
    helm,
    is_own,
    notes,
    of_kind,
    pod,
    pods,
    render,
    with_stand_ins,
)

OLDEST = re.search(r">=([\d.]+)", (CHART / "Chart.yaml").read_text())
VERSIONS = (OLDEST[1] if OLDEST else "", "1.37")
CUSTOM: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).with_name("custom_resources.yaml")).read_text())
SECRETS = {"headrace", "headrace-postgresql", "sources"}
TO_END = 10.0
"""Seconds within which every command ends; see `pipelines/cli/signals.py`."""

each_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())


@each_case
def test_helm_finds_nothing_to_mend(values: Values, tmp_path: Path) -> None:
    report = helm.lint(with_stand_ins(tmp_path), dict(values), strict=True)
    assert report["errors"] == []
    assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


@each_case
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_each_object(values: Values, version: str) -> None:
    for one in render(values):
        if one["kind"] in CUSTOM:
            jsonschema.validate(one, CUSTOM[one["kind"]])
        else:
            is_taken(json.dumps(one), version)


@cache
def is_taken(manifest: str, version: str) -> None:
    """Raises ValidationError unless it is; most objects are the same in several cases."""
    validate(json.loads(manifest), version, strict=True)


@each_case
def test_names_are_the_objects_own(values: Values) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in render(values)]
    assert len(names) == len(set(names))


@each_case
def test_a_selector_finds_pods(values: Values) -> None:
    manifests = render(values)
    labelled = [template["metadata"]["labels"] for _, template in pods(manifests)]
    # Made later, by Dagster's launcher; or by the charts that are stood in for.
    elsewhere = [{"app.kubernetes.io/component": "run"}, *({"app.kubernetes.io/name": name} for name in STORES)]
    for one in manifests:
        selector = _selector(one)
        if selector is None or any(other.items() <= selector.items() for other in elsewhere):
            continue
        assert any(selector.items() <= labels.items() for labels in labelled), one["metadata"]


STORES = ("qdrant", "postgres")


def _selector(one: Manifest) -> dict[str, str] | None:
    spec = one.get("spec", {})
    if one["kind"] == "Service":
        return dict(spec["selector"])
    if one["kind"] == "NetworkPolicy":
        return dict(spec["podSelector"]["matchLabels"])
    return dict(spec["selector"]["matchLabels"]) if "matchLabels" in spec.get("selector", {}) else None


@each_case
def test_what_scales_names_a_deployment_without_a_number_of_its_own(values: Values) -> None:
    manifests = render(values)
    scaled = of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")
    targets = {one["spec"]["scaleTargetRef"]["name"] for one in scaled}
    for one in of_kind(manifests, "Deployment"):
        name = one["metadata"]["name"]
        if is_own(one["metadata"].get("labels", {})):
            assert ("replicas" in one["spec"]) == (name not in targets), name
            targets.discard(name)
    assert targets == set()


@each_case
def test_a_pod_is_confined(values: Values) -> None:
    for name, template in pods(render(values)):
        whole = template["spec"]["securityContext"]
        assert whole["runAsNonRoot"] is True, name
        assert whole["runAsUser"] > 0, name
        assert whole["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for one in template["spec"]["containers"]:
            own = one["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in one["resources"]["limits"], name
            assert {"cpu", "memory"} <= one["resources"]["requests"].keys(), name


@each_case
def test_a_pod_has_no_token_of_the_cluster(values: Values) -> None:
    manifests = render(values)
    for name, template in pods(manifests):
        if is_own(template["metadata"]["labels"]):
            assert template["spec"]["automountServiceAccountToken"] is False, name
    assert {one["automountServiceAccountToken"] for one in of_kind(manifests, "ServiceAccount")} == {False}
    runs = values.get("settings", {}).get("runs", {})
    assert bool(of_kind(manifests, "Role", "RoleBinding")) == (runs.get("executor") == "k8s")


@each_case
def test_secrets_are_named_and_never_made(values: Values) -> None:
    manifests = render(values)
    assert of_kind(manifests, "Secret") == []
    text = yaml.safe_dump_all(manifests)
    named = set(re.findall(r"secretKeyRef:\s+key: \S+\s+name: (\S+)", text))
    named |= set(re.findall(r"secretRef:\s+name: (\S+)", text))
    assert named
    assert named <= SECRETS


@each_case
def test_what_a_pod_mounts_is_there(values: Values) -> None:
    manifests = render(values)
    made = {one["metadata"]["name"] for one in of_kind(manifests, "ConfigMap")}
    made |= {"authorities"}
    if values.get("dagster") == {"enabled": False}:
        made.add("headrace-dagster-instance")  # of an installation of its own
    for name, template in pods(manifests):
        volumes = {one["name"]: one for one in template["spec"].get("volumes", ())}
        for one in template["spec"]["containers"]:
            assert {mount["name"] for mount in one.get("volumeMounts", ())} <= volumes.keys(), name
        maps = {one["configMap"]["name"] for one in volumes.values() if "configMap" in one}
        assert maps <= made, name


@each_case
def test_a_probe_asks_at_a_port_of_its_container(values: Values) -> None:
    for workload in of_kind(render(values), "Deployment"):
        if is_own(pod(workload)["metadata"]["labels"]):
            one = container(workload)
            ports = {port["name"] for port in one["ports"]} | {port["containerPort"] for port in one["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                ((_, asked),) = [(how, at) for how, at in one[probe].items() if isinstance(at, dict)]
                assert asked["port"] in ports


@each_case
def test_the_settings_are_valid(values: Values, tmp_path: Path) -> None:
    manifests = render(values)
    for name in ("headrace-settings", "headrace-migrate"):
        text = find(manifests, "ConfigMap", name)["data"]["headrace.yaml"]
        (tmp_path / "headrace.yaml").write_text(text)
        variables = dict.fromkeys(re.findall(r"\$\{([A-Z0-9_]+)\}", text), "value-of-twenty-letters")
        settings = load_settings(tmp_path / "headrace.yaml", variables)
        assert not settings.index.embedded
        assert (settings.metrics.port, settings.metrics.worker_port) == (9464, 9465)
    assert settings.catalog.url.get_secret_value().startswith("postgresql://")


@each_case
def test_dagster_accepts_its_settings(values: Values) -> None:
    for one in of_kind(render(values), "ConfigMap"):
        if text := one["data"].get("dagster.yaml"):
            checked = validate_config(dagster_instance_config_schema(), yaml.safe_load(text))
            assert checked.success, checked.errors


def test_a_database_is_asked_for_as_dagster_is_told_to() -> None:
    settings = yaml.safe_load(
        find(render(CASES["external"]), "ConfigMap", "headrace-settings")["data"]["headrace.yaml"]
    )
    url = "postgresql://knowledge@postgres.acme.internal:6432/headrace?sslmode=require"
    assert settings["catalog"]["url"] == url


@pytest.mark.parametrize(
    ("case", "hooks"),
    [("external", "pre-install,pre-upgrade"), ("bundled", "post-install,pre-upgrade")],
)
def test_the_migration_runs_before_what_needs_it(case: str, hooks: str) -> None:
    manifests = render(CASES[case])
    job = find(manifests, "Job", "headrace-migrate")
    assert container(job)["command"] == ["headrace", "migrate"]
    weights = []
    for one in (find(manifests, "ConfigMap", "headrace-migrate"), job):
        annotations = one["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == hooks
        weights.append(int(annotations.get("helm.sh/hook-weight", 0)))
    assert weights == sorted(weights)
    assert weights[0] < weights[1], "the job needs its settings"


def test_nobody_is_killed_who_ends_in_time() -> None:
    assert TO_END > SECONDS_TO_UNWIND
    for workload in of_kind(render(CASES["minimal"]), "Deployment"):
        if is_own(pod(workload)["metadata"]["labels"]):
            stop = container(workload).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["0"])
            slept = int(re.findall(r"\d+$", stop[-1])[0])
            assert pod(workload)["spec"]["terminationGracePeriodSeconds"] >= TO_END + slept + 5


def test_an_installation_says_what_is_next() -> None:
    said = notes(CASES["all on"])
    assert "https://headrace.acme.com/" in said
    assert "without backups" in said
    assert "no connections yet" in notes(CASES["minimal"])
    for command in re.findall(r"-- headrace (\w+)", said):
        assert command in ("check", "sync")


def test_all_workloads_are_looked_at() -> None:
    kinds = {one["kind"] for one in render(CASES["all on"]) if "template" in one.get("spec", {})}
    assert kinds <= set(WORKLOADS)
