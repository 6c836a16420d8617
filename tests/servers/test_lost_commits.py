"""The manifest's put through a bad network: the image is there and commit returns, or neither."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import RemoteUnreachable
from diskwright.model.manifest import ABORTED
from diskwright.model.stored import Chunk
from diskwright.ops.upload import StoreDestination
from support.servers.faults import Fault, FaultProxy
from support.servers.seaweed import HASTY
from support.uploading import IMAGE, KEY, files_under, layout, manifest

pytestmark = pytest.mark.s3
PART = 5 << 20
CONTINUE = len(b"HTTP/1.1 100 Continue\r\n\r\n")  # comes before the body is sent
MANIFEST = f"manifests/{IMAGE}.json"


@pytest.fixture
def run(tmp_path, seaweed):
    """An upload whose network gets a fault just before its commit; and the place, seen straight."""
    straight = seaweed.fresh()
    prefix = straight.url.removeprefix(f"s3://{seaweed.bucket()}/")
    parts = urlsplit(seaweed.endpoint)

    def upload(fault: Fault) -> None:
        with FaultProxy(parts.hostname, parts.port) as proxy:
            endpoint = f"http://127.0.0.1:{proxy.port}"
            store = seaweed.store(seaweed.bucket(), prefix, endpoint_url=endpoint)
            journal = FileUploadJournal(str(tmp_path / "state"))
            with StoreDestination(store, journal, image_id=IMAGE) as destination:
                sink = destination.sink(KEY, layout(PART))
                sink.write(Chunk(0, b"all of it"))
                whole = manifest(sink.finish())
                proxy.fault = fault
                proxy.drop()
                destination.commit(whole)
            assert proxy.hits == fault.times

    return upload, straight


@pytest.mark.parametrize("times", [1, HASTY.attempts, HASTY.attempts + 1])
def test_an_image_that_is_there_is_a_success(tmp_path, run, times):
    upload, straight = run
    upload(Fault(cut_after_bytes=CONTINUE + 1, direction="down", times=times))
    assert straight.head(KEY) is not None
    assert straight.get(MANIFEST) != ABORTED
    assert files_under(str(tmp_path / "state")) == []


def test_a_manifest_that_never_came_is_a_clean_failure(tmp_path, run):
    upload, straight = run
    with pytest.raises(RemoteUnreachable):
        upload(Fault(http_status=503, times=HASTY.attempts))
    assert straight.head(KEY) is None
    assert straight.get(MANIFEST) == ABORTED
    assert list(straight.list_uploads("")) == []
    assert files_under(str(tmp_path / "state")) == []
