"""Copies within a real S3 server, and of runs that are killed while they copy."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from diskwright._values import replace
from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.ops.upload import sweep_dead_runs
from support.copying import SOURCE_KEY, copied, noise, object_in
from support.servers.counted import Counted
from support.servers.http_proxy import refused
from support.uploading import IMAGE, KEY, files_under

PART = 8 << 20
SCRIPT = Path(__file__).parents[1] / "support" / "copy_until_killed.py"
OTHER_PLACES = [("copies", "here"), ("copies", "other prefix"), ("other-copies", "")]


@pytest.fixture
def counted(seaweed):
    at = urlsplit(seaweed.endpoint)
    with Counted(at.hostname, at.port) as proxy:
        yield proxy


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def stores(seaweed, endpoint, bucket, prefix, **changes):
    """Where the object lies, and where its copy is to be; both reached through `endpoint`."""
    run = uuid.uuid4()
    where = [("copies", f"here {run}"), (bucket, f"{prefix} {run}")]
    return [
        seaweed.store(seaweed.bucket(name), folder, endpoint_url=endpoint, **changes)
        for name, folder in where
    ]


@pytest.mark.s3
@pytest.mark.parametrize(("bucket", "prefix"), OTHER_PLACES)
def test_within_one_endpoint_no_data_passes_here(seaweed, counted, state, bucket, prefix):
    parts = noise(PART)
    source, target = stores(seaweed, counted.url, bucket, prefix)
    stored = object_in(source, parts, PART)
    counted.carried = 0
    made = copied(source, target, stored, state)
    assert made == replace(stored, key=KEY)
    assert 0 < counted.carried < 16 << 10
    assert target.get(KEY) == b"".join(parts)
    assert list(target.list_uploads("")) == []
    assert files_under(str(state)) == []


@pytest.mark.s3
def test_a_store_that_refuses_to_copy_is_sent_the_bytes(seaweed, counted, state):
    parts = noise(PART, 2)
    source, target = stores(seaweed, counted.url, "copies", "there")
    stored = object_in(source, parts, PART)
    counted.rule = lambda seen: (
        refused(501, "NotImplemented") if "x-amz-copy-source" in seen.headers else None
    )
    copied(source, target, stored, state)
    assert target.get(KEY) == b"".join(parts)


@pytest.mark.s3
def test_other_credentials_are_no_way_to_copy(seaweed):
    mine, theirs = (seaweed.store(seaweed.bucket(), "x", who) for who in ("admin", "reader"))
    assert mine.copy_source(theirs, "k") is None
    assert mine.copy_source(mine, "k") is not None


def killed(place, bucket, prefix, state, part_size) -> None:
    words = [sys.executable, str(SCRIPT), place, bucket, prefix, str(state), str(part_size)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().strip() == "parts"
        process.kill()


def swept(store, state) -> None:
    assert list(store.list_uploads("")) != []
    assert sweep_dead_runs(store, FileUploadJournal(str(state))).cleaned == (IMAGE,)
    assert list(store.list_uploads("")) == []
    assert [info.key for info in store.list("images/")] == [SOURCE_KEY]
    assert files_under(str(state)) == []


def test_killed_in_a_folder_nothing_stays(tmp_path, state):
    killed(str(tmp_path / "target"), "", "", state, 64 << 10)
    swept(DirectoryStore(str(tmp_path / "target")), state)
    assert files_under(str(tmp_path / "target" / ".uploads")) == []


@pytest.mark.s3
def test_killed_in_a_bucket_nothing_stays(seaweed, state):
    bucket, prefix = seaweed.bucket(), f"killed copy {uuid.uuid4()}"
    killed(seaweed.endpoint, bucket, prefix, state, 5 << 20)
    swept(seaweed.store(bucket, prefix), state)
