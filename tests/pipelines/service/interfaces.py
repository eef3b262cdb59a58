"""Every interface of the service, asked the same question."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from pipelines.retrieval.text_parts import MOST_TOKENS
from pipelines.settings import AssistantSettings

ATTRIBUTES = {
    "sources": ("source", "in"),
    "kinds": ("kind", "in"),
    "parents_in": ("parents", "in"),
    "parents_not": ("parents", "nin"),
    "tags_in": ("tags", "in"),
    "tags_not": ("tags", "nin"),
    "updated_after": ("updated_at", "gte"),
    "updated_before": ("updated_at", "lt"),
}


def as_attributes(filters: dict[str, Any]) -> dict[str, Any] | None:
    conditions = [
        {"key": key, "type": type, "value": filters[name]}
        for name, (key, type) in ATTRIBUTES.items()
        if name in filters
    ]
    return {"type": "and", "filters": conditions} if conditions else None


@dataclass
class Client:
    """Asks every interface as one assistant, for one person."""

    http: TestClient
    assistant: AssistantSettings
    person: str | None

    def searches(self, filters: dict[str, Any]) -> dict[str, list[str]]:
        question = {"query": "certificate"}
        search = self._post("/v1/search", question | {"top_k": 50, "filters": filters})
        store = f"/v1/vector_stores/{self.assistant.id}/search"
        openai = self._post(store, question | {"max_num_results": 50, "filters": as_attributes(filters)})
        room = {"max_tokens": MOST_TOKENS}  # what has no room is left out
        mcp = self._call("search", question | room | {"top_k": 50, "filters": filters})
        return {
            "search": [one["document_id"] for one in search["results"]],
            "vector_stores": [one["file_id"] for one in openai["data"]],
            "mcp": [one["id"] for one in json.loads(mcp["content"][0]["text"])["results"]],
        }

    def statuses(self, filters: dict[str, Any]) -> dict[str, str]:
        """Whether each interface answers a search with these filters or refuses it."""
        question = {"query": "certificate"}
        store = f"/v1/vector_stores/{self.assistant.id}/search"
        posted = {
            "search": self._send("/v1/search", question | {"filters": filters}).status_code == 200,
            "vector_stores": self._send(store, question | {"filters": as_attributes(filters)}).status_code == 200,
            "mcp": not self._call("search", question | {"filters": filters})["isError"],
        }
        return {interface: "answered" if answered else "refused" for interface, answered in posted.items()}

    def tags(self) -> set[str]:
        """All that filters by tag can ask for."""
        answer = self.http.get("/v1/facets", headers=self._headers(), params={"fields": "tags"})
        return {one["value"] for one in answer.json()["tags"]}

    def finds_by_words(self) -> set[str]:
        """As `search`, by words alone: for what asks without an embedding."""
        asked = {"query": "certificate", "mode": "lexical", "top_k": 50}
        return {one["document_id"] for one in self._post("/v1/search", asked)["results"]}

    def reads(self, name: str) -> dict[str, bool]:
        answer = self.http.get(f"/v1/documents/{name}", headers=self._headers())
        assert answer.status_code in (200, 404)
        return {"documents": answer.status_code == 200, "mcp": not self._call("fetch", {"id": name})["isError"]}

    def text(self, name: str) -> str:
        """The whole text of a document; nothing where it is not visible."""
        return str(self.http.get(f"/v1/documents/{name}", headers=self._headers()).json().get("text", ""))

    def _send(self, path: str, body: dict[str, Any]) -> Any:
        return self.http.post(path, headers=self._headers(), json=body)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._send(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        called = {"name": tool, "arguments": arguments}
        return self._post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called})["result"]

    def _headers(self) -> dict[str, str]:
        accepted = {"Accept": "application/json, text/event-stream"}
        person = {"X-Headrace-User": self.person} if self.person else {}
        return accepted | person | {"Authorization": f"Bearer {self.assistant.api_key.get_secret_value()}"}
