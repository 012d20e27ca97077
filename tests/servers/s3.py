"""A private S3 server on loopback (moto's), with as many buckets as asked for."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from mailbot.platform.file_store import S3Settings
from tests.servers.dovecot import free_ports

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class PrivateS3:
    """Buckets are made with or without versions; `client` reaches them past mailbot."""

    def __enter__(self) -> Self:
        port = free_ports(1)[0]
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="eu-north-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(s3={"addressing_style": "path"}),
        )
        self._number = 0
        self._await(port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def _await(self, port: int) -> None:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("moto's server did not start")

    def new_bucket(self, *, versioned: bool) -> S3Settings:
        """How a fresh bucket is reached."""
        self._number += 1
        name = f"bucket-{self._number}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        if versioned:
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return S3Settings(
            "uploads", name, self.url, "eu-north-1", True, access_key="key", secret_key="secret"
        )


class Between:
    """Stands before the server at `url` and gives `answers` (status, body) first; with `only` to those requests that
    hold these bytes in path or body."""

    def __init__(self, url: str, answers: list[tuple[int, bytes]], only: bytes = b"") -> None:
        self._behind = urlsplit(url).netloc
        self._answers = answers
        self._only = only

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, content = outer._answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_HEAD = handle_one  # noqa: N815  # http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if self._answers and self._only in path.encode() + b" " + body:
            status, content = self._answers.pop(0)
            return status, {"Content-Type": "application/xml"}, content
        connection = HTTPConnection(self._behind)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        kept = {name: value for name, value in response.getheaders() if name.lower() == "content-type"}
        return response.status, kept, content
