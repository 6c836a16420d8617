"""All that a packed file holds is read, and what is not whole and sound has a name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Iterator

import pytest

from diskwright.adapters.unpacked import refusal
from diskwright.errors import ImageBroken, ImageUnsupported, ToolFailed
from diskwright.formats.packed.codecs import zstd
from diskwright.formats.packed.container import name_inside, processor_seconds, unpacked_limit
from diskwright.formats.packed.feed import Feed
from diskwright.formats.packed.members import Unpackable, content
from diskwright.model.image import FileIdentity, ImageFormat
from support.packed import PACK, skippable

GZIP, XZ, ZSTD, BZIP2 = ImageFormat.GZIP, ImageFormat.XZ, ImageFormat.ZSTD, ImageFormat.BZIP2
NOISE = os.urandom(200_000)
ALL = pytest.mark.parametrize("packing", PACK, ids=str)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    file = io.BytesIO(data)
    while piece := file.read(size):
        yield piece


def unpack(packing: ImageFormat, data: bytes, size: int = 10_000) -> bytes:
    return b"".join(content(packing, Feed(pieces(data, size))))


def why(packing: ImageFormat, data: bytes) -> Unpackable:
    with pytest.raises(Unpackable) as caught:
        unpack(packing, data)
    return caught.value


def spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


@ALL
@pytest.mark.parametrize("size", [1, 7, 65536])
def test_several_members_are_read_as_one(packing: ImageFormat, size: int) -> None:
    parts = [NOISE[:5_000], b"", bytes(30_000), b"the end"]
    packed = b"".join(map(PACK[packing], parts))
    assert unpack(packing, packed, size) == b"".join(parts)


def test_members_with_nothing_in_them_have_an_end() -> None:
    found = why(GZIP, PACK[GZIP](b"") * 65_600)
    assert (found.code, "65536 members" in found.detail) == ("compressed-container", True)


def test_members_that_hold_much_are_any_number() -> None:
    member = PACK[GZIP](bytes(4096))
    assert len(unpack(GZIP, member * 65_600)) == 65_600 * 4096


def test_stream_padding_of_xz_is_passed() -> None:
    two = PACK[XZ](b"one") + bytes(8) + PACK[XZ](b"two")
    assert unpack(XZ, two) == unpack(XZ, two + bytes(4)) == b"onetwo"


def test_zeros_that_fill_a_tapes_block_are_passed_after_gzip() -> None:
    assert unpack(GZIP, PACK[GZIP](NOISE) + bytes(99_999)) == NOISE


def test_skippable_frames_of_zstd_are_passed_wherever_they_stand() -> None:
    packed = PACK[ZSTD](b"one") + skippable(NOISE) + skippable(b"", 15) + PACK[ZSTD](b"two")
    assert unpack(ZSTD, packed + skippable(b"last")) == b"onetwo"
    assert unpack(ZSTD, skippable(b"size") + packed) == b"onetwo"


def test_a_gzip_header_with_every_field_is_passed() -> None:
    packed = PACK[GZIP](NOISE)
    fields = b"\x02\0ab" + b"name\0" + b"comment\0"
    assert unpack(GZIP, packed[:3] + b"\x1c" + packed[4:10] + fields + packed[10:]) == NOISE


@ALL
@pytest.mark.parametrize("left", [0.1, 0.5, 0.999])
def test_what_is_cut_short_is_truncated(packing: ImageFormat, left: float) -> None:
    packed = PACK[packing](NOISE)
    said = why(packing, packed[: int(len(packed) * left)])
    assert said.code == "truncated"
    assert said.offset == int(len(packed) * left)


@ALL
def test_a_further_member_that_is_cut_short_is_truncated(packing: ImageFormat) -> None:
    packed = PACK[packing](NOISE)
    for cut in (1, 2, 100):
        assert why(packing, packed + packed[:cut]).code == "truncated", cut


@ALL
def test_what_follows_and_is_none_is_trailing_data(packing: ImageFormat) -> None:
    packed = PACK[packing](NOISE)
    for tail in (b"x", b"garbage!" * 1000):
        said = why(packing, packed + tail)
        assert (said.code, said.offset) == ("trailing-data", len(packed))


def test_padding_that_is_none_is_trailing_data() -> None:
    assert why(XZ, PACK[XZ](b"one") + bytes(6)).code == "trailing-data"
    assert why(ZSTD, PACK[ZSTD](b"one") + bytes(4)).code == "trailing-data"
    assert why(BZIP2, PACK[BZIP2](b"one") + bytes(4)).code == "trailing-data"


def test_a_skippable_frame_longer_than_the_file_is_truncated() -> None:
    assert why(ZSTD, PACK[ZSTD](b"one") + skippable(NOISE)[:-1]).code == "truncated"


@ALL
def test_damage_is_told_with_the_member_that_it_is_in(packing: ImageFormat) -> None:
    first = PACK[packing](b"sound")
    text = b"".join(b"%d words, the same again and again\n" % n for n in range(5_000))
    second = PACK[packing](text)
    said = why(packing, first + spoilt(second, len(second) // 2))
    assert said.code in ("compressed-data", "checksum")
    assert said.offset == len(first)


@pytest.mark.parametrize("packing", [GZIP, ZSTD], ids=str)
def test_a_checksum_that_is_wrong_is_told_apart(packing: ImageFormat) -> None:
    packed = PACK[packing](NOISE)
    assert why(packing, spoilt(packed, len(packed) - 1)).code == "checksum"


@pytest.mark.parametrize("packing", [XZ, BZIP2], ids=str)
def test_a_checksum_that_is_wrong_is_damage_where_nobody_tells(packing: ImageFormat) -> None:
    packed = PACK[packing](NOISE)
    at = len(packed) - (40 if packing is XZ else 6)
    assert why(packing, spoilt(packed, at)).code == "compressed-data"


def test_a_window_that_takes_too_much_memory_is_refused() -> None:
    wide = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    assert why(XZ, lzma.compress(b"x", filters=wide)).code == "compressed-container"
    long = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 28})
    packed = long.compress(NOISE) + long.flush()
    assert why(ZSTD, packed).code == "compressed-container"


def test_a_dictionary_that_is_elsewhere_is_refused() -> None:
    words = zstd.train_dict([b"sample %d of many" % n + NOISE[n : n + 9] for n in range(999)], 999)
    assert why(ZSTD, zstd.compress(NOISE, zstd_dict=words)).code == "compressed-container"


def test_the_library_agrees() -> None:
    for packing, theirs in ((GZIP, gzip), (XZ, lzma), (BZIP2, bz2)):
        packed = PACK[packing](NOISE) * 3
        assert theirs.decompress(packed) == unpack(packing, packed)


def test_a_limit_on_the_processor_is_one_that_the_system_takes() -> None:
    assert processor_seconds(1 << 20, 8 << 20) == 30 + 4 + 1
    assert processor_seconds(1 << 62, 1 << 90) < 1 << 31


def test_the_limit_follows_the_packed_size_from_192_mib_on() -> None:
    assert unpacked_limit(0) == unpacked_limit(384 << 10) == 192 << 20
    assert unpacked_limit(1 << 20) == 512 << 20


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/a/disk.raw.gz", "/a/disk.raw"),
        ("/a/disk.qcow2.XZ", "/a/disk.qcow2"),
        ("/a/disk.zst", "/a/disk"),
        ("/a.gz/disk", "/a.gz/disk"),
        ("/a/disk.raw", "/a/disk.raw"),
        ("/a/.gz", "/a/.gz"),
    ],
)
def test_the_name_inside_is_without_the_ending_of_its_packing(path: str, inside: str) -> None:
    assert name_inside(path) == inside


PACKED_FILE = FileIdentity("/images/disk.gz", 1, 2, 3, 4)


def test_the_last_words_of_a_child_become_its_refusal() -> None:
    cut = refusal(PACKED_FILE, '["truncated", "it ends", 7]')
    assert isinstance(cut, ImageBroken)
    assert (cut.code, cut.offset) == ("truncated", 7)
    assert isinstance(
        refusal(PACKED_FILE, '["compressed-container", "no", null]'), ImageUnsupported
    )


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{}",
        "[" * 100_000,
        '["truncated", "it ends"]',
        '["truncated", 5, 7]',
        '["truncated", "it ends", "7"]',
        '["reference-outside", "no", 7]',
    ],
    ids=range(7),
)
def test_other_words_of_a_child_are_not_believed(said: str) -> None:
    assert isinstance(refusal(PACKED_FILE, said), ToolFailed)


def test_nothing_in_a_childs_words_reaches_the_terminal() -> None:
    cut = refusal(PACKED_FILE, '["truncated", "\\u001b[31m' + "x" * 9_999 + '", null]')
    assert cut.message.isprintable()
    assert len(cut.message) < 500
