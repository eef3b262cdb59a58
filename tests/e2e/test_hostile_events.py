"""While a connection's files are made to stop whoever reads them, another one's events are answered."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators import drive as google
from tests.emulators import github
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.pipelines.chunking.hostile_files import hostile_files

pytestmark = pytest.mark.slow

KEY = "a-key-for-the-test-of-hostile-files"
READER = "pipelines.chunking.isolated.child"
_SECONDS = 5.0


def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(httpx.HTTPError, psutil.Error):
            if is_so():
                return
        time.sleep(0.05)
    raise AssertionError("it took too long")


@contextmanager
def started(folder: Folder, *commands: tuple[str, ...]) -> Iterator[list[psutil.Process]]:
    processes = [folder.started(*command) for command in commands]
    try:
        yield [psutil.Process(one.pid) for one in processes]
    finally:
        for one in processes:
            one.send_signal(signal.SIGKILL)
            one.wait()


def is_reading(worker: psutil.Process) -> bool:
    """Whether a file keeps a reader of the worker busy."""
    readers = [one for one in worker.children() if READER in one.cmdline()]
    before = [one.cpu_times().user for one in readers]
    time.sleep(0.1)
    return any(one.cpu_times().user - then >= 0.02 for one, then in zip(readers, before, strict=True))


def test_events_of_another_connection_are_found_within_seconds(folder: Folder, embeddings: EmbeddingsServer) -> None:
    drive, hub, port = google.GoogleDrive(), github.GitHub(), free_port()
    api = hub.repository("acme/api")
    url = f"http://127.0.0.1:{port}"
    for number in range(6):
        hub.issue(api, f"Trouble {number}", "The pump is stuck.")

    def is_found(word: str) -> bool:
        asked = {"query": word, "mode": "lexical"}
        answer = httpx.post(f"{url}/v1/search", json=asked, headers={"Authorization": f"Bearer {KEY}"})
        return any(word in chunk["text"] for one in answer.json()["results"] for chunk in one["chunks"])

    def edited(number: int) -> float:
        """Seconds from the webhook until an issue is found by its new word."""
        hub.edit_issue(api, number, body=f"The pump sings zanzibar{number}.")
        headers, body = hub.issue_webhook("edited", api, number)
        begun = time.monotonic()
        assert httpx.post(f"{url}/webhooks/issues", content=body, headers=headers).is_success
        until(lambda: is_found(f"zanzibar{number}"))
        return time.monotonic() - begun

    with google.serving(drive) as drive_url, github.serving(hub) as hub_url:
        files = {
            "id": "files",
            "source": "drive",
            "token": google.TOKEN,
            "base_url": drive_url,
            "webhook_secret": google.WEBHOOK_SECRET,
            "webhook_url": "https://headrace.test/webhooks/files",
        }
        issues = {"id": "issues", "source": "github", "token": github.TOKEN, "base_url": hub_url}
        issues["webhook_secret"] = github.WEBHOOK_SECRET
        folder.settings(
            connections=[files, issues],
            assistants=[{"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}],
            embedding=embedding_settings(embeddings),
        )
        assert folder.headrace("sync").code == 0
        with started(folder, ("serve", "--port", str(port)), ("worker",)) as (_, worker):
            until(lambda: httpx.get(f"{url}/healthz").is_success)
            until(lambda: bool(drive.channels.open))
            quiet = edited(1)
            for name, (data, media_type) in hostile_files().items():
                drive.upload(name, data, media_type)
            for headers, body in drive.notifications():
                assert httpx.post(f"{url}/webhooks/files", content=body, headers=headers).is_success
            until(lambda: is_reading(worker))
            taken: list[float] = []
            while is_reading(worker) and len(taken) < 5:
                taken.append(edited(len(taken) + 2))
    print(f"an event alone {quiet:.1f} s, beside hostile files {', '.join(f'{one:.1f}' for one in taken)} s")
    assert taken, "the files were read too soon"
    assert max(taken) < _SECONDS
