"""A bucket: every version of what is meant goes, and nothing of what begins alike."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.core.plan import PlatformTrouble
from mailbot.platform.file_store import Measure, S3Settings
from mailbot.platform.s3 import S3Store
from tests.servers.s3 import Between, PrivateS3


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateS3]:
    with PrivateS3() as one:
        yield one


@pytest.fixture(params=["versioned", "plain"])
def settings(server: PrivateS3, request: pytest.FixtureRequest) -> S3Settings:
    return server.new_bucket(versioned=request.param == "versioned")


@pytest.fixture
def put(server: PrivateS3, settings: S3Settings) -> Put:
    return Put(server, settings)


class Put:
    def __init__(self, server: PrivateS3, settings: S3Settings) -> None:
        self.client, self.bucket = server.client, settings.bucket

    def __call__(self, key: str, content: bytes = b"x") -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def left(self) -> list[str]:
        """Every key of which a version or a marker is left."""
        found = self.client.list_object_versions(Bucket=self.bucket)
        return sorted({one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())})


def test_all_below_a_path_goes_with_every_version_and_what_begins_alike_stays(
    settings: S3Settings, put: Put
) -> None:
    for key in ("7/a", "7/b/c", "7/a", "77/a", "7", "7x", "17/7/a"):
        put(key)
    put.client.delete_object(Bucket=put.bucket, Key="7/b/c")
    store = S3Store(settings)
    store.remove("7/")
    assert put.left() == ["17/7/a", "7", "77/a", "7x"]
    assert not store.exists("7/")
    store.remove("7/")


def test_one_key_goes_and_none_that_begins_like_it(settings: S3Settings, put: Put) -> None:
    for key in ("a.png", "a.png", "a.png.bak", "a.png/x", "a"):
        put(key)
    store = S3Store(settings)
    assert store.exists("a.png")
    store.remove("a.png")
    assert put.left() == ["a", "a.png.bak", "a.png/x"]
    assert not store.exists("a.png")


def test_more_keys_than_a_page_are_counted_and_removed(settings: S3Settings, put: Put) -> None:
    for number in range(90):
        put(f"7/{number:05}")
    put("77/a")
    store = S3Store(replace(settings, page_size=40))
    assert store.measure("7/") == Measure(90, 90)
    assert len(list(store.names("7/"))) == 90
    store.remove("7/")
    assert put.left() == ["77/a"]


def test_more_versions_than_one_call_removes(server: PrivateS3) -> None:
    settings = server.new_bucket(versioned=True)
    put = Put(server, settings)
    for number in range(505):
        put(f"7/{number}")
        put.client.delete_object(Bucket=put.bucket, Key=f"7/{number}")
    put("77/a")
    S3Store(settings).remove("7/")
    assert put.left() == ["77/a"]


def test_a_version_that_is_hidden_by_a_marker_is_still_there(server: PrivateS3) -> None:
    settings = server.new_bucket(versioned=True)
    put = Put(server, settings)
    put("7/a", b"12345")
    put.client.delete_object(Bucket=put.bucket, Key="7/a")
    store = S3Store(settings)
    assert store.exists("7/")
    assert store.exists("7/a")
    assert store.measure("7/") == Measure(2, 5)
    assert list(store.names("7/")) == []
    store.remove("7/a")
    assert put.left() == []


def test_unfinished_uploads_go_too(settings: S3Settings, put: Put) -> None:
    for key in ("7/film", "77/film"):
        put.client.create_multipart_upload(Bucket=put.bucket, Key=key)
    store = S3Store(settings)
    assert store.exists("7/")
    store.remove("7/")
    left = put.client.list_multipart_uploads(Bucket=put.bucket).get("Uploads", [])
    assert [one["Key"] for one in left] == ["77/film"]


def test_the_stores_prefix_stands_before_every_path(settings: S3Settings, put: Put) -> None:
    put("up/7/a", b"hello")
    put("7/a")
    store = S3Store(replace(settings, prefix="up/"))
    assert list(store.names("7/")) == ["7/a"]
    with store.open("7/a") as found:  # type: ignore[union-attr]  # it is there
        assert found.read() == b"hello"
    store.remove("7/")
    assert put.left() == ["7/a"]


def test_an_object_is_read_as_a_stream(settings: S3Settings, put: Put) -> None:
    put("7/film", bytes(40 << 20))
    store = S3Store(settings)
    assert store.open("7/none") is None
    store.exists("7/")
    tracemalloc.start()
    with store.open("7/film") as film, Path("/dev/null").open("wb") as out:  # type: ignore[union-attr]
        shutil.copyfileobj(film, out, 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert film.closed
    assert peak < 16 << 20


@pytest.mark.parametrize("path", ["../77/a", "/7/a", "7//a", "7/../77/", "", "/", "7\0/"])
def test_paths_that_are_not_clean_reach_nothing(settings: S3Settings, put: Put, path: str) -> None:
    put("77/a")
    store = S3Store(settings)
    assert not store.is_safe(path)
    assert not store.exists(path)
    with pytest.raises(PlatformTrouble, match="not clean"):
        store.remove(path)
    assert put.left() == ["77/a"]


def test_what_is_wrong_is_said_with_its_mend(server: PrivateS3, settings: S3Settings) -> None:
    assert S3Store(settings).check() is None
    gone = S3Store(replace(settings, bucket="nobodys-bucket")).check()
    assert gone is not None
    assert gone.what == 'store "uploads": NoSuchBucket at ListObjectVersions'
    assert "platform.stores.uploads" in gone.mend
    away = S3Store(replace(settings, endpoint_url="http://127.0.0.1:1", attempts=1)).check()
    assert away is not None
    assert "cannot be reached" in away.what


SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code></Error>")
ONE_REFUSED = (
    200,
    b"<DeleteResult><Error><Key>7/a</Key><VersionId>null</VersionId><Code>InternalError</Code></Error></DeleteResult>",
)
LOCKED = (
    200,
    b"<DeleteResult><Error><Key>7/a</Key><VersionId>1</VersionId><Code>AccessDenied</Code></Error></DeleteResult>",
)


def test_a_store_that_is_busy_is_asked_again(server: PrivateS3, settings: S3Settings, put: Put) -> None:
    put("7/a")
    with Between(server.url, [SLOW_DOWN, (500, b""), SLOW_DOWN]) as between:
        S3Store(replace(settings, endpoint_url=between.url)).remove("7/")
    assert put.left() == []


def test_a_store_that_stays_busy_is_tried_later(server: PrivateS3, settings: S3Settings, put: Put) -> None:
    put("7/a")
    with Between(server.url, [SLOW_DOWN] * 50) as between:
        store = S3Store(replace(settings, endpoint_url=between.url, attempts=2))
        with pytest.raises(
            PlatformTrouble, match='store "uploads": SlowDown at ListMultipartUploads'
        ) as trouble:
            store.remove("7/")
    assert trouble.value.later
    assert put.left() == ["7/a"]


def test_a_key_that_is_refused_for_a_moment_is_removed_again(
    server: PrivateS3, settings: S3Settings, put: Put
) -> None:
    put("7/a")
    with Between(server.url, [ONE_REFUSED], only=b"<Delete") as between:
        S3Store(replace(settings, endpoint_url=between.url)).remove("7/")
    assert put.left() == []


def test_a_version_that_is_locked_is_said_to_staff(server: PrivateS3, settings: S3Settings, put: Put) -> None:
    put("7/a")
    said = "AccessDenied for 1 objects at DeleteObjects"
    with (
        Between(server.url, [LOCKED], only=b"<Delete") as between,
        pytest.raises(PlatformTrouble, match=said) as trouble,
    ):
        S3Store(replace(settings, endpoint_url=between.url)).remove("7/")
    assert not trouble.value.later


def test_a_store_without_versions_is_listed_plainly(server: PrivateS3) -> None:
    settings = server.new_bucket(versioned=False)
    put = Put(server, settings)
    for key in ("7/a", "7/b", "77/a"):
        put(key)
    refusal = (501, b"<Error><Code>NotImplemented</Code></Error>")
    with Between(server.url, [refusal] * 50, only=b"versions&") as between:
        store = S3Store(replace(settings, endpoint_url=between.url, attempts=1))
        assert store.measure("7/") == Measure(2, 2)
        store.remove("7/")
    assert put.left() == ["77/a"]
