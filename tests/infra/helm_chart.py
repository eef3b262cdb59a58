"""The Helm chart as an installation would render it, with charts that stand in for those that it depends on."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.paths import ROOT

helm = pytest.importorskip("helm_python", reason="helm-python-sdk has no wheel for this machine")

CHART = ROOT / "infra" / "helm" / "headrace"
STAND_INS = Path(__file__).with_name("charts")
NAMESPACE = "knowledge"
Values: TypeAlias = Mapping[str, Any]
Manifest: TypeAlias = dict[str, Any]
WORKLOADS = ("Deployment", "Job", "Pod")

INDEX = {"index": {"url": "http://qdrant.acme.internal:6333"}}
GITHUB = {"id": "acme-github", "source": "github", "token": "${GITHUB_TOKEN}", "include": ["acme/*"]}
ASSISTANT = {"id": "incident-responder", "api_key": "${INCIDENT_RESPONDER_KEY}", "identity": "user"}

CASES: dict[str, Values] = {
    "minimal": {"settings": INDEX},
    "external": {
        "settings": {
            **INDEX,
            "landing": {"url": "s3://knowledge/landing", "endpoint_url": "http://minio.acme.internal:9000"},
            "connections": [GITHUB],
            "assistants": [ASSISTANT],
        },
        "dagster": {
            "postgresql": {
                "postgresqlHost": "postgres.acme.internal",
                "postgresqlUsername": "knowledge",
                "postgresqlParams": {"sslmode": "require"},
                "service": {"port": 6432},
            }
        },
    },
    "bundled": {"postgresql": {"enabled": True}, "qdrant": {"enabled": True}},
    "kind": yaml.safe_load((CHART.parent / "kind.yaml").read_text()),
    "all on": {
        "image": {"repository": "images.acme.internal/headrace", "digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "images"}],
        "existingSecrets": ["headrace", "sources"],
        "extraEnv": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector.monitoring:4318"}],
        "extraVolumes": [{"name": "authorities", "configMap": {"name": "authorities"}}],
        "extraVolumeMounts": [{"name": "authorities", "mountPath": "/etc/authorities", "readOnly": True}],
        "settings": {
            "runs": {"executor": "k8s", "slots": 4},
            "connections": [GITHUB],
            "assistants": [ASSISTANT],
            "limits": {"trusted_proxies": ["10.0.0.0/8"]},
        },
        "nodeSelector": {"pool": "knowledge"},
        "tolerations": [{"key": "knowledge", "operator": "Exists", "effect": "NoSchedule"}],
        "podAnnotations": {"acme.com/team": "knowledge"},
        "worker": {"autoscaling": {"enabled": True}},
        "retrieval": {"autoscaling": {"enabled": True}, "service": {"annotations": {"acme.com/internal": "yes"}}},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "headrace.acme.com",
            "annotations": {"cert-manager.io/cluster-issuer": "acme"},
        },
        "networkPolicy": {"clients": [{"namespaceSelector": {"matchLabels": {"acme.com/ingress": "yes"}}}]},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/headrace"}},
        "postgresql": {"enabled": True},
        "qdrant": {"enabled": True},
    },
    "KEDA": {
        "settings": INDEX,
        "worker": {
            "autoscaling": {
                "enabled": True,
                "provider": "keda",
                "minReplicas": 0,
                "prometheus": {"url": "http://prometheus.monitoring:9090"},
            }
        },
    },
    "without the rest": {
        "settings": INDEX,
        "dagster": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "retrieval": {"podDisruptionBudget": {"enabled": False}},
    },
}


@cache
def _rendered(values: str, release: str) -> dict[str, str]:
    """The text of each file; `values` are JSON. Rendering takes from a chart what the values leave out: it is loaded
    each time."""
    with tempfile.TemporaryDirectory() as folder, helm.Chart.load(with_stand_ins(Path(folder))) as chart:
        files: dict[str, str] = chart.render(json.loads(values), name=release, namespace=NAMESPACE)
        return files


def with_stand_ins(folder: Path) -> Path:
    """The chart in a folder of its own, with its dependencies."""
    chart = folder / CHART.name
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("charts"))
    shutil.copytree(STAND_INS, chart / "charts")
    return chart


def render(values: Values, release: str = "headrace") -> list[Manifest]:
    """What an installation would send to the cluster. Raises HelmError for values that the chart refuses."""
    files = sorted(_rendered(json.dumps(values), release).items())
    texts = [text for name, text in files if not name.endswith("NOTES.txt")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def notes(values: Values) -> str:
    """What an installation says at its end."""
    return _rendered(json.dumps(values), "headrace")["headrace/templates/NOTES.txt"]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [one for one in of_kind(manifests, kind) if one["metadata"]["name"] == name]
    return found


def pod(workload: Manifest) -> Manifest:
    """The pod, or the template of the pods, of a workload: metadata and spec."""
    return workload if workload["kind"] == "Pod" else workload["spec"]["template"]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for one in of_kind(manifests, *WORKLOADS):
        yield one["metadata"]["name"], pod(one)


def container(workload: Manifest) -> dict[str, Any]:
    (found,) = pod(workload)["spec"]["containers"]
    return dict(found)


def is_own(labels: Mapping[str, str]) -> bool:
    """Whether something belongs to this chart, and not to one that it depends on."""
    return labels.get("app.kubernetes.io/name") == "headrace"
