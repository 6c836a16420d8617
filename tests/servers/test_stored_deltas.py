"""Versions of a disk in a library, each stored as what differs from the one before."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.journal import FileUploadJournal
from diskwright.blockio.memory import MemoryReader
from diskwright.blockio.view import DigestView
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import plain_key, sealed_key, uuid7
from diskwright.ops.fetch import plain_chunks
from diskwright.ops.images import Found, find
from diskwright.ops.library.deltas import base_of, layers
from diskwright.ops.sealing import Seal
from diskwright.ops.upload import StoreDestination
from diskwright.writers import writer_for
from diskwright.writers.qcow2_delta import Qcow2DeltaWriter
from support.disks import contents
from support.layered import chained, whole
from support.sealing import KEY as WRAPPER

KIB, MIB = 1 << 10, 1 << 20
VERSIONS = ["?" * 200 + "A" * 100 + "-" * 50, "?" * 200 + "B" * 9 + "A" * 91, "-" * 90 + "?" * 240]


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def store(request, tmp_path):
    if request.param == "folder":
        return DirectoryStore(str(tmp_path / "library"))
    return request.getfixturevalue("seaweed").fresh()


def disk(picture: str) -> MemoryReader:
    return MemoryReader.of_picture(picture)


def stored(
    store, state, number: int, base: tuple[Found, MemoryReader] | None, sealed: bool
) -> Found:
    """A version as a committed image, sealed as any object is."""
    reader = disk(VERSIONS[number])
    size = reader.size
    image = uuid7(1_700_000_000_000 + number, os.urandom(10))
    key = sealed_key(image, 0) if sealed else plain_key(image, "web", 0, "qcow2")
    if base is None:
        writer = writer_for(ImageFormat.QCOW2, virtual_size=size, compressed=True, threads=2)
    else:
        writer = Qcow2DeltaWriter(base=base[1], virtual_size=size, compressed=True, threads=2)
    view = DigestView(reader)
    layout = writer.plan(view.extents(0, size))
    journal = FileUploadJournal(str(state))
    seal = None
    if sealed:
        seal = Seal.new(WRAPPER, disks=[(ImageFormat.QCOW2, size)], entropy=os.urandom)
        layout = seal.disks[0].layout(layout)
    with StoreDestination(store, journal, image_id=image) as destination:
        sink = destination.sink(key, layout)
        chunks = writer.chunks(view)
        for chunk in chunks if seal is None else seal.disks[0].chunks(chunks, 2):
            sink.write(chunk)
        made = sink.finish()
        plain_size = made.size if seal is None else seal.disks[0].plain_size(made.size)
        about = ManifestDisk(
            key,
            "qcow2",
            True,
            size,
            size,
            view.hexdigest(),
            plain_size,
            base=None if base is None else base_of(base[0]),
        )
        facts = ImageFacts(ImageFormat.RAW, size, size, size)
        body = ManifestBody("web", (about,), "w", "raw", facts, None, "p", (), (), None, {})
        manifest = Manifest(image, "2026-01-02T03:04:05Z", (made,), body=body)
        destination.commit(manifest if seal is None else seal.close(manifest))
    return find(store, image, WRAPPER if sealed else None, deltas=True)


def fetched(store, found: Found, path) -> None:
    with FileSink(str(path), force=True) as sink, closing(plain_chunks(store, found)) as chunks:
        for chunk in chunks:
            sink.write(chunk)
        sink.finish()


@pytest.mark.parametrize("sealed", [False, True])
def test_the_newest_version_comes_out_whole(store, tmp_path, sealed):
    wrapper = WRAPPER if sealed else None
    below = None
    sizes = []
    for number, picture in enumerate(VERSIONS):
        top = stored(store, tmp_path / "state", number, below, sealed)
        below = (top, disk(picture))
        sizes.append(top.stored.size)
    assert sizes[1] < sizes[0] / 10
    chain = layers(top, lambda image: find(store, image, wrapper, deltas=True))
    assert len(chain) == len(VERSIONS)
    paths = [tmp_path / f"{number}.qcow2" for number in range(len(chain))]
    for one, path in zip(chain, paths, strict=True):
        fetched(store, one, path)
    out = tmp_path / "out.raw"
    whole(chained(*paths), top.disk.digest, out, image_format=ImageFormat.RAW)
    assert out.read_bytes() == contents(disk(VERSIONS[-1]))
