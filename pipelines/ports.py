"""The address that a server is to listen on, looked at before anything is started."""

from __future__ import annotations

import errno
import socket

from pipelines.errors import UsageError


def require_free(host: str, port: int) -> None:
    """Raises UsageError where nothing can listen there, and says why; port 0 stands for any that is free."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}: {error.strerror}; `--host` is an address of this machine"
        ) from error
    for family, kind, _, _, address in addresses:
        with socket.socket(family, kind) as probe:
            # As servers do it: a connection that has just ended keeps nobody from listening.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise UsageError(f"cannot listen on {host}, {_reason(port, error)}") from error


def _reason(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port}: another process does already; end that, or choose another port"
    return f"port {port}: {error.strerror or error}"
