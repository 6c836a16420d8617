"""The support table and the register of readers say the same."""

from __future__ import annotations

from diskwright.formats.inspect import READERS
from diskwright.formats.support import HOLDERS, SUPPORT
from diskwright.model.image import ImageFormat


def test_every_format_that_has_a_name_has_one_row() -> None:
    assert sorted(row.format for row in SUPPORT) == sorted(ImageFormat)


def test_a_format_is_called_read_where_it_has_a_reader_or_holds_what_has_one() -> None:
    assert {row.format for row in SUPPORT if row.read} == set(READERS) | HOLDERS
