"""Applications that a thread of the test serves over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


@contextmanager
def serve(config: uvicorn.Config, port: int = 0) -> Iterator[str]:
    """Its base URL, as long as the context lasts; on a free port unless one is named."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
