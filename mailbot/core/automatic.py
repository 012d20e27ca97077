"""Whether a machine wrote a mail. The knowledge is data in rules/automatic.toml; this only compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.core.address import domain_of
from mailbot.core.header_text import read_parameters
from mailbot.core.message import NamedAddress, ParsedMail

MAX_TEXT_LOOKED_AT = 4_000
"""Bounces say what they are in their first lines."""


class Automatic(StrEnum):
    """Kinds of mail that no person wrote, or that is not written to us; none is ever answered."""

    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    READ_RECEIPT = "read_receipt"
    FEEDBACK_REPORT = "feedback_report"
    CALENDAR = "calendar"
    BULK = "bulk"
    OWN_MAIL = "own_mail"


@dataclass(frozen=True, slots=True)
class AutomaticVerdict:
    """What kind of machine wrote the mail; `reason` is the rule's id and sentence, free of personal data."""

    kind: Automatic
    reason: str


@dataclass(frozen=True, slots=True)
class AutomaticRule:
    """One rule: every condition that is set must hold. Strings are lower-case; "x*" means begins with x."""

    id: str
    kind: Automatic
    sentence: str
    header: str = ""
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()
    report_types: tuple[str, ...] = ()
    attachment_types: tuple[str, ...] = ()
    local_parts: tuple[str, ...] = ()
    subject_prefixes: tuple[str, ...] = ()
    text_contains: tuple[str, ...] = ()
    null_sender: bool = False
    no_reply_prefix: bool = False
    list_header: bool = False
    unless_report: bool = False
    unless_relayed: bool = False


@dataclass(frozen=True, slots=True)
class AutomaticRules:
    """All rules, in the order in which they are tried."""

    rules: tuple[AutomaticRule, ...]


class AutomaticRulesError(ValueError):
    """rules/automatic.toml is wrong; the text names the key and the mend."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """What the rules look at, taken from a mail once."""

    headers: dict[str, str]
    content_type: str
    report_type: str
    attachment_types: tuple[str, ...]
    local_parts: tuple[str, ...]
    subject: str
    text: str
    is_reply: bool
    own_list: bool
    is_relayed: bool


_NEWSLETTER_HEADERS = ("list-unsubscribe", "feedback-id")
_REPLY_PREFIXES = (
    "re:",
    "fwd:",
    "fw:",
    "aw:",
    "wg:",
    "rv:",
    "tr:",
    "sv:",
    "odp:",
    "ats:",
    "отв:",
    "ha:",
    "r:",
    "i:",
)


def find_automatic(
    mail: ParsedMail, own_addresses: frozenset[str], rules: AutomaticRules
) -> AutomaticVerdict | None:
    """Why no person wrote this mail, or None where one may have. `own_addresses` are lower-case."""
    signs = _signs(mail, own_addresses, rules)
    if _is_own(mail, own_addresses) and not signs.is_relayed:
        return AutomaticVerdict(
            Automatic.OWN_MAIL, "own.address: The mail claims to come from one of our own addresses."
        )
    for rule in rules.rules:
        if _fits(rule, signs) and not (rule.unless_relayed and signs.is_relayed):
            return AutomaticVerdict(rule.kind, f"{rule.id}: {rule.sentence}")
    return None


def relayed_for(
    mail: ParsedMail, own_addresses: frozenset[str], rules: AutomaticRules
) -> NamedAddress | None:
    """Whose words a web form passes on, in a mail that is not automatic: the one address of Reply-To, where the
    sender is our own or a rule's with `unless_relayed`. Nothing proves that the words are theirs."""
    person = _reply_elsewhere(mail, own_addresses, rules)
    if person is None:
        return None
    signs = _signs(mail, own_addresses, rules)
    is_form = any(rule.unless_relayed and _fits(rule, signs) for rule in rules.rules)
    return person if is_form or _is_own(mail, own_addresses) else None


def _reply_elsewhere(
    mail: ParsedMail, own_addresses: frozenset[str], rules: AutomaticRules
) -> NamedAddress | None:
    """The one address of Reply-To, when it is of another domain than From and may be a person's."""
    if len(mail.reply_to) != 1 or any(mail.header(name) for name in _NEWSLETTER_HEADERS):
        return None
    person = mail.reply_to[0]
    local_part, _, domain = person.address.lower().rpartition("@")
    no_person = (rule.local_parts for rule in rules.rules if rule.unless_relayed)
    if person.address.lower() in own_addresses or any(_matches(local_part, parts) for parts in no_person):
        return None
    return None if domain in {domain_of(sender.address) for sender in mail.from_} else person


