"""Access tokens for mail servers that take no passwords (Microsoft 365, Google), asked for by Authlib."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import JWTBearerGrant
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from requests import RequestException, Response
from requests.adapters import HTTPAdapter

from mailbot.mail.settings import OAuth2Settings, ServiceAccount
from mailbot.mail.tls import is_loopback, tls_context

DEFAULT_SECONDS = 300
"""How long a token is taken to hold when its server does not say (RFC 6749 §5.1)."""
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_DEAD_GRANT = "invalid_grant"


class TokenTrouble(Exception):
    """There is no access token now. The text names the mend and holds no secret; `later` as in MailboxTrouble."""

    def __init__(self, text: str, *, later: bool, is_dead_grant: bool = False) -> None:
        super().__init__(text)
        self.later = later
        self.is_dead_grant = is_dead_grant
        """The refresh token is worth nothing (any more), RFC 6749 §5.2."""


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """An access token, for how long it holds, and the refresh token that takes the place of the one used."""

    access_token: str
    seconds: float
    refresh_token: str | None


def ask_for_token(settings: OAuth2Settings, refresh_token: str, timeout_seconds: float) -> Granted:
    """A fresh token: as a service account (RFC 7523), by `refresh_token` where it is not empty (RFC 6749 §6), else as
    the program itself (§4.4).

    Raises: TokenTrouble.
    """
    if not settings.token_url.startswith("https://") and not is_loopback(_host(settings)):
        raise TokenTrouble("oauth2: token_url must begin with https://", later=False)
    with _session(settings, timeout_seconds) as session:
        try:
            answer = session.fetch_token(
                settings.token_url, allow_redirects=False, **_grant(settings, refresh_token)
            )
        except OAuthError as error:
            raise _refused(settings, str(error.error)) from None
        except (RequestException, OSError) as error:
            text = f"oauth2: {_host(settings)} cannot be reached ({type(error).__name__}); check token_url and network"
            raise TokenTrouble(text, later=True) from None
        except (ValueError, TypeError, AttributeError):
            raise _refused(settings, "") from None
    return _granted(settings, answer)


def _session(settings: OAuth2Settings, timeout_seconds: float) -> OAuth2Session:
    session = OAuth2Session(
        settings.client_id or None,
        settings.client_secret or None,
        scope=settings.scope or None,
        token_endpoint_auth_method="client_secret_post" if settings.client_secret else "none",
        default_timeout=timeout_seconds,
    )
    session.mount("https://", _Trusting(settings.ca_file))
    session.register_compliance_hook("access_token_response", lambda answer: _usable(settings, answer))
    return session


class _Trusting(HTTPAdapter):
    """Trusts the CAs of the system and the one configured, as every other connection of ours."""

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=tls_context(self._ca_file), **options)


def _grant(settings: OAuth2Settings, refresh_token: str) -> dict[str, str]:
    scope = {"scope": settings.scope} if settings.scope else {}
    if settings.service_account is not None:
        assertion = _assertion(settings, settings.service_account)
        return {"grant_type": JWTBearerGrant.GRANT_TYPE, "assertion": assertion}
    if refresh_token:
        return {"grant_type": "refresh_token", "refresh_token": refresh_token, **scope}
    return {"grant_type": "client_credentials", **scope}


def _assertion(settings: OAuth2Settings, account: ServiceAccount) -> str:
    """What the account says of itself, signed: that it acts for the mailbox's user (delegation)."""
    try:
        key = RSAKey.import_key(account.private_key)
    except (JoseError, ValueError):
        raise TokenTrouble(
            "oauth2: the private_key of the service account cannot be read", later=False
        ) from None
    return str(
        JWTBearerGrant.sign(  # type: ignore[no-untyped-call]  # its stubs leave it out
            key,
            issuer=account.email,
            audience=settings.token_url,
            subject=account.subject,
            claims={"scope": settings.scope},
            header={"alg": "RS256", "kid": account.key_id},
        )
    )


def _usable(settings: OAuth2Settings, answer: Response) -> Response:
    """Authlib takes any answer for a token; one of a server in trouble, or of another page, is none."""
    if answer.status_code >= 500 or answer.status_code == 429:
        text = f"oauth2: {_host(settings)} gives no token now ({answer.status_code})"
        raise TokenTrouble(text, later=True)
    return answer


def _granted(settings: OAuth2Settings, answer: object) -> Granted:
    fields = answer if isinstance(answer, dict) else {}
    token, seconds, refresh = (fields.get(key) for key in ("access_token", "expires_in", "refresh_token"))
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise _refused(settings, "")
    holds = float(str(seconds)) if str(seconds).isdigit() else DEFAULT_SECONDS
    return Granted(token, holds, refresh if isinstance(refresh, str) and refresh else None)


def _refused(settings: OAuth2Settings, error: str) -> TokenTrouble:
    """The error's code only (RFC 6749 §5.2); its description may name people."""
    known = f" ({error})" if error.replace("_", "").isalnum() and error.isascii() else ""
    what = (
        "service_account_file" if settings.service_account else "client_id, client_secret and refresh_token"
    )
    text = f"oauth2: {_host(settings)} gives no token{known}; check {what}"
    return TokenTrouble(text, later=error in _PASSING, is_dead_grant=error == _DEAD_GRANT)


def _host(settings: OAuth2Settings) -> str:
    return urlsplit(settings.token_url).hostname or ""
