"""A provider that signs whatever a test wants signed, and tells what it publishes: discovery, keys, introspection."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


class TokenIssuer:
    """`published` holds the ids of the keys that it shows; `requests` the paths that it was asked. Any code is good for
    `id_token`; `takes` says how clients have to prove themselves: Basic, or in the body."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("first", "second")}
        self.published = ["first"]
        self.introspected: dict[str, dict[str, Any]] = {}
        self.id_token = ""
        self.takes = "Basic"
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, key: str = "first", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """An access token that is right, but for `claims`; those that are None are left out."""
        now = int(time.time())
        right = {"iss": self.url, "aud": "headrace", "sub": "1", "iat": now, "exp": now + 300}
        values = {**right, "email": "ada@example.com", "email_verified": True, **claims}
        body = {name: value for name, value in values.items() if value is not None}
        return jwt.encode(body, self.keys[key], "ES256", headers={"kid": key, "typ": "at+jwt", **(head or {})})

    def answer(self, path: str, body: str, authorization: str = "") -> tuple[int, dict[str, Any]]:
        self.requests.append(path)
        if path == "/token":
            proved = authorization.startswith("Basic ") if self.takes == "Basic" else "client_secret" in parse_qs(body)
            return (200, {"id_token": self.id_token}) if proved else (401, {"error": "invalid_client"})
        if path == "/jwks":
            public = {name: ECAlgorithm.to_jwk(self.keys[name].public_key(), as_dict=True) for name in self.published}
            return 200, {"keys": [{**jwk, "kid": name, "use": "sig", "alg": "ES256"} for name, jwk in public.items()]}
        if path == "/introspect":
            return 200, self.introspected.get(parse_qs(body)["token"][0], {"active": False})
        endpoints = ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "jwks_uri")
        paths = ("/authorize", "/token", "/introspect", "/jwks")
        return 200, {"issuer": self.url} | {name: self.url + one for name, one in zip(endpoints, paths, strict=True)}

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode()
                status, found = issuer.answer(self.path, body, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
