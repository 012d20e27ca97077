"""How requests, fields and things are named in letters and pages: English here, the rest in locale/."""

from __future__ import annotations

from mailbot.core.request import Capacity, Kind
from mailbot.mail.contexts import Authority, VisitorAction
from mailbot.mail.text import one_line

N_ = str
"""Marks a sentence for extraction (a keyword Babel knows); it is translated where it is shown."""

REQUESTS: dict[Kind, str] = {
    Kind.AUTHORITY: N_("Answer an official letter"),
    Kind.COMPLAINT: N_("Look into your complaint"),
    Kind.QUESTION: N_("Answer your question"),
    Kind.OTHER: N_("Look into your message"),
    Kind.UNSUBSCRIBE: N_("Send you no more newsletters"),
    Kind.OBJECTION: N_("Stop using your data for the purposes you object to"),
    Kind.RESTRICTION: N_("Keep your data, but stop using it"),
    Kind.CORRECTION: N_("Correct your data"),
    Kind.ACCESS: N_("Send you a copy of your data"),
    Kind.PORTABILITY: N_("Send you your data as files that other programs can read"),
    Kind.DELETION: N_("Delete your data"),
}

REQUESTS_BY_CAPACITY: dict[tuple[Kind, Capacity], str] = {
    (Kind.DELETION, Capacity.USER): N_("Delete your account and all data in it"),
    (Kind.DELETION, Capacity.VISITOR): N_("Delete the data you left as a visitor of webinars"),
    (Kind.DELETION, Capacity.HOST): N_("Delete the data of a visitor of your webinars"),
    (Kind.CORRECTION, Capacity.VISITOR): N_("Change the data you left as a visitor of webinars"),
    (Kind.CORRECTION, Capacity.HOST): N_("Change the data of a visitor of your webinars"),
    (Kind.ACCESS, Capacity.VISITOR): N_("Show you the data you left as a visitor of webinars"),
    (Kind.ACCESS, Capacity.HOST): N_("Show you the data of a visitor of your webinars"),
    (Kind.PORTABILITY, Capacity.VISITOR): N_("Show you the data you left as a visitor of webinars"),
}

VISITOR_ACTIONS: dict[str, str] = {
    VisitorAction.SEE: N_("See the data stored about them"),
    VisitorAction.ADD: N_("Add to the data stored about them"),
    VisitorAction.CHANGE: N_("Change the data stored about them"),
    VisitorAction.DELETE: N_("Delete the data stored about them"),
}

