"""Kinds of values in config.toml that have to be more than well typed."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, Field

from mailbot.config.trouble import ConfigTrouble
from mailbot.core.request import Language
from mailbot.mail.tls import is_loopback


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no time zone of the IANA database; write one such as Europe/Vilnius") from None
    return name


def _known_language(code: Language) -> Language:
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        raise ValueError("no language that Unicode CLDR knows; write a code of ISO 639 such as lt") from None
    return code


def secure_url(url: str) -> str:
    """`url`, which is empty or safe to send secrets to. Raises ValueError for any other."""
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("must begin with https:// (http:// only for this machine)")
    return url


Port = Annotated[int, Field(ge=1, le=65_535)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
LanguageCode = Annotated[Language, Field(pattern="^[a-z]{2,3}$"), AfterValidator(_known_language)]
SecureUrl = Annotated[str, AfterValidator(secure_url)]


def is_safe_url(url: str) -> bool:
    """Whether `url` names a host, reached safely, and neither a user nor a fragment."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and not parts.username and not parts.fragment
        return is_whole and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
    except ValueError:
        return False


def listen_address(written: str, key: str = "web.listen") -> tuple[str, int]:
    """Host and port of "127.0.0.1:8025" or "[::1]:8025". Raises ConfigTrouble that names `key`."""
    host, _, port = written.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ConfigTrouble(f'{key}: "{written}" is not an address with a port, such as "127.0.0.1:8025"')
    return host.strip("[]"), int(port)
