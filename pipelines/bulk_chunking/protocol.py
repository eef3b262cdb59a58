"""What goes over the pipes between a process and the one beside it that chunks: tables of Arrow, each after its length.

They hold data and nothing that could be run: the texts come from strangers.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, BinaryIO

from pipelines.child_process import LogLine

if TYPE_CHECKING:
    import pyarrow as pa

_LENGTH = struct.Struct("<Q")
_LOGS = b"logs"


def encode(table: pa.Table) -> tuple[bytes, pa.Buffer]:
    """What announces a table, and the table."""
    import pyarrow as pa

    with (sink := pa.BufferOutputStream()), pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    buffer = sink.getvalue()
    return _LENGTH.pack(buffer.size), buffer


def read_table(pipe: BinaryIO) -> pa.Table | None:
    """The next table; None once the pipe is closed."""
    import pyarrow as pa

    announced = pipe.read(_LENGTH.size)
    if len(announced) < _LENGTH.size:
        return None
    content = bytearray(_LENGTH.unpack(announced)[0])
    if pipe.readinto(content) < len(content):  # type: ignore[attr-defined]  # all that these pipes are have it
        return None
    return pa.ipc.open_stream(pa.py_buffer(content)).read_all()


def with_logs(table: pa.Table, logs: tuple[LogLine, ...]) -> pa.Table:
    """An answer with what was logged meanwhile."""
    return table.replace_schema_metadata({_LOGS: json.dumps(logs).encode()}) if logs else table


def logs_of(table: pa.Table) -> list[LogLine]:
    """What `with_logs` has put there."""
    kept = (table.schema.metadata or {}).get(_LOGS)
    return [(int(level), str(name), str(message)) for level, name, message in json.loads(kept)] if kept else []
