"""One logged-in IMAP connection, and what its failures mean in words."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, LoginError

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.imap_wire import Wire
from mailbot.mail.oauth2 import TokenTrouble
from mailbot.mail.settings import MailboxSettings, OAuth2Settings, Security
from mailbot.mail.tls import cleartext_refusal, tls_context

ImapError = IMAPClient.Error
"""The server said NO or BAD, or something that is no IMAP."""
ImapAbort = IMAPClient.AbortError
"""The connection is of no use any more. A subclass of ImapError."""

GOODBYE_SECONDS = 2.0
LITERAL_SLACK_BYTES = 1 << 20
"""RFC822.SIZE is an estimate on some servers."""


class MailboxTrouble(Exception):
    """The mailbox cannot be served now. The text names the host and the mend, and holds no personal data.

    `later`: it may well work when tried again soon; otherwise a person has to change something first.
    """

    def __init__(self, text: str, *, later: bool) -> None:
        super().__init__(text)
        self.later = later


@dataclass(frozen=True, slots=True)
class Connection:
    """IMAPClient, and the wire it reads from."""

    client: IMAPClient
    wire: Wire


def open_connection(settings: MailboxSettings, tokens: AccessTokens) -> Connection:
    """A connection that is protected as `settings` say, and logged in; no folder is selected yet.

    Raises: MailboxTrouble.
    """
    refusal = cleartext_refusal(settings.host, allowed=settings.allow_cleartext)
    if settings.security is Security.NONE and refusal:
        raise MailboxTrouble(refusal, later=False)
    context = _context(settings)
    with trouble(settings, "connecting"):
        client = _connect(settings, context)
    try:
        if settings.security is Security.STARTTLS:
            _start_tls(client, settings, context)
        wire = Wire(client, settings.max_message_bytes + LITERAL_SLACK_BYTES)
        _log_in(client, settings, tokens)
    except BaseException:
        _shut_down(client)
        raise
    return Connection(client, wire)


def close(connection: Connection) -> None:
    """The connection is gone, politely where the server still listens."""
    client = connection.client
    with contextlib.suppress(ImapError, OSError, ValueError):
        client.socket().settimeout(GOODBYE_SECONDS)
        client.logout()
    _shut_down(client)
    with contextlib.suppress(OSError):
        connection.wire.close()


def _shut_down(client: IMAPClient) -> None:
    with contextlib.suppress(ImapError, OSError):
        client.shutdown()


@contextlib.contextmanager
def trouble(settings: MailboxSettings, doing: str) -> Iterator[None]:
    """Whatever goes wrong inside with the server or the network is a MailboxTrouble outside."""
    where = f"mailbox {settings.name!r}, {settings.host}:{settings.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        text = f"its certificate is not trusted ({error.verify_message}); renew it, or name its CA in ca_file"
        raise MailboxTrouble(f"{where}: {text}", later=False) from None
    except ssl.SSLError as error:
        text = f"no TLS while {doing} ({error.reason}); check port and security"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None
    except TimeoutError:
        text = f"no answer in time while {doing}; check network and firewall"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None
    except OSError as error:
        text = f"no connection while {doing} ({error.strerror or type(error).__name__}); check host and port"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None
    except ImapAbort:
        text = f"the server closed the connection while {doing}; its log says why"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None
    except ImapError as error:
        text = f"the server refused {doing}{response_code(error)}; its log says why"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError) as error:
        # imaplib and IMAPClient parse with these: an answer that is no IMAP ends in any of them.
        text = f"the server's answer is not IMAP while {doing} ({type(error).__name__}); check host and port"
        raise MailboxTrouble(f"{where}: {text}", later=True) from None


def response_code(error: Exception) -> str:
    """The bracketed code of a refusal (RFC 5530), with a space before it; the free text may name people."""
    found = re.search(r"\[([A-Z][A-Z-]+)", str(error))
    return f" [{found[1]}]" if found else ""


def _context(settings: MailboxSettings) -> ssl.SSLContext | None:
    if settings.security is Security.NONE:
        return None
    try:
        return tls_context(settings.ca_file)
    except OSError as error:
        text = f"mailbox {settings.name!r}: ca_file {settings.ca_file} is not readable PEM ({error.strerror})"
        raise MailboxTrouble(text, later=False) from None


def _connect(settings: MailboxSettings, context: ssl.SSLContext | None) -> IMAPClient:
    direct = settings.security is Security.TLS
    client = IMAPClient(
        settings.host,
        port=settings.port,
        ssl=direct,
        ssl_context=context if direct else None,
        timeout=SocketTimeout(settings.connect_timeout_seconds, settings.read_timeout_seconds),
    )
    client.normalise_times = False
    # IMAPClient has imaplib write whole mails and passwords to the debug log, formatted even when nobody reads it.
    client._imap.debug = 0
    # imaplib sends a literal and its line end apart; together with delayed ACKs that costs 40 ms each time.
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _start_tls(client: IMAPClient, settings: MailboxSettings, context: ssl.SSLContext | None) -> None:
    """Never goes on in clear text, whatever the server (or somebody on the way) answers."""
    where = f"mailbox {settings.name!r}, {settings.host}:{settings.port}"
    with trouble(settings, "STARTTLS"):
        if client._imap.state == "NONAUTH" and b"STARTTLS" in client.capabilities():
            client.starttls(context)
            # What was said before (or put in by somebody on the way) is nothing the server told us (RFC 2595 §3.1).
            client._imap.untagged_responses.clear()
            return
    raise MailboxTrouble(f'{where}: offers no STARTTLS; use security = "tls"', later=False)


def _log_in(client: IMAPClient, settings: MailboxSettings, tokens: AccessTokens) -> None:
    where = f"mailbox {settings.name!r}, {settings.host}:{settings.port}"
    with trouble(settings, "login"):
        try:
            _authenticate(client, settings, tokens)
        except (LoginError, CapabilityError) as error:
            # Dovecot and Exchange say so when their password database is down: worth another try.
            later = "[UNAVAILABLE]" in str(error) or "[INUSE]" in str(error)
            text = f"login refused{response_code(error)}; check username and password"
            raise MailboxTrouble(f"{where}: {text}", later=later) from None


def _authenticate(client: IMAPClient, settings: MailboxSettings, tokens: AccessTokens) -> None:
    if settings.oauth2 is not None:
        _by_token(client, settings, settings.oauth2, tokens)
        return
    # LOGIN quotes ASCII only; PLAIN takes any password (RFC 4616).
    if b"AUTH=PLAIN" in client.capabilities():
        client.plain_login(settings.username, settings.password)
    else:
        client.login(settings.username, settings.password)


def _by_token(
    client: IMAPClient, settings: MailboxSettings, oauth2: OAuth2Settings, tokens: AccessTokens
) -> None:
    """With a fresh token where the one at hand is refused: it may have been withdrawn, or our clock be wrong."""
    token = _token(settings, oauth2, tokens)
    try:
        _bearer_login(client, settings.username, token)
    except LoginError:
        if not tokens.refused(oauth2, token):
            raise
        _bearer_login(client, settings.username, _token(settings, oauth2, tokens))


def _token(settings: MailboxSettings, oauth2: OAuth2Settings, tokens: AccessTokens) -> str:
    try:
        return tokens.token(oauth2, settings.connect_timeout_seconds)
    except TokenTrouble as error:
        raise MailboxTrouble(f"mailbox {settings.name!r}: {error}", later=error.later) from None


def _bearer_login(client: IMAPClient, username: str, token: str) -> None:
    """By the standard way (RFC 7628) where the server knows it; Microsoft knows only the older one."""
    if b"AUTH=OAUTHBEARER" in client.capabilities():
        client.oauthbearer_login(username, token)
    else:
        client.oauth2_login(username, token)
