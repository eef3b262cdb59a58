"""The git repository of a GitHub wiki in memory, and what git's `upload-pack` answers over HTTP.

https://docs.github.com/en/communities/documenting-your-project-with-wikis/about-wikis
https://git-scm.com/docs/http-protocol · https://git-scm.com/docs/gitprotocol-pack · https://git-scm.com/docs/partial-clone
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from dulwich.index import commit_tree
from dulwich.object_format import SHA1
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.pack import write_pack_objects
from dulwich.protocol import PktLineParser, ReceivableProtocol, pkt_line, pkt_seq
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo
from dulwich.server import DictBackend, UploadPackHandler
from starlette.responses import PlainTextResponse, Response

FILE, FOLDER, LINK, SUBMODULE = 0o100644, 0o040000, 0o120000, 0o160000
BRANCH = Ref(b"refs/heads/master")
CAPABILITIES = (
    b"multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative "
    b"no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done "
    b"symref=HEAD:refs/heads/master filter object-format=sha1 agent=git/github-emulated"
)
_BAND_BYTES = 65_515
_DELTIFIED_BYTES = 100_000
"""What is larger would be compared for minutes."""


class WikiRepository:
    """Each change is a commit. `gives_single_objects` is what GitHub's git does; else dulwich's own server answers."""

    def __init__(self) -> None:
        self.store = MemoryObjectStore()
        self.files: dict[str, tuple[int, ObjectID]] = {}
        self.head: ObjectID | None = None
        self.gives_single_objects = True
        self.wanted: list[list[str]] = []

    def write(self, path: str, content: bytes, at: datetime, mode: int = FILE) -> None:
        self.files[path] = (mode, self.add(Blob.from_string(content)))
        self.commit(at)

    def commit(self, at: datetime, tree: ObjectID | None = None) -> None:
        """All files as they are now, or a tree of the test's own."""
        blobs = [(path.encode(), sha, mode) for path, (mode, sha) in self.files.items()]
        made = Commit()
        made.tree = tree or commit_tree(self.store, blobs)
        made.parents = [self.head] if self.head else []
        made.author = made.committer = b"Eve <eve@acme.test>"
        made.author_time = made.commit_time = int(at.timestamp())
        made.author_timezone = made.commit_timezone = 0
        made.message = b"Updated"
        self.head = self.add(made)

    def add(self, made: ShaFile) -> ObjectID:
        self.store.add_object(made)
        return made.id

    def tree(self, *entries: tuple[bytes, int, ObjectID]) -> ObjectID:
        made = Tree()
        for name, mode, sha in entries:
            made.add(name, mode, sha)
        return self.add(made)

    def answered(self, method: str, service: str, query: str, body: bytes) -> Response:
        match method, service:
            case "GET", "info/refs" if parse_qs(query).get("service") == ["git-upload-pack"]:
                heading = pkt_seq(b"# service=git-upload-pack\n")
                return _answer("advertisement", heading + self._advertisement())
            case "POST", "git-upload-pack":
                return _answer("result", self._packed(body) if self.gives_single_objects else self._handled(body))
        return PlainTextResponse("Not Found", 404)

    def _advertisement(self) -> bytes:
        if not self.gives_single_objects:
            return self._handled(b"", advertise=True)
        if not self.head:
            return pkt_seq(b"0" * 40 + b" capabilities^{}\0" + CAPABILITIES + b"\n")
        return pkt_seq(self.head + b" HEAD\0" + CAPABILITIES + b"\n", self.head + b" " + BRANCH + b"\n")

    def _packed(self, body: bytes) -> bytes:
        lines = _lines(body)
        wants = [ObjectID(line.split()[1]) for line in lines if line.startswith(b"want ")]
        self.wanted.append([sha.decode() for sha in wants])
        if unknown := [sha for sha in wants if sha not in self.store]:
            return pkt_line(b"ERR upload-pack: not our ref " + unknown[0])
        with_files = b"filter blob:none\n" not in lines
        found = {one.id: one for sha in wants for one in self._reached(sha, with_files)}
        shallow = pkt_seq(b"shallow " + wants[0] + b"\n") if b"deepen 1\n" in lines else b""
        pack, is_small = BytesIO(), sum(one.raw_length() for one in found.values()) < _DELTIFIED_BYTES
        write_pack_objects(pack, list(found.values()), object_format=SHA1, deltify=is_small)
        return shallow + pkt_line(b"NAK\n") + _side_band(pack.getvalue())

    def _reached(self, sha: ObjectID, with_files: bool) -> Iterator[ShaFile]:
        """What is asked for and, of a commit, what is below; each once."""
        waiting, seen = [sha], set[ObjectID]()
        while waiting:
            one = waiting.pop()
            if one in seen or one not in self.store:
                continue
            seen.add(one)
            found = self.store[one]
            if isinstance(found, Blob) and not with_files and one != sha:
                continue
            yield found
            if isinstance(found, Commit):
                waiting.append(found.tree)
            elif isinstance(found, Tree):
                waiting += [entry.sha for entry in found.iteritems()]

    def _handled(self, body: bytes, *, advertise: bool = False) -> bytes:
        repo: Any = MemoryRepo()
        out = BytesIO()
        repo.object_store = self.store
        if self.head:
            repo.refs[BRANCH] = self.head
        repo.refs.set_symbolic_ref(Ref(b"HEAD"), BRANCH)
        protocol = ReceivableProtocol(BytesIO(body).read, out.write)
        backend = DictBackend({"/": repo})
        _UploadPack(backend, ["/"], protocol, stateless_rpc=True, advertise_refs=advertise).handle()
        return out.getvalue()


class _UploadPack(UploadPackHandler):
    @classmethod
    def required_capabilities(cls) -> tuple[bytes, ...]:
        """None: git's server takes a client that has fewer, too."""
        return ()


def token_of(authorization: str) -> str:
    """The token that git shows as a password; none but of the user that GitHub names for it."""
    kind, _, shown = authorization.partition(" ")
    user, _, password = base64.b64decode(shown).decode().partition(":") if kind == "Basic" else ("", "", "")
    return password if user == "x-access-token" else ""


def unauthorized() -> Response:
    headers = {"www-authenticate": 'Basic realm="GitHub"'}
    return PlainTextResponse("Invalid username or token.", 401, headers)


def unwritten() -> Response:
    return PlainTextResponse("Repository not found.", 404)


def _answer(kind: str, content: bytes) -> Response:
    return Response(content, media_type=f"application/x-git-upload-pack-{kind}")


def _lines(body: bytes) -> list[bytes]:
    found: list[Any] = []
    PktLineParser(found.append).parse(body)
    return [line for line in found if line]


def _side_band(pack: bytes) -> bytes:
    parts = (pack[start : start + _BAND_BYTES] for start in range(0, len(pack), _BAND_BYTES))
    return pkt_seq(*(b"\x01" + part for part in parts))
