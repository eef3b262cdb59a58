"""The snippets in Python run as they stand, with the libraries that they import, against a server that was started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.emulators import responses_api
from tests.guides.conftest import FOUND, PERSON, Answering
from tests.guides.fences import fences, page
from tests.paths import ROOT

PYTHON = Path(os.environ.get("HEADRACE_CLIENTS", ROOT / ".venv" / "clients")) / "bin" / "python"
SECRET = "https://example.com/secret"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="the clients' libraries are not there: `make clients`"),
]


@pytest.mark.parametrize("name", ["langchain", "llamaindex", "openai-agents"])
def test_the_snippets_of_a_page_find_what_the_named_person_may_see(answering: Answering, name: str) -> None:
    program = "\n\n".join(one.text for one in fences(page(f"docs/assistants/{name}.md"), "python"))
    assert PERSON in program
    with responses_api.serving() as model:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "PYTHON"))},
            "HEADRACE_URL": answering.url,
            "HEADRACE_KEY": answering.key,
            "OPENAI_BASE_URL": model,
            "OPENAI_API_KEY": "of-nobody",
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
        }
        done = subprocess.run(
            [str(PYTHON), "-c", program], env=environment, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    assert FOUND in done.stdout
    assert SECRET not in done.stdout
