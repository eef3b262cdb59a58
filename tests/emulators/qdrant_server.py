"""Qdrant's REST API over real HTTP, by the engine of `qdrant-client`'s local mode."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.pipelines.index.conftest import Rest


@contextmanager
def serve_qdrant() -> Iterator[str]:
    """Serve an empty index while the context lasts; yields its URL."""
    rest, one_at_a_time = Rest(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with one_at_a_time:
                rest.requests.clear()
                answer = rest.answer(httpx.Request(self.command, f"http://qdrant.test{self.path}", content=body))
            data = answer.content
            self.send_response(answer.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
