"""What a BlockReader promises: extents that cover the range, reads that are the disk's bytes.

An adapter passes by giving the fixture `disk`: a reader and the bytes that it must hold.
"""

from __future__ import annotations

import os
import random
import threading

import pytest

from diskwright.model.extent import ExtentKind


def read(reader, offset, length):
    buffer = bytearray(b"\xee" * length)
    reader.read_into(offset, memoryview(buffer))
    return bytes(buffer)


def ranges(size, count=40):
    """Borders, odd places, and reads that span clusters."""
    chosen = random.Random(size)
    found = [(0, 1), (0, size), (size - 1, 1), (0, 0), (size, 0), (size // 2 - 3, 7)]
    for _ in range(count):
        start = chosen.randrange(size)
        found.append((start, min(chosen.choice([1, 511, 4096, 70000, 3 << 20]), size - start)))
    return found


class BlockReaderContract:
    def test_its_size_is_the_disks(self, disk):
        reader, expected = disk
        assert reader.size == len(expected)
        assert reader.parallel >= 1

    def test_every_read_gives_the_disks_bytes(self, disk):
        reader, expected = disk
        for start, length in ranges(len(expected)):
            assert read(reader, start, length) == expected[start : start + length], (start, length)

    def test_a_read_fills_its_buffer_and_nothing_beside_it(self, disk):
        reader, expected = disk
        buffer = bytearray(b"\xee" * 3000)
        reader.read_into(100, memoryview(buffer)[500:2500])
        assert buffer[:500] == b"\xee" * 500
        assert buffer[500:2500] == expected[100:2100]
        assert buffer[2500:] == b"\xee" * 500

    def test_extents_are_ascending_gapless_and_cover_the_range(self, disk):
        reader, expected = disk
        for start, length in ranges(len(expected), count=10):
            cursor = start
            for extent in reader.extents(start, length):
                assert extent.start == cursor
                assert extent.length > 0
                cursor = extent.end
            assert cursor == start + length

    def test_what_is_no_data_reads_as_zeros(self, disk):
        reader, expected = disk
        for extent in reader.extents(0, reader.size):
            if extent.kind is not ExtentKind.DATA:
                assert not any(expected[extent.start : extent.end])

    @pytest.mark.parametrize("past", [(0, 1), (1, 0)])
    def test_nothing_is_read_past_the_end(self, disk, past):
        reader, expected = disk
        start, length = len(expected) + past[0], past[1] + 1
        with pytest.raises(ValueError, match="not"):
            read(reader, start, length)

    def test_many_threads_may_read_at_once(self, disk):
        reader, expected = disk
        wrong = []

        def work(seed):
            for start, length in ranges(len(expected) - seed, count=10):
                if read(reader, start, length) != expected[start : start + length]:
                    wrong.append((start, length))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_close_may_be_called_twice_and_closes_nothing_of_others(self, disk):
        reader, _ = disk
        reader.close()
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]  # its numbers, given anew
        try:
            reader.close()
        finally:
            for other in others:
                os.close(other)  # EBADF where it was closed already
