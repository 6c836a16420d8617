"""The disks of a package below the command: what is read of it, sealed, sent, and left behind."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.kms_local import LocalKey
from diskwright.app import Diskwright
from diskwright.app.adapters import Adapters
from diskwright.config import load
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.opener import SealedDisk, open_header
from diskwright.errors import Cancelled, ImageBroken, RemoteUnable, UsageError
from diskwright.model import canonical, codec, manifest
from diskwright.model.guest import GuestFacts
from diskwright.model.image import DiskFile, ImageFormat
from diskwright.model.names import NAME_LIMIT, numbered
from diskwright.ops.package import checked
from support import ovas
from support.command import files_below
from support.good_facts import BIOS, IMAGE
from support.memory_store import MemoryStore
from support.opening import opener
from support.uploading import CancelAt

MIB = 1 << 20
KEY = LocalKey("local:test.json", "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", bytes(range(32)))


class Watched:
    """A Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.counted = 0

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))

    def advance(self, count: int) -> None:
        self.counted += count


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    disks = [ovas.raw(f"{n}.img", seed=n) for n in (1, 2)]
    return ovas.write_ova(tmp_path / "pair.ova", *disks)


def test_names_of_disks_are_told_without_a_look_at_them(tmp_path):
    bad = ovas.Disk("bad.vmdk", b"KDMV" + bytes(508), MIB)
    path = str(ovas.write_ova(tmp_path / "app.ova", ovas.raw("one.img", seed=1), bad))
    assert opener().names(path) == ("one.img", "bad.vmdk")
    with opener().source(path, disk=1) as source:
        assert (source.name, source.number, source.further) == ("one.img", 1, False)
    plain = tmp_path / "disk.raw"
    plain.write_bytes(bytes(MIB))
    assert opener().names(str(plain)) == ("",)
    assert opener().names(path, input_format=ImageFormat.RAW) == ("",)


def test_a_disk_that_is_not_named_is_not_guessed(pair):
    with pytest.raises(UsageError) as caught, opener().source(str(pair)):
        pass
    assert caught.value.hint == "say --disk NUMBER: 1 1.img, 2 2.img"
    for number in (0, 3):
        with pytest.raises(UsageError), opener().source(str(pair), disk=number):
            pass


def test_the_check_reads_every_member_with_a_digest_once_and_can_be_cancelled(pair):
    with opener().disks(str(pair)) as sources:
        assert [source.package_verified for source in sources] == [False, False]
        watched = Watched()
        found = checked(sources, progress=watched, cancel=CancelAt(None))
        assert [source.package_verified for source in found] == [True, True]
        listed = [m.size for m in found[0].package.members if m.name != "web.mf"]
        assert (watched.phases, watched.counted) == (
            [("check package", sum(listed))],
            sum(listed),
        )
        with pytest.raises(Cancelled):
            checked(sources, progress=Watched(), cancel=CancelAt(2))


def test_a_disk_without_a_digest_is_not_called_verified(tmp_path):
    one, two = (ovas.raw(f"{n}.img", seed=n) for n in (1, 2))
    path = ovas.write_ova(tmp_path / "app.ova", one, two)
    content = path.read_bytes()
    line = next(n for n in content.split(b"\n") if n.startswith(b"SHA256(2.img)"))
    path.write_bytes(content.replace(line, b" " * len(line)))
    with opener().disks(str(path)) as sources:
        found = checked(sources, progress=Watched(), cancel=CancelAt(None))
    assert [source.package_verified for source in found] == [True, False]


def test_a_manifest_from_before_there_were_sets_is_read():
    disk = manifest.ManifestDisk("k", "raw", False, 512, 512, "0" * 64, 512)
    body = manifest.ManifestBody("web", (disk,), "w", "raw", IMAGE, BIOS, "p", (), (), None, {})
    value = codec.encode(body)
    for name in ("name", "about"):
        del value["disks"][0][name]
    assert manifest.decode_body(canonical.encode(value)) == body
    about = manifest.DiskAbout(IMAGE, BIOS, (), (), None)
    further = replace(disk, name="two.vmdk", about=about)
    body = replace(body, disks=(disk, further))
    assert manifest.decode_body(manifest.encode_body(body)) == body


def test_images_of_a_package_have_names_that_fit():
    assert [numbered("web", number) for number in (1, 2, 10)] == ["web", "web-2", "web-10"]
    long = "n" * NAME_LIMIT
    assert len(numbered(long, 12)) == NAME_LIMIT
    assert numbered(long, 12).endswith("n-12")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class NothingInstalled:
    """A GuestInspector that starts no process."""

    @staticmethod
    def inspect(_disk: DiskFile) -> GuestFacts:
        return BIOS


@pytest.fixture
def app(tmp_path, monkeypatch, store) -> Diskwright:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(Adapters, "store", lambda *_, **__: store)
    monkeypatch.setattr(Adapters, "inspector", lambda *_: NothingInstalled)
    monkeypatch.setattr(Adapters, "versions", lambda *_: {})
    return Diskwright(load(None))


