"""Which files hold text that is read. Pure. https://docs.slack.dev/reference/objects/file-object#types"""

from __future__ import annotations

from connectors.media import BY_EXTENSION, CSV, VAGUE, declared_type, expected_type
from connectors.model import HTML, PLAIN_TEXT
from connectors.slack.payloads import SlackFile

LARGEST = 25_000_000
"""Bytes of a file that is read."""

_WRITTEN_IN_SLACK = {"canvas", "post", "quip", "space"}
"""Canvases, and the posts before them: Slack gives them as HTML."""
_PASSED_OVER = {
    "external": "kept outside Slack",
    "hidden_by_limit": "hidden by the limit of the workspace's plan",
    "remote": "kept outside Slack",
    "tombstone": "deleted",
}


def reason_to_skip(file: SlackFile, *, pictures: bool = False) -> str | None:
    """Why a file is not read, None if it is. `pictures` says whether those are read."""
    if reason := _PASSED_OVER.get(file.mode):
        return reason
    if file.is_external:
        return _PASSED_OVER["external"]
    if file.file_access in ("access_denied", "file_not_found"):
        return f"out of reach: {file.file_access}"
    if content_type(file, pictures=pictures) is None:
        return f"unsupported type: {file.mimetype or file.filetype or 'none given'}"
    size = 0 if file.vtt else file.size or 0  # a transcript has a few words for each megabyte
    if size > LARGEST:
        return f"too large: {size / 1e6:.1f} MB, at most {LARGEST // 1_000_000} MB are read"
    return None if mail_text(file) or is_list(file) or download_url(file) else "no address"


def content_type(file: SlackFile, *, pictures: bool = False) -> str | None:
    """Media type of what is read of a file; empty where only its content can tell, None for one that holds no text."""
    if is_written_in_slack(file):
        return HTML
    if is_list(file):
        return CSV
    if file.vtt:
        return PLAIN_TEXT
    if file.mode == "email" or file.filetype == "email":
        return PLAIN_TEXT if mail_text(file) else HTML
    declared = declared_type(file.mimetype)
    if is_code(file) and declared not in VAGUE | {CSV}:
        return PLAIN_TEXT
    is_described = file.mimetype or file.filetype or file.name
    return expected_type(declared, name_with_type(file), pictures=pictures) if is_described else None


def name_with_type(file: SlackFile) -> str:
    """A file's name, with Slack's own type for it as extension where that is known: it says more than the name."""
    return f"{file.name or 'file'}.{file.filetype}" if file.filetype in BY_EXTENSION else file.name


def download_url(file: SlackFile) -> str:
    """Where what is read of a file is; empty where Slack gives no address."""
    private, download = file.url_private, file.url_private_download
    if is_list(file):
        return file.list_csv_download_url
    return file.vtt or (private or download if is_written_in_slack(file) else download or private)


def least_size(file: SlackFile) -> int:
    """Bytes that a download of a file has at least: as many as were uploaded. 0 where Slack tells nothing, or makes of
    the file what is read: a transcript, a table, or a page."""
    is_made = file.vtt or is_list(file) or is_written_in_slack(file) or "email" in (file.mode, file.filetype)
    return 0 if is_made else file.size or 0


def is_list(file: SlackFile) -> bool:
    """Whether a file is a Slack List: rows with fields."""
    return "list" in (file.mode, file.filetype)


def is_code(file: SlackFile) -> bool:
    """Whether a file is a snippet, which Slack shows as it is written."""
    return file.mode == "snippet"


def is_written_in_slack(file: SlackFile) -> bool:
    return file.mode in _WRITTEN_IN_SLACK or file.filetype in _WRITTEN_IN_SLACK


def mail_text(file: SlackFile) -> str:
    """The text of a mail that was sent to a channel, which Slack gives along with the file."""
    text = file.plain_text.strip()
    if not text:
        return ""
    senders = ", ".join(sender.original or sender.address for sender in file.senders)
    head = [f"Subject: {file.subject}"] if file.subject else []
    head += [f"From: {senders}"] if senders else []
    return "\n".join([*head, "", text]) if head else text
