"""A folder of a hundred files, ten of which are made to stop whoever reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators.drive import TOKEN, GoogleDrive, serving
from tests.emulators.embeddings import EmbeddingsServer
from tests.pipelines.chunking import files
from tests.pipelines.chunking.hostile_files import hostile_files

pytestmark = pytest.mark.slow

_FIGURES = re.compile(r"after (?P<seconds>[\d.]+) s, .* with \d+ MB of memory")


def put_good_files(drive: GoogleDrive) -> None:
    """Ninety files, each with a word of its own."""
    for number in range(30):
        drive.doc(f"Notes {number}", f"The weir opens at {number}.")
        drive.upload(f"page{number}.pdf", files.pdf(f"gate number{number}"), files.PDF)
        drive.upload(f"plan{number}.docx", files.word(), files.DOCX)


def sync(folder: Folder, url: str, embeddings: EmbeddingsServer) -> tuple[float, float]:
    """Seconds that a first sync of the Drive takes, and the most memory in MB of it with its children."""
    connection = {"id": "acme", "source": "drive", "token": TOKEN, "base_url": url}
    folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
    peak, begun = 0.0, time.monotonic()
    with folder.started("sync") as running:
        while running.poll() is None:
            peak = max(peak, _megabytes(running.pid))
            time.sleep(0.05)
    assert running.poll() == 0, folder.log
    return time.monotonic() - begun, peak


def _megabytes(pid: int) -> float:
    total = 0.0
    try:
        for one in (own := psutil.Process(pid), *own.children(recursive=True)):
            total += one.memory_info().rss / 1e6
    except psutil.Error:
        pass  # one of them has just ended
    return total


def ledger(folder: Folder) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    """How many documents are indexed, and what is told of the others and of those that were read in part."""
    status: Ran = folder.spawn("status", "--json")
    (connection,) = status.json["connections"]
    return connection["totals"]["indexed"], {one["id"]: one for one in status.json["troubled"]}


def test_ten_hostile_files_keep_ninety_others_from_nothing(
    folder: Folder, embeddings: EmbeddingsServer, module_folder: Callable[[str], Path]
) -> None:
    alone, drive = Folder(module_folder("alone")), GoogleDrive()
    put_good_files(drive)
    with serving(drive) as url:
        quiet, _ = sync(alone, url, embeddings)
        ids = {
            f"drive:acme/{drive.upload(name, data, media_type)}": name
            for name, (data, media_type) in hostile_files().items()
        }
        taken, megabytes = sync(folder, url, embeddings)
    indexed, told = ledger(folder)
    print(f"90 alone {quiet:.0f} s, with 10 hostile ones {taken:.0f} s, at most {megabytes:.0f} MB")
    for own, name in ids.items():
        print(name, told.get(own, {}).get("status"), told.get(own, {}).get("reason"))
    assert taken < quiet + 180
    assert megabytes < 1_000
    assert set(told) <= set(ids), "every good file is indexed, and as a whole"
    assert indexed >= 90
    reasons = [told[own]["reason"] for own in ids if own in told]
    assert all(float(found["seconds"]) < 20 for reason in reasons if (found := _FIGURES.search(reason)))
    assert len(told) >= 5
