"""A qcow2 file is read whole or refused by name, from its header to its last table."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from diskwright.errors import ImageBroken, ImageRefused, ImageUnsafe, ImageUnsupported
from diskwright.formats import limits
from diskwright.model.image import ImageFacts
from support.hostile.qcow2 import qcow2
from support.images import look_at

K = 65536
COPIED = 1 << 63
COMPRESSED = 1 << 62
EXTENDED = 16
BITMAPS = 0x23852875
ENCRYPTION = 0x0537BE77
FEATURE_NAMES = 0x6803F857


def facts_of(tmp_path: Path, content: bytes) -> ImageFacts:
    path = tmp_path / "disk.qcow2"
    path.write_bytes(content)
    return look_at(path)


def refusal(tmp_path: Path, content: bytes) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        facts_of(tmp_path, content)
    return caught.value


def patched(content: bytes, offset: int, layout: str, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


def snapshot(l1_offset: int, l1_entries: int, *, extra: int = 16, name: bytes = b"one") -> bytes:
    fixed = struct.pack(">QIHHIIQII", l1_offset, l1_entries, 1, len(name), 0, 0, 0, 0, extra)
    entry = fixed + bytes(extra) + b"1" + name
    return entry.ljust(-(-len(entry) // 8) * 8, b"\0")


def with_snapshots(*entries: bytes, count: int | None = None) -> bytes:
    """Clusters 6 and 7 are the snapshot table and a snapshot's L1 table."""
    table = b"".join(entries).ljust(K, b"\0")
    shown = len(entries) if count is None else count
    return qcow2(snapshots=shown, snap_off=6 * K, extra=table + bytes(K))


def test_facts_are_those_of_the_header(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, qcow2(size=3 << 20))
    assert (facts.format, facts.version) == ("qcow2", 3)
    assert (facts.virtual_size, facts.exact_size) == (3 << 20, 3 << 20)
    assert (facts.cluster_size, facts.file_size) == (K, 6 * K)
    assert (facts.compressed, facts.snapshots) == (False, 0)
    assert (facts.features, facts.problems) == ((), ())


@pytest.mark.parametrize("bits", range(9, 22))
def test_every_cluster_size_is_read(bits: int, tmp_path: Path) -> None:
    assert facts_of(tmp_path, qcow2(cluster_bits=bits)).cluster_size == 1 << bits


def test_unknown_extensions_and_unknown_compatible_features_are_ignored(tmp_path: Path) -> None:
    named = [(FEATURE_NAMES, bytes(96), None), (0x12345678, b"anything", None)]
    facts = facts_of(tmp_path, qcow2(exts=named, compat=1 << 30 | 1, autoclear=1 << 20))
    assert facts.features == ("lazy-refcounts",)


@pytest.mark.parametrize("kind", [0xE2792ACA, 0x0537BE77])
def test_an_extension_that_is_read_comes_once(kind: int, tmp_path: Path) -> None:
    # of two backing formats QEMU takes the last
    twice = [(kind, b"raw", None), (kind, b"qcow2", None)]
    found = refusal(tmp_path, qcow2(exts=twice))
    assert (found.kind, found.code) == ("broken", "header-inconsistent")
    assert "twice" in found.detail


def test_a_file_that_names_another_is_unsafe_before_it_is_anything_else(tmp_path: Path) -> None:
    content = qcow2(backing=b"/etc/passwd", incompat=1 << 40 | 2, crypt=1, l1_size=1 << 31)
    found = refusal(tmp_path, content)
    assert isinstance(found, ImageUnsafe)
    assert "/etc/passwd" in found.message


def test_a_name_in_a_refusal_has_no_control_characters(tmp_path: Path) -> None:
    found = refusal(tmp_path, qcow2(backing=b"\x1b[2J\n\xff" + b"x" * 500))
    assert found.detail.isprintable()
    assert len(found.detail) < 400


@pytest.mark.parametrize(
    ("length", "offset"), [(0, 200), (1024, 200), (4, 8), (4, 72), (4, K - 3), (4, 1 << 60)]
)
def test_a_backing_name_outside_its_place_is_broken(
    length: int, offset: int, tmp_path: Path
) -> None:
    found = refusal(tmp_path, qcow2(backing=b"name", backing_off=offset, backing_len=length))
    assert (found.kind, found.code) == ("broken", "header-inconsistent")


