"""What quoted history looks like: the words and shapes that mail programs put around it, in eleven languages."""

from __future__ import annotations

import re

MAX_LABEL_LENGTH = 40
"""The longest label of a quoted header, with its stars and spaces."""
MIN_MARK_LENGTH = 8
MAX_MARK_LENGTH = 400
"""A longer line is a paragraph somebody wrote, not a mark of a program."""


def _labels(*words: str) -> str:
    return "|".join(re.escape(word) for word in words)


_HEADER_ROLES = {
    "from": _labels(
        "from", "de", "von", "da", "van", "od", "nuo", "від", "от", "från", "fra", "expéditeur", "mittente"
    ),
    "sent": _labels(
        "sent", "date", "envoyé", "envoyé le", "gesendet", "datum", "enviado", "enviado el", "enviado em",
        "enviada em",
        "enviada", "fecha", "data", "inviato", "data invio", "verzonden", "wysłano", "wysłane", "išsiųsta",
        "надіслано",
        "дата", "отправлено", "skickat", "sendt", "дата відправлення",
    ),
    "to": _labels("to", "à", "a", "an", "para", "aan", "do", "kam", "skirta", "кому", "till", "til", "destinataire"),
    "cc": _labels("cc", "kopie", "copie", "copia", "kopia", "kopija", "копія", "копия", "dw", "bcc", "reply-to"),
    "subject": _labels(
        "subject", "objet", "betreff", "asunto", "oggetto", "assunto", "onderwerp", "temat", "tema", "тема",
        "ämne", "emne",
    ),
}  # fmt: skip
_HEADER_LINE = re.compile(
    r"[ \t]{0,8}[*_]{0,2}(?:" + "|".join(f"(?P<{role}>{words})" for role, words in _HEADER_ROLES.items())
    + r")[ \u00a0]?[*_]{0,2}[ \u00a0]?:[*_]{0,2}(?:[ \t\u00a0]|$)",
    re.IGNORECASE,
)  # fmt: skip

_QUOTED = re.compile(r"[ \t]{0,3}(?:>|&gt;|[A-ZА-ЯІЇЄҐŠŽČ][A-Za-zА-Яа-я]{0,2}>{1,3} )")
_DASHED = re.compile(
    r"[ \t]{0,8}[>]?(?:[-–—=_*]{2,}|_{2,})[ \t]*(?P<words>[^\W\d_][^\n]{2,80}?)[ \t]*(?:[-–—=_*]{2,}|:)[ \t]*$"
)
_HISTORY_WORD = re.compile(
    r"origin|oorspronk|pirmin|ursprüng|oprindelig|weitergeleit|forward|transf[ée]r|reenvi|inoltrat|doorgestuurd"
    r"|przekazan|persiųst"
    r"|переслан|перенаправл|исходн|оригинал|вихідн|oryginaln|encaminhad|пересилан|mensaje original"
    r"|mensagem original|originali",
    re.IGNORECASE,
)
_RULE = re.compile(r"[ \t]{0,3}(?:_{5,}|-{5,}|—{3,}|\*{5,}|={5,})[ \t]*$")

_EMAIL = re.compile(r"[^\s<>@]{1,64}@[\w.-]{1,255}")
_NUMBER = re.compile(r"\d{1,4}")
_CLOCK = re.compile(r"\b\d{1,2}[:.hч]\s?\d{2}\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|a écrit|écrit|écrivait|escribió|escribio|ha scritto|scrive|scritto"
    r"|escreveu|schreef"
    r"|heeft geschreven|napisał|napisała|napisał\(a\)|pisze|rašė|parašė|rašo|написал|написала|написал\(а\)"
    r"|пишет|написав"
    r"|написала|написав\(ла\)|пише|skrev|geschreven|написано|скрев)\b",
    re.IGNORECASE,
)
_STARTER = re.compile(
    r"[ \t]{0,3}(?:on|am|le|el|il|em|op|w dniu|dnia|den|a|am|in data|no dia|\d{1,4}[ ./-]"
    r"|[^\W\d_]{2,14}[.,]? ?,? \d{1,4}\b)",
    re.IGNORECASE,
)

