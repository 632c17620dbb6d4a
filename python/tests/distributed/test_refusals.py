"""Shared storage in a bucket that refuses what it is asked: wrong credentials, and a bucket that became
read-only."""

from __future__ import annotations

import contextlib
import errno
import http.client
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import vecstore

from .conftest import Make, bucket_options, bucket_server, kill

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class Bucket:
    """A bucket of moto's server, behind a door that can be shut for writing or for everything."""

    def __init__(self, port: int) -> None:
        self.refuses_writes = False
        self.key = "key"
        bucket = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                is_write = self.command in ("PUT", "POST", "DELETE")
                knows = f"Credential={bucket.key}/" in self.headers.get("authorization", "")
                if not knows or (is_write and bucket.refuses_writes):
                    status, headers, content = 403, [("content-type", "application/xml")], DENIED
                else:
                    behind = http.client.HTTPConnection("127.0.0.1", port)
                    with contextlib.closing(behind):
                        behind.request(self.command, self.path, body, dict(self.headers))
                        answer = behind.getresponse()
                        status, content = answer.status, answer.read()
                        headers = [
                            (name, value)
                            for name, value in answer.getheaders()
                            if name.lower() not in ("transfer-encoding", "connection")
                        ]
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() != "content-length" or self.command == "HEAD":
                        self.send_header(name, value)
                if self.command != "HEAD":
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.door.serve_forever, daemon=True).start()

    def options(self, key: str = "key") -> dict[str, Any]:
        options = bucket_options(self.door.server_port)
        return {**options, "access_key_id": key, "retry_config": {"max_retries": 0}}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with bucket_server(monkeypatch, "rows") as port:
        made = Bucket(port)
        yield made
        made.door.shutdown()
        made.door.server_close()


def test_wrong_credentials_are_named_and_make_nothing(bucket: Bucket, make: Make) -> None:
    with pytest.raises(vecstore.StorageError, match="are the credentials right") as raised:
        make(2, uri="s3://rows/docs", dim=2, storage_options=bucket.options("another"))
    assert raised.value.errno == errno.EACCES
    assert "secret" not in str(raised.value)
    # Nothing stands in the way of who has the right ones.
    collection = make(2, uri="s3://rows/docs", dim=2, storage_options=bucket.options())
    collection.upsert("a", [1.0, 0.0])
    with pytest.raises(vecstore.StorageError, match="are the credentials right"):
        make(None, uri="s3://rows/docs", storage_options=bucket.options("another"))
    assert collection.count() == 1


def test_a_bucket_that_refuses_loses_nothing_that_was_acknowledged(bucket: Bucket, make: Make) -> None:
    collection = make(2, uri="s3://rows/others", dim=2, storage_options=bucket.options(), fence_seconds=0.1)
    ids = [f"r{n}" for n in range(20)]
    collection.upsert_many(ids, [[1.0, float(n)] for n in range(20)])
    bucket.refuses_writes = True
    for n in range(3):
        with pytest.raises(vecstore.StorageError, match="access was refused"):
            collection.upsert(f"refused{n}", [1.0, 0.0])
    with pytest.raises(vecstore.StorageError, match="access was refused"):
        collection.save()
    assert {record.id for record in collection} >= set(ids)  # what failed may be there, as documented
    bucket.refuses_writes = False
    collection.upsert("after", [1.0, 0.0])
    # Credentials that are no longer valid, seen by a shard that starts again.
    bucket.key = "changed"
    kill(collection, collection.shards[0])
    with pytest.raises(vecstore.VecStoreError):
        collection.upsert_many(ids, [[2.0, float(n)] for n in range(20)])
    bucket.key = "key"
    there = {record.id: record.vector for record in collection}
    assert there.keys() >= {*ids, "after"}
    collection.upsert_many(ids, [[3.0, float(n)] for n in range(20)])
    assert {collection.get(one).vector[0] for one in ids} == {3.0}  # type: ignore[union-attr, index]
    assert collection.count() == len(list(collection)) == len({record.id for record in collection})
