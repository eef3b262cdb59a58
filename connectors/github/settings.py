"""Settings of a connection to GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.secret_files import read_secret
from connectors.settings import Connection


class GitHubConnection(Connection):
    """Has a token, or an installation of a GitHub App, for which tokens are made as they are needed."""

    names_know_case: ClassVar[bool] = False
    token_prefixes: ClassVar[tuple[str, ...]] = ("ghp_", "github_pat_", "gho_", "ghu_", "ghs_", "ghr_")
    unfit_tokens: ClassVar[Mapping[str, str]] = {
        "ghr_": "is a refresh token; a personal access token is needed (github_pat_… or ghp_…)",
        "ghs_": "is the token of an app's installation, which ends after an hour; give `app_id`, `installation_id` and "
        "`private_key`, and tokens are made as they are needed",
    }
    """https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"""

    source: Literal["github"]
    base_url: str = "https://api.github.com"
    token: SecretStr = Field(default=SecretStr(""), description="A personal access token; or the three of an app")
    app_id: str | None = Field(default=None, coerce_numbers_to_str=True, description="App ID or client ID of an app")
    installation_id: str | None = Field(
        default=None, coerce_numbers_to_str=True, pattern=r"^\d+$", description="Of the app in the organisation"
    )
    private_key: SecretStr | None = Field(
        default=None, description="The app's private key in PEM form, or the path of its file"
    )
    emails: dict[str, str] = Field(
        default={}, description="E-mail addresses by login, for people whose GitHub profile shows none"
    )
    files: tuple[str, ...] = Field(
        default=(),
        description="Patterns of the files to read, such as 'docs/**/*.md'; by default Markdown, text and source code",
    )

    _private_key_from_file = field_validator("private_key", mode="before")(read_secret)

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> GitHubConnection:
        app = (self.app_id, self.installation_id, self.private_key)
        if self.token.get_secret_value().strip() and any(app):
            raise ValueError("give either `token`, or `app_id`, `installation_id` and `private_key`")
        if not self.token.get_secret_value().strip() and not all(app):
            raise ValueError("needs `token`, or all of `app_id`, `installation_id` and `private_key`")
        return self