@pytest.mark.parametrize("method", [1, 2])
def test_an_encrypted_file_is_unsupported(method: int, tmp_path: Path) -> None:
    found = refusal(tmp_path, qcow2(crypt=method))
    assert (found.kind, found.code) == ("unsupported", "encryption")


def test_an_encryption_header_without_encryption_is_broken(tmp_path: Path) -> None:
    found = refusal(tmp_path, qcow2(exts=[(ENCRYPTION, bytes(16), None)]))
    assert found.code == "header-inconsistent"


@pytest.mark.parametrize(
    ("kind", "bit", "code"),
    [
        (1, 8, None),
        (0, 0, None),
        (1, 0, "header-inconsistent"),
        (0, 8, "header-inconsistent"),
        (2, 8, "compression-unknown"),
    ],
)
def test_the_compression_type_agrees_with_its_bit(
    kind: int, bit: int, code: str | None, tmp_path: Path
) -> None:
    content = patched(qcow2(incompat=bit, header_length=112), 104, ">B", kind)
    if code is None:
        assert facts_of(tmp_path, content).features == (("zstd",) if kind else ())
    else:
        assert refusal(tmp_path, content).code == code


@pytest.mark.parametrize("length", [96, 103, 105, 116])
def test_a_header_length_that_can_not_be_is_broken(length: int, tmp_path: Path) -> None:
    assert refusal(tmp_path, qcow2(header_length=length)).code == "header-inconsistent"


@pytest.mark.parametrize(("size", "code"), [(0, "too-short"), (511, "too-short")])
def test_a_disk_without_a_sector_is_broken(size: int, code: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, qcow2(size=size)).code == code


def test_a_disk_larger_than_any_l1_table_is_unsupported(tmp_path: Path) -> None:
    found = refusal(tmp_path, qcow2(size=1 << 62))
    assert isinstance(found, ImageUnsupported)
    assert found.code == "size-too-large"


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = qcow2(cluster_bits=9, data=b"x" * 512)
    path = tmp_path / "disk.qcow2"
    path.write_bytes(content)
    assert look_at(path).file_size == len(content)
    for length in range(len(content) - 1, 4, -1):
        os.truncate(path, length)
        with pytest.raises(ImageBroken):
            look_at(path)


def test_a_file_may_end_after_the_last_byte_that_a_guest_sees(tmp_path: Path) -> None:
    content = qcow2(size=512)
    assert facts_of(tmp_path, content[: 5 * K + 512])
    assert refusal(tmp_path, content[: 5 * K + 511]).code == "offset-past-end"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rc_off": 3 * K}, "metadata-overlap"),
        ({"rc_off": 0}, "metadata-overlap"),
        ({"rc_off": K + 512}, "offset-unaligned"),
        ({"rc_clusters": 0}, "header-inconsistent"),
        ({"rc_clusters": 129}, "table-too-large"),
        ({"l1_off": 0}, "metadata-overlap"),
        ({"l1": [4 * K | 1]}, "reserved-bits"),
        ({"l1": [1 << 62 | 4 * K]}, "reserved-bits"),
        ({"l1": [4 * K + 512]}, "offset-unaligned"),
        ({"l1": [6 * K]}, "offset-past-end"),
        ({"l1": [2 * K]}, "metadata-overlap"),
        ({"l2": [5 * K | 1 << 3]}, "reserved-bits"),
        ({"l2": [5 * K | 1 << 57]}, "reserved-bits"),
        ({"l2": [5 * K | 1], "version": 2}, "reserved-bits"),
        ({"l2": [5 * K + 512]}, "offset-unaligned"),
        ({"l2": [COPIED]}, "metadata-overlap"),
        ({"l2": [4 * K]}, "metadata-overlap"),
        ({"l2": [2 * K]}, "metadata-overlap"),
        ({"l2": [6 * K]}, "offset-past-end"),
        ({"l2": [COMPRESSED | COPIED | 5 * K]}, "reserved-bits"),
        ({"l2": [COMPRESSED | 100]}, "metadata-overlap"),
        ({"l2": [COMPRESSED | 4 * K + 100]}, "metadata-overlap"),
        ({"l2": [COMPRESSED | 6 * K]}, "offset-past-end"),
        ({"l2": [COMPRESSED | 1 << 54 | 6 * K - 512]}, "offset-past-end"),
        ({"l2": [COMPRESSED | 129 << 54 | 5 * K]}, "compressed-data"),
    ],
)
def test_a_table_that_contradicts_itself_is_broken(
    change: dict[str, int], code: str, tmp_path: Path
) -> None:
    found = refusal(tmp_path, qcow2(**change))
    assert (found.kind, found.code) == ("broken", code)


