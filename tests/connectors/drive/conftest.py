"""A Drive in memory that answers as Google documents it: a corpus of files, shared drives, a changes feed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.drive.settings import DriveConnection
from connectors.drive.source import DriveConnector

FOLDER = "application/vnd.google-apps.folder"
GOOGLE = "application/vnd.google-apps."
ME = "reader@acme.test"
ORGANIZER = {"type": "user", "role": "organizer", "emailAddress": "ada@acme.test"}
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

Fault = Callable[[httpx.Request], httpx.Response | None]
OpenDrive = Callable[..., DriveConnector]
Refuse = Callable[..., httpx.Response]


class FakeDrive:
    """Files by id, in one account that is `ME`. `link_only` files open by id but are listed nowhere.

    What is in a shared drive shows its `permissions` when asked, `ada` as the organizer where there are no others.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {"my-root": {"id": "my-root", "name": "My Drive", "mimeType": FOLDER}}
        self.content: dict[str, bytes] = {}
        self.exports: dict[tuple[str, str], bytes | httpx.Response] = {}
        self.permissions: dict[str, list[dict[str, Any]]] = {}
        self.link_only: set[str] = set()
        self.drives: dict[str, str] = {}
        self.log: list[dict[str, Any]] = []
        self.page_size = 1_000
        self.has_feed = True
        self.faults: list[Fault] = []
        self.calls: list[httpx.Request] = []
        self._clock = 0

    # What happens in the Drive

    def tick(self) -> str:
        self._clock += 1
        return (_EPOCH + timedelta(hours=self._clock)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def folder(self, file_id: str, parent: str | None = "my-root", **fields: Any) -> str:
        return self.file(file_id, parent, mimeType=FOLDER, **fields)

    def doc(self, file_id: str, parent: str | None = "my-root", text: str = "Words.", **fields: Any) -> str:
        self.exports[file_id, "text/markdown"] = text.encode()
        return self.file(file_id, parent, mimeType=f"{GOOGLE}document", **fields)

    def text(self, file_id: str, parent: str | None = "my-root", data: bytes = b"Words.", **fields: Any) -> str:
        self.content[file_id] = data
        return self.file(file_id, parent, **{"size": str(len(data)), "mimeType": "text/plain", **fields})

    def file(self, file_id: str, parent: str | None = "my-root", **fields: Any) -> str:
        now = self.tick()
        drive = self._drive_of(parent)
        self.files[file_id] = {
            "id": file_id,
            "name": f"Name of {file_id}",
            "parents": [parent] if parent else None,
            "createdTime": now,
            "modifiedTime": now,
            "webViewLink": f"https://docs.test/{file_id}",
            "owners": None if drive else [{"displayName": "Ada", "emailAddress": "ada@acme.test"}],
            "lastModifyingUser": {"displayName": "Lin"},
            "permissions": None if drive else [{"type": "user", "role": "owner", "emailAddress": "ada@acme.test"}],
            "trashed": False,
            "driveId": drive,
            "version": "1",
            **fields,
        }
        self._log(file_id)
        return file_id

    def change(self, file_id: str, **fields: Any) -> None:
        file = self.files[file_id]
        file.update({"version": str(int(file["version"]) + 1), **fields})
        self._log(file_id)

    def edit(self, file_id: str, text: str) -> None:
        self.exports[file_id, "text/markdown"] = self.content[file_id] = text.encode()
        self.change(file_id, modifiedTime=self.tick())

    def remove(self, file_id: str) -> None:
        drive = self.files.pop(file_id).get("driveId")
        self.log.append({"fileId": file_id, "removed": True, "drive": drive})

    def move_to_drive(self, file_id: str, drive: str) -> None:
        self.log.append({"fileId": file_id, "removed": True, "drive": self.files[file_id]["driveId"]})
        self.change(file_id, parents=[drive], driveId=drive)

    def _log(self, file_id: str) -> None:
        self.log.append({"fileId": file_id, "removed": False, "drive": self.files[file_id].get("driveId")})

    def _drive_of(self, parent: str | None) -> str | None:
        if parent in self.drives:
            return parent
        return self.files.get(parent or "", {}).get("driveId")

    # What the API answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        for fault in self.faults:
            if (answer := fault(request)) is not None:
                return answer
        if request.headers.get("authorization") != "Bearer secret-token":
            return refusal(401, "authError")
        path = request.url.path.removeprefix("/drive/v3/")
        params = dict(request.url.params)
        assert path.endswith("export") or params.get("alt") == "media" or params.get("fields"), "no fields asked"
        return self._answer(path.split("/"), params)

    def _answer(self, path: list[str], params: dict[str, str]) -> httpx.Response:
        match path:
            case ["about"]:
                return httpx.Response(200, json={"user": {"displayName": "Reader", "emailAddress": ME}})
            case ["drives"]:
                drives = [{"id": one, "name": name} for one, name in self.drives.items()]
                return self._page("drives", drives, params, {})
            case ["changes", *rest] if self.has_feed:
                return self._changes(rest, params)
            case ["files"]:
                assert params["supportsAllDrives"] == params["includeItemsFromAllDrives"] == "true"
                extra = {"incompleteSearch": False}
                return self._page("files", self._listed(params), params, extra)
            case ["files", file_id, *rest]:
                file_id = "my-root" if file_id == "root" else file_id
                if file_id not in self.files and (file_id not in self.drives or rest != ["permissions"]):
                    return refusal(404, "notFound")
                return self._file(file_id, rest, params)
        return httpx.Response(404)

    def _file(self, file_id: str, rest: list[str], params: dict[str, str]) -> httpx.Response:
        if rest == ["permissions"]:
            in_drive = file_id in self.drives or self.files[file_id].get("driveId")
            found = self.permissions.get(file_id, [ORGANIZER] if in_drive else None)
            if found is None:
                return refusal(403, "insufficientFilePermissions")
            return self._page("permissions", found, params, {})
        if rest == ["export"]:
            answer = self.exports.get((file_id, params["mimeType"]), refusal(400, "badRequest"))
            return httpx.Response(200, content=answer) if isinstance(answer, bytes) else answer
        if params.get("alt") == "media":
            return httpx.Response(200, content=self.content[file_id])
        return httpx.Response(200, json=self._shown(self.files[file_id]))

    def _listed(self, params: dict[str, str]) -> list[dict[str, Any]]:
        wanted = predicate(params.get("q", ""))
        drive = params.get("driveId")
        listed = (file for file in self.files.values() if file["id"] not in {"my-root", *self.link_only})
        found = [self._shown(file) for file in listed if wanted(file) and (not drive or file["driveId"] == drive)]
        match params.get("orderBy"):
            case "createdTime":
                return sorted(found, key=lambda file: file["createdTime"])
            case "modifiedTime desc":
                return sorted(found, key=lambda file: file["modifiedTime"], reverse=True)
        return found

    def _changes(self, rest: list[str], params: dict[str, str]) -> httpx.Response:
        if rest == ["startPageToken"]:
            return httpx.Response(200, json={"startPageToken": str(len(self.log))})
        assert params["includeRemoved"] == params["includeCorpusRemovals"] == "true"
        if not params["pageToken"].isdigit():
            return refusal(400, "invalid")
        start = int(params["pageToken"])
        stop = min(start + self.page_size, len(self.log))
        drive = params.get("driveId")
        changes = [self._change(entry) for entry in self.log[start:stop] if not drive or entry["drive"] == drive]
        token = {"newStartPageToken": str(stop)} if stop == len(self.log) else {"nextPageToken": str(stop)}
        return httpx.Response(200, json={"changes": changes, **token})

    def _change(self, entry: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(entry["fileId"])
        shown = {"file": self._shown(file)} if file else {}
        return {"changeType": "file", "fileId": entry["fileId"], "removed": entry["removed"] or not file, **shown}

    def _page(self, name: str, found: list[Any], params: dict[str, str], extra: dict[str, Any]) -> httpx.Response:
        start = int(params.get("pageToken", "0"))
        stop = start + min(self.page_size, int(params["pageSize"]))
        token = {"nextPageToken": str(stop)} if stop < len(found) else {}
        return httpx.Response(200, json={name: found[start:stop], **extra, **token})

    def _shown(self, file: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in file.items() if value is not None}


def refusal(status: int, reason: str, **headers: str) -> httpx.Response:
    body = {"error": {"code": status, "message": f"Refused: {reason}.", "errors": [{"reason": reason}]}}
    return httpx.Response(status, json=body, headers=headers)


def predicate(query: str) -> Callable[[dict[str, Any]], bool]:
    """The part of Drive's query language that is asked here, by way of Python's."""
    text = re.sub(r"'([^']*)' in parents", r"('\1' in (file['parents'] or ()))", query)
    text = re.sub(r"(trashed) = (true|false)", lambda m: f"file['trashed'] is {m[2].title()}", text)
    text = re.sub(r"(mimeType|createdTime|modifiedTime) (>=|<|!=|=) ", r"file['\1'] \2 ", text).replace(" = ", " == ")
    found: Callable[[dict[str, Any]], bool] = eval(f"lambda file: {text or True}")
    return found


@pytest.fixture
def drive() -> FakeDrive:
    return FakeDrive()


@pytest.fixture(scope="session")
def new_drive() -> type[FakeDrive]:
    """For tests that need more than one Drive."""
    return FakeDrive


@pytest.fixture(scope="session")
def connection() -> DriveConnection:
    return DriveConnection(id="acme", source="drive", token="secret-token", base_url="http://drive.test/drive/v3/")


@pytest.fixture
def open_drive(drive: FakeDrive, connection: DriveConnection) -> Iterator[OpenDrive]:
    """Opens connectors on `drive`, and closes them."""
    opened: list[DriveConnector] = []

    def connect(**settings: Any) -> DriveConnector:
        opened.append(DriveConnector(connection.model_copy(update=settings), httpx.MockTransport(drive)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def connector(open_drive: OpenDrive) -> DriveConnector:
    return open_drive()


@pytest.fixture
def refuse() -> Refuse:
    return refusal
