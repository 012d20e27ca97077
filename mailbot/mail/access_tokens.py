"""Access tokens kept until shortly before they end: fetched once for all connections that use them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from mailbot.mail.oauth2 import Granted, TokenTrouble, ask_for_token
from mailbot.mail.settings import OAuth2Settings

RENEWED_BEFORE_SECONDS = 300.0
"""Clocks differ, and a login takes its time."""
FRESH_SECONDS = 30.0
"""A token refused so soon after it was given will not be better for fetching another."""

log = structlog.get_logger()


class RefreshTokens(Protocol):
    """Where refresh tokens that took the place of the configured one are kept (RFC 6749 §6, §10.4)."""

    def load(self, settings: OAuth2Settings) -> str | None:
        """The newest one that came of the configured one; None when that still holds."""

    def save(self, settings: OAuth2Settings, refresh_token: str) -> None:
        """It is kept durably."""


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    token: str
    fetched_at: float
    renewed_at: float
    ends_at: float


class AccessTokens:
    """Gives access tokens to any number of connections and threads. `clock` is monotonic seconds.

    Without `kept` a refresh token that takes the place of the configured one is forgotten when the process ends.
    """

    def __init__(
        self, kept: RefreshTokens | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept: RefreshTokens = kept or _InMemory()
        self._clock = clock
        self._held: dict[OAuth2Settings, _Held] = {}
        self._fetching: dict[OAuth2Settings, threading.Lock] = {}
        self._lock = threading.Lock()

    def token(self, settings: OAuth2Settings, timeout_seconds: float) -> str:
        """A token that holds for some minutes more; of several who ask at once one fetches it.

        Raises: TokenTrouble.
        """
        with self._alone(settings):
            held, now = self._held.get(settings), self._clock()
            if held is not None and now < held.renewed_at:
                return held.token
            try:
                granted = self._fetch(settings, timeout_seconds)
            except TokenTrouble as trouble:
                if held is None or now >= held.ends_at or not trouble.later:
                    raise
                return held.token
            self._held[settings] = _held(granted, self._clock())
            return granted.access_token

    def refused(self, settings: OAuth2Settings, token: str) -> bool:
        """A mail server refused `token`, which is not used again. True when another one may do better."""
        with self._alone(settings):
            held = self._held.get(settings)
            if held is None or held.token != token:
                return True
            del self._held[settings]
            return self._clock() - held.fetched_at > FRESH_SECONDS

    def _alone(self, settings: OAuth2Settings) -> threading.Lock:
        """Of those who want this very token one goes on, the others wait; who wants another is not held up."""
        with self._lock:
            return self._fetching.setdefault(settings, threading.Lock())

    def _fetch(self, settings: OAuth2Settings, timeout_seconds: float) -> Granted:
        """By the newest refresh token; should that be worth nothing (a database brought back), by the configured."""
        newest = self._kept.load(settings) if settings.refresh_token else None
        candidates = list(dict.fromkeys((newest or settings.refresh_token, settings.refresh_token)))
        for refresh_token in candidates[:-1]:
            try:
                return self._keep(
                    settings, refresh_token, ask_for_token(settings, refresh_token, timeout_seconds)
                )
            except TokenTrouble as trouble:
                if not trouble.is_dead_grant:
                    raise
                log.warning("oauth2.refresh_token_refused", mend="trying the configured one")
        granted = ask_for_token(settings, candidates[-1], timeout_seconds)
        return self._keep(settings, candidates[-1], granted)

    def _keep(self, settings: OAuth2Settings, used: str, granted: Granted) -> Granted:
        """The refresh token is kept before the access token is used: the old one may hold no more."""
        if settings.refresh_token and granted.refresh_token not in (None, used):
            self._kept.save(settings, granted.refresh_token or "")
        return granted


def _held(granted: Granted, now: float) -> _Held:
    margin = min(RENEWED_BEFORE_SECONDS, granted.seconds / 2)
    ends_at = now + granted.seconds
    return _Held(granted.access_token, now, ends_at - margin, ends_at)


class _InMemory:
    def __init__(self) -> None:
        self._tokens: dict[OAuth2Settings, str] = {}

    def load(self, settings: OAuth2Settings) -> str | None:
        return self._tokens.get(settings)

    def save(self, settings: OAuth2Settings, refresh_token: str) -> None:
        self._tokens[settings] = refresh_token
