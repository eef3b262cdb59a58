"""Each part of each source refused, not there, or failing for ever, by the command line.

What the others have stays and is brought up to date, an idle sync costs no more than before, what is deleted goes, and
`sync`, `check`, `status` and `explain` say what is missing, until it is given again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pytest
import yaml

from connectors.registry import source as source_of
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.connectors.drive.test_sheets import a_large_spreadsheet
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators import drive, github, notion, slack
from tests.emulators.embeddings import EmbeddingsServer

How: TypeAlias = Literal["forbidden", "missing", "down"]
Delete: TypeAlias = Callable[[], str]


@dataclass
class Source:
    """An emulated source with something of each part. In `settings`, `{url}` is where it is served. `deletes` removes
    an object, whose document's id ends as it says; the first that needs none of the refused parts counts."""

    emulator: Any
    serving: AbstractContextManager[str]
    settings: dict[str, Any]
    deletes: list[tuple[frozenset[str], Delete]] = field(default_factory=list)

    def delete(self, refused: str) -> str | None:
        return next((remove() for parts, remove in self.deletes if refused not in parts), None)


def made(name: str) -> Source:
    return {"github": _github, "slack": _slack, "notion": _notion, "drive": _drive}[name]()


def _github() -> Source:
    service = github.GitHub(emails={"ada": "ada@acme.test"})
    api = service.repository("acme/api", private=True, collaborators=["ada"])
    issue = service.issue(api, "Stuck wheel", "Oil it.")
    service.comment(api, issue, "Oiled.")
    service.issue(api, "Turn it", "By water.", pull=True)
    service.discussion(api, "Which oil?", "Of olives?")
    service.release(api, "v1", "The first.")
    service.write(api, "docs/a.md", "# Wheel\n\nIt turns.")
    service.write(api, "docs/b.md", "# Mill\n\nIt grinds.")
    service.write_page(api, "Home.md", "# The mill\n\nIt grinds corn.")
    other = service.issue(api, "Broken wheel", "Mend it.")

    def remove_file() -> str:
        service.delete_file(api, "docs/b.md")
        return "blob/docs/b.md"

    def remove_issue() -> str:
        service.delete_issue(api, other)
        return f"issues/{other}"

    settings = {"source": "github", "token": github.TOKEN}
    deletes = [(frozenset({"files"}), remove_file), (frozenset({"issues"}), remove_issue)]
    return Source(service, github.serving(service), settings, deletes)


def _slack() -> Source:
    service = slack.Slack()
    for number, name in enumerate(("ada", "bo"), start=1):
        service.person(f"U{number}", name)
    service.channel("C1", "mill")
    service.channel("G1", "secret", private=True)
    service.channel("M1", "mpdm-ada--bo", private=True, is_mpim=True)
    service.members |= {"G1": ["U1"], "M1": ["U1", "U2"]}
    for channel in ("C1", "G1", "M1"):
        root = service.say(channel, f"The wheel of {channel} is stuck.")
        service.say(channel, "Oil it.", thread=root)
    service.groups["S1"] = {"id": "S1", "handle": "millers", "name": "Millers", "users": ["U1"]}
    service.bots["B1"] = {"id": "B1", "name": "Mill bell"}
    service.say("C1", "Ask <!subteam^S1>.")
    said = service.say("C1", "The wheel has stopped.", subtype="bot_message", bot_id="B1")
    del service.messages["C1"][said]["user"]
    service.share("C1", "F1", b"The plan of the mill.", name="plan.txt", mimetype="text/plain")
    gone = service.say("C1", "A thread that will go.")
    service.say("C1", "Yes.", thread=gone)
    kept = service.say("G1", "Another thread that will go.")
    service.say("G1", "No.", thread=kept)

    def remove(channel: str, root: str) -> Delete:
        def removed() -> str:
            for ts in [one for one, said in service.messages[channel].items() if said.get("thread_ts", one) == root]:
                service.delete(channel, ts)
            return f"{channel}/threads/{root}"

        return removed

    talk = frozenset({"history", "replies"})
    deletes = [(talk | {"public channels"}, remove("C1", gone)), (talk, remove("G1", kept))]
    return Source(service, slack.serving(service), {"source": "slack", "token": slack.TOKEN}, deletes)


def _notion() -> Source:
    service = notion.Notion()
    ada = service.person("Ada")
    top = service.page("Mills", notion.block("paragraph", "All about mills."))
    service.remark(top, "Well said.", by=ada)
    database = service.database("Wheels", under=top)
    row = service.row_parent(service.source_of(database))
    service.add_page("row", row, notion.block("paragraph", "A wheel of oak."))
    gone = service.page("Gone mill", notion.block("paragraph", "It burned."), under=top)
    service.wait(days=1)

    def remove() -> str:
        service.trash(gone)
        return gone

    settings = {"source": "notion", "token": notion.TOKEN, "readers": ["workspace"]}
    return Source(service, notion.serving(service), settings, [(frozenset({"search", "blocks"}), remove)])


