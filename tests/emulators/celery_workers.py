"""A queue in Redis, workers as the documentation starts them, and syncs whose steps they execute."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from assets.instance import dagster_instance
from pipelines.settings import Settings, load_settings
from tests.paths import ROOT

REDIS = shutil.which("redis-server")
_SECONDS_TO_START = 60.0


@dataclass
class Workplace:
    """A folder with settings, where workers and runs are started."""

    path: Path
    settings: Settings
    environment: dict[str, str]

    @contextmanager
    def worker(self, name: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        log = self.path / f"{name}.log"
        command = [_installed("celery"), "-A", "assets.celery_app", "worker"]
        command += ["--concurrency=1", "-I", "tests.emulators.slow_source", "-n", f"{name}@%h", "-l", "info"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.path,
                env=self.environment | environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            wait_for(lambda: "ready." in log.read_text())
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def sync(self) -> subprocess.Popen[str]:
        command = [_installed("dagster"), "job", "execute", "-m", "assets.definitions", "-j", "sync_acme"]
        return subprocess.Popen(
            command, cwd=self.path, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def units_read(self) -> list[tuple[int, str]]:
        """The process that has read it, and the unit."""
        file = self.path / "units-read"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(process), unit) for process, _, unit in (line.partition(" ") for line in lines)]


@contextmanager
def workplace(path: Path, units: int) -> Iterator[Workplace]:
    with _redis(path) as address:
        runs = {"executor": "celery", "slots": 2, "broker": f"{address}/0", "backend": f"{address}/1"}
        connections = [{"id": "acme", "source": "github", "token": "t"}]
        (path / "headrace.yaml").write_text(yaml.safe_dump({"connections": connections, "runs": runs}))
        settings = load_settings(path / "headrace.yaml", environment={})
        home = (settings.state_path / "dagster").absolute()
        with dagster_instance(settings):
            pass
        own = {"PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(home), "UNITS": str(units)}
        yield Workplace(path, settings, {**os.environ, **own, "UNITS_READ": str(path / "units-read")})


def wait_for(what: Callable[[], bool], seconds: float = _SECONDS_TO_START) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited for in vain"
        time.sleep(0.1)


@contextmanager
def _redis(path: Path) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, cwd=path, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(port))
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _installed(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