def test_a_refcount_block_in_two_places_or_past_the_end_is_broken(tmp_path: Path) -> None:
    good = qcow2()
    assert refusal(tmp_path, patched(good, K + 8, ">Q", 2 * K)).code == "metadata-overlap"
    assert refusal(tmp_path, patched(good, K, ">Q", 3 * K)).code == "metadata-overlap"
    assert refusal(tmp_path, patched(good, K, ">Q", 2 * K | 1)).code == "reserved-bits"
    assert refusal(tmp_path, patched(good, K, ">Q", 2 * K + 512)).code == "offset-unaligned"
    assert refusal(tmp_path, patched(good, K, ">Q", 1 << 60)).code == "offset-past-end"
    assert refusal(tmp_path, patched(good, K, ">Q", 6 * K)).code == "offset-past-end"
    assert refusal(tmp_path, patched(good, K, ">Q", COPIED | 2 * K)).code == "offset-past-end"


def test_the_last_entry_of_a_large_table_is_checked_too(tmp_path: Path) -> None:
    bits = 21
    entries = (1 << bits) // 8
    size = entries << bits
    good = [0] * (entries - 1) + [(5 << bits) | COPIED]
    assert facts_of(tmp_path, qcow2(cluster_bits=bits, size=size, l2=good))
    for bad, code in ((1 << bits, "metadata-overlap"), (6 << bits, "offset-past-end")):
        content = qcow2(cluster_bits=bits, size=size, l2=[*good[:-1], bad])
        found = refusal(tmp_path, content)
        assert found.code == code
        if code == "offset-past-end":
            assert found.offset == (5 << bits) - 8


@pytest.mark.parametrize(
    "entry", [0, 1, 5 * K | 1, COPIED | 5 * K, 5 * K, COMPRESSED | 127 << 54 | 5 * K + 13]
)
def test_a_sound_entry_is_accepted(entry: int, tmp_path: Path) -> None:
    facts = facts_of(tmp_path, qcow2(l2=[entry]))
    assert facts.compressed is bool(entry & COMPRESSED)


@pytest.mark.parametrize(
    ("entry", "bitmap", "code"),
    [
        (0, 0, None),
        (5 * K | COPIED, 1, None),
        (5 * K | COPIED, 1 << 32 | 1 << 31, None),
        (0, (1 << 64) - (1 << 32), None),
        (COMPRESSED | 5 * K, 0, None),
        (5 * K | 1, 1, "reserved-bits"),
        (5 * K, 1 << 32 | 1, "header-inconsistent"),
        (0, 1, "header-inconsistent"),
        (COMPRESSED | 5 * K, 1, "header-inconsistent"),
        (1 * K, 1, "metadata-overlap"),
    ],
)
def test_subclusters_agree_with_their_cluster(
    entry: int, bitmap: int, code: str | None, tmp_path: Path
) -> None:
    content = qcow2(incompat=EXTENDED, l2=[0, 0, entry, bitmap])
    if code is None:
        assert "extended-l2" in facts_of(tmp_path, content).features
    else:
        assert refusal(tmp_path, content).code == code


def test_a_file_with_subclusters_may_end_after_the_last_stored_one(tmp_path: Path) -> None:
    content = qcow2(incompat=EXTENDED, l2=[5 * K | COPIED, 0b11])
    assert facts_of(tmp_path, content[: 5 * K + 4096])
    assert refusal(tmp_path, content[: 5 * K + 4095]).code == "offset-past-end"


def test_extended_entries_need_clusters_of_16_kib(tmp_path: Path) -> None:
    assert facts_of(tmp_path, qcow2(incompat=EXTENDED, cluster_bits=14, l2=[]))
    found = refusal(tmp_path, qcow2(incompat=EXTENDED, cluster_bits=13, l2=[]))
    assert found.code == "header-inconsistent"