Prepare = Callable[..., list]


@pytest.fixture
def prepare(app, pair) -> Prepare:
    """Both disks, as data disks, raw; what was made so far when it raises is in `prepare.made`."""

    def run(**options):
        run.made = []
        app.prepare_each(
            str(pair),
            to="memory:",
            data=True,
            output_format=ImageFormat.RAW,
            made=run.made.append,
            **options,
        )
        return run.made

    return run


def fails(store: MemoryStore, name: str, number: int) -> None:
    """The n-th call of that name is refused, and every one after it."""
    calls = []

    def before(called: str, _number: int) -> None:
        if called == name:
            calls.append(called)
            if len(calls) >= number:
                raise RemoteUnable("memory:", name)

    store.before = before


@pytest.mark.parametrize(
    ("name", "number"),
    [("create_upload", 2), ("put_part", 2), ("complete_upload", 1), ("complete_upload", 2)],
)
def test_of_a_set_that_fails_at_any_disk_nothing_is_left(prepare, store, name, number, tmp_path):
    fails(store, name, number)
    with pytest.raises(RemoteUnable):
        prepare(as_set=True)
    assert prepare.made == []
    assert (store.objects, store.uploads) == ({}, {})
    assert files_below(tmp_path / "state" / "diskwright" / "uploads") == []


def test_a_set_that_is_cancelled_at_any_moment_leaves_nothing(prepare, store, tmp_path):
    looks = CancelAt(None)
    prepare(as_set=True, cancel=looks)
    assert looks.looks > 30
    for number in range(1, looks.looks - 1, 5):
        store.objects.clear()
        with pytest.raises(Cancelled):
            prepare(as_set=True, cancel=CancelAt(number))
        assert (store.objects, store.uploads) == ({}, {}), number
    assert files_below(tmp_path / "state" / "diskwright" / "uploads") == []


def test_a_failure_of_the_second_image_says_which_was_done(prepare, store):
    fails(store, "complete_upload", 2)
    with pytest.raises(RemoteUnable) as caught:
        prepare()
    (done,) = prepare.made
    assert caught.value.__notes__ == [f"done before: pair ({done.image})"]
    assert sorted(store.objects) == [done.key, done.manifest_key]
    assert store.uploads == {}


def test_a_cancelled_run_says_which_was_done(prepare, store):
    class AtSecond:
        def check(self) -> None:
            if prepare.made:
                raise Cancelled

    with pytest.raises(Cancelled) as caught:
        prepare(cancel=AtSecond())
    (done,) = prepare.made
    assert f"what was done before: pair ({done.image})" in caught.value.message
    assert sorted(store.objects) == [done.key, done.manifest_key]


def test_disks_of_a_sealed_set_share_a_data_key_and_no_header_or_salt(prepare, store, monkeypatch):
    monkeypatch.setattr(Adapters, "wrapper", lambda *_: KEY)
    (made,) = prepare(as_set=True)
    opened = []
    for number, disk in enumerate(made.disks):
        data = store.objects[disk.key]
        head = open_header(data[:HEADER_SIZE], KEY.unwrap, what=disk.key)
        assert (head.header.disk.disk, head.header.disk.virtual_size) == (number, MIB)
        sealed = SealedDisk(
            lambda at, length, data=data: data[at : at + length], len(data), head, what=disk.key
        )
        plain = b"".join(bytes(chunk.data) for chunk in sealed.chunks())
        assert plain == random.Random(number + 1).randbytes(MIB)
        opened.append((data[HEADER_SIZE : HEADER_SIZE + 40], head))
    (one, first), (two, second) = opened
    assert one != two
    assert first.header.disk.seal == second.header.disk.seal
    assert first.data_key == second.data_key


def test_a_package_that_is_changed_after_its_check_is_not_taken(app, pair, store):
    def change(_found) -> None:
        content = bytearray(pair.read_bytes())
        content[-2000] ^= 1
        pair.write_bytes(content)

    with pytest.raises(Exception, match="changed") as caught:
        app.prepare_each(
            str(pair),
            to="memory:",
            data=True,
            as_set=True,
            output_format=ImageFormat.RAW,
            judged=change,
        )
    assert caught.value.exit_code == 14
    assert store.objects == {}


def test_a_digest_that_differs_names_its_member(pair):
    content = bytearray(pair.read_bytes())
    content[-20_000] ^= 1
    pair.write_bytes(content)
    said = r"'2\.img' is not what the manifest says"
    with opener().disks(str(pair)) as sources, pytest.raises(ImageBroken, match=said) as caught:
        checked(sources[:1], progress=Watched(), cancel=CancelAt(None))
    assert (caught.value.code, caught.value.exit_code) == ("checksum", 10)
