"""Where nothing can listen: said at once, before anything else is done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Folder
from tests.emulators.company import free_port
from tests.paths import ROOT

TAKEN = "another process does already; end that, or choose another port"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_that_is_taken_is_named(folder: Folder, taken: int, command: str) -> None:
    folder.settings(connections=[])
    ran = folder.headrace(command, "--port", str(taken))
    assert ran.code == 2, ran
    assert ran.errors == f"error: cannot listen on 127.0.0.1, port {taken}: {TAKEN}\n"
    assert [path.name for path in folder.path.iterdir()] == ["headrace.yaml"]


def test_an_address_of_another_machine_is_named(folder: Folder) -> None:
    folder.settings(connections=[], public_url="https://search.acme.com")
    ran = folder.headrace("serve", "--host", "192.0.2.1", "--port", "0")
    assert (ran.code, ran.errors) == (2, "error: cannot listen on 192.0.2.1, port 0: Cannot assign requested address\n")


def test_make_dev_names_the_port_that_is_taken(folder: Folder, taken: int) -> None:
    command = [
        sys.executable,
        "-m",
        "pipelines.cli.demo.dev",
        f"--server-port={taken}",
        f"--dagster-port={free_port()}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=folder.path, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (1, f"error: cannot listen on 127.0.0.1, port {taken}: {TAKEN}\n")
