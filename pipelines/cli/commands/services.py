"""Commands that go on until they are stopped: each parses, calls and prints."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from pipelines.cli.options import examples
from pipelines.cli.settings import load_for_long

app = typer.Typer()


@app.command(epilog=examples("headrace worker"))
def worker() -> None:
    """Take the sources' events to the index as they come, until SIGINT or SIGTERM."""
    from pipelines.events.run import run_worker

    run_worker(load_for_long(patience=math.inf))


@app.command(epilog=examples("headrace serve", "headrace serve --host 0.0.0.0 --port 8800"))
def serve(
    host: Annotated[str, typer.Option(help="Address of this machine to listen on; 0.0.0.0: all")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = 8800,
) -> None:
    """Answer assistants over HTTP, with a search page at /."""
    from pipelines.service import serve as serve_http

    serve_http(load_for_long(patience=0.0), host, port)  # what it answers meanwhile is better than no answer
