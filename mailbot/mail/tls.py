"""When a connection may be opened, and whom it trusts: the same for fetching and for sending."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that checks certificate and host name, against the system's CAs and those in `ca_file`.

    Raises: OSError (its subclass ssl.SSLError too) when `ca_file` cannot be read as PEM.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def protection(sock: socket.socket | None) -> str:
    """How an open connection is protected, and until when its certificate holds, in words."""
    if not isinstance(sock, ssl.SSLSocket):
        return "in clear text"
    end = (sock.getpeercert() or {}).get("notAfter")
    until = f", its certificate is valid until {_day(end)}" if isinstance(end, str) else ""
    return f"protected by {sock.version()}{until}"


def _day(asn1_time: str) -> str:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(asn1_time), UTC).date().isoformat()


def certificate_end(host: str, port: int, timeout_seconds: float) -> datetime:
    """Until when (UTC) the certificate holds that a TLS server shows, once it is known to be good.

    Raises: OSError (its subclass ssl.SSLCertVerificationError where the certificate is no good).
    """
    with (
        socket.create_connection((host, port), timeout_seconds) as plain,
        tls_context(None).wrap_socket(plain, server_hostname=host) as protected,
    ):
        end = (protected.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)


def is_loopback(host: str) -> bool:
    """Whether `host` names this very machine, so that nobody can listen on the way."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def cleartext_refusal(host: str, *, allowed: bool) -> str | None:
    """Why an unprotected connection to `host` is not opened, with the mend; None when it may be."""
    if allowed or is_loopback(host):
        return None
    return (
        f'{host}: security = "none" would send the password and personal data in clear text; '
        'use "tls" or "starttls" (or set allow_cleartext = true if you know the way is safe)'
    )
