"""Receives notifications over HTTP, as an incoming webhook does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Posts:
    """Receives notifications; answers 500 while `is_broken`."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.is_broken = False
        posts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if not posts.is_broken:
                    posts.bodies.append(json.loads(body))
                self.send_response(500 if posts.is_broken else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/services/secret-of-the-hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
