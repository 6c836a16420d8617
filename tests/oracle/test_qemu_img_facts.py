"""What is read of an image agrees with what qemu-img says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.errors import ImageRefused, ImageUnsafe, ImageUnsupported
from diskwright.model.image import ImageFormat
from support.images import look_at, patterned, qemu_img, qemu_info, qemu_io

VARIANTS = {
    "default": "",
    "cluster 512": "cluster_size=512",
    "cluster 4K": "cluster_size=4k",
    "cluster 2M": "cluster_size=2M",
    "version 2": "compat=0.10",
    "version 2, cluster 512": "compat=0.10,cluster_size=512",
    "zstd": "compression_type=zstd",
    "extended": "extended_l2=on",
    "extended 16K": "extended_l2=on,cluster_size=16k",
    "extended 2M": "extended_l2=on,cluster_size=2M",
    "lazy refcounts": "lazy_refcounts=on",
    "refcounts of 1 bit": "refcount_bits=1",
    "refcounts of 64 bits": "refcount_bits=64",
    "metadata": "preallocation=metadata",
    "extended, metadata": "preallocation=metadata,extended_l2=on",
    "version 2, metadata": "preallocation=metadata,compat=0.10",
    "falloc": "preallocation=falloc",
    "full": "preallocation=full",
}


def agree(path: Path) -> None:
    info = qemu_info(path, "qcow2")
    own = info["format-specific"]["data"]
    facts = look_at(path)
    assert facts.format is ImageFormat.QCOW2
    assert facts.virtual_size == info["virtual-size"]
    assert facts.cluster_size == info["cluster-size"]
    assert facts.allocated == info["actual-size"]
    assert facts.version == {"0.10": 2, "1.1": 3}[own["compat"]]
    assert facts.snapshots == len(info.get("snapshots", []))
    assert ("zstd" in facts.features) is (own.get("compression-type") == "zstd")
    assert ("extended-l2" in facts.features) is own.get("extended-l2", False)
    assert ("lazy-refcounts" in facts.features) is own.get("lazy-refcounts", False)
    assert ("bitmaps" in facts.features) is bool(own.get("bitmaps"))
    qemu_img("check", "-q", "-f", "qcow2", path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_empty_and_a_written_image_agree(variant: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    options = ["-o", VARIANTS[variant]] if VARIANTS[variant] else []
    qemu_img("create", "-q", "-f", "qcow2", *options, path, 10_000_384)
    agree(path)
    # Out of order, across cluster borders, single sectors, zeros, and the disk's last sector.
    qemu_io(
        path,
        "write -P 3 7000064 512",
        "write -P 1 0 70000",
        "write -z 4194304 1M",
        "write -z -u 131072 65536",
        "discard 0 4096",
        "write -P 5 9999872 512",
    )
    agree(path)


@pytest.mark.parametrize("kind", ["zlib", "zstd"])
@pytest.mark.parametrize("cluster", ["512", "64k", "2M"])
def test_a_compressed_image_agrees(kind: str, cluster: str, tmp_path: Path) -> None:
    if (kind, cluster) == ("zstd", "512"):
        kind = "zlib"  # QEMU makes no zstd in so small clusters
    raw, path = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    raw.write_bytes(patterned("AB0~C~~0D" * 5) + b"tail".ljust(512))
    options = f"compression_type={kind},cluster_size={cluster}"
    qemu_img("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, raw, path)
    agree(path)
    assert look_at(path).compressed


def test_compressed_clusters_among_subclusters_agree(tmp_path: Path) -> None:
    raw, path = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    raw.write_bytes(patterned("AB0~C~~0D"))
    options = "extended_l2=on"
    qemu_img("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, raw, path)
    agree(path)
    assert look_at(path).compressed
    qemu_io(path, "write -P 7 1000 3000")
    agree(path)


@pytest.mark.parametrize("options", ["", "compat=0.10", "cluster_size=512", "extended_l2=on"])
def test_an_image_with_snapshots_agrees(options: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    extra = ["-o", options] if options else []
    qemu_img("create", "-q", "-f", "qcow2", *extra, path, "8M")
    for index in range(3):
        qemu_io(path, f"write -P {index + 1} {index * 1000448} 200000")
        qemu_img("snapshot", "-c", f"snap {index} ü", path)
    qemu_io(path, "write -P 9 0 8M")
    agree(path)
    qemu_img("snapshot", "-d", "snap 1 ü", path)
    agree(path)


def test_an_image_with_dirty_bitmaps_agrees(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", path, "8M")
    qemu_img("bitmap", "--add", path, "one")
    agree(path)
    assert look_at(path).features == ("bitmaps",)


def test_a_grown_and_a_shrunk_image_agree(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, "1M")
    qemu_io(path, "write -P 1 1000000 512")
    qemu_img("resize", "-q", "-f", "qcow2", path, "64M")
    qemu_io(path, "write -P 1 60000000 5120")
    agree(path)
    qemu_img("resize", "-q", "-f", "qcow2", "--shrink", path, "512k")
    agree(path)


@pytest.mark.parametrize("size", ["64G", "1P"])
def test_a_huge_sparse_image_agrees(size: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", path, size)
    facts = look_at(path)
    assert facts.virtual_size == qemu_info(path, "qcow2")["virtual-size"]


def test_a_full_64_gib_image_is_read_whole_and_one_bad_entry_of_a_million_is_found(
    tmp_path: Path,
) -> None:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", path, "64G")
    assert look_at(path).virtual_size == 64 << 30
    with path.open("r+b") as file:
        file.seek(40)
        l1_offset = int.from_bytes(file.read(8))
        file.seek(l1_offset + 8 * 100)
        l2_offset = int.from_bytes(file.read(8)) & (1 << 56) - 1
        file.seek(l2_offset + 8 * 8000)
        file.write((l2_offset | 1 << 63).to_bytes(8))
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    assert caught.value.code == "metadata-overlap"


def test_a_file_cut_after_its_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    raw = tmp_path / "disk.raw"
    raw.write_bytes(patterned("ABCDEFGH"))
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, path)
    whole = path.read_bytes()
    for kept in (len(whole) - 1, len(whole) - 65536, len(whole) // 2):
        path.write_bytes(whole[:kept])
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.code == "offset-past-end"


def test_references_that_qemu_img_writes_are_unsafe(tmp_path: Path) -> None:
    base = tmp_path / "base.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", base, "8M")
    delta, split = tmp_path / "delta.qcow2", tmp_path / "split.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", delta)
    qemu_img("create", "-q", "-f", "qcow2", "-o", f"data_file={tmp_path / 'data'}", split, "8M")
    for path in (delta, split):
        with pytest.raises(ImageUnsafe) as caught:
            look_at(path)
        assert caught.value.code == "reference-outside"
    qemu_img("rebase", "-u", "-f", "qcow2", "-b", "", delta)
    assert look_at(delta).virtual_size == 8 << 20


@pytest.mark.parametrize("method", ["aes", "luks"])
def test_an_encrypted_image_is_unsupported(method: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    options = f"encrypt.format={method},encrypt.key-secret=s"
    if method == "luks":
        options += ",encrypt.iter-time=10"
    secret = ["--object", "secret,id=s,data=made-up"]
    qemu_img("create", "-q", *secret, "-f", "qcow2", "-o", options, path, "4M")
    with pytest.raises(ImageUnsupported) as caught:
        look_at(path)
    assert caught.value.code == "encryption"
