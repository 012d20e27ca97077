"""One corrected value a letter, as people of that language may write it: (letter, (field, new value))."""

PHRASINGS: dict[str, list[tuple[str, tuple[str, str]]]] = {
    "en": [
        ("Hi, I moved to Bristol last month. Could you change the town in my profile?", ("city", "Bristol")),
        (
            "My surname is misspelt. It says Harrowgat and it should say Harrowgate.",
            ("last_name", "Harrowgate"),
        ),
        ("please replace 07700 900123 with 07700 900456, thanks", ("phone", "07700 900456")),
        ("You have me down as Kate Moor. Please change that to Katherine Moor.", ("name", "Katherine Moor")),
        ("My title is Head of Sales now, not Sales Manager.", ("job_title", "Head of Sales")),
        ("We are no longer Orchard Ltd, we are Orchard & Sons Ltd.", ("company", "Orchard & Sons Ltd")),
        (
            "the email alice.old@example.org is dead, use alice@example.net from now on",
            ("email", "alice@example.net"),
        ),
        ("Add my phone please: +44 20 7946 0018", ("phone", "+44 20 7946 0018")),
        ("Country shows France but I live in Belgium.", ("country", "Belgium")),
        (
            "I am Alice Moore. My new phone number is +44 20 7946 0018.\n\nBest regards\nAlice Moore\nLeeds",
            ("phone", "+44 20 7946 0018"),
        ),
        ("Please fix my name: it's Siân, not Sian.", ("first_name", "Siân")),
    ],
    "fr": [
        (
            "Bonjour, j'ai changé d'adresse mail, c'est maintenant alice@example.net.",
            ("email", "alice@example.net"),
        ),
        ("Il y a une faute dans mon nom : vous avez écrit Moreu, c'est Moreau.", ("last_name", "Moreau")),
        ("Mon numéro n'est plus le 06 11 22 33 44 mais le 06 55 66 77 88.", ("phone", "06 55 66 77 88")),
        (
            "Nous sommes désormais la SARL Dupré Formation et non plus Dupré Conseil.",
            ("company", "SARL Dupré Formation"),
        ),
        ("Je n'habite plus Lyon, j'habite Grenoble.", ("city", "Grenoble")),
        (
            "Merci de remplacer « assistante » par « responsable RH » dans ma fonction.",
            ("job_title", "responsable RH"),
        ),
        ("mon prenom c'est Anaïs pas Anais", ("first_name", "Anaïs")),
        ("Pays : Suisse (et pas France)", ("country", "Suisse")),
        (
            "Veuillez corriger l'adresse : 12 bis rue des Lilas, 69003 Lyon au lieu de 12 rue des Lilas.",
            ("address", "12 bis rue des Lilas, 69003 Lyon"),
        ),
        (
            "Mon nom de famille est mal orthographié, il faut écrire Lefèvre avec un accent.",
            ("last_name", "Lefèvre"),
        ),
        (
            "pouvez vous changer delphine@example.org en delphine.roux@example.org svp",
            ("email", "delphine.roux@example.org"),
        ),
    ],
    "de": [
        ("Guten Tag, meine neue Handynummer lautet 0151 23456789.", ("phone", "0151 23456789")),
        (
            "Mein Nachname ist falsch geschrieben: Maier statt Meier, richtig ist Meier.",
            ("last_name", "Meier"),
        ),
        ("Ich wohne nicht mehr in Köln, sondern in Bonn.", ("city", "Bonn")),
        (
            "Bitte ändern Sie meine Position von Sachbearbeiterin auf Teamleiterin.",
            ("job_title", "Teamleiterin"),
        ),
        (
            "Unsere Firma heißt jetzt Nordlicht Seminare GmbH (früher Südlicht GmbH).",
            ("company", "Nordlicht Seminare GmbH"),
        ),
        ("Ich heiße Katja, nicht Katia.", ("first_name", "Katja")),
        (
            "Ändern Sie bitte die Mailadresse alice@example.org in alice.neu@example.net",
            ("email", "alice.neu@example.net"),
        ),
        ("Ich habe geheiratet und heiße jetzt Berger statt Moor.", ("last_name", "Berger")),
        ("Als Land steht bei mir Österreich, es muss aber Schweiz heißen.", ("country", "Schweiz")),
        (
            "Die Adresse ist veraltet. Neu: Gartenweg 12a, 50667 Köln.\n\nMit freundlichen Grüßen\nAlice Moor",
            ("address", "Gartenweg 12a, 50667 Köln"),
        ),
        ("USt-IdNr. bitte nachtragen: DE123456789", ("vat_number", "DE123456789")),
    ],
    "ru": [
        (
            "Здравствуйте, моя новая почта anna@example.net, исправьте пожалуйста.",
            ("email", "anna@example.net"),
        ),
        ("В фамилии ошибка: написано Петрва, а должно быть Петрова.", ("last_name", "Петрова")),
        ("Я теперь живу в Казани, город в профиле: Казань вместо Москвы.", ("city", "Казань")),
        ("замените номер +7 912 345-67-89 на +7 987 654-32-10", ("phone", "+7 987 654-32-10")),
        ("Меня зовут Наталья, а не Наталия.", ("first_name", "Наталья")),
        ("Наша компания теперь называется ООО «Север», раньше ООО «Юг».", ("company", "ООО «Север»")),
        ("Должность: главный бухгалтер, а не бухгалтер.", ("job_title", "главный бухгалтер")),
        ("Страна указана Россия, а я живу в Грузии. Поставьте Грузия.", ("country", "Грузия")),
        ("Вышла замуж, фамилия теперь Соколова (была Иванова).", ("last_name", "Соколова")),
        ("скайп неверный, правильный anna.petrova77", ("skype", "anna.petrova77")),
        ("Новый адрес: ул. Ленина, д. 5, кв. 12, Казань.", ("address", "ул. Ленина, д. 5, кв. 12, Казань")),
    ],
    "es": [
        ("Mi apellido está mal escrito: pone Gonzales y es González.", ("last_name", "González")),
        ("Cambien mi teléfono 600 111 222 por 600 333 444.", ("phone", "600 333 444")),
        ("Ahora vivo en Sevilla, ya no en Cádiz. Actualicen la ciudad.", ("city", "Sevilla")),
        ("Mi puesto es director comercial, no jefe de ventas.", ("job_title", "director comercial")),
        ("La empresa se llama ahora Luz Norte S.L.", ("company", "Luz Norte S.L.")),
    ],
    "it": [
        ("Il mio cognome è sbagliato: c'è scritto Rosi, invece è Rossi.", ("last_name", "Rossi")),
        ("Vi prego di sostituire 333 1112223 con 333 4445556.", ("phone", "333 4445556")),
        ("Non vivo più a Milano, ora vivo a Bergamo.", ("city", "Bergamo")),
        ("La nostra ditta ora si chiama Luce Nord S.r.l.", ("company", "Luce Nord S.r.l")),
        ("Il ruolo corretto è responsabile acquisti, non impiegato.", ("job_title", "responsabile acquisti")),
    ],
    "pt": [
        ("O meu apelido está mal: aparece Sousa e é Souza.", ("last_name", "Souza")),
        ("Troquem o 912 000 111 pelo 912 000 222.", ("phone", "912 000 222")),
        ("Mudei-me para Braga, já não vivo no Porto.", ("city", "Braga")),
        ("A empresa chama-se agora Luz do Norte, Lda.", ("company", "Luz do Norte, Lda")),
    ],
    "nl": [
        ("Mijn achternaam klopt niet: er staat Janssen, het moet Jansen zijn.", ("last_name", "Jansen")),
        ("Wilt u 06-12345678 vervangen door 06-87654321?", ("phone", "06-87654321")),
        ("Ik woon nu in Breda in plaats van Tilburg.", ("city", "Breda")),
        ("Ons bedrijf heet nu Noorderlicht B.V.", ("company", "Noorderlicht B.V")),
    ],
    "pl": [
        ("W nazwisku jest błąd: jest Nowk, powinno być Nowak.", ("last_name", "Nowak")),
        ("Proszę zmienić numer 600 100 200 na 600 300 400.", ("phone", "600 300 400")),
        ("Nie mieszkam już w Łodzi, miasto: Poznań.", ("city", "Poznań")),
        ("Nasza firma nazywa się teraz Zorza Sp. z o.o.", ("company", "Zorza Sp. z o.o.")),
    ],
    "lt": [
        ("Mano pavardė parašyta su klaida: Petrautskas, turi būti Petrauskas.", ("last_name", "Petrauskas")),
        ("Prašau pakeisti numerį +370 600 11111 į +370 600 22222.", ("phone", "+370 600 22222")),
        ("Miestas dabar Vilnius, ne Kaunas.", ("city", "Vilnius")),
        ("Įmonė dabar vadinasi UAB „Šiaurė“.", ("company", "UAB „Šiaurė“")),
    ],
    "uk": [
        ("У прізвищі помилка: написано Шевчнко, а має бути Шевченко.", ("last_name", "Шевченко")),
        ("Змініть номер +380 50 111 22 33 на +380 50 444 55 66.", ("phone", "+380 50 444 5566")),
        ("Я переїхав до Львова, місто: Львів.", ("city", "Львів")),
        ("Наша компанія тепер називається ТОВ «Північ».", ("company", "ТОВ «Північ»")),
    ],
}
