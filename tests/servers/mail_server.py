"""A private mail server as companies run it: Postfix takes mail by SMTP, rspamd checks it, LMTP hands it to Dovecot.

Everything on loopback under one folder; gone after the tests. A sender comes from any address by XCLIENT.
"""

from __future__ import annotations

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

from mailbot.demo.stub_dns import StubDns
from tests.servers.dovecot import Dovecot, free_ports

INSTALL = "run tests/install-system-packages (Debian packages postfix and rspamd)"
HOST = "mx.myownconference.test"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_ENVIRONMENT = {**os.environ, "PATH": _PATH}
_NEEDS_NETWORK = (
    "antivirus asn bimi clickhouse dcc elastic external_services fuzzy_check greylist history_redis mid mx_check "
    "multimap neural p0f phishing ratelimit rbl reputation replies rspamd_update spamassassin surbl url_redirector"
)
_START_SECONDS = 90
"""rspamd compiles its expressions at the first start of a machine."""


class MailServer:
    """Mail for `domain` that is sent here lies in Dovecot's mailboxes, with what rspamd found on top of it."""

    def __init__(self, dovecot: Dovecot, dns: StubDns, domain: str) -> None:
        self._dovecot = dovecot
        self._dns = dns
        self._domain = domain
        self._rspamd: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for program in ("postfix", "rspamd"):
            assert shutil.which(program, path=_PATH), f"{program} is missing: {INSTALL}"
        self.folder = Path(tempfile.mkdtemp(prefix="mailbot-mx-"))
        self.folder.chmod(0o755)
        self.port, self._milter, self._normal, self._controller = free_ports(4)
        self._start_rspamd()
        self._start_postfix()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postfix("stop", check=False)
        if self._rspamd is not None:
            self._rspamd.terminate()
            self._rspamd.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, raw: bytes, sender: str, recipient: str, address: str) -> None:
        """`raw` was handed in by a client at `address` (IPv4), as from `sender`, and is on its way to `recipient`."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as smtp:
            smtp.ehlo("client.example")
            smtp.docmd("XCLIENT", f"ADDR={address} NAME=client.example")
            smtp.ehlo("client.example")
            smtp.sendmail(sender, [recipient], raw)

    def arrived(self, user: str, count: int) -> list[bytes]:
        """The `count` mails in `user`'s inbox. Raises AssertionError when they do not come."""
        deadline = time.monotonic() + 60
        folder = self._dovecot.folder / "mail" / user / "new"
        while time.monotonic() < deadline:
            files = sorted(folder.glob("*")) if folder.is_dir() else []
            if len(files) >= count:
                return [file.read_bytes() for file in files]
            time.sleep(0.1)
        raise AssertionError(f"mail did not arrive: {self.log()}")

    def log(self) -> str:
        """What Postfix and rspamd logged."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.rglob("*.log"))

    def _start_rspamd(self) -> None:
        local, override = self.folder / "conf" / "local.d", self.folder / "conf" / "override.d"
        for folder in (local, override, *(self.folder / name for name in ("db", "run", "log"))):
            folder.mkdir(parents=True)
        for name, text in self._rspamd_settings().items():
            (local / name).write_text(text)
        for module in _NEEDS_NETWORK.split():
            (override / f"{module}.conf").write_text("enabled = false;\n")
        for name in ("db", "run", "log"):
            shutil.chown(self.folder / name, "_rspamd", "_rspamd")
        folders = {"DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log", "LOCAL_CONFDIR": "conf"}
        places = [f"--var={name}={self.folder / folder}" for name, folder in folders.items()]
        command = ["rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd/rspamd.conf", *places]
        output = (self.folder / "rspamd.out.log").open("wb")
        self._rspamd = subprocess.Popen(command, env=_ENVIRONMENT, stdout=output, stderr=output)
        self._await(self._milter)

    def _rspamd_settings(self) -> dict[str, str]:
        nameserver = f'dns {{ nameserver = ["{self._dns.address}"]; timeout = 2s; retransmits = 2; }}'
        written = '["authentication-results"]'
        return {
            "options.inc": f'{nameserver}\nlocal_addrs = [];\nfilters = "dkim";\n',
            "worker-proxy.inc": f'bind_socket = "127.0.0.1:{self._milter}"; milter = yes; timeout = 20s; count = 1;\n'
            'upstream "local" { default = yes; self_scan = yes; }\n',
            "worker-normal.inc": f'enabled = false; bind_socket = "127.0.0.1:{self._normal}";\n',
            "worker-controller.inc": f'enabled = false; bind_socket = "127.0.0.1:{self._controller}";\n',
            "milter_headers.conf": f"use = {written}; authenticated_headers = {written};\n"
            "skip_local = false; skip_authenticated = false;\n",
            "actions.conf": "reject = null; add_header = null; greylist = null; rewrite_subject = null;\n",
        }

    def _start_postfix(self) -> None:
        settings, queue, data = (self.folder / name for name in ("postfix", "queue", "data"))
        for folder in (settings, queue, data):
            folder.mkdir()
        shutil.chown(data, "postfix")
        (settings / "main.cf").write_text(
            _MAIN.format(
                folder=self.folder,
                queue=queue,
                data=data,
                host=HOST,
                domain=self._domain,
                lmtp=self._dovecot.lmtp_port,
                milter=self._milter,
                owner=pwd.getpwuid(os.getuid()).pw_name,
            )
        )
        (settings / "master.cf").write_text(_MASTER.format(port=self.port))
        self._postfix("start")
        self._await(self.port)

    def _postfix(self, action: str, *, check: bool = True) -> None:
        command = ["postfix", "-c", str(self.folder / "postfix"), action]
        done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"postfix {action}: {done.stderr} {self.log()}"

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port}: {self.log()}")


_MAIN = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-mailbot-test
multi_instance_enable = yes
myhostname = {host}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 192.0.2.1/32
syslog_name = postfix-mailbot-test
maillog_file = {data}/mail.log
maillog_file_prefixes = {folder}
virtual_mailbox_domains = {domain}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_milters = inet:127.0.0.1:{milter}
milter_protocol = 6
milter_default_action = tempfail
smtp_host_lookup = native
disable_dns_lookups = yes
alias_maps =
alias_database =
local_recipient_maps =
"""

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""
