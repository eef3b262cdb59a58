"""Which files hold text that is read. Pure. https://docs.slack.dev/reference/objects/file-object#types"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.model import HTML, MARKDOWN, PLAIN_TEXT
from connectors.slack.client import Payload
from connectors.slack.payloads import count, dicts

LARGEST = 25_000_000
"""Bytes of a file that is read."""

_OPENXML = "application/vnd.openxmlformats-officedocument"
_DOCX = f"{_OPENXML}.wordprocessingml.document"
_PPTX = f"{_OPENXML}.presentationml.presentation"
_XLSX = f"{_OPENXML}.spreadsheetml.sheet"
_PDF = "application/pdf"
_READ = {
    "application/json",
    "application/x-yaml",
    "application/xhtml+xml",
    "application/xml",
    "application/yaml",
    "message/rfc822",
    _DOCX,
    _PDF,
    _PPTX,
    _XLSX,
}
_BY_FILETYPE: Mapping[str, str] = {
    "csv": "text/csv",
    "docx": _DOCX,
    "eml": "message/rfc822",
    "html": HTML,
    "markdown": MARKDOWN,
    "md": MARKDOWN,
    "pdf": _PDF,
    "pptx": _PPTX,
    "text": PLAIN_TEXT,
    "tsv": "text/tab-separated-values",
    "xlsx": _XLSX,
}
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream", PLAIN_TEXT)
"""Media types that say less than Slack's own type does."""
_WRITTEN_IN_SLACK = {"canvas", "post", "quip", "space"}
"""Canvases, and the posts before them: Slack gives them as HTML."""
_PASSED_OVER = {
    "external": "kept outside Slack",
    "hidden_by_limit": "hidden by the limit of the workspace's plan",
    "remote": "kept outside Slack",
    "tombstone": "deleted",
}


def reason_to_pass_over(file: Payload) -> str | None:
    """Why a file is not read, None if it is."""
    if reason := _PASSED_OVER.get(str(file.get("mode"))):
        return reason
    if file.get("is_external"):
        return _PASSED_OVER["external"]
    if file.get("file_access") in ("access_denied", "file_not_found"):
        return f"out of reach: {file['file_access']}"
    if not content_type(file):
        return f"unsupported type: {file.get('mimetype') or file.get('filetype') or 'none given'}"
    size = count(file.get("size"))
    if size > LARGEST:
        return f"too large: {size / 1e6:.1f} MB, at most {LARGEST // 1_000_000} MB are read"
    return None if mail(file) or file.get("url_private") or file.get("url_private_download") else "no address"


def content_type(file: Payload) -> str:
    """Media type of what is read of a file; empty for one that holds no text."""
    if is_written_in_slack(file):
        return HTML
    kind, declared = str(file.get("filetype") or ""), str(file.get("mimetype") or "").partition(";")[0].strip().lower()
    if file.get("mode") == "email" or kind == "email":
        return PLAIN_TEXT if mail(file) else HTML
    if declared in _UNTOLD and (better := _BY_FILETYPE.get(kind) or _BY_FILETYPE.get(_extension(file))):
        return better
    if file.get("mode") == "snippet" and declared != "text/csv":
        return PLAIN_TEXT
    return declared if declared in _READ or declared.startswith("text/") else ""


def is_written_in_slack(file: Payload) -> bool:
    return file.get("mode") in _WRITTEN_IN_SLACK or file.get("filetype") in _WRITTEN_IN_SLACK


def mail(file: Payload) -> str:
    """The text of a mail that was sent to a channel, which Slack gives along with the file."""
    text = str(file.get("plain_text") or "").strip()
    if not text:
        return ""
    senders = ", ".join(str(one.get("original") or one.get("address") or "") for one in dicts(file.get("from")))
    head = [f"Subject: {file['subject']}"] if file.get("subject") else []
    head += [f"From: {senders}"] if senders else []
    return "\n".join([*head, "", text]) if head else text


def _extension(file: Payload) -> str:
    return str(file.get("name") or "").rpartition(".")[2].lower()
