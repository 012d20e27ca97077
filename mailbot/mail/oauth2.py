"""Access tokens for mail servers that take no passwords (Microsoft 365, Google)."""

from __future__ import annotations

import http.client
import json
from urllib.parse import SplitResult, urlencode, urlsplit

from mailbot.mail.settings import OAuth2Settings
from mailbot.mail.tls import is_loopback, tls_context

ANSWER_BYTES = 256 << 10


class TokenTrouble(Exception):
    """There is no access token now. The text names the mend and holds no secret; `later` as in MailboxTrouble."""

    def __init__(self, text: str, *, later: bool) -> None:
        super().__init__(text)
        self.later = later


def access_token(settings: OAuth2Settings, timeout_seconds: float) -> str:
    """A fresh access token (RFC 6749 §6, or §4.4 where there is no refresh token).

    Raises: TokenTrouble.
    """
    url = urlsplit(settings.token_url)
    host = url.hostname or ""
    if url.scheme != "https" and not is_loopback(host):
        raise TokenTrouble("oauth2: token_url must begin with https://", later=False)
    try:
        status, answer = _post(url, host, _form(settings), timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        text = f"oauth2: {host} cannot be reached ({type(error).__name__}); check token_url and network"
        raise TokenTrouble(text, later=True) from None
    return _token(host, status, answer)


def _form(settings: OAuth2Settings) -> dict[str, str]:
    grant = (
        {"grant_type": "refresh_token", "refresh_token": settings.refresh_token}
        if settings.refresh_token
        else {"grant_type": "client_credentials"}
    )
    form = {**grant, "client_id": settings.client_id}
    optional = {"client_secret": settings.client_secret, "scope": settings.scope}
    return form | {key: value for key, value in optional.items() if value}


def _post(url: SplitResult, host: str, form: dict[str, str], timeout_seconds: float) -> tuple[int, bytes]:
    """Status and body; redirects are not followed, they would take the secret elsewhere."""
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, url.port, timeout=timeout_seconds, context=tls_context(None)
        )
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=timeout_seconds)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", path, urlencode(form), headers)
        response = connection.getresponse()
        return response.status, response.read(ANSWER_BYTES)
    finally:
        connection.close()


def _token(host: str, status: int, answer: bytes) -> str:
    try:
        values = json.loads(answer)
    except ValueError:
        values = None
    fields = values if isinstance(values, dict) else {}
    token = fields.get("access_token")
    if status == 200 and isinstance(token, str) and token.isascii() and token.isprintable():
        return token
    error = fields.get("error")
    known = (
        f" {error}" if isinstance(error, str) and error.replace("_", "").isalnum() and error.isascii() else ""
    )
    text = (
        f"oauth2: {host} gives no token ({status}{known}); check client_id, client_secret and refresh_token"
    )
    raise TokenTrouble(text, later=status >= 500 or status == 429)