def _is_own(mail: ParsedMail, own_addresses: frozenset[str]) -> bool:
    return any(sender.address.lower() in own_addresses for sender in mail.from_)


def _signs(mail: ParsedMail, own_addresses: frozenset[str], rules: AutomaticRules) -> _Signs:
    headers: dict[str, str] = {}
    for name, value in mail.headers:
        headers.setdefault(name, value.strip().lower())
    subject = mail.subject.lower().strip()
    report = mail.content_type == "multipart/report"
    return _Signs(
        headers=headers,
        content_type=mail.content_type,
        report_type=_report_type(mail) if report else "",
        attachment_types=tuple(attachment.content_type for attachment in mail.attachments),
        local_parts=_local_parts(mail, headers),
        subject=subject,
        text=mail.text[:MAX_TEXT_LOOKED_AT].lower(),
        is_reply=subject.startswith(_REPLY_PREFIXES),
        own_list=_is_own_list(headers, own_addresses),
        is_relayed=_reply_elsewhere(mail, own_addresses, rules) is not None,
    )


def _report_type(mail: ParsedMail) -> str:
    return read_parameters(mail.header("content-type")).parameters.get("report-type", "").lower()


def _local_parts(mail: ParsedMail, headers: dict[str, str]) -> tuple[str, ...]:
    """Local parts of From; a From that holds no address ("MAILER-DAEMON <>") is taken by its bare words."""
    if mail.from_:
        return tuple(sender.address.rpartition("@")[0].lower().strip('"') for sender in mail.from_)
    return tuple(
        word.partition("@")[0] for word in headers.get("from", "").replace("<", " ").replace(">", " ").split()
    )


def _is_own_list(headers: dict[str, str], own_addresses: frozenset[str]) -> bool:
    """The list is our own mailbox, kept as a group: its headers stand on every letter to us."""
    identity = headers.get("list-id", "").rpartition("<")[2].strip("> ")
    return bool(identity) and identity in {address.replace("@", ".") for address in own_addresses}


def _fits(rule: AutomaticRule, signs: _Signs) -> bool:
    if rule.header and not _header_fits(rule, signs):
        return False
    if rule.subject_prefixes and not signs.subject.startswith(rule.subject_prefixes):
        return False
    if rule.local_parts and not _any_matches(signs.local_parts, rule.local_parts):
        return False
    return _parts_fit(rule, signs) and _circumstances_fit(rule, signs)


def _header_fits(rule: AutomaticRule, signs: _Signs) -> bool:
    value = signs.headers.get(rule.header)
    if value is None or (rule.list_header and signs.own_list):
        return False
    if rule.values:
        return _matches(value, rule.values)
    return not _matches(value, rule.not_values)


def _parts_fit(rule: AutomaticRule, signs: _Signs) -> bool:
    if rule.content_types and signs.content_type not in rule.content_types:
        return False
    if rule.report_types and signs.report_type not in rule.report_types:
        return False
    return not rule.attachment_types or _any_matches(signs.attachment_types, rule.attachment_types)


def _circumstances_fit(rule: AutomaticRule, signs: _Signs) -> bool:
    if rule.null_sender and signs.headers.get("return-path", "").replace(" ", "") != "<>":
        return False
    if (rule.no_reply_prefix and signs.is_reply) or (
        rule.unless_report and signs.content_type == "multipart/report"
    ):
        return False
    return not rule.text_contains or any(words in signs.text for words in rule.text_contains)


