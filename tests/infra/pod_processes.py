"""Pods of the chart without containers: the same command, variables and files, each as a process of this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.emulators.company import free_port
from tests.infra.helm_chart import Manifest, container, find, pod
from tests.paths import ROOT

PROBE_SECONDS = 10.0
KILLED = -signal.SIGKILL


@dataclass
class Node:
    """What stands for the cluster: where mounts lie, which Secrets there are, and where Services are found.

    `ports` are those of Services that have one pod each, as numbers of this machine by those of the manifests.
    """

    root: Path
    manifests: list[Manifest]
    secrets: Mapping[str, Mapping[str, str]]
    services: tuple[str, ...]
    ports: Mapping[int, int]
    _number: Iterator[int] = field(default_factory=count)

    def start(self, kind: str, name: str) -> PodProcess:
        """A pod of the workload."""
        workload = find(self.manifests, kind, name)
        folder = self.root / f"{name}-{next(self._number)}"
        one = PodProcess(self, workload, folder, dict(self.ports))
        one.start()
        return one

    def config_map(self, name: str) -> Mapping[str, str]:
        data: dict[str, str] = find(self.manifests, "ConfigMap", name)["data"]
        return data


@dataclass
class PodProcess:
    """One pod; `folder` holds what is mounted, by the paths of the manifest."""

    node: Node
    workload: Manifest
    folder: Path
    ports: dict[int, int]
    process: subprocess.Popen[bytes] | None = None

    @property
    def container(self) -> dict[str, Any]:
        return container(self.workload)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process
        return self.process

    def start(self) -> None:
        for one in self.container.get("ports", ()):
            self.ports.setdefault(one["containerPort"], free_port())
        self._mount()
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [self._here(word) for word in self.container["command"]],
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def answers(self, probe: str) -> bool:
        """Whether the container's probe of this name succeeds."""
        asked = self.container[probe]
        try:
            if "httpGet" in asked:
                url = self.url(self._port(asked["httpGet"]["port"]))
                return httpx.get(f"{url}{asked['httpGet']['path']}", timeout=PROBE_SECONDS).is_success
            if "tcpSocket" in asked:
                address = ("127.0.0.1", self.ports[self._port(asked["tcpSocket"]["port"])])
                socket.create_connection(address, PROBE_SECONDS).close()
                return True
            return self._serves(asked["grpc"])
        except (httpx.HTTPError, OSError, grpc.RpcError):
            return False

    def execute(self, *command: str) -> str:
        """What a command prints in the container."""
        environment = self._environment()
        program = shutil.which(command[0], path=environment["PATH"])
        assert program
        done = subprocess.run(
            [program, *command[1:]], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def pre_stop(self) -> None:
        """What is executed in the container before it is told to end; there, its process is the first."""
        command = [
            re.sub(r"^(kill -\w+) 1\b", rf"\1 {self.running.pid}", word)
            for word in self.container["lifecycle"]["preStop"]["exec"]["command"]
        ]
        subprocess.run(command, check=True)

    def stop(self, *, drained: bool = True) -> int:
        """End as Kubernetes ends a pod. Returns the exit code; that of whoever has outlived its grace is KILLED."""
        grace = float(pod(self.workload)["spec"]["terminationGracePeriodSeconds"])
        if drained and "lifecycle" in self.container:
            self.pre_stop()
            grace -= float(re.findall(r"\d+$", self.container["lifecycle"]["preStop"]["exec"]["command"][-1])[0])
        self.running.terminate()
        with suppress(subprocess.TimeoutExpired):
            return self.running.wait(grace)
        return KILLED

    def _port(self, named: str | int) -> int:
        (found,) = [
            one["containerPort"] for one in self.container["ports"] if named in (one["name"], one["containerPort"])
        ]
        return int(found)

    def _serves(self, asked: Mapping[str, Any]) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self.ports[asked['port']]}") as channel:
            request = health_pb2.HealthCheckRequest(service=asked["service"])
            found = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PROBE_SECONDS)
        return bool(found.status == health_pb2.HealthCheckResponse.SERVING)

    def _mount(self) -> None:
        volumes = {one["name"]: one for one in pod(self.workload)["spec"]["volumes"]}
        for mount in self.container["volumeMounts"]:
            place, volume = self.folder / mount["mountPath"][1:], volumes[mount["name"]]
            files = self.node.config_map(volume["configMap"]["name"]) if "configMap" in volume else {}
            if "subPath" in mount:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(self._here(files[mount["subPath"]]))
                continue
            place.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (place / name).write_text(self._here(text))

    def _environment(self) -> dict[str, str]:
        """Nothing but what the image and the manifest have."""
        found = {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        for one in self.container.get("envFrom", ()):
            if "secretRef" in one:
                found |= self.node.secrets[one["secretRef"]["name"]]
            else:
                found |= self.node.config_map(one["configMapRef"]["name"])
        for one in self.container["env"]:
            if "value" in one:
                found[one["name"]] = one["value"]
            else:
                key = one["valueFrom"]["secretKeyRef"]
                found[one["name"]] = self.node.secrets[key["name"]][key["key"]]
        return {name: self._here(value) for name, value in found.items()}

    def _here(self, text: str) -> str:
        """A text of the manifest with this machine's paths, ports and addresses."""
        paths = sorted((one["mountPath"].rstrip("/") for one in self.container["volumeMounts"]), key=len, reverse=True)
        home = "/opt/dagster/dagster_home"  # which no volume is, but the folder of one
        mounted = "|".join(map(re.escape, [*paths, home]))
        text = re.sub(rf"(?<![\w/.-])({mounted})(?=$|[/\s\"'])", rf"{self.folder}\1", text)
        text = re.sub(rf"\b({'|'.join(map(str, self.ports))})\b", lambda found: str(self.ports[int(found[0])]), text)
        return re.sub(rf"\b({'|'.join(self.node.services)}|0\.0\.0\.0)(?=[\s,:}}]|$)", "127.0.0.1", text)
