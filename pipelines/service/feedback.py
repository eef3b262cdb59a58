"""Feedback over HTTP: whether a document was what somebody was looking for."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from pipelines.audit import audit
from pipelines.catalog.feedback import Feedback, FeedbackLog, Rating
from pipelines.retrieval.schema import Person, QuestionText, SearchFilters, Text
from pipelines.service.asked_questions import RememberedQuestion, filters_of
from pipelines.service.asking import AskedBy, Key, Service, body_example
from pipelines.service.authentication import Principal
from pipelines.service.errors import Problem, problem_responses
from pipelines.service.search_service import NOT_VISIBLE

EXAMPLE = {
    "request_id": "5f0c2a9d8e7b4c6f9a1b2c3d4e5f6a7b",
    "document_id": "github:acme/1296269/issues/12",
    "rating": "good",
    "comment": "exactly this",
    "user": "ada@example.com",
}
_UNKNOWN = "No question of whoever asks is remembered under this request id: send it as `query`."
_NOT_ANSWERED = "The answer to that request did not have this document."


class GivenFeedback(BaseModel):
    """What somebody says of a document that an answer had."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request_id: Text = Field(min_length=1, max_length=64, description="The `X-Request-Id` of the answer")
    document_id: Text = Field(min_length=1, max_length=2_000)
    rating: Rating
    comment: Text = Field(default="", max_length=2_000)
    query: QuestionText | None = Field(
        default=None, description="The question, where the answer is old or another server has given it"
    )
    user: Person | None = None


def _feedback_log(request: Request) -> FeedbackLog:
    log: FeedbackLog = request.app.state.feedback
    return log


router = APIRouter(tags=["search"], dependencies=[Key])


@router.post(
    "/v1/feedback",
    status_code=204,
    openapi_extra=body_example(EXAMPLE),
    responses=problem_responses(400, 401, 403, 404, 411, 413, 422, 429, 503),
)
def give_feedback(
    body: GivenFeedback, principal: AskedBy, service: Service, log: Annotated[FeedbackLog, Depends(_feedback_log)]
) -> None:
    """Keep whether a document was what was looked for. `headrace eval --from-feedback` makes golden questions of it."""
    principal = principal.on_behalf_of(body.user)
    found = service.document(body.document_id, principal)
    if found is None:
        raise Problem(404, "Not found", NOT_VISIBLE)
    asked = service.asked.find(body.request_id, principal) or _told(body, principal)
    if asked is None:
        raise Problem(404, "Not found", _UNKNOWN, field="request_id")
    if not asked.documents & {found.document_id, body.document_id}:
        raise Problem(404, "Not found", _NOT_ANSWERED, field="document_id")
    given = Feedback(
        request=body.request_id,
        document=found.document_id,
        rating=body.rating,
        query=asked.query,
        filters=service.resolved(asked.filters, principal) if asked.filters else None,
        assistant=principal.assistant.id,
        person=principal.user,
        comment=body.comment,
    )
    log.add(given)
    audit("feedback", **asdict(principal.actor), about=body.request_id, document=found.document_id, rating=body.rating)


def _told(body: GivenFeedback, principal: Principal) -> RememberedQuestion | None:
    """A question that nobody here remembers, as whoever asks tells it; what the answer had is taken on trust."""
    if body.query is None:
        return None
    return RememberedQuestion(body.query, filters_of(SearchFilters(), principal), frozenset({body.document_id}))