_SIGNATURE = re.compile(r"(?:--|––|—|- -) ?$")
_DEVICE = (
    r"iphone|ipad|ios\b|ipod|apple watch|android|samsung|galaxy|huawei|xiaomi|redmi|honor|oneplus|nokia"
    r"|motorola|pixel|blackberry"
    r"|windows ?phone|outlook|yahoo|gmail|proton ?mail|mail\.ru|яндекс|yandex|gmx|web\.de|aol|icloud|smartphone|handy"
    r"|mobil\w*|móvil|telemóvel|celular|téléphone|telefon\w*|telefoon|мобильн\w*|мобільн\w*|телефон\w*"
    r"|смартфон\w*|spark"
    r"|mail f[oü]r windows|mail for windows|courrier pour windows|correo para windows|posta per windows|k-9|fairemail"
    r"|thunderbird|orange|laposte|sfr|free\.fr|libero|o2|onet|wp|ukr\.net|i\.ua"
)
_SENT_FROM = (
    r"sent (?:from|via|with|using)|get outlook for|gesendet (?:von|mit|über)|von mein\w* .{0,40}gesendet"
    r"|diese nachricht wurde von"
    r"|envoyé (?:de|depuis|à partir|avec|par)|obtenir outlook|télécharger outlook|provenance|enviado (?:desde"
    r"|do|de|a partir|con|com|via)"
    r"|obtener outlook|obter o? ?outlook|inviato (?:da|con|dal)|ottieni outlook|scarica outlook"
    r"|verstuurd (?:vanaf|met|via)"
    r"|verzonden (?:vanaf|met|via)|download outlook|outlook (?:voor|für|pour|para|per|dla|для|skirta) (?:ios|android)"
    r"|wysłan[eoay] (?:z|ze|za|przy)|pobierz (?:program |aplikację )?outlook|išsiųsta (?:iš|naudojant|per)|siųsta iš"
    r"|надіслано (?:з|із|через)|відправлено (?:з|із|через)|отправлено (?:с|из|через|от)|скачать outlook"
    r"|загрузить outlook"
    r"|завантажити outlook|skickat från|sendt fra|hol dir outlook|laden sie outlook"
)
_PHONE = re.compile(
    rf"\W{{0,3}}(?:(?:{_SENT_FROM})\b.{{0,60}}?(?:{_DEVICE})|von mein\w* .{{0,30}}?(?:{_DEVICE}).{{0,20}} gesendet)",
    re.IGNORECASE,
)
_PHONE_ANY = re.compile(rf"\W{{0,3}}(?:{_SENT_FROM})(?: \S{{1,20}}){{1,7}}\W{{0,3}}$", re.IGNORECASE)
_SENTENCE_GOES_ON = re.compile(r"[,;!?:]\s|\.\s+\w")
_LINK = re.compile(r"<[^<>\s]{1,300}>|\(?https?://\S{1,300}|\[https?://\S{1,300}\]")
MAX_PHONE_LENGTH = 100
"""A person's sentence about a phone goes on longer."""

_DISCLAIMER_STEM = re.compile(
    r"confiden[tc]|vertraul|riservat|vertrouwelijk|poufn|konfidenc|конфиденц|конфіденц|intended (?:solely "
    r"|only )?for|"
    r"intended recipient|not the (?:intended|named)|destinatai?r|bestimmt|empfänger|geadresseerde|adresat|gavėj"
    r"|получател|"
    r"адресат|одержувач|unauthori[sz]ed|unbefugt|non autoris|no autorizad|non autorizzat|não autorizad"
    r"|strictly prohibited|"
    r"strengstens|strictement interdit|prohibid[ao]|vietat|proibid|verboden|zabronion|draudžiam|запрещ|заборонен|"
    r"legally privileged|virus|malware|disclaimer|haftung|delete (?:it|this|the) (?:e-?mail|message)|vernichten",
    re.IGNORECASE,
)
_DISCLAIMER_HEADING = re.compile(
    r"\W{0,4}(?:disclaimer|confidential(?:ity)?(?: notice)?|legal notice|avis de confidentialité"
    r"|vertraulichkeitshinweis"
    r"|aviso legal|aviso de confidencialidad\w*|avviso di riservatezza|klauzula poufności|konfidencialumo)\b",
    re.IGNORECASE,
)
_DISCLAIMER_START = re.compile(
    _DISCLAIMER_HEADING.pattern + r"|\W{0,4}(?:(?:the|all) (?:information|contents?)"
    r"|th(?:is|e information in this) (?:e-?mail|message|communication|mail)"
    r"|diese (?:e-?mail|nachricht)|ce (?:message|courriel|mail)|cet e-?mail|este (?:mensaje|correo|e-?mail)"
    r"|esta mensagem"
    r"|quest[oa] (?:messaggio|e-?mail|comunicazione)|le informazioni|dit (?:bericht|e-?mail\w*)|deze e-?mail"
    r"|de informatie"
    r"|ta wiadomość|niniejsz\w+|treść tej|informacje zawarte|šis (?:el|laiškas|pranešimas)|šiame"
    r"|это (?:сообщение|письмо)"
    r"|данное (?:сообщение|письмо)|настоящее|це (?:повідомлення|лист)|цей (?:лист|електронний))\b",
    re.IGNORECASE,
)
_BANNER = re.compile(
    r"\W{0,4}(?:caution|warning|external(?: e-?mail)?|achtung|attention)\b.{0,40}(?:external|outside|extern|externe)|"
    r"\W{0,4}this (?:e-?mail|message) (?:originated|was sent|came) from outside|\[external\]\W{0,3}$",
    re.IGNORECASE,
)


