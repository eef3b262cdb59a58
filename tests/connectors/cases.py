"""A small company at each of the sources, and what is known of it, for the conformance kit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from connectors.contract import Connector, Membership
from connectors.push.settings import PushConnection
from connectors.pushed_documents import PushedFile
from connectors.registry import parse_connection
from connectors.testing import Case, KnownObject
from tests.emulators import drive, github, notion, pushed, slack

Connect = Callable[..., Connector]


@contextmanager
def slack_case(connect: Connect) -> Iterator[Case]:
    """Twelve days of a channel with threads and files, and a private channel; five messages a page."""
    emulated = slack.Slack(page_size=5)
    emulated.channel("C1", "general")
    emulated.channel("C2", "board", private=True)
    emulated.person("U1", "ada")
    emulated.person("U2", "bob")
    emulated.members["C2"] = ["U1"]
    for day in range(12):
        newest = emulated.say("C1", f"The pump of mill {day} is stuck.", at=slack.START + day * slack.DAY)
    roots = [emulated.say("C1", "Who greases it?", at=slack.START + (2 + at) * slack.DAY + 600) for at in range(4)]
    for at, root in enumerate(roots):
        for reply in range(3):
            emulated.say("C1", "Tallow.", at=slack.START + (3 + at) * slack.DAY + 60 * reply, thread=root)
    emulated.say("C2", "We buy another mill.", at=slack.START)
    emulated.share("C1", "F1", b"The wheel has twelve spokes.")
    emulated.share("C1", "F2", b"\x89PNG", mimetype="image/png", name="wheel.png")
    replies = [float(ts) for ts, said in emulated.messages["C1"].items() if said.get("thread_ts") == roots[0]]
    known: tuple[KnownObject, ...] = (
        KnownObject(
            document_id=f"slack:acme/C1/threads/{roots[0]}",
            unit="C1",
            created_at=datetime.fromtimestamp(float(roots[0]), UTC),
            updated_at=datetime.fromtimestamp(max(replies), UTC),
            title="#general: Who greases it?",
            content="Tallow.",
            readers=("group:acme:workspace",),
        ),
    )
    board = next(iter(emulated.messages["C2"]))
    known += (
        KnownObject(
            document_id="slack:acme/C2/days/2026-03-01",
            unit="C2",
            created_at=datetime.fromtimestamp(float(board), UTC),
            updated_at=datetime.fromtimestamp(float(board), UTC),
            title="#board, 2026-03-01",
            content="We buy another mill.",
            readers=("group:acme:C2",),
        ),
    )

    def change() -> str:
        emulated.edit("C1", newest, "The pump of mill 11 runs.")
        return "slack:acme/C1/days/2026-03-12"

    with slack.serving(emulated) as url:
        connection = parse_connection({"id": "acme", "source": "slack", "token": slack.TOKEN, "base_url": url})
        yield Case(
            connection=connection,
            connect=lambda transport: connect(connection, transport),
            known=known,
            absent_id=lambda unit: f"slack:acme/{unit.id}/threads/1.000001",
            reads_one=lambda request: (
                re.search(r"conversations\.replies|files\.info|/files-pri/", request.url.path) is not None
            ),
            checkpoints={"C1": 17, "C2": 2},
            memberships=_members(("workspace", "ada"), ("workspace", "bob"), ("C2", "ada")),
            change=change,
        )


@contextmanager
def github_case(connect: Connect) -> Iterator[Case]:
    """A private repository with a page of everything, over twelve days, and an empty public one."""
    emulated = github.GitHub(emails={"ada": "ada@acme.test"})
    api = emulated.repository("acme/api", private=True, collaborators=["ada", "bob"])
    numbers = []
    for n in range(8):
        emulated.clock += timedelta(days=1)
        numbers.append(emulated.issue(api, f"Trouble {n}", f"The pump {n}."))
        emulated.comment(api, numbers[-1], f"Oil {n}.")
    pull = emulated.issue(api, "Grease", "Fixes #1", pull=True)
    emulated.review(api, pull, "APPROVED", "Well.")
    emulated.review_comment(api, pull, "wheel.py", 3, "Why?")
    talk = emulated.discussion(api, "How much?", "Still.")
    reply = emulated.discuss(api, talk, "Two.")
    emulated.discuss(api, talk, "Works.", reply)
    emulated.answer(api, talk, reply)
    emulated.release(api, "v1", "First.")
    for path, content in (("README.md", b"# Mill"), ("docs/wheel.md", b"# Wheel"), ("logo.png", b"\x89PNG\0")):
        emulated.write(api, path, content)
    emulated.write_page(api, "_Sidebar.md", "* [[Oiling]]")
    emulated.write_page(api, "How-To/Oiling-the-wheel.md", "Twice a week.")
    site = emulated.repository("acme/site")
    issue = api.issues[numbers[0]]
    known = (
        KnownObject(
            document_id=f"github:acme/{api.id}/issues/{numbers[0]}",
            unit=str(api.id),
            created_at=datetime.fromisoformat(issue["created_at"]),
            updated_at=datetime.fromisoformat(issue["updated_at"]),
            title="Trouble 0",
            content="Oil 0.",
            readers=(f"group:acme:{api.id}",),
        ),
        KnownObject(
            document_id=f"github:acme/{api.id}/wiki/How-To/Oiling-the-wheel.md",
            unit=str(api.id),
            created_at=None,
            updated_at=emulated.clock,
            title="Oiling the wheel",
            content="Twice a week.",
            readers=(f"group:acme:{api.id}",),
        ),
    )

    def change() -> str:
        emulated.comment(api, numbers[-1], "It runs.")
        return f"github:acme/{api.id}/issues/{numbers[-1]}"

    with github.serving(emulated) as url:
        connection = parse_connection({"id": "acme", "source": "github", "token": github.TOKEN, "base_url": url})
        yield Case(
            connection=connection,
            connect=lambda transport: connect(connection, transport),
            known=known,
            absent_id=lambda unit: f"github:acme/{unit.id}/issues/99999",
            reads_one=lambda request: re.search(r"/(issues|pulls)/\d+|/git/blobs/", request.url.path) is not None,
            checkpoints={str(api.id): 12, str(site.id): 2},
            memberships=_members((str(api.id), "ada")),
            change=change,
        )


@contextmanager
def notion_case(connect: Connect) -> Iterator[Case]:
    """A handbook with pages, files and a database, enough for a checkpoint on the way; and a page beside it."""
    emulated = notion.Notion()
    emulated.person("Ada")
    handbook = emulated.page("Handbook", notion.block("paragraph", "How."))
    emulated.wait(days=1)
    offer = notion.file_block("file", emulated.upload("offer.txt", b"Twelve valves."))
    picture = notion.file_block("image", emulated.upload("wheel.png", b"\x89PNG"))
    pumps = emulated.page("Pumps", notion.block("paragraph", "Three."), offer, picture, under=handbook)
    emulated.wait(days=1)
    oil = emulated.page("Oil", notion.block("paragraph", "Linseed."), under=pumps)
    log = emulated.database("Log", under=handbook, says="What was done")
    for n in range(18):
        emulated.wait(days=1)
        hours = {"Hours": {"id": "h", "type": "number", "number": n}}
        day = notion.block("paragraph", f"Day {n}.")
        entry = emulated.page(f"Entry {n}", day, under=emulated.source_of(log), properties=hours)
    news = emulated.page("News", notion.block("paragraph", "The mill opens."))
    emulated.wait(hours=3)
    known = (
        KnownObject(
            document_id=f"notion:acme/{oil}",
            unit=handbook,
            created_at=datetime.fromisoformat(emulated.objects[oil]["created_time"]),
            updated_at=datetime.fromisoformat(emulated.objects[oil]["last_edited_time"]),
            title="Oil",
            content="Linseed.",
            readers=("group:acme:workspace",),
        ),
    )

    def change() -> str:
        emulated.write(entry, notion.block("paragraph", "It runs."))
        return f"notion:acme/{entry}"

    with notion.serving(emulated) as url:
        settings = {"id": "acme", "source": "notion", "token": notion.TOKEN, "base_url": url, "readers": ["workspace"]}
        connection = parse_connection(settings)
        yield Case(
            connection=connection,
            connect=lambda transport: connect(connection, transport),
            known=known,
            absent_id=lambda unit: "notion:acme/00000000-0000-0000-0000-000000000000",
            # Not pages themselves, which say where others stand.
            reads_one=lambda request: re.search(r"/children$|/secure-files/", request.url.path) is not None,
            checkpoints={handbook: 2, news: 1},
            memberships=_members(("workspace", "ada")),
            change=change,
        )


@contextmanager
def drive_case(connect: Connect) -> Iterator[Case]:
    """Folders in My Drive, a shared drive, and what others shared; three files a page."""
    emulated = drive.GoogleDrive(page_size=3)
    team = emulated.shared_drive("Team", drive.group("team@acme.test"))
    plans = emulated.folder("Plans")
    spring = emulated.folder("Spring", plans)
    files = []
    for n in range(8):
        emulated.clock += timedelta(days=1)
        files.append(emulated.doc(f"Plan {n}", f"Pump {n}.", spring))
    emulated.upload("Bill of the pump", b"Twelve florins.", "text/plain", spring)
    emulated.doc("Loose", "Oil.")
    emulated.upload("wheel.png", b"\x89PNG", "image/png", plans)
    emulated.doc("Shared", "Belt.", None)
    wheels = emulated.folder("Wheels", team)
    emulated.doc("Wheel", "Water.", wheels)
    emulated.doc("Axle", "Tallow.", team)
    known = (
        KnownObject(
            document_id=f"drive:acme/{files[0]}",
            unit=plans,
            created_at=datetime.fromisoformat(emulated.files[files[0]]["createdTime"]),
            updated_at=datetime.fromisoformat(emulated.files[files[0]]["modifiedTime"]),
            title="Plan 0",
            content="Pump 0.",
            readers=("user:ada@acme.test",),
        ),
    )

    def change() -> str:
        emulated.edit(files[-1], "The pump runs.")
        emulated.share(spring, drive.person("lin@acme.test"))
        emulated.share(plans, drive.person("lin@acme.test"))
        return f"drive:acme/{files[-1]}"

    with drive.serving(emulated) as url:
        settings = {"id": "acme", "source": "drive", "token": drive.TOKEN, "base_url": url, "token_uri": f"{url}/token"}
        connection = parse_connection(settings)
        yield Case(
            connection=connection,
            connect=lambda transport: connect(connection, transport),
            known=known,
            absent_id=lambda unit: "drive:acme/1FNothing",
            # Not folders, which say where others lie.
            reads_one=lambda request: re.search(f"/files/({'|'.join(files)})", request.url.path) is not None,
            checkpoints={team: 3, plans: 5, "root": 5},
            memberships=frozenset(),  # a directory of Google's that the connection does not read
            change=change,
        )


@contextmanager
def push_case(connect: Connect) -> Iterator[Case]:
    """Eleven documents, three a page, of which one is a file and one was deleted; another unit with one of its own."""
    parsed = parse_connection(
        {"id": "acme", "source": "push", "token": "a-key-for-what-is-pushed", "groups": {"board": ["ada@acme.test"]}}
    )
    assert isinstance(parsed, PushConnection)
    kept = pushed.PushedInMemory(parsed)
    for n in range(10):
        url = f"https://notes.acme.test/{n}"
        kept.put(f"notes/{n}", title=f"Note {n}", text=f"The pump {n}.", url=url, readers=["public"], unit="notes")
    file = PushedFile("wheel.csv", "text/csv", b"spoke,length\n1,80\n")
    kept.put("wheel.csv", file, url="https://notes.acme.test/wheel", unit="notes", readers=[])
    kept.put("gone", title="Gone", text="Dry.", unit="notes")
    kept.remove("gone")
    moment = datetime(2026, 3, 1, 9, tzinfo=UTC)
    kept.put(
        "minutes",
        title="Minutes",
        text="We buy another mill.",
        url="https://board.acme.test/minutes",
        unit="board",
        readers=["group:board", "bob@acme.test"],
        parents=["Board", "2026"],
        created_at=moment,
        updated_at=moment,
    )
    known = KnownObject(
        document_id="push:acme/minutes",
        unit="board",
        created_at=moment,
        updated_at=moment,
        title="Minutes",
        content="another mill",
        readers=("group:acme:board", "user:bob@acme.test"),
    )

    def change() -> str:
        url = "https://notes.acme.test/3"
        kept.put("notes/3", title="Note 3", text="The pump 3 runs.", url=url, readers=["public"], unit="notes")
        return "push:acme/notes/3"

    yield Case(
        connection=parsed,
        connect=lambda transport: connect(parsed.with_store(pushed.StoreOverHttp(transport))),
        transport=lambda: httpx.MockTransport(kept.answer),
        known=(known,),
        absent_id=lambda unit: "push:acme/never",
        reads_one=lambda request: request.url.path.startswith("/bodies/"),
        checkpoints={"notes": 4, "board": 1},
        memberships=_members(("board", "ada")),
        change=change,
    )


def _members(*pairs: tuple[str, str]) -> frozenset[Membership]:
    """Of a group and a person's name each."""
    return frozenset(Membership(group, f"{name}@acme.test") for group, name in pairs)


CASES: dict[str, Callable[[Connect], AbstractContextManager[Case]]] = {
    "drive": drive_case,
    "github": github_case,
    "notion": notion_case,
    "push": push_case,
    "slack": slack_case,
}
