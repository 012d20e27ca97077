"""`mailbot demo --files DIR`: what the demo uses, for one's own servers."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from mailbot.demo.samples import SAMPLES, Part, Sample
from mailbot.demo.world import PRIVACY, write_files
from mailbot.resources import built_in


def write_demo_files(folder: Path, now: datetime) -> None:
    """config.toml, data map, keys, platform database and files, and the sample mails are in `folder`."""
    write_files(folder, now)
    (folder / "config.toml").write_text(_config(), encoding="utf-8")
    mails = folder / "mails"
    mails.mkdir(exist_ok=True)
    for sample in SAMPLES:
        if sample.part is not Part.ONE_CLICK:
            (mails / f"{sample.name}.eml").write_bytes(_mail(sample, now))


def _config() -> str:
    """The configuration of the package, with the demo's platform, keys and password files."""
    text = (built_in("config.toml")).read_text(encoding="utf-8")
    changes = {
        'key_file = ""': 'key_file = "mailbot.key"',
        'api_key_file = ""': 'api_key_file = "api.key"',
        'files_root = ""': 'files_root = "files"',
    }
    for default, own in changes.items():
        text = text.replace(default, own, 1)
    return text


def _mail(sample: Sample, now: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f'"{sample.person.name}" <{sample.person.address}>'
    mail["To"] = PRIVACY
    mail["Subject"] = sample.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{sample.name}@{sample.person.address.partition('@')[2]}>"
    for name, value in sample.headers:
        mail[name] = value
    mail.set_content(sample.text)
    return mail.as_bytes()