def is_quoted(line: str) -> bool:
    """The line stands behind a quote mark: ">", "> >", "AB> "."""
    start = line[:8]
    return (">" in start or "&gt;" in start) and _QUOTED.match(line) is not None


def header_role(line: str) -> str:
    """from, sent, to, cc or subject where the line is a header of a quoted mail, else an empty string."""
    match = _HEADER_LINE.match(line) if ":" in line[:MAX_LABEL_LENGTH] else None
    return (match.lastgroup or "") if match else ""


def is_separator(line: str) -> bool:
    """ "-----Original Message-----" and its kin, in any of the languages."""
    if len(line) > MAX_MARK_LENGTH or not line.lstrip(" \t>").startswith(("-", "–", "—", "=", "_", "*")):
        return False
    match = _DASHED.match(line)
    return bool(match and _HISTORY_WORD.search(match["words"]))


def is_rule(line: str) -> bool:
    """A line of underscores, dashes or stars and nothing else."""
    return _RULE.match(line) is not None


def is_attribution(block: str) -> bool:
    """The words before a quote: "On 5 January 2026 at 10:30, Alice <alice@example.org> wrote:"."""
    text = block.rstrip(" \t*_\u00a0<")
    if not MIN_MARK_LENGTH <= len(text) <= MAX_MARK_LENGTH or not text.endswith((":", "：")):
        return False
    return has_date(text) or bool(_EMAIL.search(text)) or bool(_WROTE.search(text))


def is_sure_attribution(block: str) -> bool:
    """An attribution that needs no quote mark below it: a date with a clock, a verb of writing, a colon."""
    text = block.strip(" \t*_\u00a0")
    if len(text) > MAX_MARK_LENGTH or not text.endswith(":") or not _STARTER.match(text):
        return False
    has_verb = bool(_WROTE.search(text)) or bool(_EMAIL.search(text))
    return has_verb and bool(_CLOCK.search(text)) and bool(_YEAR.search(text))


def has_date(text: str) -> bool:
    """A year, a full date, or a clock beside another number."""
    if len(text) > MAX_MARK_LENGTH:
        return False
    return bool(_YEAR.search(text)) or (bool(_CLOCK.search(text)) and len(_NUMBER.findall(text)) >= 3)


def starts_attribution(line: str) -> bool:
    """The line begins as attributions do ("On ", "Am ", "Le ", a number, a weekday)."""
    return len(line) <= MAX_MARK_LENGTH and _STARTER.match(line) is not None


def is_signature_mark(line: str) -> bool:
    """ "-- " on a line of its own."""
    return _SIGNATURE.match(line) is not None


def is_phone_signature(line: str) -> bool:
    """ "Sent from my iPhone" and its kin: a device or a mail program is named and no sentence goes on."""
    bare = _LINK.sub("", line).strip() if MIN_MARK_LENGTH <= len(line) <= MAX_MARK_LENGTH else ""
    if not bare or len(bare) > MAX_PHONE_LENGTH or _SENTENCE_GOES_ON.search(bare):
        return False
    return _PHONE.match(bare) is not None


def is_sent_from(line: str) -> bool:
    """As is_phone_signature, but whatever it was sent from: only to be believed at the letter's end."""
    bare = line.strip()
    if not bare or len(bare) > MAX_PHONE_LENGTH or _SENTENCE_GOES_ON.search(bare):
        return False
    return _PHONE_ANY.match(bare) is not None


def is_disclaimer(paragraph: str) -> bool:
    """A lawyers' paragraph under a company's mail: it begins as they do and has two of their set phrases."""
    if not _DISCLAIMER_START.match(paragraph):
        return False
    stems = {match[0].lower()[:6] for match in _DISCLAIMER_STEM.finditer(paragraph[:5_000])}
    return len(stems) >= 2


def is_disclaimer_heading(paragraph: str) -> bool:
    """A line such as "Disclaimer" or "CONFIDENTIALITY NOTICE" alone above the lawyers' paragraph."""
    return len(paragraph) < 60 and _DISCLAIMER_HEADING.match(paragraph) is not None


def is_banner(line: str) -> bool:
    """The warning that a mail gateway puts above mails from outside."""
    return len(line) <= MAX_MARK_LENGTH and _BANNER.match(line) is not None
