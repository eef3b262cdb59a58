"""`make dev`: Dagster's UI, the retrieval server and the worker, on the settings or else on the sample company."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
import yaml

from pipelines.cli.demo.settings import DIRECTORY, write_settings
from pipelines.cli.demo.sources import serve_company
from pipelines.errors import HeadraceError
from pipelines.operations.migrate import migrate_all
from pipelines.ports import require_free
from pipelines.settings import DEMO_KEY, load_settings
from pipelines.settings_file import settings_file

_HOST = "127.0.0.1"
_GRACE_SECONDS = 30


def main(
    dagster_port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    server_port: Annotated[int, typer.Option(min=1, max=65535)] = 8800,
) -> None:
    """Start them, and end all at the first Ctrl+C or SIGTERM, or when one of them ends."""
    # Before the children start: one that inherits an ignored SIGINT, as from a script's `&`, would ignore SIGTERM too.
    ended = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: ended.set())
    for port in (dagster_port, server_port):
        require_free(_HOST, port)
    own = settings_file().exists()
    with nullcontext() if own else serve_company(DIRECTORY) as url:
        file = settings_file() if url is None else write_settings(url)
        key = "" if own else f"#key={DEMO_KEY}"
        print(f"settings {file}", flush=True)
        print(f"Dagster  http://{_HOST}:{dagster_port}", flush=True)
        print(f"search   http://{_HOST}:{server_port}/{key}", flush=True)
        settings = load_settings(file)
        home = os.environ.get("DAGSTER_HOME") or str(_dagster_home(settings.state_path))
        environment = {**os.environ, "HEADRACE_CONFIG": str(file.absolute()), "DAGSTER_HOME": home}
        # Before the children: those that make Dagster's history at the same time break it.
        migrate_all(settings)
        with _running(_commands(dagster_port, server_port), environment) as processes:
            while not ended.wait(timeout=0.5) and all(process.poll() is None for process in processes):
                pass


def _dagster_home(state: Path) -> Path:
    """Dagster's home under the state directory, where the commands keep their history; settings as in dagster.yaml."""
    settings = yaml.safe_load(Path("dagster.yaml").read_text(encoding="utf-8"))
    for place in ("storage", "local_artifact_storage", "compute_logs"):
        del settings[place]
    home = (state / "dagster").absolute()
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return home


def _commands(dagster_port: int, server_port: int) -> list[list[str]]:
    beside = Path(sys.executable).parent
    return [
        [str(beside / "dagster"), "dev", "--host", _HOST, "--port", str(dagster_port)],
        [str(beside / "headrace"), "serve", "--port", str(server_port)],
        [str(beside / "headrace"), "worker"],
    ]


@contextmanager
def _running(commands: Sequence[Sequence[str]], environment: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    # A session of its own keeps Ctrl+C from reaching the children twice: they are ended here, in order.
    processes = [subprocess.Popen(command, env=environment, start_new_session=True) for command in commands]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    try:
        typer.run(main)
    except HeadraceError as error:
        sys.exit(f"error: {error}")
