"""Files in a bucket of an S3-compatible store, with all their versions. Needs the extra `s3` (boto3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mailbot.core.file_paths import is_clean
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.file_store import Measure, S3Settings
from mailbot.platform.interface import CheckLine, CheckStatus
from mailbot.platform.streamed import streamed

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest
    from mypy_boto3_s3.client import S3Client

_NOT_OFFERED = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})
_GONE = frozenset({"NoSuchKey", "404", "NoSuchUpload"})
_PASSING = frozenset(
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted"}
)
_PASSES = 5
"""So often what is left is listed and removed again: single keys may be refused for a moment."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One version, delete marker, or (unversioned) object. `version` None: the store has no versions."""

    key: str
    version: str | None
    size: int


class S3Store:
    """The FileStore of one bucket. Old versions, delete markers and unfinished uploads count and go as well.
    Nothing is contacted before it is used."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._has_versions = True

    def is_safe(self, path: str) -> bool:
        """See FileStore.is_safe."""
        return is_clean(path.removesuffix("/"))

    def exists(self, path: str) -> bool:
        """See FileStore.exists."""
        with self._said():
            return self.is_safe(path) and (
                any(True for _ in self._pages(path)) or any(True for _ in self._uploads(path))
            )

    def measure(self, path: str) -> Measure:
        """See FileStore.measure."""
        with self._said():
            sizes = (Measure(1, entry.size) for page in self._pages(path) for entry in page)
            return sum(sizes, Measure()) if self.is_safe(path) else Measure()

    def remove(self, path: str) -> None:
        """See FileStore.remove."""
        if not self.is_safe(path):
            raise PlatformTrouble(f"{self._called}: a path is not clean", later=False)
        with self._said():
            for upload, key in self._uploads(path):
                self._abort(key, upload)
            for _ in range(_PASSES):
                refused = [code for page in self._pages(path) for code in self._delete(page)]
                if not refused and not any(True for _ in self._pages(path)):
                    return
        raise PlatformTrouble(f"{self._called}: objects could not all be removed", later=True)

    def names(self, path: str) -> Iterator[str]:
        """See FileStore.names."""
        if not self.is_safe(path):
            return
        start = self._settings.prefix
        with self._said():
            for entry in self._current(path):
                yield entry.key.removeprefix(start)

    def open(self, path: str) -> BinaryIO | None:
        """See FileStore.open. Dots in a key lead nowhere: whatever `names` gives can be opened."""
        with self._said():
            try:
                found = self._client.get_object(Bucket=self._settings.bucket, Key=self._key(path))
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
        return streamed(found["Body"], self._said)

    def check(self) -> CheckLine | None:
        """See FileStore.check."""
        try:
            with self._said():
                next(iter(self._pages("")), None)
        except PlatformTrouble as trouble:
            mend = f"Correct [platform.stores.{self._settings.name}], or what its key is allowed"
            return CheckLine(CheckStatus.FAILED, str(trouble), mend)
        return None

    @cached_property
    def _client(self) -> S3Client:
        """Retries 5xx, SlowDown, time-outs and broken connections itself, with growing pauses and jitter."""
        one = self._settings
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=one.endpoint_url or None,
            region_name=one.region or None,
            aws_access_key_id=one.access_key or None,
            aws_secret_access_key=one.secret_key or None,
            verify=one.ca_file or None,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": one.attempts},
                connect_timeout=one.timeout_seconds,
                read_timeout=one.timeout_seconds,
                s3={"addressing_style": "path" if one.path_style else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        client.meta.events.register("before-sign.s3.DeleteObjects", _with_md5)
        return client

    @property
    def _called(self) -> str:
        return f'store "{self._settings.name}"'

    def _key(self, path: str) -> str:
        return self._settings.prefix + path

    def _pages(self, path: str) -> Iterator[Sequence[_Entry]]:
        """Everything that is there, a page at a time, as long as there is any."""
        if self._has_versions:
            try:
                yield from self._only(path, self._versions(self._key(path)))
            except ClientError as error:
                if _code(error) not in _NOT_OFFERED:
                    raise
                self._has_versions = False
        if not self._has_versions:
            yield from self._only(path, self._objects(self._key(path)))

    def _only(self, path: str, pages: Iterator[list[_Entry]]) -> Iterator[Sequence[_Entry]]:
        """A path that does not end in "/" means one key alone, not those that begin like it, which come after."""
        for page in pages:
            exact = (
                page
                if path.endswith("/") or not path
                else [one for one in page if one.key == self._key(path)]
            )
            if exact:
                yield exact
            if len(exact) < len(page):
                return

    def _versions(self, start: str) -> Iterator[list[_Entry]]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._settings.bucket,
            Prefix=start,
            PaginationConfig={"PageSize": self._settings.page_size},
        )
        for page in pages:
            found = [_Entry(one["Key"], one["VersionId"], one["Size"]) for one in page.get("Versions", ())]
            found += [_Entry(one["Key"], one["VersionId"], 0) for one in page.get("DeleteMarkers", ())]
            yield found

    def _objects(self, start: str) -> Iterator[list[_Entry]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._settings.bucket,
            Prefix=start,
            PaginationConfig={"PageSize": self._settings.page_size},
        )
        for page in pages:
            yield [_Entry(one["Key"], None, one["Size"]) for one in page.get("Contents", ())]

    def _current(self, path: str) -> Iterator[_Entry]:
        for page in self._only(path, self._objects(self._key(path))):
            yield from page

    def _uploads(self, path: str) -> Iterator[tuple[str, str]]:
        """Unfinished uploads (upload, key): they hold data, too, and no listing of objects shows them."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._settings.bucket, Prefix=self._key(path)
        )
        try:
            for page in pages:
                for one in page.get("Uploads", ()):
                    if path.endswith("/") or one["Key"] == self._key(path):
                        yield one["UploadId"], one["Key"]
        except ClientError as error:
            if _code(error) not in _NOT_OFFERED:
                raise

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._settings.bucket, Key=key, UploadId=upload)
        except ClientError as error:
            if _code(error) not in _GONE:
                raise

    def _delete(self, page: Sequence[_Entry]) -> list[str]:
        """The page is gone, apart from keys refused for a moment; returns why these were."""
        refused: list[str] = []
        left = iter(page)
        while some := list(
            islice(left, 1000)
        ):  # a page of versions and markers may hold more than one call takes
            named: list[Any] = [
                {"Key": one.key} if one.version is None else {"Key": one.key, "VersionId": one.version}
                for one in some
            ]
            answer = self._client.delete_objects(
                Bucket=self._settings.bucket, Delete={"Objects": named, "Quiet": True}
            )
            refused += [
                str(one.get("Code")) for one in answer.get("Errors", ()) if one.get("Code") not in _GONE
            ]
        lasting = sorted(set(refused) - _PASSING)
        if lasting:
            what = f"{self._called}: {', '.join(lasting)} for {len(refused)} objects at DeleteObjects"
            raise PlatformTrouble(what, later=False)
        return refused

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What the library raises, as trouble without keys or names in it."""
        try:
            yield
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            what = f"{self._called}: {_code(error)} at {error.operation_name}"
            raise PlatformTrouble(what, later=status >= 500 or _code(error) in _PASSING) from None
        except BotoCoreError as error:
            what = f"{self._called}: cannot be reached ({type(error).__name__})"
            raise PlatformTrouble(what, later=True) from None


def _code(error: ClientError) -> str:
    found: Mapping[str, Any] = error.response.get("Error", {})
    return str(found.get("Code", "unknown"))


def _with_md5(request: AWSRequest, **_: object) -> None:
    """Older stores than Amazon's take no other check sum here than Content-MD5."""
    body: Any = request.body
    body = body.encode() if isinstance(body, str) else body
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(digest).decode()
