"""The sample company's server, which is a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SERVING = """
import time
from pathlib import Path
from pipelines.cli.demo.sources import serve_company
with serve_company(Path("demo")) as url:
    print(url, flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_it_ends_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        port = urlsplit(demo.stdout.readline().strip()).port
        assert port
        assert answers(port)
        demo.kill()
    deadline = time.monotonic() + 20
    while answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
