"""Answers that are lost at the very end: success or a clean failure, never both."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from support.command import Ended, one_line_and_a_hint
from support.servers.faults import Fault, FaultProxy
from support.stopping import Event, journal_files


@pytest.mark.s3
@pytest.mark.parametrize("event", ["complete", "commit"])
@pytest.mark.parametrize("times", [2, 7])  # 6 attempts are made; 25 bytes are "100 Continue"
def test_of_the_requests_that_end_an_upload(s3, s3_place, tiny_disk, event, times):
    parts = urlsplit(s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"])
    arguments = ["--data", "--to", s3_place.url]
    with FaultProxy(parts.hostname, parts.port) as proxy:
        s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.port}"
        process = s3.start("prepare", tiny_disk, *arguments)
        moment = Event(event)
        while process.poll() is None and not moment(process, s3, 0):
            time.sleep(0.0005)
        proxy.fault = Fault(cut_after_bytes=26, direction="down", times=times)
        proxy.drop()
        out, err = process.communicate(timeout=120)
        proxy.fault = Fault()
        there = s3_place.committed()
        if process.returncode == 0:
            assert len(there) == 1
        else:
            assert process.returncode == 13, err
            one_line_and_a_hint(Ended(process.returncode, out, err))
            assert there == {}
        assert s3_place.leftovers() == []
        assert journal_files(s3) == []
        assert s3("prepare", tiny_disk, *arguments, "--name", "next").code == 0
