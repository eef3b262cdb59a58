"""Qdrant's REST API over real HTTP, by the engine of `qdrant-client`'s local mode."""

from __future__ import annotations

import json
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
                status, data = self._ask(httpx.Request(self.command, f"http://qdrant.test{self.path}", content=body))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        @staticmethod
        def _ask(request: httpx.Request) -> tuple[int, bytes]:
            try:
                response = rest.answer(request)
            except ValueError as error:  # the local engine's way to say so
                status = 404 if "not found" in str(error) else 400
                return status, json.dumps({"status": {"error": str(error)}, "time": 0.0}).encode()
            return response.status_code, response.content

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
