"""An HTTP proxy before a backend that refuses or hangs as long as it is told to."""

from __future__ import annotations

import http.client
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_OF_THE_CONNECTION = ("transfer-encoding", "connection", "content-length", "expect")


@dataclass(frozen=True)
class Refusal:
    """What a share of the requests is answered; a status of 0 closes the connection without an answer."""

    status: int
    share: float = 1.0
    retry_after: str = ""
    seconds: float = 0.0


@dataclass
class FaultProxy:
    """Passes requests on to `upstream`, a base URL of this machine."""

    upstream: str
    refusal: Refusal | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.upstream = urlsplit(proxy.upstream).netloc

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed meanwhile."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self) -> None:
        body = self._body()
        proxy, refusal = self.server.proxy, self.server.proxy.refusal
        proxy.counts["requests"] += 1
        if refusal and random.random() < refusal.share:
            proxy.counts["refused"] += 1
            time.sleep(refusal.seconds)
            self._refuse(refusal)
            return
        self._pass_on(body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _refuse(self, refusal: Refusal) -> None:
        if not refusal.status:
            self.close_connection = True
            return
        headers = {"retry-after": refusal.retry_after} if refusal.retry_after else {}
        self._send(refusal.status, b"<html>busy</html>", {"content-type": "text/html", **headers})

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=120)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            content = response.read()
        except OSError as error:
            self._send(502, str(error).encode(), {})
            return
        finally:
            connection.close()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _OF_THE_CONNECTION}
        length = response.getheader("content-length") if self.command == "HEAD" else None
        self._send(response.status, content, kept, length)

    def _send(self, status: int, content: bytes, headers: dict[str, str], length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = answer
