"""A target that can't be had ends in one line, a hint, code 13 or 15, and nothing left behind."""

from __future__ import annotations

import pytest

from support.command import FIXTURE, files_below, one_line_and_a_hint

pytestmark = pytest.mark.s3


@pytest.mark.parametrize("verb", ["prepare", "restore", "doctor"])
@pytest.mark.parametrize(
    ("changed", "target", "word"),
    [
        ({}, "s3://there-is-none/x", "no bucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, None, "refused"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, None, "refused"),
        ({"DISKWRIGHT_S3_ENDPOINT_URL": "http://127.0.0.1:9"}, None, "can't be reached"),
    ],
    ids=["no bucket", "wrong secret", "unknown key", "dead endpoint"],
)
def test_it_says_what_is_wrong(s3, folder, verb, changed, target, word):
    s3.environment.update(changed)
    place = target or s3.target
    arguments = {
        "prepare": ["prepare", FIXTURE, "--to", place],
        "restore": ["restore", place, folder / "out"],
        "doctor": ["doctor", "--to", place],
    }[verb]
    ended = s3(*arguments)
    assert ended.code == 13, ended.err
    assert word in one_line_and_a_hint(ended)
    assert "test-admin-secret" not in ended.err
    assert files_below(folder) == []
    assert not list((s3.home / "state").rglob("*.json"))


def test_one_who_may_only_read_can_restore_and_not_prepare(s3, folder):
    assert s3("prepare", FIXTURE, "--to", s3.target).code == 0
    s3.environment.update(
        AWS_ACCESS_KEY_ID="test-reader", AWS_SECRET_ACCESS_KEY="test-reader-secret"
    )
    ended = s3("prepare", FIXTURE, "--to", s3.target)
    assert ended.code == 13
    assert "refused" in one_line_and_a_hint(ended)
    assert s3("restore", s3.target, folder / "out").code == 0


def test_doctor_says_what_the_endpoint_can_do(s3):
    ended = s3("doctor", "--to", s3.target, "--output", "json")
    assert ended.code == 0, ended.err
    able = ended.document["results"][0]["made"]["capabilities"]
    endpoint = able.pop("endpoint")
    assert abs(endpoint.pop("clock_skew_s")) <= 2
    assert endpoint == {
        "url": s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"],
        "addressing": "path",
        "region": "us-east-1",
        "tls": False,
        "ca_bundle": "",
        "proxy": "",
    }
    assert able == {
        "multipart": True,
        "conditional_put": True,
        "part_copy": True,
        "checksum_verified": True,
        "list_uploads": True,
    }


def test_a_folder_that_can_not_be_made_ends_with_15(diskwright, folder):
    (folder / "file").write_text("")
    ended = diskwright("prepare", FIXTURE, "--to", f"dir:{folder / 'file'}")
    assert ended.code == 15, ended.err
    one_line_and_a_hint(ended)
