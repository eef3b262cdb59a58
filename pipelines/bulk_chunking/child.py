"""The process that chunks small texts beside the one that embeds and indexes them: table after table, until the pipe
from its parent is closed."""

from __future__ import annotations

import gc

from pipelines.bulk_chunking.protocol import encode, read_table, with_logs
from pipelines.bulk_chunking.rows import chunk_documents
from pipelines.child_process import LogCollector, offer_to_be_ended_first, take_pipes
from pipelines.machine import spare_memory


def main() -> None:
    requests, answers = take_pipes()
    offer_to_be_ended_first()
    spare_memory()
    gc.freeze()  # what is imported stays
    logs = LogCollector()
    while (documents := read_table(requests)) is not None:
        for part in encode(with_logs(chunk_documents(documents), logs.take())):
            answers.write(part)
        answers.flush()


if __name__ == "__main__":
    main()
