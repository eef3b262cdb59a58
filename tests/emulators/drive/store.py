"""What a Drive holds, and what people do in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.emulators.drive.permissions import grantee_id, permission_id, person
from tests.emulators.drive.push import Channels, Delivery
from tests.emulators.drive.query import Payload
from tests.emulators.drive.responses import Fault, Interruption, Refusal
from tests.emulators.drive.sign_in import TokenEndpoint

ME = "reader@acme.test"
ROOT = "0AMyDriveRoot"
GOOGLE = "application/vnd.google-apps."
FOLDER = f"{GOOGLE}folder"


@dataclass
class GoogleDrive:
    """The whole service as the account `ME` meets it. Its methods change it as people do; files and shared drives have
    ids of their own where none is given.

    `faults` are answered before anything else, then what `interrupt` says. `accessed` are the files in shared drives
    that the account has opened, so that they are listed as its own, too. A server that does not hide parents names
    them though the account does not see them, and one that does not sort forgets in which order it was asked to list.
    `keys` are those without which a file is not found. `groups` are the directory's, members by address; `holders` the
    permission ids of who has an address that somebody else had before. `refused` are parts of the API, by how `refuse`
    has it. It has the Sheets API, too, for those in `sheets`: rows by the titles of their sheets.
    """

    files: dict[str, Payload] = field(default_factory=dict)
    permissions: dict[str, dict[str, Payload]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    accessed: set[str] = field(default_factory=set)
    content: dict[str, bytes] = field(default_factory=dict)
    exports: dict[str, dict[str, bytes]] = field(default_factory=dict)
    comments: dict[str, list[Payload]] = field(default_factory=dict)
    sheets: dict[str, dict[str, list[list[str]]]] = field(default_factory=dict)
    drives: dict[str, str] = field(default_factory=dict)
    restrictions: dict[str, Payload] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str | None]] = field(default_factory=list)
    oldest_token: int = 0
    has_feed: bool = True
    hides_parents: bool = True
    sorts: bool = True
    page_size: int = 1_000
    tokens: TokenEndpoint = field(default_factory=TokenEndpoint)
    channels: Channels = field(default_factory=Channels)
    clock: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    step: timedelta = timedelta(minutes=1)
    faults: list[Fault] = field(default_factory=list)
    only: str = ""
    interrupt: Interruption = lambda path, query: None
    asked_for: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    strayed: list[str] = field(default_factory=list)
    next_id: int = 0

    def __post_init__(self) -> None:
        self.files[ROOT] = {"id": ROOT, "name": "My Drive", "mimeType": FOLDER}
        self.permissions[ROOT] = {}

    # ---- what people do

    def shared_drive(self, name: str, *members: Payload, drive: str = "") -> str:
        drive = drive or self._id("0AD")
        self.drives[drive] = name
        self.permissions[drive] = {}
        for member in (person(ME, "fileOrganizer"), *members):
            self._grant(drive, member)
        return drive

    def rename_drive(self, drive: str, name: str) -> None:
        self.drives[drive] = name

    def restrict_drive(self, drive: str, **restrictions: bool) -> None:
        """As its managers do; what was shared before stays listed, and no file changes."""
        self.restrictions[drive] = restrictions

    def leave_drive(self, drive: str) -> None:
        """The account is a member no more: it sees nothing of the drive."""
        self.permissions[drive].pop(permission_id(person(ME)))

    def limit_access(self, folder: str) -> None:
        """Shut out whom a folder would inherit."""
        self.restricted.add(folder)
        self._changed(folder)

    def folder(self, name: str, parent: str | None = ROOT, *, restricted: bool = False, **more: Any) -> str:
        made = self._file(name, FOLDER, parent, more)
        if restricted:
            self.restricted.add(made)
        return made

    def doc(self, name: str, text: str = "", parent: str | None = ROOT, **more: Any) -> str:
        made = self._file(name, f"{GOOGLE}document", parent, more)
        self.exports[made] = {"text/markdown": text.encode(), "text/html": f"<p>{text}</p>".encode()}
        return made

    def exported(self, name: str, kind: str, exports: dict[str, bytes], parent: str | None = ROOT, **more: Any) -> str:
        """A file of Google's own `kind`: spreadsheet, presentation, drawing …"""
        made = self._file(name, f"{GOOGLE}{kind}", parent, more)
        self.exports[made] = exports
        return made

    def upload(self, name: str, data: bytes, mime_type: str, parent: str | None = ROOT, **more: Any) -> str:
        made = self._file(name, mime_type, parent, {"size": str(len(data)), **more})
        self.content[made] = data
        return made

    def shortcut(self, name: str, target: str, parent: str | None = ROOT, **more: Any) -> str:
        details = {"targetId": target, "targetMimeType": self.files.get(target, {}).get("mimeType", "")}
        return self._file(name, f"{GOOGLE}shortcut", parent, {"shortcutDetails": details, **more})

    def edit(self, file: str, text: str) -> None:
        if file in self.exports:
            self.exports[file] = {"text/markdown": text.encode(), "text/html": f"<p>{text}</p>".encode()}
        else:
            self.content[file] = text.encode()
            self.files[file]["size"] = str(len(self.content[file]))
        self._changed(file, modifiedTime=self._tick())

    def rename(self, file: str, name: str) -> None:
        self._changed(file, name=name)

    def move(self, file: str, parent: str) -> None:
        """With all that is below it."""
        drive = self._drive_of(parent)
        self._changed(file, parents=[parent], driveId=drive)
        for below in self._below(file):
            self.files[below]["driveId"] = drive

    def trash(self, file: str) -> None:
        self._changed(file, explicitlyTrashed=True)

    def untrash(self, file: str) -> None:
        self._changed(file, explicitlyTrashed=False)

    def delete(self, file: str) -> None:
        """For ever, with all that is below it."""
        for one in (*self._below(file), file):
            del self.permissions[one]
            self.log.append((one, self.files.pop(one).get("driveId")))

    def share(self, file: str, permission: Payload) -> str:
        granted = self._grant(file, permission)
        self._changed(file) if file in self.files else None
        return granted

    def unshare(self, file: str, permission: str) -> None:
        del self.permissions[file][permission]
        self._changed(file) if file in self.files else None

    def rename_account(self, address: str, new: str) -> None:
        """A person or group gets another address, by which its permissions name it; the feed has no entry for that."""
        own = self.holder(address)
        self._change_account(address, emailAddress=new)
        self.holders[new] = own
        if address in self.groups:
            self.groups[new] = self.groups.pop(address)

    def delete_account(self, address: str) -> None:
        """Of a person or group: its permissions stay listed as those of somebody deleted. The feed has no entry."""
        self._change_account(address, deleted=True)
        self.groups.pop(address, None)

    def touch(self, file: str, **fields: Any) -> None:
        """Something that no reader sees: the version moves, with such `fields`, and the feed says so."""
        self._changed(file, **fields)

    def comment(self, file: str, text: str, *replies: str, author: str = "Lin", quoted: str = "") -> None:
        said = [{"author": {"displayName": "Ada"}, "content": reply, "createdTime": self._tick()} for reply in replies]
        made = {"author": {"displayName": author}, "content": text, "createdTime": self._tick(), "replies": said}
        self.comments.setdefault(file, []).append(
            {**made, **({"quotedFileContent": {"value": quoted}} if quoted else {})}
        )
        self._changed(file)

    # ---- what goes wrong, and what is seen

    def forget_changes(self) -> None:
        """Page tokens given so far are accepted no more."""
        self.oldest_token = len(self.log) + 1
        self.log.append(("nothing", None))

    def fail(self, times: int, fault: Fault, *, only: str = "") -> None:
        """The next `times` requests, of those whose path holds `only`, are answered by `fault`."""
        self.only = only
        self.faults += [fault] * times

    def refuse(self, part: str, how: Refusal) -> None:
        """A part of the API (`service.PART_PATHS`) is not for these credentials, not there, or out of order."""
        self.refused[part] = how

    def allow(self, part: str) -> None:
        self.refused.pop(part, None)

    def asked(self) -> Counter[str]:
        """How often each path below the prefix was asked for since `forget`."""
        return Counter(path.split("?", 1)[0] for path in self.asked_for)

    def forget(self) -> None:
        self.asked_for.clear()

    def notifications(self, drive: str | None = None) -> list[Delivery]:
        """One notification of each channel that watches a shared drive, or the account's own feed."""
        opened = self.channels.open.items()
        return [self.channels.notify(one) for one, channel in opened if channel.get("driveId") == drive]

    def holder(self, address: str) -> str:
        """The permission id of who has an address now."""
        return self.holders.get(address) or grantee_id(address)

    # ---- how it keeps things

    def _file(self, name: str, mime_type: str, parent: str | None, more: Payload) -> str:
        """What lies in no folder that is known was shared with the account by itself."""
        file, now = more.get("id") or self._id("1F"), self._tick()
        drive, is_shared = self._drive_of(parent), parent not in self.permissions
        self.files[file] = {
            "id": file,
            "name": name,
            "mimeType": mime_type,
            "parents": [parent] if parent else None,
            "driveId": drive,
            "createdTime": now,
            "modifiedTime": now,
            "version": "1",
            "webViewLink": f"https://docs.test/{file}",
            "owners": None if drive else [{"displayName": "Ada", "emailAddress": "ada@acme.test"}],
            "lastModifyingUser": {"displayName": "Lin", "emailAddress": "lin@acme.test"},
            "capabilities": {"canDownload": True},
            "sharedWithMeTime": now if is_shared else None,
            **more,
        }
        self.permissions[file] = {}
        if is_shared:
            self._grant(file, person(ME))
        if not drive:
            self._grant(file, person("ada@acme.test", "owner"))
        self.log.append((file, drive))
        return file

    def _change_account(self, address: str, **fields: Any) -> None:
        """Whoever gets the address next is somebody else."""
        own = self.holder(address)
        for granted in self.permissions.values():
            if own in granted:
                granted[own] = {**granted[own], **fields}
        self.holders[address] = self._id("99")

    def _grant(self, file: str, permission: Payload) -> str:
        granted = self.holders.get(permission.get("emailAddress", "")) or permission_id(permission)
        self.permissions[file][granted] = permission
        return granted

    def _changed(self, file: str, **fields: Any) -> None:
        payload = self.files[file]
        before = payload.get("driveId")
        payload.update({"version": str(int(payload["version"]) + 1), **fields})
        if payload.get("driveId") != before:
            self.log.append((file, before))
        self.log.append((file, payload.get("driveId")))

    def _drive_of(self, parent: str | None) -> str | None:
        return parent if parent in self.drives else self.files.get(parent or "", {}).get("driveId")

    def _below(self, folder: str) -> Iterator[str]:
        """The deepest first."""
        for one in [one for one, payload in self.files.items() if folder in (payload.get("parents") or ())]:
            yield from self._below(one)
            yield one

    def _tick(self) -> str:
        self.clock += self.step
        return f"{self.clock:%Y-%m-%dT%H:%M:%S}.000Z"

    def _id(self, prefix: str) -> str:
        self.next_id += 1
        return f"{prefix}{self.next_id:05}"
