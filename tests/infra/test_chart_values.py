"""Values of the Helm chart: what it refuses, what its README tells, and what has to agree with other files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from connectors.registry import sources
from pipelines.settings import Settings
from tests.infra.helm_chart import CASES, CHART, INDEX, container, find, helm, render
from tests.paths import ROOT

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
DEPENDENCIES = {one["name"]: one for one in yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]}
OF_OTHER_CHARTS = {"dagster", "qdrant", "postgresql"}


def over(minimal: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """The least values that are taken, with others over them."""
    return {**minimal, **values}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (over(CASES["minimal"], workers=2), "additional properties 'workers' not allowed"),
    "unknown setting": ({"settings": {**INDEX, "collections": []}}, "additional properties 'collections' not allowed"),
    "unknown key below": (over(CASES["minimal"], worker={"replica": 2}), "additional properties 'replica' not allowed"),
    "a text for a number": (over(CASES["minimal"], retrieval={"replicas": "two"}), "got string, want integer"),
    "no server at all": (over(CASES["minimal"], retrieval={"replicas": 0}), "minimum: got 0, want 1"),
    "a drain shorter than idle connections live": (
        over(CASES["minimal"], retrieval={"drainSeconds": 5}),
        "minimum: got 5, want 6",
    ),
    "an end before the worker's": (
        over(CASES["minimal"], worker={"terminationGracePeriodSeconds": 5}),
        "minimum: got 5, want 15",
    ),
    "a HPA that goes to zero": (
        over(CASES["minimal"], worker={"autoscaling": {"enabled": True, "minReplicas": 0}}),
        "minimum: got 0, want 1",
    ),
    "KEDA without Prometheus": (
        over(CASES["minimal"], worker={"autoscaling": {"enabled": True, "provider": "keda"}}),
        "worker.autoscaling.prometheus.url",
    ),
    "fewer at most than at least": (
        over(CASES["minimal"], worker={"autoscaling": {"minReplicas": 9}}),
        "maxReplicas is below minReplicas",
    ),
    "no index": ({}, "settings.index.url"),
    "the embedded index": ({"settings": {"index": {"url": "embedded"}}}, "settings.index.url"),
    "a landing on a pod's own disk": (
        {"settings": {**INDEX, "landing": {"url": "file:///var/lib/headrace/landing"}}},
        "landingClaim",
    ),
    "an ingress without a host": (over(CASES["minimal"], ingress={"enabled": True}), "ingress.host"),
    "another name, where Dagster looks for the first": (
        over(CASES["minimal"], fullnameOverride="knowledge"),
        "the host must be knowledge-definitions",
    ),
    "a token": (
        {"settings": {**INDEX, "connections": [{"id": "a", "source": "github", "token": "ghp_0123456789"}]}},
        "settings.connections[0].token: write ${NAME}",
    ),
    "a key with a default": (
        {"settings": {"index": {**INDEX["index"], "api_key": "${KEY:-secret}"}}},
        "settings.index.api_key: write ${NAME}",
    ),
    "a password in a URL": (
        {"settings": {**INDEX, "catalog": {"url": "postgresql://headrace:secret@postgres/headrace"}}},
        "settings.catalog.url: holds a password",
    ),
    "an address that is a secret": (
        {"settings": {**INDEX, "notifications": {"kind": "slack", "url": "https://hooks.slack.test/services/T0"}}},
        "settings.notifications.url: write ${NAME}",
    ),
}


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(helm.HelmError) as refused:
        render(values)
    assert message in str(refused.value)


def secret_fields(model: type[BaseModel]) -> Iterator[str]:
    """Names of the fields below a model that hold secrets."""
    for name, field in model.model_fields.items():
        for one in _types(field.annotation):
            if one is SecretStr:
                yield name
            elif isinstance(one, type) and issubclass(one, BaseModel):
                yield from secret_fields(one)


def _types(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    for one in arguments:
        yield from _types(one)
    if not arguments:
        yield annotation


def test_every_secret_of_the_settings_is_looked_for() -> None:
    checked = (CHART / "templates" / "_checks.tpl").read_text()
    (found,) = re.findall(r'define "headrace.secretKeys" -\}\}\n(.+)\n', checked)
    models: list[type[BaseModel]] = [Settings, *(source.settings for source in sources().values())]
    # Of URLs, any password is; of `notifications`, the whole URL.
    assert {name for model in models for name in secret_fields(model)} - {"url", "broker", "backend"} == set(
        found.split()
    )


def test_the_schema_knows_every_setting() -> None:
    schema = CHART / "values.schema.json"
    known = yaml.safe_load(schema.read_text())["properties"]["settings"]["properties"].keys()
    assert known == Settings.model_fields.keys() - {"directory"}


def paths(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Dotted paths of the values that a user may set."""
    for name, value in values.items():
        path = f"{above}{name}"
        if isinstance(value, dict) and value and path not in WHOLE | OF_OTHER_CHARTS:
            yield from paths(value, f"{path}.")
        else:
            yield path


