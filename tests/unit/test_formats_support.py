"""The support table and the register of readers say the same."""

from __future__ import annotations

from diskwright.formats.inspect import READERS
from diskwright.formats.support import HOLDERS, SUPPORT
from diskwright.model.image import ImageFormat
from diskwright.writers import FORWARD, is_forward
from diskwright.writers.subformats import SUBFORMATS


def test_every_format_that_has_a_name_has_one_row() -> None:
    assert sorted(row.format for row in SUPPORT) == sorted(ImageFormat)


def test_a_format_is_called_read_where_it_has_a_reader_or_holds_what_has_one() -> None:
    assert {row.format for row in SUPPORT if row.read} == set(READERS) | HOLDERS


def test_how_a_format_is_written_is_told_of_each_of_its_variants() -> None:
    for row in SUPPORT:
        names = SUBFORMATS.get(row.format, ())
        ours = [name for name in names if is_forward(row.format, name)]
        assert all(name in row.written for name in names), row
        assert ("one forward pass" in row.written) == (row.format in FORWARD), row
        assert all(f"one forward pass ({name})" in row.written for name in ours), row
