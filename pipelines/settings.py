"""Settings: `headrace.yaml` with variables from the environment, checked as a whole before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from connectors.addresses import InvalidAddress, normalize_address
from connectors.model import PUBLIC
from connectors.registry import AnyConnection, sources
from connectors.secret_files import DIRECTORY
from connectors.settings import Budget, Connection, SettingsModel
from connectors.web_urls import WebUrl, check_web_url
from pipelines.errors import SettingsError, UsageError
from pipelines.logs import LogFormat
from pipelines.notification_settings import NotificationSettings
from pipelines.run_settings import RunSettings
from pipelines.service_settings import (
    AssistantScope,
    LimitsSettings,
    MetricsSettings,
    PublicUrl,
    SignInSettings,
)
from pipelines.settings_checks import raw_problems
from pipelines.settings_errors import distinct, problems
from pipelines.settings_file import DEFAULT_FILE, read_settings, settings_file

_HOSTED = (".unstructuredapp.io", ".unstructured.io")
"""Ends of the host names of the API that its makers run."""
DEMO_KEY = "demo"
"""Key of the demo's assistant. Its data is a sample, and its server listens on this machine only."""
OPENAI_URL = "https://api.openai.com/v1"
_OPENAI_HOST = urlsplit(OPENAI_URL).hostname
PRICES = {"text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13, "text-embedding-ada-002": 0.10}
"""US dollars per million tokens at OpenAI (https://platform.openai.com/docs/pricing), where the settings say none."""
SIGN_IN = "sign-in"
"""Id of the assistant as which whoever is signed in asks; no assistant of the settings has it."""
_GROUP = re.compile(r"group:[^\s:]+:.+")
_BUCKET = re.compile(r"([A-Za-z0-9._-]+|arn:[^@/]+)(/|$)")
_DURATION = re.compile(r"(?P<number>\d{1,4})(?P<unit>[dhm])")


def _parse_duration(value: object) -> timedelta:
    """`24h`, `90m` or `2d`. A bare number would leave its unit to be guessed."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not (found := _DURATION.fullmatch(value.strip())):
        raise ValueError("must be a number of days, hours or minutes, such as 2d, 24h or 90m")
    unit = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}[found["unit"]]
    return int(found["number"]) * unit


Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_parse_duration)]


def _parse_reader(value: str) -> str:
    """A reader token as documents bear it: of a person, by the address as it is compared."""
    kind, _, name = value.partition(":")
    if value == PUBLIC or _GROUP.fullmatch(value):
        return value
    try:
        address = normalize_address(name if kind == "user" else "")
    except InvalidAddress:
        raise ValueError("must be public, user:<e-mail address> or group:<connection>:<id>") from None
    return f"user:{address}"


ReaderToken: TypeAlias = Annotated[str, AfterValidator(_parse_reader)]


class LandingSettings(SettingsModel):
    """Where what was read is kept, as Parquet."""

    url: str = Field(
        default="file://.headrace/landing", pattern=r"^(file|s3)://", description="A folder, or s3://bucket/prefix"
    )
    endpoint_url: WebUrl | None = Field(default=None, description="Of an S3-compatible store")

    @field_validator("url")
    @classmethod
    def _names_a_bucket(cls, value: str) -> str:
        """What else stands before the first slash may be a secret."""
        if value.startswith("s3://") and not _BUCKET.match(value.removeprefix("s3://")):
            raise ValueError("must be s3://BUCKET/PREFIX; credentials come from the environment, as for any S3 client")
        return value


def _require_clear(url: str) -> None:
    """What of a password is taken for a host, port or database stands in what is said of these. Raises ValueError."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
        is_clear = "@" not in f"{address.host}{address.database}" and address.port != 0
    except (ArgumentError, ValueError):
        is_clear = False
    if not is_clear:
        raise ValueError("must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in a password, @ is written as %40")


class CatalogSettings(SettingsModel):
    """The database of what is where, why, and who may see it."""

    url: SecretStr = Field(
        default=SecretStr("sqlite:///.headrace/catalog.db"),
        description="sqlite:///FILE (default: .headrace/catalog.db), or postgresql://USER:PASSWORD@HOST/DATABASE",
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgresql+")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        if value.get_secret_value().startswith("postgresql"):
            _require_clear(value.get_secret_value())
        return value


class IndexSettings(SettingsModel):
    """What is searched: the engine in this process, or a Qdrant server."""

    url: str = Field(
        default="embedded", pattern=r"^(embedded|https?://.+)$", description="embedded, or where the server is"
    )
    collection: str = Field(
        default="knowledge", pattern=r"^[A-Za-z0-9_-]+$", description="Name of the collection, and of the alias to it"
    )
    api_key: SecretStr | None = Field(default=None, description="Of the server")
    shard_number: int = Field(default=1, ge=1, description="Shards of a new collection on a server")
    replication_factor: int = Field(default=1, ge=1, description="Copies of each shard on a server")
    quantization: Literal["auto", "none", "scalar", "binary"] = Field(
        default="auto", description="How a server compresses vectors; auto: scalar from 1 GiB on"
    )
    reader_processes: int = Field(
        default=2, ge=0, le=64, description="Of `headrace serve`, where the index is embedded; 0: it reads by itself"
    )

    @field_validator("url")
    @classmethod
    def _can_be_asked(cls, value: str) -> str:
        if value != "embedded":
            check_web_url(value)
        return value

    @property
    def embedded(self) -> bool:
        return self.url == "embedded"


MULTILINGUAL_MODEL = "multilingual-e5-small-q4"
"""The name of the vectors of `model: multilingual`."""


class LocalEmbeddingSettings(SettingsModel):
    """A model that needs no key and no GPU: for trials and small teams."""

    provider: Literal["local"] = Field(default="local", description="Which of the two")
    model: Literal["english", "multilingual"] = Field(
        default="english", description="The multilingual one takes five times as long, and headrace[multilingual]"
    )

    @property
    def price(self) -> float:
        """US dollars per million tokens."""
        return 0.0


class OpenAIEmbeddingSettings(SettingsModel):
    """Any API that speaks as OpenAI's does: docs/embedding.md has the providers."""

    provider: Literal["openai"] = Field(description="Which of the two")
    model: str = Field(default="text-embedding-3-small", description="As the provider calls it")
    dimensions: int = Field(default=1536, ge=1, description="Of its vectors")
    base_url: WebUrl = Field(default=OPENAI_URL, description="The URL before /embeddings")
    # YAML reads 2024-10-21 as a date.
    api_version: Annotated[str, BeforeValidator(str)] | None = Field(
        default=None, pattern=r"^\S+$", description="Of Azure, where `base_url` ends with /openai: 2024-10-21"
    )
    api_key: SecretStr | None = Field(default=None, validate_default=True, description="Own servers may ask for none")
    document_prefix: str = Field(default="", max_length=500, description="What the model wants before a passage")
    query_prefix: str = Field(default="", max_length=500, description="What the model wants before a question")
    max_inputs: int = Field(default=2_048, ge=1, le=2_048, description="Texts in a request, at most")
    send_dimensions: bool | None = Field(
        default=None, description="Whether the server is asked to shorten vectors to `dimensions`"
    )
    price_per_million_tokens: float = Field(default=0.0, ge=0, description="In US dollars, to tell what was spent")

    @field_validator("api_key")
    @classmethod
    def _not_missing(cls, value: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        if value is None and (others.data.get("base_url") == OPENAI_URL or others.data.get("api_version")):
            raise ValueError("is missing: neither OpenAI nor Azure takes a request without one")
        return value

    @property
    def price(self) -> float:
        """US dollars per million tokens; 0 where nobody has said it."""
        if "price_per_million_tokens" in self.model_fields_set or urlsplit(self.base_url).hostname != _OPENAI_HOST:
            return self.price_per_million_tokens
        return PRICES.get(self.model, 0.0)


EmbeddingSettings: TypeAlias = Annotated[
    LocalEmbeddingSettings | OpenAIEmbeddingSettings, Field(discriminator="provider")
]


class PartitionSettings(SettingsModel):
    """An API to which pages and pictures without a text layer are sent; without one they are left out, and told."""

    provider: Literal["unstructured"] = Field(description="Whose API it is")
    url: WebUrl = Field(description="Hosted: https://api.unstructuredapp.io")
    api_key: SecretStr | None = Field(default=None, description="Needed for the hosted API only", validate_default=True)
    strategy: Literal["auto", "fast", "hi_res", "ocr_only", "vlm"] = Field(
        default="auto", description="How it reads a page; hi_res and vlm cost more"
    )

    @field_validator("api_key")
    @classmethod
    def _hosted_wants_a_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        host = urlsplit(info.data.get("url", "")).hostname or ""
        if host.endswith(_HOSTED) and not (value and value.get_secret_value()):
            raise ValueError("is missing: the hosted API wants one")
        return value


class AssistantSettings(SettingsModel):
    """A program that may ask. `headrace assistants add` makes more of them, without a restart."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Its name, and that of its vector store for OpenAI's")
    api_key: SecretStr = Field(description="At least 20 characters: `openssl rand -hex 32`")
    identity: Literal["user", "service"] = Field(
        default="user", description="user: each request names the person; service: it sees what `readers` say"
    )
    readers: tuple[ReaderToken, ...] = Field(default=(), description="Reader tokens of a service")
    scope: AssistantScope = Field(default=AssistantScope(), description="What it may search at most")

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == SIGN_IN:
            raise ValueError("is reserved for people who sign in; choose another id")
        return value


class RerankerSettings(SettingsModel):
    """A second look at what was found, by an endpoint that speaks as Cohere's or Jina's `/rerank`."""

    base_url: WebUrl = Field(description="The URL before `/rerank`: https://api.jina.ai/v1")
    model: str = Field(description="As its provider calls it")
    api_key: SecretStr | None = Field(default=None, description="Own servers may ask for none")
    top_n: int = Field(default=30, ge=1, le=100, description="Documents that it ranks for a question, at least")
    timeout_ms: int = Field(
        default=2_000, ge=10, le=60_000, description="A question waits no longer; then the index's order holds"
    )


class GoldenQuestions(SettingsModel):
    """Nothing is published while these questions find less of their documents."""

    file: Path = Field(description="Questions with expected documents, as `headrace eval` reads them")
    recall_at_10: float = Field(ge=0, le=1, description="Below this, nothing is published")


class LogsSettings(SettingsModel):
    """The form of log lines of serve, worker, sync and Dagster's runs."""

    format: LogFormat = Field(default="text", description="`json`: an object a line, with tracebacks inside")


class AuditSettings(SettingsModel):
    """Who asked what, for whom, and what came: docs/audit-log.md."""

    file: Path | None = Field(default=None, description="Where audit lines go; default: standard error")


class RetentionSettings(SettingsModel):
    """For how many days what nothing needs any more is kept; 0: it goes at once."""

    deleted_text_days: int = Field(default=30, ge=0, description="Text of what is gone at the source, or excluded")
    events_days: int = Field(default=7, ge=0, description="Bodies of events, and events that are done")
    runs_days: int = Field(default=14, ge=1, description="Runs in Dagster's history, with their events and logs")
    superseded_loads_days: int = Field(default=7, ge=0, description="Text of versions that a newer one has replaced")


class Settings(SettingsModel):
    """All settings. `directory` is the folder of the settings file: relative paths start there."""

    directory: Path = Field(default=Path(), exclude=True)
    state_dir: Path = Field(default=Path(".headrace"), description="Where this machine keeps what it needs")
    landing: LandingSettings = LandingSettings()
    catalog: CatalogSettings = CatalogSettings()
    index: IndexSettings = IndexSettings()
    embedding: EmbeddingSettings = Field(default=LocalEmbeddingSettings(), description="Which model, and whose")
    partition: PartitionSettings | None = None  # before the connections, whose validator looks at it
    connections: tuple[AnyConnection, ...] = Field(default=(), description="Accounts of sources: what is read")
    runs: RunSettings = RunSettings()
    assistants: tuple[AssistantSettings, ...] = Field(default=(), description="Programs that may ask")
    reranker: RerankerSettings | None = None
    golden: GoldenQuestions | None = None
    memberships_max_age: Duration = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="How long the members of a group count that can no longer be read (days, hours or minutes: 24h)",
    )
    retention: RetentionSettings = RetentionSettings()
    audit: AuditSettings = AuditSettings()
    logs: LogsSettings = LogsSettings()
    limits: LimitsSettings = LimitsSettings()
    metrics: MetricsSettings = MetricsSettings()
    operator_key: SecretStr | None = Field(
        default=None, description="Whoever has it sees on the page Sources what is indexed, skipped and failed, by name"
    )
    notifications: NotificationSettings | None = None
    public_url: PublicUrl | None = Field(default=None, description="Where people and their programs reach the service")
    sign_in: SignInSettings | None = None

    @field_validator("connections")
    @classmethod
    def _hand_on_pictures(cls, value: tuple[Connection, ...], info: ValidationInfo) -> tuple[Connection, ...]:
        """Sources hand on pictures where there is an API that reads them."""
        return tuple(one.with_pictures() for one in value) if info.data.get("partition") else value

    @field_validator("sign_in")
    @classmethod
    def _has_an_address(cls, value: SignInSettings | None, info: ValidationInfo) -> SignInSettings | None:
        if value and not info.data.get("public_url"):
            raise ValueError("needs public_url beside it: the address by which people reach Headrace")
        return value

    @property
    def state_path(self) -> Path:
        return self.directory / self.state_dir

    @property
    def audit_file(self) -> Path | None:
        return self.directory / self.audit.file if self.audit.file else None

    def budget(self, connection_id: str) -> Budget | None:
        """What embedding a connection's texts may cost; one that the settings do not name has no budget."""
        return next((one.budget for one in self.connections if one.id == connection_id), None)

    def connection(self, connection_id: str) -> Connection:
        """Raises UsageError for a connection that the settings do not have."""
        for connection in self.connections:
            if connection.id == connection_id:
                return connection
        known = ", ".join(connection.id for connection in self.connections) or "none"
        raise UsageError(f"no connection {connection_id!r} in the settings (connections: {known})")


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read, interpolate and check the settings.

    Variables come from `environment` (default: the process's), then from a `.env` beside the file.
    Raises SettingsError naming each wrong place inside the file.
    """
    file = file or settings_file(environment)
    return checked_settings(*read_settings(file, environment), file.parent)


def checked_settings(values: Mapping[str, Any], untold: Sequence[tuple[str, str]], directory: Path) -> Settings:
    """The settings of a file in this directory, from its values; `untold` is what is known to be wrong with them.

    Raises SettingsError as `load_settings`.
    """
    found = list(untold)
    try:
        settings = Settings.model_validate({**values, "directory": directory}, context={DIRECTORY: directory})
    except ValidationError as error:
        found += problems(error, Settings, values)
    else:
        found += unpriced_budgets(settings)
    taking = [name for name, one in sources().items() if one.takes_documents]
    found += raw_problems(values, DEMO_KEY, taking)
    if found := distinct(found, [path for path, _ in untold]):
        (path, reason), *others = found
        raise SettingsError(path or DEFAULT_FILE, reason, others)
    return settings


def unpriced_budgets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Budgets in dollars where nobody knows what a text costs, each with its path and what to do."""
    embedding = settings.embedding
    if embedding.price:
        return
    advice = (
        "the local model costs no money: give tokens_per_day instead"
        if embedding.provider == "local"
        else f"the price of {embedding.model!r} is not known: set embedding.price_per_million_tokens"
    )
    for place, one in enumerate(settings.connections):
        if one.budget and one.budget.usd_per_month is not None:
            yield f"connections[{place}].budget.usd_per_month", advice
