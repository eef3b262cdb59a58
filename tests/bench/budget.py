"""What reading a large company costs in requests: the first time, per unit in an hour in which nothing happens, and
after others may see what there is.

Answers that nothing has changed (304) count on no quota: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from connectors.http import ApiClient
from pipelines.services import Services
from tests.elapsed import let_pass
from tests.emulators import drive as drive_emulator
from tests.emulators import github as github_emulator
from tests.emulators import notion as notion_emulator
from tests.emulators import slack as slack_emulator
from tests.paths import ROOT

LAST_WEEK = time.time() - 7 * 86_400
REPOSITORIES, CHANNELS, PRIVATE_CHANNELS, FILES, SHARED_DRIVES, PAGES = 400, 500, 100, 20_000, 100, 5_000
HOUR = (
    (3, "memberships"),
    (10, "memberships"),
    (2, "sync"),
    (8, "memberships"),
    (7, "sync"),
    (3, "memberships"),
    (10, "memberships"),
    (2, "sync"),
    (8, "memberships"),
    (7, "sync"),
)
"""Minutes after the one before, by the default schedules: four syncs, and memberships at 3, 13, 23 and so on."""
NEVER = "0 0 1 1 *"
"""The schedule of memberships: the machine's clock does not go with that hour, and would have syncs find them late."""


@dataclass(frozen=True, slots=True)
class Company:
    """`size` says how much of it there is; `units` counts what an idle hour is spread over, `files` what the first read
    is. `reveal` changes who may see all of it."""

    source: str
    size: str
    serving: AbstractContextManager[str]
    token: str
    units: int
    files: int = 0
    settings: tuple[tuple[str, Any], ...] = ()
    reveal: Callable[[], None] | None = None


def main(share: float = 1.0) -> None:
    of_github = (_repositories, _repositories_of_an_app, _files_of_a_repository)
    makers = (*of_github, _channels, _documents, _uploads, _shared_drives, _pages)
    for company in (*(make(share) for make in makers), *_small_companies()):
        _measure(company)


def _small_companies() -> Iterator[Company]:
    """Where what is asked for once for all units counts most."""
    for count in (1, 5):
        yield _repositories(count / REPOSITORIES)
    yield _repositories_of_an_app(20 / REPOSITORIES)
    yield _channels(20 / CHANNELS)
    yield _shared_drives(20 / SHARED_DRIVES)
    yield _pages(20 / PAGES)


def _measure(company: Company) -> None:
    with company.serving as url, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "headrace.yaml"
        connection = {"id": "load", "source": company.source, "base_url": url}
        connection |= {"token": company.token} if company.token else {}
        connection["memberships_schedule"] = NEVER
        file.write_text(yaml.safe_dump({"connections": [connection | dict(company.settings)]}))
        found = _in_own_process("read", file)
        revealed = ""
        if company.reveal:
            company.reveal()
            again = _in_own_process("sync", file)
            revealed = f"; seen by others: {again['counted']} counted for {again['documents']} documents"
            found["errors"] |= again["errors"]
    per_file = f", {found['first'] / company.files:.3f} per file" if company.files else ""
    print(
        f"{company.source}, {company.size}: first read {found['first']} counted requests{per_file}; an idle hour "
        f"{found['idle']} counted of {found['sent']} sent, {found['idle'] / company.units:.2f} per unit{revealed}; "
        f"errors: {found['errors']}",
        flush=True,
    )


