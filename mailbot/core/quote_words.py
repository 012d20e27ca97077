"""The words that mail programs write around quoted mails and below letters: regular expressions, lower-case.

They are those of the programs that people use all over the world; a language's own file
(rules/languages/*.toml) adds further words.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Mark(StrEnum):
    """What words can stand for around a quoted mail, or below a letter."""

    FROM = "from"
    SENT = "sent"
    TO = "to"
    CC = "cc"
    SUBJECT = "subject"
    HISTORY = "history"
    """Stems of "original message" and "forwarded"."""
    WROTE = "wrote"
    """The verb of an attribution: "Alice wrote:"."""
    STARTS = "starts"
    """First words of an attribution: "On 5 January …"."""
    SENT_FROM = "sent_from"
    """"Sent from", above the name of a device."""
    DEVICE = "device"
    DISCLAIMER_HEADING = "disclaimer_heading"
    DISCLAIMER_START = "disclaimer_start"
    DISCLAIMER_STEM = "disclaimer_stem"
    """Set phrases of which a disclaimer has at least two."""


HEADER_MARKS = (Mark.FROM, Mark.SENT, Mark.TO, Mark.CC, Mark.SUBJECT)


def _labels(*words: str) -> str:
    return "|".join(re.escape(word) for word in words)


_HEADERS = {
    Mark.FROM: _labels(
        "from", "de", "von", "da", "van", "od", "nuo", "від", "от", "från", "fra", "expéditeur", "mittente",
        "від кого", "от кого",
    ),
    Mark.SENT: _labels(
        "sent", "date", "envoyé", "envoyé le", "gesendet", "datum", "enviado", "enviado el", "enviado em",
        "enviada em",
        "enviada", "fecha", "data", "inviato", "data invio", "verzonden", "wysłano", "wysłane", "išsiųsta",
        "надіслано",
        "дата", "отправлено", "skickat", "sendt", "дата відправлення",
    ),
    Mark.TO: _labels("to", "à", "a", "an", "para", "aan", "do", "kam", "skirta", "кому", "till", "til", "destinataire"),
    Mark.CC: _labels("cc", "kopie", "copie", "copia", "kopia", "kopija", "копія", "копия", "dw", "bcc", "reply-to"),
    Mark.SUBJECT: _labels(
        "subject", "objet", "betreff", "asunto", "oggetto", "assunto", "onderwerp", "temat", "tema", "тема",
        "ämne", "emne",
    ),
}  # fmt: skip
_HISTORY_WORD = (
    r"origin|oorspronk|pirmin|ursprüng|oprindelig|weitergeleit|forward|transf[ée]r|reenvi|inoltrat|doorgestuurd"
    r"|przekazan|persiųst"
    r"|переслан|пересыла|перенаправл|исходн|оригинал|оригінал|вихідн|oryginaln|encaminhad|пересилан|mensaje original"
    r"|mensagem original|originali"
)
_WROTE = (
    r"wrote|writes|schrieb|schreibt|a écrit|écrit|écrivait|escribió|escribio|ha scritto|scrive|scritto"
    r"|escreveu|schreef"
    r"|heeft geschreven|napisał|napisała|napisał\(a\)|pisze|rašė|parašė|rašo|написал|написала|написал\(а\)"
    r"|пишет|написав"
    r"|написала|написав\(ла\)|пише|skrev|geschreven|написано|скрев"
)
_STARTER = (
    r"on|am|le|el|il|em|op|w dniu|dnia|den|a|am|in data|no dia|\d{1,4}[ ./-]"
    r"|[^\W\d_]{2,14}[.,]? ?,? \d{1,4}\b"
)
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
_DISCLAIMER_STEM = (
    r"confiden[tc]|vertraul|riservat|vertrouwelijk|poufn|konfidenc|конфиденц|конфіденц|intended (?:solely "
    r"|only )?for|"
    r"intended recipient|not the (?:intended|named)|destinatai?r|bestimmt|empfänger|geadresseerde|adresat|gavėj"
    r"|получател|"
    r"адресат|одержувач|unauthori[sz]ed|unbefugt|non autoris|no autorizad|non autorizzat|não autorizad"
    r"|strictly prohibited|"
    r"strengstens|strictement interdit|prohibid[ao]|vietat|proibid|verboden|zabronion|draudžiam|запрещ|заборонен|"
    r"legally privileged|virus|malware|disclaimer|haftung|delete (?:it|this|the) (?:e-?mail|message)|vernichten"
)
_DISCLAIMER_HEADING = (
    r"disclaimer|confidential(?:ity)?(?: notice)?|legal notice|avis de confidentialité"
    r"|vertraulichkeitshinweis"
    r"|aviso legal|aviso de confidencialidad\w*|avviso di riservatezza|klauzula poufności|konfidencialumo"
)
_DISCLAIMER_START = (
    r"(?:the|all) (?:information|contents?)"
    r"|th(?:is|e information in this) (?:e-?mail|message|communication|mail)"
    r"|diese (?:e-?mail|nachricht)|ce (?:message|courriel|mail)|cet e-?mail|este (?:mensaje|correo|e-?mail)"
    r"|esta mensagem"
    r"|quest[oa] (?:messaggio|e-?mail|comunicazione)|le informazioni|dit (?:bericht|e-?mail\w*)|deze e-?mail"
    r"|de informatie"
    r"|ta wiadomość|niniejsz\w+|treść tej|informacje zawarte|šis (?:el|laiškas|pranešimas)|šiame"
    r"|это (?:сообщение|письмо)"
    r"|данное (?:сообщение|письмо)|настоящее|це (?:повідомлення|лист)|цей (?:лист|електронний)"
)

WORDS = {
    **_HEADERS,
    Mark.HISTORY: _HISTORY_WORD,
    Mark.WROTE: _WROTE,
    Mark.STARTS: _STARTER,
    Mark.SENT_FROM: _SENT_FROM,
    Mark.DEVICE: _DEVICE,
    Mark.DISCLAIMER_HEADING: _DISCLAIMER_HEADING,
    Mark.DISCLAIMER_START: _DISCLAIMER_START,
    Mark.DISCLAIMER_STEM: _DISCLAIMER_STEM,
}
"""Alternatives of a regular expression for each mark."""
