"""Tries each part of the configuration for real: what `mailbot check` prints.

Parts are tried beside each other, each for a limited time; one that fails or hangs never stops the others.
"""

from __future__ import annotations

import queue
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from babel.messages.pofile import PoFileError
from jinja2 import TemplateNotFound, TemplateSyntaxError

from mailbot.cli.configured import resolver
from mailbot.cli.opened import checked_app
from mailbot.cli.platform import check_platform
from mailbot.cli.stored import make_store
from mailbot.cli.trouble import WRONG, said
from mailbot.config import Config, listen_address
from mailbot.core.classify import check_examples
from mailbot.knowledge import load_answers, load_knowledge, load_rulebooks
from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.catalogues import Catalogues
from mailbot.mail.contexts import CONTEXTS
from mailbot.mail.inbox import Inbox
from mailbot.mail.outbox import SmtpConnection
from mailbot.mail.settings import MailboxSettings, OAuth2Settings
from mailbot.mail.tls import certificate_end, is_loopback
from mailbot.mail.translated import TranslatedEnvironment
from mailbot.refresh_tokens import StoredRefreshTokens
from mailbot.resources import folders
from mailbot.store.database import Store, StoreTrouble
from mailbot.web.parts import WEB_DOMAIN

OK, WARNING, FAILED = "ok", "warning", "failed"
LONGEST_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 15.0
_EXPIRY_DAYS = 21
_VALID_UNTIL = re.compile(r"certificate is valid until (\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Check:
    """How one part stands, and the mend where it is not well. `is_wrong`: the configuration itself is."""

    part: str
    status: str
    message: str
    mend: str = ""
    is_wrong: bool = False


Try = Callable[[Config], Sequence[Check]]


def try_everything(config: Config, seconds: float = LONGEST_SECONDS) -> Iterator[Check]:
    """The checks of every part, in the order of the parts."""
    parts = _parts(config, _Logins(config))
    answers: list[queue.SimpleQueue[Sequence[Check]]] = [queue.SimpleQueue() for _ in parts]
    for (part, attempt), answer in zip(parts, answers, strict=True):
        threading.Thread(target=_run, args=(part, attempt, config, answer), daemon=True).start()
    ends = time.monotonic() + seconds
    for (part, _), answer in zip(parts, answers, strict=True):
        yield from _answered(part, answer, max(0.01, ends - time.monotonic()), seconds)


def _answered(
    part: str, answer: queue.SimpleQueue[Sequence[Check]], left: float, seconds: float
) -> Sequence[Check]:
    try:
        return answer.get(timeout=left)
    except queue.Empty:
        return [
            Check(part, FAILED, f"no answer in {seconds:.0f} s", "Check network, firewall and that it runs")
        ]


def _run(part: str, attempt: Try, config: Config, answer: queue.SimpleQueue[Sequence[Check]]) -> None:
    try:
        answer.put(attempt(config))
    except Exception as error:  # noqa: BLE001  # told as this part's failure; the other parts go on
        code, sentence = said(error)
        mend = "Correct it in the configuration" if code == WRONG else ""
        answer.put([Check(part, FAILED, sentence, mend, is_wrong=code == WRONG)])


class _Logins:
    """The access tokens that all parts share: a refresh token that works once must not be used by two."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._tokens: AccessTokens | None = None

    def tokens(self) -> AccessTokens:
        """Tokens whose refresh tokens are kept. Raises StoreTrouble where they could not be, before one is used."""
        with self._lock:
            if self._tokens is None:
                self._tokens = AccessTokens(StoredRefreshTokens(self._ready_store()))
            return self._tokens

    def _ready_store(self) -> Store:
        store = make_store(self._config)
        if store.schema_state() != "current":
            raise StoreTrouble(
                "a refresh token is not tried before there is a database to keep the next one in: "
                "run `mailbot db upgrade` first"
            )
        return store

    def tokens_for(self, oauth2: OAuth2Settings | None) -> AccessTokens:
        """The tokens that a login with these settings needs."""
        return self.tokens() if oauth2 is not None and oauth2.refresh_token else AccessTokens()


def _parts(config: Config, logins: _Logins) -> list[tuple[str, Try]]:
    boxes: list[tuple[str, Try]] = [
        (f"imap:{box.name}", _mailbox_try(number, logins)) for number, box in enumerate(config.mailbox)
    ]
    return [
        ("secrets", _secrets),
        *(boxes or [("imap", _no_mailbox)]),
        ("smtp", lambda config: _smtp(config, logins)),
        *([("lmtp", _lmtp)] if config.lmtp.listen else []),
        ("dns", _dns),
        ("sender", _sender),
        ("database", _database),
        ("platform", _platform),
        ("rules", _rules),
        ("templates", _templates),
        ("languages", _languages),
        ("web", _web),
    ]


def _secrets(config: Config) -> Sequence[Check]:
    keys = len(config.master_keys())
    found = [Check("secrets", OK, f"{keys} master key{'s' if keys > 1 else ''}; the newest seals")]
    if config.api_key() is None:
        mend = f"Set {config.web.api_key_env or 'web.api_key_env'} if the platform is to use the API"
        found.append(Check("secrets", WARNING, "no API key: the API answers nobody", mend))
    return found


def _no_mailbox(_: Config) -> Sequence[Check]:
    return [
        Check("imap", WARNING, "no mailbox is configured: no mail is taken in", "Add a [[mailbox]] table")
    ]


def _mailbox_try(number: int, logins: _Logins) -> Try:
    return lambda config: _mailbox(config.mailboxes()[number], logins)


def _mailbox(settings: MailboxSettings, logins: _Logins) -> Sequence[Check]:
    part = f"imap:{settings.name}"
    patient = replace(
        settings,
        connect_timeout_seconds=min(settings.connect_timeout_seconds, _CONNECT_SECONDS),
        read_timeout_seconds=min(settings.read_timeout_seconds, _READ_SECONDS),
    )
    with Inbox(patient, logins.tokens_for(settings.oauth2)) as inbox:
        said_ = inbox.check()
        capabilities = ", ".join(sorted(inbox.capabilities()))
    found = Check(part, OK, "; ".join([*said_, f"it can {capabilities}"]))
    return [found, *_expiry(part, said_), *_secret_expiry(part, settings.oauth2)]


def _smtp(config: Config, logins: _Logins) -> Sequence[Check]:
    settings = config.smtp_settings()
    patient = replace(settings, timeout_seconds=min(settings.timeout_seconds, _CONNECT_SECONDS))
    try:
        with SmtpConnection(patient, tokens=logins.tokens_for(settings.oauth2)) as smtp:
            said_ = smtp.check()
    except OSError as error:
        mend = "Check [smtp] host, port, security, username and password"
        return [Check("smtp", FAILED, str(error), mend)]
    found = Check("smtp", OK, "; ".join(said_))
    return [found, *_expiry("smtp", said_), *_secret_expiry("smtp", settings.oauth2)]


def _lmtp(config: Config) -> Sequence[Check]:
    """What comes in by the door is believed to come from our own mail server, its verdicts on senders too."""
    host, _ = listen_address(config.lmtp.listen, "lmtp.listen")
    if is_loopback(host):
        return [Check("lmtp", OK, f"the door is at {config.lmtp.listen}")]
    message = f"whoever reaches {config.lmtp.listen} is believed as your own mail server"
    return [Check("lmtp", WARNING, message, "Listen on loopback, or let only your mail server reach it")]


def _expiry(part: str, sentences: Sequence[str]) -> Sequence[Check]:
    """A warning when the server's certificate ends soon."""
    found = _VALID_UNTIL.search(" ".join(sentences))
    if found is None:
        return []
    end = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return _ending(part, "its certificate", end, "Renew it on the server")


def _secret_expiry(part: str, oauth2: OAuth2Settings | None) -> Sequence[Check]:
    """A warning when the client secret or the key of the service account ends soon, as far as is known."""
    if oauth2 is None or oauth2.ends_on is None:
        return []
    what = "the key of its service account" if oauth2.service_account else "its client secret"
    end = datetime.combine(oauth2.ends_on, datetime.min.time(), UTC)
    return _ending(part, what, end, "Make a new one at the provider, then set it and oauth2.secret_ends")


def _ending(part: str, what: str, end: datetime, mend: str) -> Sequence[Check]:
    days = (end - datetime.now(UTC)).days
    if days > _EXPIRY_DAYS:
        return []
    said_ = f"{what} ends in {days} days" if days >= 0 else f"{what} ended on {end.date()}"
    return [Check(part, WARNING, said_, mend)]


def _dns(config: Config) -> Sequence[Check]:
    trouble = resolver(config).check()
    if trouble is None:
        return [Check("dns", OK, "answers")]
    mend = "Check [dns] nameservers; without DNS no signature can be verified"
    return [Check("dns", FAILED, trouble, mend)]


def _sender(config: Config) -> Sequence[Check]:
    """Whether a mail that passes DMARC by SPF alone can be told from a forged one."""
    trusted = config.sender.authserv_ids
    if trusted:
        return [Check("sender", OK, f"results written by {', '.join(trusted)} are believed")]
    message = "no mail server's results are believed: mail that passes DMARC by SPF alone is taken for forged"
    mend = (
        "Set [sender] authserv_ids to the id your own server writes into Authentication-Results, if it does"
    )
    return [Check("sender", WARNING, message, mend)]


def _database(config: Config) -> Sequence[Check]:
    store = make_store(config)
    state = store.schema_state()
    if state == "empty" and store.engine.dialect.name == "sqlite":
        return [Check("database", OK, "a new SQLite file: `mailbot run` makes its schema")]
    if state != "current":
        return [Check("database", FAILED, f"the schema is {state}", "Run: mailbot db upgrade")]
    with store.begin() as tx:  # a write lock is taken, and the master keys open what is stored
        tx.pseudonyms.address("")
    return [Check("database", OK, f"{store.engine.dialect.name}, schema current, keys fit")]


def _platform(config: Config) -> Sequence[Check]:
    return [Check("platform", line.status.value, line.what, line.mend) for line in check_platform(config)]


def _rules(config: Config) -> Sequence[Check]:
    load_knowledge(config)
    load_answers(config)
    books = load_rulebooks(config)
    failing = sum(len(check_examples(book)) for book in books.values())
    rules = sum(len(book.rules) for book in books.values())
    found = [Check("rules", OK, f"{rules} rules in {len(books)} languages")]
    if failing:
        mend = "Run: mailbot rules test"
        found.append(Check("rules", WARNING, f"{failing} examples are not read as their rule says", mend))
    lacking = [one for one in config.controller.languages if one not in books]
    if lacking:
        what = f"no rules for {', '.join(lacking)}: mails in these languages go to staff"
        found.append(
            Check("rules", WARNING, what, "Add rules/requests/<language>.toml, or take them off languages")
        )
    return found


def _templates(config: Config) -> Sequence[Check]:
    """Every letter's template compiles in every language, and with it every part of the program is built."""
    checked_app(config)
    places = tuple(one / "mail" for one in _folders(config, "templates", config.folders.templates))
    catalogues = Catalogues(*_folders(config, "locale", config.folders.locale))
    faults = [one for language in catalogues.languages() for one in _faults(catalogues, language, places)]
    if faults:
        return [Check("templates", FAILED, one, "Correct the file named") for one in faults]
    return [Check("templates", OK, f"{len(CONTEXTS)} letters in {len(catalogues.languages())} languages")]


def _faults(catalogues: Catalogues, language: str, places: Sequence[Path]) -> Iterator[str]:
    try:
        environment = TranslatedEnvironment(catalogues.translations(language), places)
    except PoFileError as error:
        yield f"the catalogue of {language} cannot be read: {error}"
        return
    environment.filters["lines"] = str  # which filters there are is all that compiling asks
    for context in CONTEXTS:
        for name in (f"{context.template}.txt", f"{context.template}.html"):
            try:
                environment.get_template(name)
            except TemplateNotFound:
                yield f"{name} is missing"
            except TemplateSyntaxError as error:
                yield f"{error.filename or name}, line {error.lineno}: {error.message}"


def _languages(config: Config) -> Sequence[Check]:
    """Which languages letters and pages can be written in."""
    places = _folders(config, "locale", config.folders.locale)
    found = []
    for what, domain in (("letters", "mailbot"), ("pages", WEB_DOMAIN)):
        known = Catalogues(*places, domain=domain).languages()
        lacking = [one for one in config.controller.languages if one not in known]
        if lacking:
            message = f"no translation of the {what} for {', '.join(lacking)}: they are in English"
            found.append(
                Check("languages", WARNING, message, f"Add locale/<language>/LC_MESSAGES/{domain}.po")
            )
    return found or [
        Check("languages", OK, f"{len(config.controller.languages)} languages, letters and pages")
    ]


def _web(config: Config) -> Sequence[Check]:
    listen_address(config.web.listen)
    if config.web.public_url.startswith("https://"):
        return _public_pages(config)
    message = f"links in letters are not encrypted: {config.web.public_url}"
    return [Check("web", WARNING, message, "Set [web] public_url to an https:// address")]


def _public_pages(config: Config) -> Sequence[Check]:
    """Whether people's browsers will trust the pages. From inside, the public address may not be reachable."""
    where = urlsplit(config.web.public_url)
    found = Check("web", OK, f"{config.web.listen}, public at {config.web.public_url}")
    try:
        end = certificate_end(where.hostname or "", where.port or 443, _CONNECT_SECONDS)
    except ssl.SSLCertVerificationError as error:
        message = f"browsers will not trust {config.web.public_url}: {error.verify_message}"
        return [Check("web", FAILED, message, "Renew its certificate")]
    except OSError as error:
        message = f"{config.web.public_url} cannot be reached from here ({type(error).__name__})"
        return [found, Check("web", WARNING, message, "Look at its certificate from outside")]
    return [found, *_ending("web", "its certificate", end, "Renew it at the reverse proxy")]


def _folders(config: Config, what: str, override: str) -> tuple[Path, ...]:
    return folders(what, config.path(override) if override else None)
