"""Secrets that are files: settings name the file, and what is in it is the secret."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr, ValidationInfo

DIRECTORY = "directory"
"""In the context of a validation: the folder of the settings file, where relative paths start."""
_LONGEST = 1_000_000
"""Bytes. No key is as long."""
_PATH = re.compile(r"(~|\.{1,2})?/\S[^\n]*|[^\s{]+\.(json|pem|key)", re.IGNORECASE)


def read_secret(value: object, info: ValidationInfo) -> object:
    """What is in the file, if the value is the path of one; else the value. Raises ValueError if it cannot be read."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not _PATH.fullmatch(text.strip()):
        return value
    file = Path((info.context or {}).get(DIRECTORY, "")) / Path(text.strip()).expanduser()
    try:
        with file.open("rb") as opened:
            return opened.read(_LONGEST).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"is the path of a file that cannot be read: {reason}") from None
