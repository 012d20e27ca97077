"""A private Dovecot (2.3) on loopback: own folder, own ports, own certificate; gone after the tests."""

from __future__ import annotations

import base64
import getpass
import grp
import hmac
import json
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.mail.settings import MailboxSettings, Security
from tests.servers.certificates import Certificates, make_certificates

PASSWORD = "correct-horse-ü"
SYSTEM_USER = "dovemail"
INSTALL = "run tests/install-system-packages (Debian packages dovecot-imapd and dovecot-lmtpd)"


class Dovecot:
    """IMAP (clear text with STARTTLS, and TLS) and LMTP for any user name with `PASSWORD`.

    `capability` replaces what the server advertises after login, e.g. to hide MOVE and UIDPLUS.
    `prefix` puts all folders but INBOX under one, as Courier and old Cyrus do ("INBOX.").
    `oauth2_key` lets in who shows a JSON web token signed with it (HS256), by `oauth2_mechanisms`.
    """

    def __init__(
        self,
        capability: str = "",
        prefix: str = "",
        oauth2_key: bytes = b"",
        oauth2_mechanisms: str = "xoauth2 oauthbearer",
    ) -> None:
        self._capability = capability
        self._prefix = prefix
        self._oauth2_key = oauth2_key
        self._oauth2_mechanisms = oauth2_mechanisms
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        assert shutil.which("dovecot", path=_PATH), f"dovecot is missing: {INSTALL}"
        self.folder = Path(tempfile.mkdtemp(prefix="mailbot-dovecot-"))
        self.folder.chmod(0o755)
        for name in ("base", "state", "mail"):
            (self.folder / name).mkdir()
        self.certificates: Certificates = make_certificates(self.folder)
        self.imap_port, self.imaps_port, self.lmtp_port = free_ports(3)
        self._owner = _mail_owner()
        shutil.chown(self.folder / "mail", self._owner, _group_of(self._owner))
        (self.folder / "dovecot.conf").write_text(self._configuration())
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """The server and all its connections are gone; the mail is still on disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=20)
            self._process = None

    def start_again(self) -> None:
        """The same server, on the same ports, with the mail it had."""
        self._start()

    def settings(self, user: str, **changes: object) -> MailboxSettings:
        """Settings that reach `user`'s mailbox over TLS; `changes` replace single ones."""
        values: dict[str, object] = {
            "name": "privacy",
            "host": "127.0.0.1",
            "port": self.imaps_port,
            "security": Security.TLS,
            "ca_file": self.certificates.ca,
            "username": user,
            "password": PASSWORD,
            "connect_timeout_seconds": 5,
            "read_timeout_seconds": 10,
        }
        return MailboxSettings(**(values | changes))  # type: ignore[arg-type]  # typed by the reader, not by **

    def deliver(self, user: str, *mails: bytes) -> None:
        """`mails` lie in `user`'s INBOX, delivered by LMTP in this order."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port, timeout=30) as lmtp:
            for raw in mails:
                lmtp.sendmail("vera@visitors.example", [user], raw)

    def doveadm(self, *arguments: str) -> str:
        """What `doveadm` prints on this private server."""
        command = ["doveadm", "-c", str(self.folder / "dovecot.conf"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=_ENVIRONMENT).stdout

    def kick(self, user: str) -> None:
        """`user`'s connections are closed by the server."""
        self.doveadm("kick", user)

    def log(self) -> str:
        """Everything the server logged."""
        path = self.folder / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _start(self) -> None:
        command = ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        self._process = subprocess.Popen(command, env=_ENVIRONMENT, stderr=subprocess.PIPE)
        for port in (self.imap_port, self.lmtp_port):
            self._await(port)

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        errors = b""
        if self._process is not None and self._process.poll() is not None and self._process.stderr:
            errors = self._process.stderr.read()
        raise RuntimeError(f"dovecot did not start on port {port}: {errors.decode()} {self.log()}")

    def _oauth2(self) -> str:
        if not self._oauth2_key:
            return ""
        keys = self.folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(self._oauth2_key))
        settings = self.folder / "oauth2.conf.ext"
        prefix = f"fs:posix:prefix={self.folder}/keys/"
        words = [
            "introspection_mode = local",
            f"local_validation_key_dict = {prefix}",
            "username_attribute = email",
        ]
        settings.write_text("\n".join(words) + "\n")
        return (
            f"passdb {{\n  driver = oauth2\n  mechanisms = {self._oauth2_mechanisms}\n  args = {settings}\n}}"
        )

    def _configuration(self) -> str:
        return _CONFIGURATION.format(
            d=self.folder,
            owner=self._owner,
            group=_group_of(self._owner),
            imap=self.imap_port,
            imaps=self.imaps_port,
            lmtp=self.lmtp_port,
            password=PASSWORD,
            prefix=self._prefix,
            capability=f"imap_capability = {self._capability}" if self._capability else "",
            oauth2=self._oauth2(),
            mechanisms=f"plain login {self._oauth2_mechanisms}" if self._oauth2_key else "plain login",
        )


def web_token(key: bytes, user: str, seconds: int = 3600) -> str:
    """A JSON web token (RFC 7519) that Dovecot takes for `user` so long."""
    now = int(time.time())
    claims = {"sub": user, "email": user, "iat": now, "nbf": now, "exp": now + seconds, "azp": "default"}
    head = {"alg": "HS256", "typ": "JWT", "kid": "default"}
    signed = ".".join(_base64url(json.dumps(each).encode()) for each in (head, claims))
    return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), 'sha256'))}"


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _mail_owner() -> str:
    """Dovecot refuses to serve mail owned by root, so root needs a user of its own for it."""
    if os.getuid() != 0:
        return getpass.getuser()
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=True, env=_ENVIRONMENT)
    return SYSTEM_USER


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_ENVIRONMENT = {**os.environ, "PATH": _PATH}

_CONFIGURATION = """
protocols = imap lmtp
listen = 127.0.0.1
hostname = imap.myownconference.test
base_dir = {d}/base
state_dir = {d}/state
log_path = {d}/dovecot.log
instance_name = mailbot-test
default_internal_user = {owner}
default_internal_group = {group}
default_login_user = {owner}
ssl = yes
ssl_cert = <{d}/server.pem
ssl_key = <{d}/server.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_location = maildir:{d}/mail/%u
mail_uid = {owner}
mail_gid = {group}
mail_fsync = never
mail_max_userip_connections = 100
first_valid_uid = 1
{capability}
{oauth2}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={d}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = .
}}
service auth {{
  client_limit = 500
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
