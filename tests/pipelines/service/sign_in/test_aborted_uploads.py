"""Clients that leave while they send leave no traceback."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.pipelines.service.sign_in.conftest import SignInServer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/authorize", "application/x-www-form-urlencoded"),
        ("/token", "application/x-www-form-urlencoded"),
        ("/revoke", "application/x-www-form-urlencoded"),
        ("/sign-in/consent", "application/x-www-form-urlencoded"),
        ("/register", "application/json"),
        ("/mcp", "application/json"),
    ],
)
def test_an_aborted_upload_leaves_no_traceback(
    broker: SignInServer, caplog: pytest.LogCaptureFixture, path: str, kind: str
) -> None:
    address = urlsplit(broker.url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer people-key\r\n"
        f"Accept: application/json, text/event-stream\r\nContent-Type: {kind}\r\nContent-Length: 500\r\n\r\na="
    )
    with socket.create_connection((address.hostname, address.port)) as one:
        one.sendall(head.encode())
        one.shutdown(socket.SHUT_WR)
        while one.recv(4_096):  # until the server is done with it
            pass
    assert httpx.get(f"{broker.url}/healthz").status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
