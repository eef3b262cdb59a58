"""What git says over HTTP: the heads of a repository, and a pack of the objects that are asked for. Pure.

https://git-scm.com/docs/http-protocol · https://git-scm.com/docs/gitprotocol-pack (protocol version 0, of which the
first answer tells the head as well)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpx
from dulwich.errors import GitProtocolError
from dulwich.protocol import PktLineParser, extract_capabilities, pkt_line, pkt_seq

from connectors.errors import InvalidResponse
from connectors.github.responses import request_url

SERVICE = "git-upload-pack"

_AGENT = b"agent=git/headrace"
_SIDE_BAND = b"side-band-64k"
_DATA, _PROGRESS = b"\x01", b"\x02"


@dataclass(frozen=True, slots=True)
class Advertisement:
    """`head` is the commit of the default branch; empty where it has none."""

    head: str
    capabilities: frozenset[bytes]

    @property
    def gives_single_objects(self) -> bool:
        """Whether folders can be asked for without their files, and then single files by their SHA.

        https://git-scm.com/docs/partial-clone
        """
        return {b"filter", b"allow-reachable-sha1-in-want"} <= self.capabilities


def parse_advertisement(response: httpx.Response) -> Advertisement:
    """The answer to `info/refs`. Raises InvalidResponse."""
    lines = _packets(response)
    if not lines or lines[0] is None or lines[0].strip() != f"# service={SERVICE}".encode():
        raise InvalidResponse(request_url(response), "not what git says")
    refs = [line for line in lines[1:] if line]
    capabilities = extract_capabilities(refs[0])[1] if refs else []
    heads = (line.partition(b"\0")[0].split() for line in refs)
    head = next((found[0].decode("ascii", "replace") for found in heads if found[1:] == [b"HEAD"]), "")
    return Advertisement(head, frozenset(capabilities))


def request_head(advertised: Advertisement) -> bytes:
    """Asks for the newest commit alone: its folders, and the files too where these cannot be asked for one by one."""
    single = advertised.gives_single_objects
    return _request([advertised.head], [b"shallow", *([b"filter"] if single else [])], depth=1, without_files=single)


def request_objects(shas: Sequence[str]) -> bytes:
    return _request(shas, [])


def parse_pack(response: httpx.Response) -> bytes:
    """The pack in an answer, after what git says of it. Raises InvalidResponse."""
    lines = iter(_packets(response))
    for line in lines:
        if line and line.startswith(b"ERR "):
            raise InvalidResponse(request_url(response), line[4:].decode(errors="replace").strip()[:200])
        if line and line.strip() == b"NAK":
            return b"".join(_side_band(response, lines))
    raise InvalidResponse(request_url(response), "no pack")


def _request(shas: Sequence[str], extra: Iterable[bytes], *, depth: int = 0, without_files: bool = False) -> bytes:
    asked = [b"want " + sha.encode() for sha in shas]
    asked[0] = b" ".join((asked[0], _SIDE_BAND, b"ofs-delta", b"no-progress", *extra, _AGENT))
    if depth:
        asked.append(b"deepen %d" % depth)
    if without_files:
        asked.append(b"filter blob:none")
    return pkt_seq(*(line + b"\n" for line in asked)) + pkt_line(b"done\n")


def _side_band(response: httpx.Response, lines: Iterable[bytes | None]) -> Iterable[bytes]:
    for line in lines:
        if not line or line[:1] == _PROGRESS:
            continue
        if line[:1] != _DATA:  # the third band is an error's
            raise InvalidResponse(request_url(response), line[1:].decode(errors="replace").strip()[:200])
        yield line[1:]


def _packets(response: httpx.Response) -> list[bytes | None]:
    found: list[bytes | None] = []
    parser = PktLineParser(found.append)
    try:
        parser.parse(response.content)
    except GitProtocolError as error:
        raise InvalidResponse(request_url(response), f"not what git says: {error}") from error
    if parser.get_tail():
        raise InvalidResponse(request_url(response), "cut short")
    return found