def _in_own_process(what: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.budget", what, str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def sync(file: Path) -> None:
    """One more sync as far as the landing."""
    from pipelines.ingestion.options import SyncOptions
    from pipelines.ingestion.sync import sync_connection
    from pipelines.settings import load_settings

    statuses, settings = _count_statuses(), load_settings(file)
    (connection,) = settings.connections
    with Services(settings) as services:
        report = sync_connection(services, connection, options=SyncOptions(stages=("documents",)))
    documents = report.documents
    print(json.dumps({"counted": _counted(statuses), "documents": documents.read, "errors": report.errors}))


def read(file: Path) -> None:
    """The first syncs as far as the landing, and then an hour of them, in a process of its own."""
    from connectors.registry import connect
    from pipelines.ingestion.connection_rights import refresh_memberships
    from pipelines.ingestion.options import SyncOptions
    from pipelines.ingestion.sync import sync_connection
    from pipelines.settings import load_settings

    statuses, options = _count_statuses(), SyncOptions(stages=("documents",))
    settings = load_settings(file)
    (connection,) = settings.connections
    with Services(settings) as services:
        errors = sync_connection(services, connection, options=options).errors
        first = _counted(statuses)
        errors |= sync_connection(services, connection, options=options).errors
        statuses.clear()
        idle = replace(options, scheduled=True)
        for minutes, job in HOUR:
            let_pass(services, minutes)
            if job == "sync":
                errors |= sync_connection(services, connection, options=idle).errors
                continue
            with closing(connect(connection)) as connector:
                refresh_memberships(services, connection, connector)
    print(json.dumps({"first": first, "idle": _counted(statuses), "sent": statuses.total(), "errors": errors}))


def _counted(statuses: Counter[int]) -> int:
    return statuses.total() - statuses[304]


def _count_statuses() -> Counter[int]:
    """Counts the answers of this process by their status from now on."""
    send, statuses = ApiClient._request, Counter[int]()

    def counted(self: ApiClient, method: str, url: str, request: dict[str, Any]) -> httpx.Response:
        response = send(self, method, url, request)
        statuses[response.status_code] += 1
        return response

    ApiClient._request = counted  # type: ignore[method-assign]
    return statuses


def _repositories(share: float) -> Company:
    github, count = github_emulator.GitHub(), round(REPOSITORIES * share)
    _fill(github, count)
    served = _served(github_emulator, github)
    return Company("github", f"{count} private repositories", *served, units=count, reveal=partial(_publish, github))


def _repositories_of_an_app(share: float) -> Company:
    github, count = github_emulator.GitHub(), round(REPOSITORIES * share)
    _fill(github, count)
    serving, settings = github_emulator.serving(github), tuple(github_emulator.app_settings(github).items())
    reveal = partial(_publish, github)
    size = f"{count} private repositories of an app"
    return Company("github", size, serving, "", units=count, settings=settings, reveal=reveal)


def _publish(github: github_emulator.GitHub) -> None:
    for one in github.repositories.values():
        one.private = False


def _fill(github: github_emulator.GitHub, count: int) -> None:
    for number in range(count):
        one = github.repository(f"acme/mill-{number}", private=True, collaborators=["ada", "bo"])
        github.issue(one, "Wheel", "It is stuck.")
        github.discussion(one, "Oil", "Which one?")
        github.write(one, "README.md", "# Mill")


def _files_of_a_repository(share: float) -> Company:
    github = github_emulator.GitHub()
    one, count = github.repository("acme/archive", private=True, collaborators=["ada"]), int(FILES * share)
    for number in range(count):
        github.write(one, f"docs/{number % 100}/{number}.md", f"# Wheel {number}\n\nIt turns by water.")
    served, reveal = _served(github_emulator, github), partial(_publish, github)
    return Company("github", f"{count} files of a private repository", *served, units=1, files=count, reveal=reveal)


def _channels(share: float) -> Company:
    slack = slack_emulator.Slack()
    slack.person("U1", "ada")
    count = int(CHANNELS * share)
    for number in range(count):
        slack.channel(f"C{number}", f"mill-{number}", private=number < PRIVATE_CHANNELS * share)
        slack.members[f"C{number}"] = ["U1"]
        slack.say(f"C{number}", "The wheel has turned.", at=LAST_WEEK + number)
    size = f"{count} channels, {int(PRIVATE_CHANNELS * share)} of them private"

    def reveal() -> None:
        for channel in slack.channels.values():
            channel["is_private"] = False

    return Company("slack", size, *_served(slack_emulator, slack), units=count, reveal=reveal)


def _documents(share: float) -> Company:
    """Of Google's own, which are exported again for each share."""
    return _folders(share, "documents", lambda drive, name, text, folder: drive.doc(name, text, folder))


def _uploads(share: float) -> Company:
    return _folders(
        share, "uploads", lambda drive, name, text, folder: drive.upload(name, text.encode(), "text/markdown", folder)
    )


def _folders(share: float, kind: str, add: Callable[[drive_emulator.GoogleDrive, str, str, str], str]) -> Company:
    drive = drive_emulator.GoogleDrive()
    folders = [drive.folder(f"Mill {number}") for number in range(20)]
    count = int(FILES * share)
    for number in range(count):
        add(drive, f"Wheel {number}", f"# Wheel {number}\n\nIt turns by water.", folders[number % len(folders)])

    def reveal() -> None:
        # Not with Ada: she owns the files, and a share with her changes no reader.
        for folder in folders:
            drive.share(folder, drive_emulator.person("bo@acme.test"))

    size, served = f"{count} {kind} in {len(folders)} folders", _served(drive_emulator, drive)
    return Company("drive", size, *served, units=len(folders), files=count, reveal=reveal)


def _shared_drives(share: float) -> Company:
    drive = drive_emulator.GoogleDrive()
    count = max(int(SHARED_DRIVES * share), 1)
    for number in range(count):
        drive.doc("Wheel", "# Wheel\n\nIt turns by water.", drive.shared_drive(f"Mill {number}"))
    served = _served(drive_emulator, drive)
    return Company("drive", f"{count} shared drives", *served, units=count, files=count)


def _pages(share: float) -> Company:
    notion = notion_emulator.Notion()
    tops = [notion.page(f"Mills {number}", notion_emulator.block("paragraph", "All of them.")) for number in range(20)]
    count = int(PAGES * share)
    for number in range(count):
        body = notion_emulator.block("paragraph", f"The wheel of mill {number} turns.")
        notion.page(f"Mill {number}", body, under=tops[number % len(tops)])
    notion.wait(days=1)
    served = _served(notion_emulator, notion)
    readers = (("readers", ["workspace"]),)
    return Company("notion", f"{count} pages", *served, units=len(tops), files=count, settings=readers)


def _served(emulator: Any, service: Any) -> tuple[AbstractContextManager[str], str]:
    return emulator.serving(service), emulator.TOKEN


if __name__ == "__main__":
    if len(sys.argv) > 2:
        {"read": read, "sync": sync}[sys.argv[1]](Path(sys.argv[2]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
