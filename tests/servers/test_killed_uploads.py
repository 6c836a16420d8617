"""`kill -9` at any moment of an upload: the next run's sweep leaves a whole image or nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.journal import FileUploadJournal
from diskwright.model.manifest import ABORTED, decode
from diskwright.ops.upload import sweep_dead_runs
from support.uploading import IMAGE, KEY, files_under, manifest

SCRIPT = Path(__file__).parents[1] / "support" / "upload_until_killed.py"
MANIFEST = f"manifests/{IMAGE}.json"
MOMENTS = ["begun", "created", "parts", "finished", "committed"]


def kill_at(moment, place, bucket, prefix, state, part_size) -> None:
    words = [sys.executable, str(SCRIPT), place, bucket, prefix, state, moment, str(part_size)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().strip() == moment
        process.kill()


def check(store, state, moment, part_size) -> None:
    journal = FileUploadJournal(state)
    before = sorted(info.key for info in store.list(""))
    swept = sweep_dead_runs(store, journal)
    assert list(store.list_uploads("")) == []
    assert files_under(state) == []
    if moment == "committed":
        assert swept.committed == (IMAGE,)
        assert sorted(info.key for info in store.list("")) == before == [KEY, MANIFEST]
        size = 3 * part_size
        assert store.head(KEY).size == size == decode(store.get(MANIFEST)).objects[0].size
    else:
        assert swept.cleaned == (IMAGE,)
        assert [info.key for info in store.list("images/")] == []
        if store.head(MANIFEST) is not None:
            assert store.get(MANIFEST) == ABORTED


@pytest.mark.parametrize("moment", MOMENTS)
def test_in_a_folder(tmp_path, moment):
    target, state = str(tmp_path / "target"), str(tmp_path / "state")
    kill_at(moment, target, "", "", state, 64 << 10)
    check(DirectoryStore(target), state, moment, 64 << 10)
    assert not files_under(str(tmp_path / "target" / ".uploads"))


@pytest.mark.s3
@pytest.mark.parametrize("moment", MOMENTS)
def test_in_a_bucket(tmp_path, seaweed, moment):
    state, prefix = str(tmp_path / "state"), f"killed-{moment}"
    kill_at(moment, seaweed.endpoint, seaweed.bucket(), prefix, state, 5 << 20)
    check(seaweed.store(seaweed.bucket(), prefix), state, moment, 5 << 20)


def test_the_manifest_of_the_script_is_the_one_that_is_checked():
    assert decode(b'{"aborted":true}') is None
    assert manifest().image == IMAGE
