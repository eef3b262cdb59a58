"""`make bench-sources`: what reading many objects costs in requests and memory, from the four sources' emulators.

The emulators run in this process, the reading in one of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml

from tests.emulators import drive as drive_emulator
from tests.emulators import github as github_emulator
from tests.emulators import notion as notion_emulator
from tests.emulators import slack as slack_emulator

CHANNELS, MESSAGES = 50, 10_000
ISSUES, PAGES, FILES = 2_000, 500, 2_000

Served = tuple[AbstractContextManager[str], str, Callable[[], None]]


def main() -> None:
    for source, make in {"slack": _slack, "github": _github, "notion": _notion, "drive": _drive}.items():
        for share in (0.1, 1.0):
            serving, token, forget = make(share)
            with serving as url, tempfile.TemporaryDirectory() as directory:
                connection: dict[str, Any] = {"id": "load", "source": source, "token": token, "base_url": url}
                connection |= {"readers": ["workspace"]} if source == "notion" else {}
                settings = {"connections": [connection]}
                (Path(directory) / "headrace.yaml").write_text(yaml.safe_dump(settings))
                figures = []
                for _ in range(2):
                    forget()
                    figures.append(_read(Path(directory) / "headrace.yaml"))
            first, second = figures
            print(
                f"{source}, {share:.0%}: {first['documents']} documents, {first['requests']} requests, "
                f"{first['seconds']:.1f} s, {first['rss_mb']:.0f} MB peak RSS; again: {second['requests']} requests "
                f"({second['requests'] / first['requests']:.1%}), {second['seconds']:.1f} s; errors: {first['errors']}",
                flush=True,
            )


def _read(settings: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.sources", str(settings)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def read(file: Path) -> None:
    """One sync, as far as the landing."""
    from pipelines.ingestion.options import SyncOptions
    from pipelines.ingestion.sync import sync_connection
    from pipelines.services import Services
    from pipelines.settings import load_settings

    settings = load_settings(file)
    started = time.perf_counter()
    with Services(settings) as services:
        (connection,) = settings.connections
        report = sync_connection(services, connection, options=SyncOptions(stages=("documents",)))
    figures = {
        "documents": report.documents.read,
        "requests": sum(report.requests.values()),
        "seconds": time.perf_counter() - started,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "errors": report.errors,
    }
    print(json.dumps(figures))


def _slack(share: float) -> Served:
    slack = slack_emulator.Slack()
    slack.person("U1", "ada")
    for number in range(CHANNELS):
        slack.channel(f"C{number}", f"mill-{number}")
    roots: dict[str, str] = {}
    for number in range(int(MESSAGES * share)):
        # Of ten messages in a channel, one opens a thread and five answer in it.
        channel, place = f"C{number % CHANNELS}", number // CHANNELS % 10
        ts = slack.say(
            channel, f"The wheel of mill {number} has turned.", thread=roots[channel] if 0 < place < 6 else None
        )
        if place == 0:
            roots[channel] = ts
    return slack_emulator.serving(slack), slack_emulator.TOKEN, slack.calls.clear


def _github(share: float) -> Served:
    github = github_emulator.GitHub()
    repository = github.repository("acme/api")
    for number in range(int(ISSUES * share)):
        issue = github.issue(repository, f"Trouble {number}", f"Pump {number} is stuck.")
        github.comment(repository, issue, "Oil helped.")
    return github_emulator.serving(github), github_emulator.TOKEN, github.forget


def _notion(share: float) -> Served:
    notion = notion_emulator.Notion()
    above = [notion.page("Mills", notion_emulator.block("paragraph", "All about mills."))]
    for number in range(int(PAGES * share)):
        body = [notion_emulator.block("paragraph", f"The wheel of mill {number} turns.") for _ in range(5)]
        above.append(notion.page(f"Mill {number}", *body, under=above[number // 5]))
    notion.wait(days=1)
    return notion_emulator.serving(notion), notion_emulator.TOKEN, notion.log.clear


def _drive(share: float) -> Served:
    drive = drive_emulator.GoogleDrive()
    folders = [drive.folder(f"Mill {number}") for number in range(10)]
    for number in range(int(FILES * share)):
        drive.doc(f"Wheel {number}", f"# Wheel {number}\n\nIt turns by water.", folders[number % len(folders)])
    return drive_emulator.serving(drive), drive_emulator.TOKEN, drive.forget


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read(Path(sys.argv[1]))
    else:
        main()