def _any_matches(found: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    return any(_matches(value, patterns) for value in found)


def _matches(value: str, patterns: tuple[str, ...]) -> bool:
    return any(value.startswith(p[:-1]) if p.endswith("*") else value == p for p in patterns)


_TEXT_KEYS = frozenset({"id", "kind", "sentence", "header"})
_LIST_KEYS = frozenset({
    "values", "not_values", "content_types", "report_types", "attachment_types", "local_parts", "subject_prefixes",
    "text_contains",
})  # fmt: skip
_CAUTIONS = frozenset({"no_reply_prefix", "list_header", "unless_report", "unless_relayed"})
_FLAG_KEYS = _CAUTIONS | {"null_sender"}
_NOT_ALONE = _TEXT_KEYS - {"header"} | _CAUTIONS | {"text_contains"}
"""A rule with nothing but these would fit mails of persons."""


def load_automatic_rules(data: dict[str, object]) -> AutomaticRules:
    """The rules in `data`, the parsed rules/automatic.toml.

    Raises AutomaticRulesError, which names the key that is wrong and what is expected."""
    unknown = sorted(set(data) - {"rule"})
    if unknown:
        raise AutomaticRulesError(f"{unknown[0]}: unknown key; expected only [[rule]] tables")
    tables = data.get("rule")
    if not isinstance(tables, list) or not tables:
        raise AutomaticRulesError("rule: expected at least one [[rule]] table")
    rules = tuple(_read_rule(f"rule[{number}]", table) for number, table in enumerate(tables))
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise AutomaticRulesError(f"rule.{rule.id}.id: given twice; every rule needs its own")
        seen.add(rule.id)
    return AutomaticRules(rules)


def extended(rules: AutomaticRules, subjects: Mapping[str, Sequence[str]]) -> AutomaticRules:
    """The rules with further beginnings of subjects, by the id of the rule that they belong to.

    Raises AutomaticRulesError for an id that no rule with subjects has."""
    known = {rule.id for rule in rules.rules if rule.subject_prefixes}
    if unknown := sorted(set(subjects) - known):
        raise AutomaticRulesError(
            f"automatic.{unknown[0]}: no such rule; known are {', '.join(sorted(known))}"
        )
    return AutomaticRules(tuple(_with_subjects(rule, subjects.get(rule.id, ())) for rule in rules.rules))


def _with_subjects(rule: AutomaticRule, subjects: Sequence[str]) -> AutomaticRule:
    return replace(rule, subject_prefixes=(*rule.subject_prefixes, *(one.lower() for one in subjects)))


def _read_rule(place: str, table: object) -> AutomaticRule:
    if not isinstance(table, Mapping):
        raise AutomaticRulesError(f"{place}: expected a table")
    identity = _text(place, table, "id")
    place = f"rule.{identity}"
    unknown = sorted(str(key) for key in set(table) - _TEXT_KEYS - _LIST_KEYS - _FLAG_KEYS)
    if unknown:
        raise AutomaticRulesError(f"{place}.{unknown[0]}: unknown key")
    if not set(table) - _NOT_ALONE:
        raise AutomaticRulesError(f"{place}: has no condition of its own, so it could fit any letter")
    lists = {key: _texts(place, table, key) for key in _LIST_KEYS if key in table}
    return AutomaticRule(
        id=identity,
        kind=_kind(place, table),
        sentence=_text(place, table, "sentence"),
        header=_text(place, table, "header").lower() if "header" in table else "",
        null_sender=_flag(place, table, "null_sender"),
        no_reply_prefix=_flag(place, table, "no_reply_prefix"),
        list_header=_flag(place, table, "list_header"),
        unless_report=_flag(place, table, "unless_report"),
        unless_relayed=_flag(place, table, "unless_relayed"),
        **lists,
    )


def _text(place: str, table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AutomaticRulesError(f"{place}.{key}: expected a text that is not empty")
    return value


def _kind(place: str, table: Mapping[str, object]) -> Automatic:
    value = _text(place, table, "kind")
    if value not in {kind.value for kind in Automatic}:
        raise AutomaticRulesError(f"{place}.kind: expected one of {', '.join(Automatic)}")
    return Automatic(value)


def _texts(place: str, table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table[key]
    if not isinstance(value, list) or not value:
        raise AutomaticRulesError(f"{place}.{key}: expected a list of texts")
    texts = tuple(item.lower() for item in value if isinstance(item, str) and item not in ("", "*"))
    if len(texts) != len(value):
        raise AutomaticRulesError(f"{place}.{key}: every item must be a text that is not empty")
    return texts


def _flag(place: str, table: Mapping[str, object], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise AutomaticRulesError(f"{place}.{key}: expected true or false")
    return value
