"""A private S3 server on loopback (moto's), with as many buckets as asked for."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

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
