"""`headrace check` warns of what crosses a network unencrypted."""

from __future__ import annotations

from pathlib import Path

from pipelines.operations.unencrypted_urls import warn_of_unencrypted
from pipelines.settings import load_settings

SETTINGS = """
connections:
  - {id: far, source: github, token: t, base_url: "http://github.acme.test/api/v3"}
  - {id: near, source: github, token: t, base_url: "http://127.0.0.1:9000"}
  - {id: safe, source: github, token: t}
embedding: {provider: openai, base_url: "http://gpu:8000/v1", api_key: k}
index: {url: "http://[::1]:6333"}
landing: {url: "s3://b/p", endpoint_url: "HTTP://minio:9000"}
reranker: {base_url: "http://localhost:1234", model: m}
"""


def test_each_other_host_is_named_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    found = warn_of_unencrypted(load_settings(tmp_path / "headrace.yaml", environment={}))
    named = {one.subject: one.detail.split(" to ")[1].split(" ")[0] for one in found}
    assert named == {
        "connections[0].base_url": "github.acme.test",
        "embedding.base_url": "gpu",
        "landing.endpoint_url": "minio",
    }
    assert all(one.ok and one.detail.startswith("warning: ") for one in found)