WHOLE = {
    "settings",
    "podSecurityContext",
    "securityContext",
    *(f"{name}.resources" for name in ("worker", "retrieval", "definitions", "runs", "migrate")),
}
"""Explained as one."""


def test_the_readme_explains_every_value_and_no_other() -> None:
    readme = (CHART / "README.md").read_text()
    told = set(re.findall(r"^\| `([\w.]+)` \|", readme, re.MULTILINE))
    assert {one for one in told if one.partition(".")[0] not in OF_OTHER_CHARTS} | OF_OTHER_CHARTS == set(paths(VALUES))


def test_versions_are_those_of_the_image_and_of_the_other_stack() -> None:
    (dagster,) = re.findall(r"^dagster==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert DEPENDENCIES["dagster"]["version"] == dagster
    services = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
    assert VALUES["qdrant"]["image"]["tag"] == services["qdrant"]["image"].partition(":")[2].removesuffix(
        "-unprivileged"
    )
    assert VALUES["postgresql"]["image"]["tag"] == services["postgres"]["image"].partition(":")[2]


def test_dagster_is_configured_as_on_other_machines() -> None:
    compose = yaml.safe_load((ROOT / "infra" / "dagster.yaml").read_text())
    chart = yaml.safe_load(
        find(render(CASES["minimal"]), "ConfigMap", "headrace-dagster-instance")["data"]["dagster.yaml"]
    )
    pods_start_later = {"start_timeout_seconds": 300}
    assert chart["run_monitoring"] == compose["run_monitoring"] | pods_start_later
    assert chart["run_coordinator"]["config"] == compose["run_coordinator"]["config"]
    for ticks in ("schedule", "sensor"):
        days = chart["retention"][ticks]["purge_after_days"]
        assert days == compose["retention"][ticks]["purge_after_days"] | {"started": -1}, "its chart wants each"
    for one in ("python_logs", "telemetry", "nux", "freshness"):
        assert chart[one] == compose[one], one


def test_commands_are_those_of_the_other_stack() -> None:
    services = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
    manifests = render(CASES["minimal"])
    for name in ("worker", "retrieval", "definitions"):
        command = " ".join(container(find(manifests, "Deployment", f"headrace-{name}"))["command"])
        assert command.removesuffix(" --port 8800") == services[name]["command"]


def test_a_policy_lets_out_to_what_the_settings_name() -> None:
    policy = find(render(CASES["external"]), "NetworkPolicy", "headrace")
    ports = [one["port"] for rule in policy["spec"]["egress"] for one in rule.get("ports", ())]
    assert ports == [53, 53, 443, 6432, 6333, 9000]


def test_runs_that_start_pods_may_reach_the_cluster() -> None:
    def policies(case: str) -> set[str]:
        return {one["metadata"]["name"] for one in render(CASES[case]) if one["kind"] == "NetworkPolicy"}

    assert policies("all on") - policies("minimal") == {"headrace-runs"}


def test_people_are_sent_to_the_ingress() -> None:
    manifests = render(CASES["all on"])
    spec = find(manifests, "Ingress", "headrace")["spec"]
    assert spec["tls"] == [{"hosts": ["headrace.acme.com"], "secretName": "headrace-tls"}]
    ((path,),) = [rule["http"]["paths"] for rule in spec["rules"]]
    service = find(manifests, "Service", path["backend"]["service"]["name"])
    assert path["backend"]["service"]["port"]["name"] in {one["name"] for one in service["spec"]["ports"]}
    settings = yaml.safe_load(find(manifests, "ConfigMap", "headrace-settings")["data"]["headrace.yaml"])
    assert settings["public_url"] == "https://headrace.acme.com"


def test_the_adapter_of_prometheus_gives_what_workers_are_scaled_by() -> None:
    (rule,) = yaml.safe_load((CHART.parent / "prometheus-adapter.yaml").read_text())["rules"]["external"]
    (metric,) = find(render(CASES["all on"]), "HorizontalPodAutoscaler", "headrace-worker")["spec"]["metrics"]
    assert rule["seriesQuery"] == metric["external"]["metric"]["name"]


def test_the_trial_has_the_volume_that_its_values_name() -> None:
    claim = yaml.safe_load((CHART.parent / "kind-landing.yaml").read_text())
    assert claim["metadata"]["name"] == CASES["kind"]["landingClaim"]
