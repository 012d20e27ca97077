"""One signed question to the platform, and its answer: asked again when that may help, bounded in time and size."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ValidationError
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, InvalidHeader

from mailbot.core.plan import PlanGrew, PlatformTrouble
from mailbot.platform.http_models import Problem
from mailbot.platform.http_signature import IDEMPOTENCY_KEY, KEY_ID, SIGNATURE, TIMESTAMP, sign
from mailbot.platform.streamed import streamed

Answer = TypeVar("Answer", bound=BaseModel)
Result = TypeVar("Result")
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 86_400.0
_CHUNK = 1 << 16
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How the platform is reached. `longest_wait_seconds`: a platform that asks for a longer pause is asked again
    when the work is due next."""

    url: str
    key_id: str
    secret: bytes = field(repr=False)
    ca_file: str = ""
    timeout_seconds: float = 20
    attempts: int = 4
    longest_wait_seconds: float = 30
    max_answer_bytes: int = 16 << 20


class AlreadyDone(Exception):
    """The platform says by 409 that the change was made before."""


class _Again(Exception):
    """Asking again may help, after `seconds` if the platform says so."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class HttpClient:
    """Asks. Redirects are not followed, certificates are checked, nothing personal stands in a URL or a log."""

    def __init__(
        self,
        settings: HttpSettings,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._now = now
        self._sleep = sleep
        self._base = settings.url.rstrip("/")

    def ask(self, what: str, question: BaseModel, kind: type[Answer], key: str = "") -> Answer:
        """The answer to `question` at the path `what`. With `key` it is a change, made once whatever happens.

        Raises:
            PlatformTrouble: there is no answer, or not one that was described.
            PlanGrew, AlreadyDone: said by the platform (409).
        """
        body = question.model_dump_json().encode()
        return self._repeated(what, lambda: self._parsed(what, self._once(what, body, key), kind))

    def open(self, what: str, question: BaseModel) -> BinaryIO | None:
        """The bytes that answer `question`, as a stream of any length; None where there are none (404).

        Raises:
            PlatformTrouble: there is no answer, or it broke off.
        """
        body = question.model_dump_json().encode()
        return self._repeated(what, lambda: self._opened(what, body))

    def _repeated(self, what: str, once: Callable[[], Result]) -> Result:
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return once()
            except _Again as again:
                pause = _pause(attempt) if again.seconds is None else again.seconds
                _log.warning("platform.asked_again", what=what, attempt=attempt, why=str(again))
                if attempt == self._settings.attempts or pause > self._settings.longest_wait_seconds:
                    raise PlatformTrouble(
                        f"the platform: {again} at {what}",
                        later=True,
                        after_seconds=min(again.seconds or 0, _LONGEST_PAUSE_SECONDS),
                    ) from None
                self._sleep(pause)
        raise AssertionError("attempts is at least 1")

    def close(self) -> None:
        """Connections are closed."""
        self._pool.clear()

    @cached_property
    def _pool(self) -> PoolManager:
        context = ssl.create_default_context(cafile=self._settings.ca_file or None)
        return PoolManager(maxsize=8, ssl_context=context, retries=False)

    def _once(self, what: str, body: bytes, key: str) -> bytes:
        ends_at = time.monotonic() + self._settings.timeout_seconds
        try:
            with self._sent(what, body, key) as response:
                content = self._read(response, what, ends_at)
        except HTTPError as error:
            raise _Again(type(error).__name__) from None
        _judge(response, content, what)
        return content

    def _opened(self, what: str, body: bytes) -> BinaryIO | None:
        try:
            response = self._sent(what, body, "")
        except HTTPError as error:
            raise _Again(type(error).__name__) from None
        if response.status == 200:
            return streamed(response, partial(_said, what))
        response.close()
        if response.status != 404:
            _judge(response, b"", what)
        return None

    def _sent(self, what: str, body: bytes, key: str) -> BaseHTTPResponse:
        url = f"{self._base}/{what}"
        seconds = self._settings.timeout_seconds
        return self._pool.request(
            "POST",
            url,
            body=body,
            headers=self._headers(urlsplit(url).path, body, key),
            timeout=Timeout(connect=seconds, read=seconds),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _headers(self, path: str, body: bytes, key: str) -> dict[str, str]:
        timestamp = str(int(self._now()))
        signature = sign(self._settings.secret, "POST", path, timestamp, key, body)
        named = {IDEMPOTENCY_KEY: key} if key else {}
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            KEY_ID: self._settings.key_id,
            TIMESTAMP: timestamp,
            SIGNATURE: signature,
            **named,
        }

    def _read(self, response: BaseHTTPResponse, what: str, ends_at: float) -> bytes:
        content = bytearray()
        while some := response.read1(_CHUNK, decode_content=False):
            content += some
            if len(content) > self._settings.max_answer_bytes:
                most = self._settings.max_answer_bytes
                raise PlatformTrouble(f"the platform: more than {most} bytes at {what}", later=False)
            if time.monotonic() > ends_at:
                raise _Again("the answer took too long")
        return bytes(content)

    def _parsed(self, what: str, content: bytes, kind: type[Answer]) -> Answer:
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            faults = error.error_count()
            text = f"the platform: the answer at {what} is not as described ({faults} faults)"
            raise PlatformTrouble(text, later=True) from None


@contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        text = f"the platform: {type(error).__name__} in the middle of {what}"
        raise PlatformTrouble(text, later=True) from None


def _judge(response: BaseHTTPResponse, content: bytes, what: str) -> None:
    """Nothing happens for an answer that can be used."""
    status = response.status
    if 200 <= status < 300:
        return
    if status in (408, 425, 429) or status >= 500:
        raise _Again(f"status {status}", _retry_after(response))
    if status == 409:
        raise _conflict(response, content, what)
    if 300 <= status < 400:
        text = f"the platform: a redirect at {what}, which is not followed; correct [platform] url"
        raise PlatformTrouble(text, later=False)
    if status in (401, 403):
        text = f"the platform: refused the signature at {what}; check [platform.http] key_id, secret and both clocks"
        raise PlatformTrouble(text, later=True)
    raise PlatformTrouble(f"the platform: status {status} at {what}", later=False)


def _conflict(response: BaseHTTPResponse, content: bytes, what: str) -> Exception:
    try:
        problem = Problem.model_validate_json(content)
    except ValidationError:
        return PlatformTrouble(f"the platform: a conflict at {what}", later=False)
    match problem.code:
        case "in_progress":
            return _Again("in progress", _retry_after(response))
        case "grew":
            return PlanGrew(problem.places)
        case "done":
            return AlreadyDone()
        case code:
            return PlatformTrouble(f"the platform: {code} at {what}", later=False)


def _retry_after(response: BaseHTTPResponse) -> float | None:
    """Seconds or an HTTP date (RFC 9110 §10.2.3)."""
    try:
        return Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def _pause(attempt: int) -> float:
    """Doubling, half of it luck, so that many who were refused do not come back at once."""
    return float(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * (0.5 + random.random()))  # noqa: S311  # no secret
