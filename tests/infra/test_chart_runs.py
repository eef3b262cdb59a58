"""The pods that Dagster's launcher makes of runs: as the chart's code location tells it to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import kubernetes.client
import pytest
import yaml
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster_k8s import K8sRunLauncher
from kubernetes_validate.utils import validate

from tests.infra.helm_chart import CASES, NAMESPACE, Manifest, container, find, of_kind, render

pytestmark = pytest.mark.slow

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "users": [{"name": "none", "user": {}}],
    "current-context": "none",
}


class Cluster(kubernetes.client.BatchV1Api):  # type: ignore[misc]
    """Takes the Jobs that a launcher makes."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Any] = []

    def create_namespaced_job(self, namespace: str, body: Any, **_: Any) -> None:
        assert namespace == NAMESPACE
        self.jobs.append(body)


def environment(workload: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(workload)["env"] if "value" in one}


def launch(manifests: list[Manifest], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """The Job that Dagster's daemon would send to the cluster for a run."""
    told = environment(find(manifests, "Deployment", "headrace-definitions"))
    daemon = find(manifests, "ConfigMap", "headrace-dagster-daemon-env")["data"]
    for name, value in daemon.items():
        monkeypatch.setenv(name, value)
    (folder / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG))
    settings = yaml.safe_load(find(manifests, "ConfigMap", "headrace-dagster-instance")["data"]["dagster.yaml"])
    config = {
        name: value if not isinstance(value, dict) else daemon[value["env"]]
        for name, value in settings["run_launcher"]["config"].items()
        if name not in ("load_incluster_config", "env_config_maps")
    }
    cluster = Cluster()
    launcher = K8sRunLauncher(
        **config,
        env_config_maps=[daemon[one["env"]] for one in settings["run_launcher"]["config"]["env_config_maps"]],
        load_incluster_config=False,
        kubeconfig_file=str(folder / "kubeconfig"),
        k8s_client_batch_api=cluster,
    )
    code = RepositoryPythonOrigin(
        executable_path="python",
        code_pointer=ModuleCodePointer("assets.definitions", "defs"),
        container_image=told["DAGSTER_CONTAINER_IMAGE"],
        container_context=json.loads(told["DAGSTER_CONTAINER_CONTEXT"]),
    )
    with dg.instance_for_test() as instance:
        launcher.register_instance(instance)
        run = instance.create_run_for_job(
            dg.GraphDefinition("sync_acme_github").to_job(), job_code_origin=JobPythonOrigin("sync_acme_github", code)
        )
        launcher.launch_run(LaunchRunContext(run, workspace=None))
    (job,) = cluster.jobs
    made: Manifest = kubernetes.client.ApiClient().sanitize_for_serialization(job)
    return made


@pytest.fixture(params=["external", "all on", "kind"])
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifests(case: str) -> list[Manifest]:
    return render(CASES[case])


@pytest.fixture
def job(manifests: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    return launch(manifests, tmp_path, monkeypatch)


def test_kubernetes_takes_it(job: Manifest) -> None:
    validate(job, "1.37", strict=True)


def test_a_run_is_confined_as_a_worker(manifests: list[Manifest], job: Manifest) -> None:
    worker = find(manifests, "Deployment", "headrace-worker")
    ours, run = worker["spec"]["template"]["spec"], job["spec"]["template"]["spec"]
    for one in ("securityContext", "nodeSelector", "tolerations", "imagePullSecrets", "enableServiceLinks"):
        assert run.get(one, []) == ours.get(one, []), one
    for one in ("securityContext", "image", "imagePullPolicy"):
        assert container(job)[one] == container(worker)[one], one
    assert run["terminationGracePeriodSeconds"] == 30
    assert job["spec"]["ttlSecondsAfterFinished"] == 86_400


def test_a_run_has_what_a_worker_has(manifests: list[Manifest], job: Manifest) -> None:
    worker = container(find(manifests, "Deployment", "headrace-worker"))

    def variables(one: dict[str, Any]) -> dict[str, Any]:
        found = {variable["name"]: variable for variable in one["env"]}
        assert len(found) == len(one["env"]), "no variable stands twice"
        return found

    assert variables(worker).items() <= variables(container(job)).items()
    secrets = [one for one in container(job)["envFrom"] if "secretRef" in one]
    assert secrets == worker["envFrom"]
    mounts = {one["mountPath"]: one for one in container(job)["volumeMounts"]}
    # Dagster's settings come to a run with its command.
    assert {one["mountPath"] for one in worker["volumeMounts"] if one["name"] != "dagster-instance"} == mounts.keys()
    volumes = [one["name"] for one in job["spec"]["template"]["spec"]["volumes"]]
    assert {one["name"] for one in mounts.values()} <= set(volumes)
    assert len(volumes) == len(set(volumes))


def test_a_run_speaks_to_the_cluster_only_where_it_starts_pods(
    case: str, manifests: list[Manifest], job: Manifest
) -> None:
    spec = job["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "headrace-run"
    assert spec["serviceAccountName"] in {one["metadata"]["name"] for one in of_kind(manifests, "ServiceAccount")}
    assert spec["automountServiceAccountToken"] is (case == "all on")


def test_policies_find_it(manifests: list[Manifest], job: Manifest) -> None:
    labels = job["spec"]["template"]["metadata"]["labels"]
    own = find(manifests, "NetworkPolicy", "headrace")["spec"]["podSelector"]["matchLabels"]
    assert own.items() <= labels.items()
    for service in of_kind(manifests, "Service"):
        assert not service["spec"]["selector"].items() <= labels.items(), "runs answer nobody"
