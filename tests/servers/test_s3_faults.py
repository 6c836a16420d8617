"""A real server behind a network that misbehaves, and one that refuses."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from diskwright.adapters.journal import FileUploadJournal
from diskwright.errors import (
    BucketMissing,
    RemoteRefused,
    RemoteUnreachable,
    UsageError,
)
from diskwright.model.stored import Chunk
from diskwright.ops.upload import StoreDestination
from support.servers.faults import Fault, FaultProxy
from support.uploading import IMAGE, KEY, layout, manifest

pytestmark = pytest.mark.s3
PART = 5 << 20


@pytest.fixture
def proxy(seaweed):
    parts = urlsplit(seaweed.endpoint)
    with FaultProxy(parts.hostname, parts.port) as running:
        yield running


@pytest.fixture
def through(seaweed, proxy):
    """The same fresh place twice: through the proxy, and straight."""
    straight = seaweed.fresh()
    prefix = straight.url.removeprefix(f"s3://{seaweed.bucket()}/")

    def make(**changes):
        endpoint = f"http://127.0.0.1:{proxy.port}"
        return seaweed.store(seaweed.bucket(), prefix, endpoint_url=endpoint, **changes)

    return make, straight


FAULTS = {
    "503": Fault(http_status=503, times=2),
    "429": Fault(http_status=429, times=1),
    "refused": Fault(refuse=True, times=2),
    "cut": Fault(cut_after_bytes=1_000_000, times=2),
    "reset": Fault(reset_after_bytes=2_000_000, times=2),
    "answer cut": Fault(cut_after_bytes=1, direction="down", times=2),
    "stall": Fault(stall_after_bytes=1_000_000, stall_s=5, times=1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_part_gets_there_in_spite_of_it(proxy, through, name):
    make, straight = through
    data = os.urandom(PART)
    upload_id = straight.create_upload("k", part_size=PART)
    store = make(read_timeout_s=1, connect_timeout_s=1)
    proxy.fault = FAULTS[name]
    etag = store.put_part("k", upload_id, 1, memoryview(data))
    assert proxy.hits == FAULTS[name].times
    straight.complete_upload("k", upload_id, [etag])
    assert straight.get("k") == data


@pytest.mark.parametrize("name", ["503", "cut", "reset"])
def test_what_goes_on_is_an_error_of_ours_after_the_last_attempt(proxy, through, name):
    make, straight = through
    upload_id = straight.create_upload("k", part_size=PART)
    store = make()
    proxy.fault = Fault(**{**FAULTS[name].__dict__, "times": None})
    with pytest.raises(RemoteUnreachable):
        store.put_part("k", upload_id, 1, memoryview(bytes(PART)))
    assert proxy.hits == 4, "as many attempts as the policy says"
    straight.abort_upload("k", upload_id)


@pytest.mark.parametrize("kind", ["cut", "reset", "stall"])
def test_an_answer_that_breaks_off_in_the_middle_is_asked_for_again(proxy, through, kind):
    make, straight = through
    data = os.urandom(1 << 20)
    straight.put("k", data)
    store = make(read_timeout_s=0.5)
    proxy.fault = {
        "cut": Fault(cut_after_bytes=500_000, direction="down", times=2),
        "reset": Fault(reset_after_bytes=500_000, direction="down", times=2),
        "stall": Fault(stall_after_bytes=500_000, direction="down", stall_s=5, times=1),
    }[kind]
    assert store.get("k") == data
    assert proxy.hits == proxy.fault.times


def test_an_answer_without_all_but_its_status_is_no_empty_list(proxy, through):
    make, straight = through
    straight.put("k", b"x")
    upload_id = straight.create_upload("u", part_size=PART)
    store = make()
    for ask in (store.list, store.list_uploads):
        proxy.fault = Fault(cut_after_bytes=len("HTTP/1.1 200 OK\r\n"), direction="down", times=2)
        proxy.drop()
        assert len(list(ask(""))) == 1
        assert proxy.hits > 0
    straight.abort_upload("u", upload_id)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_lost_answer_to_complete_is_settled(proxy, through, times):
    make, straight = through
    upload_id = straight.create_upload("k", part_size=PART)
    parts = [os.urandom(PART), b"end"]
    etags = [straight.put_part("k", upload_id, n, memoryview(parts[n - 1])) for n in (1, 2)]
    store = make()
    proxy.fault = Fault(cut_after_bytes=1, direction="down", times=times)
    store.complete_upload("k", upload_id, etags)
    assert straight.get("k") == b"".join(parts)
    assert list(straight.list_uploads("")) == []


def test_a_lost_answer_is_not_taken_for_success_where_another_object_lies(proxy, through):
    make, straight = through
    upload_id = straight.create_upload("k", part_size=PART)
    etag = straight.put_part("k", upload_id, 1, memoryview(b"mine"))
    straight.abort_upload("k", upload_id)
    straight.put("k", b"else")
    with pytest.raises(RemoteRefused, match="the upload is gone"):
        make().complete_upload("k", upload_id, [etag])


def test_a_whole_image_gets_there_through_a_bad_network(tmp_path, proxy, through):
    make, straight = through
    proxy.fault = Fault(reset_after_bytes=7_000_000, times=3)
    journal = FileUploadJournal(str(tmp_path))
    data = os.urandom(4 * PART + 99)
    with StoreDestination(make(), journal, image_id=IMAGE) as destination:
        sink = destination.sink(KEY, layout(PART))
        sink.write(Chunk(0, data))
        destination.commit(manifest(sink.finish()))
    assert straight.get(KEY) == data
    assert proxy.hits >= 1
    assert list(straight.list_uploads("")) == []


def test_a_network_that_dies_half_way_leaves_nothing_after_the_next_sweep(tmp_path, proxy, through):
    from diskwright.ops.upload import sweep_dead_runs

    make, straight = through
    journal = FileUploadJournal(str(tmp_path))
    store = make()

    def upload():
        with StoreDestination(store, journal, image_id=IMAGE) as destination:
            sink = destination.sink(KEY, layout(PART))
            proxy.fault = Fault(refuse=True)
            store._client.close()
            sink.write(Chunk(0, bytes(3 * PART)))
            sink.finish()

    with pytest.raises(RemoteUnreachable) as caught:
        upload()
    assert "the next run will do it" in caught.value.__notes__[0]
    assert len(list(straight.list_uploads(""))) == 1
    proxy.fault = Fault()
    assert sweep_dead_runs(store, journal).cleaned == (IMAGE,)
    assert list(straight.list_uploads("")) == []
    assert list(straight.list("")) == []


def test_a_dead_endpoint_is_unreachable(seaweed, proxy):
    store = seaweed.store("any", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(RemoteUnreachable):
        store.head("k")
    with pytest.raises(RemoteUnreachable):
        store.probe()


def test_a_name_that_does_not_resolve_is_unreachable(seaweed):
    with pytest.raises(RemoteUnreachable):
        seaweed.store("any", endpoint_url="http://no-such-host.invalid").get("k")


def test_an_absent_bucket_is_said_so(seaweed):
    store = seaweed.store("not-there")
    for act in (
        lambda: store.get("k"),
        lambda: list(store.list("")),
        lambda: store.put("k", b"x"),
        lambda: store.create_upload("k", part_size=PART),
        store.probe,
    ):
        with pytest.raises(BucketMissing):
            act()


def test_a_right_that_is_missing_is_refused_and_the_probe_says_so(seaweed):
    store = seaweed.store(seaweed.bucket(), who="reader")
    with pytest.raises(RemoteRefused, match="access denied"):
        store.put("k", b"x")
    with pytest.raises(RemoteRefused):
        store.probe()
    with pytest.raises(RemoteRefused):
        store.create_upload("k", part_size=PART)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret_key": "wrong"}, "the secret key does not fit"),
        ({"access_key": "nobody"}, "the access key is not known"),
    ],
)
def test_credentials_that_are_wrong_are_refused_and_never_shown(seaweed, changes, words):
    store = seaweed.store(seaweed.bucket(), **changes)
    with pytest.raises(RemoteRefused, match=words) as caught:
        store.put("k", b"x")
    assert not [value for value in changes.values() if value in caught.value.message]


def test_no_credentials_at_all_are_said_so(seaweed, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = seaweed.store(seaweed.bucket(), access_key=None, secret_key=None)
    with pytest.raises(RemoteRefused, match="no credentials were found, and nothing") as caught:
        store.put("k", b"x")
    assert "refused" not in caught.value.message
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" in caught.value.hint
    with pytest.raises(UsageError, match="no such profile"):
        seaweed.store("b", profile="absent")


def test_virtual_hosted_addresses_work(seaweed):
    store = seaweed.store(
        seaweed.bucket(),
        "virtual",
        endpoint_url="http://s3.test",
        addressing="virtual",
        proxies={"http": seaweed.endpoint},
    )
    store.put("k", b"x")
    assert seaweed.store(seaweed.bucket(), "virtual").get("k") == b"x"
    store.delete("k")


def test_encryption_at_rest_is_asked_for(seaweed):
    store = seaweed.store(seaweed.bucket(), "sse", sse="sse-obs")
    store.put("k", b"x")
    answer = store._client.head_object(Bucket=seaweed.bucket(), Key="sse/k")
    assert answer["ServerSideEncryption"] == "AES256"
    upload_id = store.create_upload("m", part_size=PART)
    etag = store.put_part("m", upload_id, 1, memoryview(b"multi"))
    store.complete_upload("m", upload_id, [etag])
    answer = store._client.head_object(Bucket=seaweed.bucket(), Key="sse/m")
    assert answer["ServerSideEncryption"] == "AES256"
    assert store.get("m") == b"multi"


def test_listings_are_paged(seaweed, monkeypatch):
    store = seaweed.fresh()
    uploads = [store.create_upload(f"u/{n}", part_size=PART) for n in range(5)]
    for number in range(5):
        store.put(f"o/{number}", b"x")
    sizes = []
    for name, limit in (("list_objects", "MaxKeys"), ("list_multipart_uploads", "MaxUploads")):
        real = getattr(store._client, name)

        def small(*, real=real, limit=limit, **given):
            answer = real(**given, **{limit: 2})
            sizes.append(len(answer.get("Contents", answer.get("Uploads", []))))
            return answer

        monkeypatch.setattr(store._client, name, small)
    assert sorted(info.key for info in store.list("o/")) == [f"o/{n}" for n in range(5)]
    assert sorted(upload.upload_id for upload in store.list_uploads("u/")) == sorted(uploads)
    assert len(sizes) >= 6
    assert max(sizes) <= 2
    for number, upload_id in enumerate(uploads):
        store.abort_upload(f"u/{number}", upload_id)