FIELDS: dict[str, str] = {
    "name": N_("Name"),
    "real_name": N_("Real name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "email": N_("E-mail address"),
    "phone": N_("Phone number"),
    "company": N_("Company name"),
    "company_name": N_("Company name"),
    "company_address": N_("Company address"),
    "bank_details": N_("Bank details"),
    "bank_account": N_("Bank details"),
    "vat_number": N_("VAT number"),
    "job_title": N_("Job title"),
    "skype": N_("Skype ID"),
    "skype_id": N_("Skype ID"),
    "address": N_("Address"),
    "street": N_("Street"),
    "postal_code": N_("Postal code"),
    "city": N_("City"),
    "country": N_("Country"),
    "language": N_("Language"),
    "timezone": N_("Time zone"),
    "time_zone": N_("Time zone"),
    "website": N_("Website"),
    "title": N_("Title"),
    "text": N_("Text"),
    "path": N_("File"),
    "ip": N_("IP address"),
    "last_ip": N_("IP address of the last visit"),
    "at": N_("When"),
    "last_visit": N_("Last visit"),
    "last_used_at": N_("Last used"),
    "created_at": N_("Created"),
    "changed_at": N_("Changed"),
    "ended_at": N_("Ended"),
    "email_changed_at": N_("E-mail address changed"),
    "starts_at": N_("Begins"),
    "uploaded_at": N_("Uploaded"),
    "sent_at": N_("Sent"),
    "registered_at": N_("Registered"),
    "subscribed_at": N_("Subscribed"),
    "unsubscribed_at": N_("Unsubscribed"),
    "consent_source": N_("Where consent was given"),
    "newsletter": N_("Gets the newsletter"),
    "provider": N_("Payment provider"),
    "reference": N_("Reference"),
    "amount": N_("Amount"),
    "currency": N_("Currency"),
    "invoice_number": N_("Invoice number"),
    "paid_at": N_("Paid"),
}

THINGS: dict[str, str] = {
    "account": N_("Account"),
    "accounts": N_("Account"),
    "company": N_("Company details"),
    "companies": N_("Company details"),
    "webinars": N_("Webinars"),
    "registrations": N_("Registrations of visitors"),
    "visitors": N_("Registrations of visitors"),
    "sessions": N_("Stored sessions"),
    "former_emails": N_("Earlier e-mail addresses"),
    "chat_messages": N_("Chat messages"),
    "newsletter_subscribers": N_("Newsletter subscription"),
    "newsletter": N_("Newsletter subscription"),
    "subscribers": N_("Newsletter subscription"),
    "files": N_("Uploaded files"),
    "uploads": N_("Uploaded files"),
    "payments": N_("Payment references"),
    "visits": N_("Visit log"),
    "visit_log": N_("Visit log"),
    "invoices": N_("Invoices"),
    "messages": N_("Messages"),
}

GROUNDS: dict[str, str] = {
    "accounting": N_("the law on accounting requires it"),
    "tax": N_("the law on taxes requires it"),
    "claims": N_("it is needed for a legal claim"),
    "legal_obligation": N_("the law requires it"),
    "others hold on to it too": N_("other people use it as well"),
    "left with other hosts, who are its controllers; asked for host by host": N_(
        "you left this with organisers of other webinars; ask for it as a visitor, and each of them is told"
    ),
    "accounting records must be kept by law (Art. 17(3)(b) GDPR)": N_(
        "accounting records must be kept by law (Article 17(3)(b) of the GDPR)"
    ),
}

RIGHTS = N_(
    "You may have your data corrected, completed or deleted, have its use restricted, object to its use, and take it"
    " to another provider (Articles 16 to 21 of the GDPR). A mail to the address above is enough."
)
POLICY_VERSION = N_("Version %(version)s")

DATA_MAP: tuple[str, ...] = (
    N_("to provide the account and the service"),
    N_("to recognise an account by an earlier address"),
    N_("invoices"),
    N_("to hold the user's events"),
    N_("slides and pictures of the user's events"),
    N_("to stay logged in"),
    N_("security and statistics"),
    N_("promotional mail with consent"),
    N_("accounting"),
    N_("to attend the event; the host decides what is asked"),
    N_("what was said at the event"),
    N_("hosting provider in the EU"),
    N_("tax authority, on lawful request"),
    N_("the host of the event"),
    N_("until deletion, at most 180 days after last use (§ 4.7)"),
    N_("as long as the account"),
    N_("as long as an account of the company"),
    N_("30 days after last use (§ 5.12)"),
    N_("until consent is withdrawn"),
    N_("10 years from payment"),
    N_("as long as the host's account"),
)
"""What rules/platform.toml says of purposes, recipients and times. A platform's own sentences are translated in the
catalogues of its own locale folder."""

AUTHORITIES: dict[str, Authority] = {
    "AT": Authority("Datenschutzbehörde", "https://www.dsb.gv.at"),
    "DE": Authority("Bundesbeauftragte für den Datenschutz", "https://www.bfdi.bund.de"),
    "EE": Authority("Andmekaitse Inspektsioon", "https://www.aki.ee"),
    "ES": Authority("Agencia Española de Protección de Datos", "https://www.aepd.es"),
    "FR": Authority("Commission nationale de l’informatique et des libertés", "https://www.cnil.fr"),
    "IE": Authority("Data Protection Commission", "https://www.dataprotection.ie"),
    "IT": Authority("Garante per la protezione dei dati personali", "https://www.garanteprivacy.it"),
    "LT": Authority("Valstybinė duomenų apsaugos inspekcija", "https://vdai.lrv.lt"),
    "LV": Authority("Datu valsts inspekcija", "https://www.dvi.gov.lv"),
    "NL": Authority("Autoriteit Persoonsgegevens", "https://autoriteitpersoonsgegevens.nl"),
    "PL": Authority("Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl"),
    "PT": Authority("Comissão Nacional de Proteção de Dados", "https://www.cnpd.pt"),
}
ANY_AUTHORITY = Authority(
    N_("the data protection authority of your country"),
    "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
)


def request_sentence(kind: Kind, capacity: Capacity) -> str:
    """The English sentence (a msgid) for one request."""
    return REQUESTS_BY_CAPACITY.get((kind, capacity), REQUESTS[kind])


def named(words: dict[str, str], key: str) -> str:
    """The English name of `key` (a msgid), or the key made readable where no name is known.

    Files are keyed by where their names are kept ("files:uploads.path").
    """
    if key.startswith("files:"):
        return THINGS["files"]
    return words.get(key) or one_line(key.replace("_", " "))
