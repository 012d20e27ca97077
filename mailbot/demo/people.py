"""Who lives on the demo platform: invented people on domains that nobody can own (RFC 2606)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """One person of the demo. `role` says what they are there for; `account` is None for mere visitors."""

    role: str
    name: str
    address: str
    language: str
    account: int | None
    city: str
    country: str
    phone: str | None = None
    job_title: str | None = None
    company: int | None = None
    newsletter: bool = True
    visitor_requests: str = "inform"
    ended_days_ago: int | None = None


PEOPLE: tuple[Persona, ...] = (
    Persona("host", "Hugo Bernard", "hugo.bernard@example.com", "fr", 1, "Lyon", "FR", "+33 4 72 00 11 22",
            "Formateur", 1),
    Persona("host_ask", "Ingrid Schäfer", "ingrid.schaefer@seminare.example", "de", 2, "Köln", "DE",
            "+49 221 5550 134", "Trainerin", 2, visitor_requests="ask"),
    Persona("delete_account", "Camille Durand", "camille.durand@courriel.example", "fr", 3, "Nantes", "FR",
            "+33 2 40 00 31 07", "Coach", 3),
    Persona("correct_name", "Jürgen Müler", "juergen.mueller@firma.example", "de", 4, "Bremen", "DE",
            "+49 421 5550 178", "Buchhalter", 2),
    Persona("one_click", "Oliver Bennett", "oliver.bennett@example.org", "en", 5, "Leeds", "GB",
            "+44 113 496 0144", "Sales manager", 4),
    Persona("two_things", "Sophie Lambert", "sophie.lambert@courriel.example", "fr", 6, "Liège", "BE",
            "+32 4 555 01 90", "Chargée de projet", 3),
    Persona("forged", "Katharina Vogel", "katharina.vogel@example.net", "de", 7, "Graz", "AT",
            "+43 316 5550 12", "Ärztin"),
    Persona("ambiguous", "Margaret Ellis", "margaret.ellis@example.com", "en", 8, "Cork", "IE",
            "+353 21 555 0167", "Teacher"),
    Persona("away", "Antoine Lefèvre", "antoine.lefevre@example.org", "fr", 9, "Genève", "CH",
            "+41 22 555 01 33", "Avocat"),
    Persona("user_and_visitor", "Alice Martin", "alice.martin@example.org", "en", 10, "Dublin", "IE",
            "+353 1 555 0102", "Consultant", 4),
    Persona("lithuanian", "Rūta Kazlauskaitė", "ruta.kazlauskaite@pastas.example", "lt", 11, "Vilnius", "LT",
            "+370 612 00 345", "Vadybininkė", 3),
    Persona("polish", "Łukasz Wójcik", "lukasz.wojcik@poczta.example", "pl", 12, "Kraków", "PL",
            "+48 12 555 01 21", "Inżynier", 5),
    Persona("ukrainian", "Олена Шевченко", "olena.shevchenko@poshta.example", "uk", 13, "Львів", "UA",
            "+380 32 555 0118", "Викладачка"),
    Persona("ended", "Thomas Berger", "thomas.berger@example.net", "de", 14, "Zürich", "CH",
            newsletter=False, ended_days_ago=200),
    Persona("bounce", "Paul Winter", "paul.winter@gone.example", "en", 15, "Oslo", "NO"),
    Persona("many_visitors", "Nadia Rossi", "nadia.rossi@aula.example", "fr", 16, "Nice", "FR",
            "+33 4 93 00 12 55", "Directrice", 5),
    Persona("newsletter", "Emily Carter", "emily.carter@example.org", "en", None, "Bristol", "GB"),
    Persona("visitor", "Vera Novák", "vera.novak@example.net", "en", None, "Brno", "CZ",
            "+420 555 010 123", "Librarian"),
    Persona("visitor_de", "Lukas Brandt", "lukas.brandt@example.com", "de", None, "Kiel", "DE",
            "+49 431 5550 19", "Student"),
    Persona("visitor_fr", "Chloé Girard", "chloe.girard@courriel.example", "fr", None, "Rennes", "FR",
            "+33 2 99 00 44 18", "Infirmière"),
)  # fmt: skip
"""Everybody with a part in the demo, account numbers first."""

PERSONAS: dict[str, Persona] = {persona.role: persona for persona in PEOPLE}
"""role → person, for the demo's mails and for tests."""

COMPANIES: tuple[tuple[int, str, str, str, str], ...] = (
    (1, "Atelier Bernard SARL", "12 rue des Tables Claudiennes, 69001 Lyon", "FR40303265045",
     "FR76 3000 6000 0112 3456 7890 189"),
    (2, "Schäfer & Partner Seminare GmbH", "Aachener Str. 1, 50674 Köln", "DE136695976",
     "DE89 3704 0044 0532 0130 00"),
    (3, "Durand Formation", "3 quai de la Fosse, 44000 Nantes", "FR83404833048",
     "FR14 2004 1010 0505 0001 3M02 606"),
    (4, "Northbridge Training Ltd", "8 Wellington Place, Leeds LS1 4AP", "GB980780684",
     "GB29 NWBK 6016 1331 9268 19"),
    (5, "Aula Nova S.A.", "5 avenue Jean-Médecin, 06000 Nice", "FR61954506077",
     "FR76 1027 8060 0000 0201 1234 567"),
)  # fmt: skip
"""id, name, address, VAT number, bank account; all but the first are shared by two accounts or more."""
