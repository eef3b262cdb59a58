"""A server on loopback for a source's API that is written as a function, from a request to its response.

The same function serves `httpx.MockTransport` where no process but the test's own asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP_BY_HOP = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})
"""Headers of one connection, which the server writes itself."""


@contextmanager
def serving(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[str]:
    """Serve it while the context lasts, one request at a time; yields the base URL, without a slash at its end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, threading.Lock()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(answer: Callable[[httpx.Request], httpx.Response], lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10  # seconds that an idle connection is kept

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            url = f"http://{self.headers['host']}{self.path}"
            with lock:
                response = answer(httpx.Request(self.command, url, headers=list(self.headers.items()), content=body))
            self.send_response(response.status_code)
            for name, value in response.headers.multi_items():
                if name not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: tests say what they see."""

    return Handler
