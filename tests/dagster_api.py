"""What a person does on Dagster's page, through its GraphQL API: start runs and see how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE = 240.0
"""Seconds until something is up or done, on a machine that is busy with something else."""
LAUNCH = """
mutation ($location: String!, $job: String!) {
  launchRun(executionParams: {mode: "default", selector: {
    repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job}}) {
    __typename
    ... on PythonError { message }
  }
}
"""
LOCATIONS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
METADATA = "{ repositoriesOrError { ... on RepositoryConnection { nodes { displayMetadata { key value } } } } }"
RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"
FAILURES = """
{ runsOrError(filter: {statuses: [FAILURE]}) { ... on Runs { results { jobName eventConnection {
  events {
    ... on ExecutionStepFailureEvent { error { message causes { message } } }
    ... on EngineEvent { message }
    ... on RunFailureEvent { message }
} } } } } }
"""


@dataclass(frozen=True)
class DagsterApi:
    url: str

    def locations(self) -> list[str]:
        """The code locations that are loaded."""
        nodes = self._ask(LOCATIONS)["repositoriesOrError"].get("nodes", [])
        return [node["location"]["name"] for node in nodes]

    def images(self) -> list[str]:
        """The images in which runs of the loaded code are started, where it names any."""
        nodes = self._ask(METADATA)["repositoriesOrError"].get("nodes", [])
        return [one["value"] for node in nodes for one in node["displayMetadata"] if one["key"] == "image"]

    def launch(self, location: str, job: str) -> None:
        launched = self._ask(LAUNCH, location=location, job=job)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

    def statuses(self) -> dict[str, str]:
        """The status of each job's last run."""
        runs = self._ask(RUNS)["runsOrError"]["results"]
        return {run["jobName"]: run["status"] for run in reversed(runs)}

    def all_statuses(self) -> list[str]:
        """The status of each run."""
        return [run["status"] for run in self._ask(RUNS)["runsOrError"]["results"]]

    def failures(self) -> list[str]:
        """What was told of each failed run."""
        return [str(run) for run in self._ask(FAILURES)["runsOrError"]["results"]]

    def _ask(self, query: str, **variables: str) -> Any:
        request = {"query": query, "variables": variables}
        return httpx.post(f"{self.url}/graphql", json=request, timeout=60).raise_for_status().json()["data"]


def wait_for(seen: Callable[[], bool], processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Until it is so. Fails when one of the processes ends, or after `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert {name: process.returncode for name, process in processes.items() if process.poll() is not None} == {}
        try:
            if seen():
                return
        except httpx.HTTPError:  # not up yet
            pass
        time.sleep(0.5)
    raise AssertionError("it took too long")


def end_all(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask what is left of them to end, and kill what does not, and what they leave behind of their groups: Dagster's
    server of definitions waits for ever for a run whose end it cannot record."""
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    for process in processes.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