def _drive() -> Source:
    service = drive.GoogleDrive()
    folder = service.folder("Mills")
    one = service.doc("Wheel", "# Wheel\n\nIt turns.", folder)
    service.comment(one, "By water?")
    gone = service.doc("Burned mill", "# Mill\n\nIt burned.", folder)
    team = service.shared_drive("Team")
    shared = service.doc("Team's wheel", "# Team's wheel\n\nIt is of the team.", team)
    service.groups = {"team@acme.test": ["ada@acme.test"]}
    service.share(shared, drive.group("team@acme.test"))
    service.sheets[a_large_spreadsheet(service)] = {"Parts": [["Wheel", "oak"]]}

    def remove() -> str:
        service.trash(gone)
        return gone

    return Source(
        service,
        drive.serving(service),
        {"source": "drive", "token": drive.TOKEN, "directory_url": "{url}/directory", "sheets_url": "{url}"},
        [(frozenset({"listing", "changes"}), remove), (frozenset({"listing"}), remove)],
    )


PARTS = [(name, part.name) for name in ("github", "slack", "notion", "drive") for part in source_of(name).parts]
MOST_MORE = {"forbidden": 12, "missing": 12, "down": 24}
"""Requests of an idle sync beside those of before: one for each unit, or a look at one document of it that failed; and
what fails is asked for again each time."""
UNTOLD = ("github", "wiki", "missing")
"""GitHub says the same of a wiki that nobody has written: what a sync makes of it is in
`tests/connectors/github/test_wiki.py`."""
QUICK = ("github", "discussions", "forbidden")
CASES = [
    pytest.param(name, part, how, marks=() if (name, part, how) == QUICK else pytest.mark.slow)
    for name, part in PARTS
    for how in ("forbidden", "missing", "down")
    if (name, part, how) != UNTOLD
]


@pytest.fixture
def company(request: pytest.FixtureRequest, folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Source]:
    made_of = made(request.node.callspec.params["name"])
    with made_of.serving as url:
        own = {
            name: value.replace("{url}", url) if isinstance(value, str) else value
            for name, value in made_of.settings.items()
        }
        connection = {"id": "acme", "base_url": url, **own}
        settings = {"connections": [connection], "embedding": embedding_settings(embeddings)}
        (folder.path / "headrace.yaml").write_text(yaml.safe_dump(settings))
        yield made_of


def live(folder: Folder) -> dict[str, str]:
    """Documents that have not been deleted, with what became of them."""
    with Services(load_settings(folder.path / "headrace.yaml")) as services:
        catalog = services.catalog
        units = [state.unit.id for state in catalog.units.all("acme")]
        ids = [one for unit in units for one in catalog.documents.missing_from("acme", unit, None)]
        return {one: state.status for one, state in catalog.documents.states(ids).items()}


def requests(ran: Ran) -> int:
    return int(ran.json["requests"]["acme"])


def told(status: dict[str, Any]) -> str:
    """All that `status` says of what is missing in the connection."""
    (connection,) = status["connections"]
    groups = [group["reason"] for group in connection["unreadable_groups"]]
    parts = [f"{one['part']}: {one['reason']}" for one in connection["parts"]]
    return "\n".join([*parts, *groups, *(incident["line"] for incident in status["health"]["incidents"])])


@pytest.mark.parametrize(("name", "part", "how"), CASES)
def test_a_part_stands_or_falls_by_itself(
    name: str, part: str, how: How, company: Source, folder: Folder, headrace: Callable[..., Ran]
) -> None:
    assert headrace("sync", "--json").code == 0
    headrace("sync", "--json")
    idle = requests(headrace("sync", "--json"))
    before = live(folder)
    company.emulator.refuse(part, how)
    headrace("sync", "--full", "--json")  # asks for all that there is of each object
    again = requests(headrace("sync", "--json"))
    assert again <= idle + MOST_MORE[how]
    assert live(folder).keys() == before.keys()
    gone = company.delete(part)
    headrace("sync", "--json")
    headrace("reconcile", "--json")
    lost = {one for one in before if gone and one.endswith(gone)}
    assert len(lost) == bool(gone)
    assert before.keys() - live(folder).keys() == lost
    findings = {one["subject"]: one for one in headrace("check", "--json").json["findings"]}
    finding = findings[f"acme: {part}"]
    assert not finding["ok"], finding
    if how == "forbidden":
        assert (bool(finding["lost"]), bool(finding["permission"])) == (True, True)
    assert told(headrace("status", "--json").json)
    company.emulator.allow(part)
    assert headrace("sync", "--full", "--json").code == 0
    assert told(headrace("status", "--json").json) == ""
    assert live(folder) == {one: status for one, status in before.items() if one not in lost}
    findings = {one["subject"]: one for one in headrace("check", "--json").json["findings"]}
    assert findings[f"acme: {part}"]["ok"]
