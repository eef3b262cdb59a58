from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr, ValidationError

from connectors.errors import AuthenticationFailed, InvalidResponse, NotFound
from connectors.github.client import GitHubClient
from connectors.github.credentials import InstallationToken
from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import GitHubRepository, InstallationGrant
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from tests.emulators.github import INSTALLATION, GitHub, serving

APP = {"id": "gh", "source": "github", "app_id": 17, "installation_id": INSTALLATION}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def pem(key: rsa.RSAPrivateKey) -> str:
    """As GitHub hands it out: PKCS#1, "BEGIN RSA PRIVATE KEY"."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


@pytest.fixture
def service(key: rsa.RSAPrivateKey) -> GitHub:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    service = GitHub(public_key=key.public_key().public_bytes(serialization.Encoding.PEM, spki), tokens=set())
    service.repository("acme/api")
    return service


@pytest.fixture
def base_url(service: GitHub) -> Iterator[str]:
    with serving(service) as url:
        yield url


@pytest.fixture
def connector(base_url: str, pem: str) -> Iterator[GitHubConnector]:
    settings = {**APP, "base_url": base_url, "private_key": pem}
    with closing(connect(GitHubConnection.model_validate(settings))) as opened:
        yield opened


def test_an_app_asks_for_nothing_that_apps_are_refused(service: GitHub, connector: GitHubConnector) -> None:
    assert [unit.name for unit in connector.units()] == ["acme/api"]
    assert "installation/repositories" in service.counted
    assert "user/repos" not in service.counted


@pytest.mark.parametrize("as_one_line", [False, True])
def test_an_app_reads_with_one_token_until_it_is_refused(
    service: GitHub, base_url: str, pem: str, as_one_line: bool
) -> None:
    written = pem.replace("\n", "\\n") if as_one_line else pem
    settings = {**APP, "base_url": base_url, "private_key": written}
    with GitHubClient(GitHubConnection.model_validate(settings)) as client:
        assert client.repository("acme/api").payload.full_name == "acme/api"
        assert [one.full_name for one in client.listing(GitHubRepository, "installation/repositories")] == ["acme/api"]
        assert service.installation_tokens == 1
        service.tokens = {"revoked-and-replaced"}
        assert client.repository("acme/api").payload.full_name == "acme/api"
        assert service.installation_tokens == 2


def test_git_is_shown_the_token_of_an_installation_and_a_new_one_where_it_is_refused(
    service: GitHub, base_url: str, pem: str
) -> None:
    service.write_page(service.repositories["acme/api"], "Home.md", "# Words")
    settings = {**APP, "base_url": base_url, "private_key": pem}
    with GitHubClient(GitHubConnection.model_validate(settings)) as client:
        assert client.git.advertised("acme/api.wiki").head
        service.tokens = {"revoked-and-replaced"}
        assert client.git.advertised("acme/api.wiki").head
        assert service.installation_tokens == 2
        with pytest.raises(NotFound):
            client.git.advertised("acme/other.wiki")


def test_a_key_that_the_app_does_not_have_is_refused(service: GitHub, base_url: str) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings = {**APP, "base_url": base_url, "private_key": other.decode()}
    with (
        GitHubClient(GitHubConnection.model_validate(settings)) as client,
        pytest.raises(AuthenticationFailed, match="access_tokens"),
    ):
        client.repository("acme/api")


def test_a_token_is_renewed_before_it_expires(pem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_767_225_600.0]  # 2026-01-01
    expiries = iter(["2026-01-01T01:00:00Z", "2026-01-01T01:50:00Z"])
    monkeypatch.setattr("connectors.github.credentials.time.time", lambda: now[0])
    exchanged: list[str] = []

    def exchange(path: str, claim: str) -> InstallationGrant:
        exchanged.append(path)
        return InstallationGrant(token=f"t{len(exchanged)}", expires_at=next(expiries))

    token = InstallationToken("17", "4711", SecretStr(pem), exchange)
    assert token.authorization() == token.authorization() == "Bearer t1"
    now[0] += 49 * 60
    assert token.authorization() == "Bearer t1"
    now[0] += 2 * 60
    assert token.authorization() == "Bearer t2"
    assert exchanged == ["app/installations/4711/access_tokens"] * 2


@pytest.mark.parametrize(
    "answer",
    [{}, {"token": "t"}, {"expires_at": "2026-01-01T01:00:00Z"}, {"token": "t", "expires_at": "in an hour"}],
)
def test_an_answer_without_a_token_is_refused(pem: str, answer: dict[str, str]) -> None:
    grant = parse(InstallationGrant, answer)
    with pytest.raises(InvalidResponse):
        InstallationToken("17", "1", SecretStr(pem), lambda path, claim: grant).authorization()


def test_what_is_no_key_is_named_without_being_shown() -> None:
    token = InstallationToken("17", "1", SecretStr("MIIEsecret"), lambda path, claim: InstallationGrant())
    with pytest.raises(AuthenticationFailed, match="private_key") as refused:
        token.authorization()
    assert "MIIEsecret" not in str(refused.value)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"token": " "},
        {"app_id": "17", "installation_id": "1"},
        {"app_id": "17", "private_key": "k"},
        {"token": "t", "app_id": "17", "installation_id": "1", "private_key": "k"},
        {"app_id": "17", "installation_id": "x/../y", "private_key": "k"},
    ],
)
def test_credentials_are_of_one_kind_and_whole(credentials: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        GitHubConnection.model_validate({"id": "gh", "source": "github", **credentials})
