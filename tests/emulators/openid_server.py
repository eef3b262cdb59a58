"""A real OpenID provider on loopback: npm's `oidc-provider`, pinned in `oidc/`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock

from tests.emulators.company import free_port

SOURCE = Path(__file__).with_name("oidc")
FILES = ("package.json", "package-lock.json", "provider.mjs")
NODE, NPM = shutil.which("node"), shutil.which("npm")


@dataclass(frozen=True)
class OpenIdServer:
    """Signs anybody in who names an address; those that begin with `unverified` are not verified."""

    issuer: str

    def register(self, redirect_uri: str) -> tuple[str, str]:
        """A confidential client, as an administrator registers one: its id and secret."""
        asked = {"redirect_uris": [redirect_uri], "application_type": "native", "client_name": "Headrace"}
        made = httpx.post(f"{self.issuer}/reg", json=asked).raise_for_status().json()
        return made["client_id"], made["client_secret"]


@contextmanager
def openid_server() -> Iterator[OpenIdServer]:
    port, folder = free_port(), _installed()
    command = [str(NODE), "provider.mjs", str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        assert any("ready" in line for line in process.stdout), "the OpenID provider does not start"
        yield OpenIdServer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _installed() -> Path:
    """The provider's packages, beside this environment's own and as the lock file has them."""
    version = hashlib.sha256(b"".join((SOURCE / file).read_bytes() for file in FILES)).hexdigest()[:12]
    folder = Path(sys.prefix) / "share" / "headrace-tests" / f"oidc-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "installed").exists():
            shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
            subprocess.run([str(NPM), "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
            (folder / "installed").touch()
    return folder
