"""What every interface over HTTP is given: whoever asks, and what answers them."""

import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPBearer
from pydantic import SecretStr

from pipelines.catalog.assistants import hash_key
from pipelines.retrieval.schema import Person
from pipelines.service.authentication import PERSON_HEADER, Authenticator, Principal
from pipelines.service.errors import Problem
from pipelines.service.search_service import SearchService
from pipelines.service.throttling import RequestRate

Key = Depends(HTTPBearer(auto_error=False, description="The key of an assistant"))
PersonHeader = Annotated[Person | None, Header(alias=PERSON_HEADER)]
PersonQuery = Annotated[Person | None, Query(openapi_examples={"ada": {"value": "ada@example.com"}})]


def _principal(request: Request, person: PersonHeader = None) -> Principal:
    authenticator: Authenticator = request.app.state.authenticator
    rate: RequestRate = request.app.state.request_rate
    principal = request.state.principal = authenticator.principal(request, person)
    rate.take(principal)
    return principal


async def _search_service(request: Request) -> SearchService:
    # Not blocking, and so without a turn of the thread pool.
    service: SearchService = request.app.state.search_service
    return service


AskedBy = Annotated[Principal, Depends(_principal)]
Service = Annotated[SearchService, Depends(_search_service)]


def requires_key(key: SecretStr, refusal: str) -> Callable[[Request], None]:
    """A dependency of what is for whoever has one key of the settings. Raises Problem with this `refusal`."""
    expected = hash_key(f"Bearer {key.get_secret_value()}")

    def check(request: Request) -> None:
        if not hmac.compare_digest(hash_key(request.headers.get("authorization", "")), expected):
            raise Problem(401, "Unauthorized", refusal)

    return check


def body_example(example: dict[str, Any]) -> dict[str, Any]:
    """An example of a request's body, for the API's description."""
    return {"requestBody": {"content": {"application/json": {"example": example}}}}
