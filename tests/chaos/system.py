"""The whole product on backends that can be taken away: server and worker twice, Dagster, and what they stand on."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chaos.clock import SkewedClock, compile_clock
from tests.chaos.proxy import FaultProxy
from tests.chaos.source import BusyGitHub
from tests.chaos.supervisor import Service, Supervisor
from tests.dagster_api import DagsterApi
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, serving
from tests.emulators.postgres import PostgresServer, make_database, serve_postgres
from tests.emulators.qdrant_server import serve_qdrant
from tests.paths import ROOT
from tests.stack_environment import stack_environment

KEY = "a-key-for-those-who-ask"
QUESTION = "reading of a gauge"
SKEWED = ("worker-2", "retrieval-2")
"""Processes whose clock may jump."""


class TimedEmbeddings(EmbeddingsServer):
    """Knows when each text was answered."""

    def __init__(self) -> None:
        super().__init__(dimensions=64, latency_ms=30)
        self.answered: dict[str, list[float]] = {}

    def reply(self, body: dict[str, Any], authorization: str) -> Any:
        reply = super().reply(body, authorization)
        if reply.billed:
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            for text in texts:
                self.answered.setdefault(text, []).append(time.monotonic())
        return reply


@dataclass
class System:
    """`proxies` stand before the backends that are asked over HTTP, by name."""

    directory: Path
    environment: dict[str, str]
    source: BusyGitHub
    postgres: PostgresServer
    catalog: str
    embeddings: TimedEmbeddings
    proxies: dict[str, FaultProxy]
    supervisor: Supervisor
    servers: list[str]
    dagster: DagsterApi
    clocks: dict[str, SkewedClock]

    @property
    def state(self) -> Path:
        """Where its processes keep what is this machine's own."""
        return self.directory / ".headrace"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of Headrace, as an operator runs it."""
        command = [str(Path(sys.executable).with_name("headrace")), *arguments]
        return subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, text=True)


@contextmanager
def running(directory: Path, source: BusyGitHub) -> Iterator[System]:
    """Everything, started and empty, until the context ends. Raises NoCompiler."""
    from moto.server import ThreadedMotoServer

    library = compile_clock(directory)
    clocks = {name: SkewedClock(library, directory / f"{name}.clock") for name in SKEWED}
    with ExitStack() as stack:
        os.environ["XDG_RUNTIME_DIR"] = str(directory / "runtime")
        postgres = stack.enter_context(serve_postgres())
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        s3.start()
        stack.callback(s3.stop)
        embeddings = TimedEmbeddings()
        stack.enter_context(embeddings)
        upstream = {
            "s3": "http://{}:{}".format(*s3.get_host_and_port()),
            "qdrant": stack.enter_context(serve_qdrant()),
            "embeddings": embeddings.url.removesuffix("/v1"),
        }
        proxies = {name: stack.enter_context(FaultProxy(url)) for name, url in upstream.items()}
        catalog, runs = (make_database(postgres.url) for _ in range(2))
        _write_settings(directory, stack.enter_context(serving(source.github)), proxies)
        ports = {name: free_port() for name in ("webserver", "definitions", "retrieval-1", "retrieval-2")}
        environment = stack_environment(
            directory,
            files=directory / "files",
            catalog=catalog,
            runs=runs,
            s3=proxies["s3"].url,
            qdrant=proxies["qdrant"].url,
            definitions=ports["definitions"],
        )
        subprocess.run(
            [Path(sys.executable).with_name("headrace"), "migrate"], cwd=directory, env=environment, check=True
        )
        supervisor = stack.enter_context(Supervisor(list(_services(directory, environment, ports, clocks))))
        servers = [f"http://127.0.0.1:{ports[name]}" for name in ("retrieval-1", "retrieval-2")]
        dagster = DagsterApi(f"http://127.0.0.1:{ports['webserver']}")
        yield System(
            directory, environment, source, postgres, catalog, embeddings, proxies, supervisor, servers, dagster, clocks
        )


def _write_settings(directory: Path, github: str, proxies: dict[str, FaultProxy]) -> None:
    for file in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / "infra" / file, directory)
    shared = yaml.safe_load((ROOT / "infra" / "settings.yaml").read_text())
    own = {
        "embedding": {
            "provider": "openai",
            "model": "stub",
            "dimensions": 64,
            "base_url": f"{proxies['embeddings'].url}/v1",
            "api_key": "none",
        },
        "connections": [
            {
                "id": "hub",
                "source": "github",
                "token": TOKEN,
                "base_url": github,
                "webhook_secret": WEBHOOK_SECRET,
            }
        ],
        "assistants": [{"id": "chaos", "api_key": KEY, "identity": "user"}],
        # Two of a kind on one machine cannot have the same port for their figures.
        "metrics": {},
    }
    (directory / "headrace.yaml").write_text(yaml.safe_dump(shared | own))


def _services(
    directory: Path, environment: dict[str, str], ports: dict[str, int], clocks: dict[str, SkewedClock]
) -> Iterator[Service]:
    commands = {
        "definitions": f"dagster code-server start --host 127.0.0.1 --port {ports['definitions']} "
        "--module-name assets.definitions",
        "webserver": f"dagster-webserver --host 127.0.0.1 --port {ports['webserver']} --workspace workspace.yaml",
        "daemon": "dagster-daemon run --workspace workspace.yaml",
        "worker-1": "headrace worker",
        "worker-2": "headrace worker",
        "retrieval-1": f"headrace serve --port {ports['retrieval-1']}",
        "retrieval-2": f"headrace serve --port {ports['retrieval-2']}",
    }
    for name, line in commands.items():
        program, *arguments = shlex.split(line)
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        own = clocks[name].environment if name in clocks else {}
        yield Service(name, command, environment | own, directory)
