"""Files as people attach them, built with the libraries that read them, and mails that carry them."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

ALICE = "alice@example.org"
DELETION = "Dear team,\n\nplease delete my account and all my personal data.\n\nKind regards\nAlice Martin\n"
LOESCHUNG = (
    "Sehr geehrte Damen und Herren,\n\nbitte löschen Sie mein Konto und alle meine Daten.\n\nAlice Martin\n"
)
UNSUBSCRIBE = "Hello,\n\nplease take me off your newsletter, I do not want these emails any more.\n\nAlice\n"
COVER = "Hello,\n\nplease see the attached letter.\n\nAlice\n"


def pdf(*pages: str, password: str = "", owner_password: str = "", stream: bytes | None = None) -> bytes:
    """A PDF with one page for each text (Latin-1), lines as they stand; `stream` is every page's content instead."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(595, 842)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
                NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        content.set_data(stream if stream is not None else _drawn(text))
        page[NameObject("/Contents")] = writer._add_object(content.flate_encode())
    if password or owner_password:
        writer.encrypt(password, owner_password or None, algorithm="AES-256")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _drawn(text: str) -> bytes:
    lines = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.split("\n"))
    return (
        b"BT /F1 12 Tf 72 780 Td 14 TL "
        + b" ".join(f"({one}) Tj T*".encode("cp1252") for one in lines)
        + b" ET"
    )


def docx(text: str, before: str = "", body: str | None = None) -> bytes:
    """A DOCX with one paragraph for each line; `before` stands before its root, `body` is XML instead of the text."""
    paragraphs = body or "".join(
        f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in text.split("\n")
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = f'{before}<w:document xmlns:w="{space}"><w:body>{paragraphs}</w:body></w:document>'
    return zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": document.encode()})


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP of these files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def letter(body: str = COVER, subject: str = "Hello", sender: str = ALICE) -> EmailMessage:
    """A mail to the privacy address."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "privacy@myownconference.com", subject
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content(body)
    return mail


def with_file(
    content: bytes, name: str, content_type: str = "application/octet-stream", body: str = COVER
) -> bytes:
    """A mail with one attachment."""
    mail = letter(body)
    main, sub = content_type.split("/")
    mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def with_mail(inner: EmailMessage, body: str = COVER) -> bytes:
    """A mail with another one attached."""
    mail = letter(body)
    mail.add_attachment(inner)
    return mail.as_bytes()


def signed(text: str = "", *, entity: bytes = b"") -> bytes:
    """`text` as a letter (or a whole MIME entity) inside a signed CMS message, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    entity = entity or f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()
    builder = (
        pkcs7.PKCS7SignatureBuilder().set_data(entity).add_signer(_certificate(key), key, hashes.SHA256())
    )
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def enveloped(text: str) -> bytes:
    """`text` encrypted, DER."""
    key = rsa.generate_private_key(65537, 2048)
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(text.encode()).add_recipient(_certificate(key))
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Alice")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


def packed(cms: bytes, smime_type: str = "signed-data") -> bytes:
    """A mail that is nothing but a CMS message."""
    mail = letter()
    mail.set_content(cms, maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    if smime_type:
        mail.set_param("smime-type", smime_type)
    return mail.as_bytes()