def test_snapshots_are_counted_and_their_tables_walked(tmp_path: Path) -> None:
    content = with_snapshots(snapshot(7 * K, 1), snapshot(0, 0, extra=0, name=b"two"))
    assert facts_of(tmp_path, content).snapshots == 2


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (snapshot(3 * K, 1), "metadata-overlap"),
        (snapshot(6 * K, 1), "metadata-overlap"),
        (snapshot(7 * K + 8, 1), "offset-unaligned"),
        (snapshot(8 * K, 1), "offset-past-end"),
        (snapshot(7 * K, 1 << 31), "table-too-large"),
        (snapshot(7 * K, 1, extra=1025), "table-too-large"),
        (snapshot(7 * K, 1, name=b"x" * 65535), "metadata-overlap"),
    ],
)
def test_a_snapshot_that_lies_is_broken(entry: bytes, code: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, with_snapshots(entry[:K])).code == code


def test_a_snapshot_table_past_the_end_is_broken(tmp_path: Path) -> None:
    found = refusal(tmp_path, with_snapshots(snapshot(0, 0), count=65536))
    assert found.code == "offset-past-end"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ((1, 0, 24, 5 * K), None),
        ((0, 0, 24, 5 * K), "header-inconsistent"),
        ((1, 1, 24, 5 * K), "header-inconsistent"),
        ((65536, 0, 24, 5 * K), "table-too-large"),
        ((1, 0, 24, 5 * K + 8), "offset-unaligned"),
        ((1, 0, K + 1, 5 * K), "offset-past-end"),
    ],
)
def test_a_bitmap_directory_lies_in_the_file(
    values: tuple[int, int, int, int], code: str | None, tmp_path: Path
) -> None:
    extension = [(BITMAPS, struct.pack(">IIQQ", *values), None)]
    assert facts_of(tmp_path, qcow2(exts=extension)).features == ()
    content = qcow2(exts=extension, autoclear=1)
    if code is None:
        assert facts_of(tmp_path, content).features == ("bitmaps",)
    else:
        assert refusal(tmp_path, content).code == code


def test_extensions_are_not_walked_for_ever(tmp_path: Path) -> None:
    many = [(0x12345678, b"", None)] * (limits.QCOW2_EXTENSIONS + 1)
    assert refusal(tmp_path, qcow2(exts=many)).code == "table-too-large"


def test_more_tables_than_are_read_are_unsupported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QCOW2_L2_TABLES", 1)
    content = qcow2(size=1 << 30, l1=[4 * K, 6 * K], extra=bytes(K))
    found = refusal(tmp_path, content)
    assert (found.kind, found.code) == ("unsupported", "table-too-large")


def test_snapshots_l1_tables_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QCOW2_SNAPSHOT_L1_BYTES", 8)
    assert facts_of(tmp_path, with_snapshots(snapshot(7 * K, 1))).snapshots == 1
    found = refusal(tmp_path, with_snapshots(snapshot(7 * K, 2)))
    assert found.code == "table-too-large"


def test_compressed_data_may_not_run_on_into_metadata(tmp_path: Path) -> None:
    def ending(sectors: int) -> bytes:
        entry = COMPRESSED | sectors << 54 | (6 * K - 512)
        return qcow2(size=1 << 30, l1=[4 * K, 6 * K], l2=[entry], data=bytes(K), extra=bytes(K))

    assert facts_of(tmp_path, ending(0)).compressed
    assert refusal(tmp_path, ending(1)).code == "metadata-overlap"


def test_compressed_data_starts_before_the_end_of_a_file_that_ends_within_a_sector(
    tmp_path: Path,
) -> None:
    content = qcow2(l2=[COMPRESSED | 5 * K + 700])
    assert facts_of(tmp_path, content[: 5 * K + 701]).compressed
    assert refusal(tmp_path, content[: 5 * K + 700]).code == "offset-past-end"


def test_the_disks_end_is_known_in_every_part_of_a_large_table(tmp_path: Path) -> None:
    bits, last = 21, 8200
    size = (last << bits) + 512
    entries = [0] * last + [5 << bits | COPIED]
    content = qcow2(cluster_bits=bits, size=size, l2=entries)
    assert facts_of(tmp_path, content[: (5 << bits) + 512]).virtual_size == size
    assert refusal(tmp_path, content[: (5 << bits) + 511]).code == "offset-past-end"
