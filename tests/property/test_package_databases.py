"""Whatever stands in a package database, its reader answers within bounds, or says Unreadable."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diskwright.guest.reading import Unreadable
from diskwright.guest.software.entries import parse_apk, parse_dpkg
from diskwright.guest.software.rpm import parse_header, parse_rpmdb
from diskwright.model.examined import InstalledPackage
from support.rpm_maker import database, header

HEADER = header(name="glibc", epoch=2, version="2.34", release="83.el9.7", arch="x86_64")
BASE = database(*(header(name=f"n{i}", version="1" * 300, release="2") for i in range(200)))
CHANGES = st.lists(
    st.tuples(st.integers(0, len(BASE) - 1), st.binary(min_size=1, max_size=8)), max_size=8
)


def changed(data: bytes, changes: list[tuple[int, bytes]], cut: int | None = None) -> bytes:
    buffer = bytearray(data)
    for place, piece in changes:
        place %= len(data)
        buffer[place : place + len(piece)] = piece
    return bytes(buffer[:cut])


def check(packages: list[InstalledPackage]) -> None:
    for package in packages:
        assert package.name
        assert package.version


@settings(max_examples=400, deadline=None)
@given(CHANGES, st.none() | st.integers(0, len(BASE)))
@example([(16, b"\0\1")], None)  # pages of 65,536 bytes
@example([(28, b"\xff\xff\xff\xff")], None)  # so many of them
@example([(4039, b"\x80")], None)  # of the schema, and no UTF-8
@example([(100, b"\5")], None)  # the schema's page is no leaf
def test_a_database_of_rpm(changes: list[tuple[int, bytes]], cut: int | None) -> None:
    with contextlib.suppress(Unreadable):
        check(parse_rpmdb(changed(BASE, changes, cut))[0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 199), st.binary(min_size=1, max_size=8)), max_size=4))
def test_the_head_of_a_database_of_rpm(changes: list[tuple[int, bytes]]) -> None:
    with contextlib.suppress(Unreadable):
        check(parse_rpmdb(changed(BASE, changes))[0])


@settings(max_examples=400)
@given(CHANGES, st.none() | st.integers(0, len(HEADER)))
def test_a_header(changes: list[tuple[int, bytes]], cut: int | None) -> None:
    with contextlib.suppress(Unreadable):
        check([parse_header(changed(HEADER, changes, cut))])


WORDS = st.sampled_from(
    [b"Package", b"Version", b"Status", b"P", b"V", b"A", b":", b"\n", b"\n\n", b" ", b"\xff", b"x"]
)


@settings(max_examples=300)
@given(st.lists(WORDS | st.binary(max_size=4), max_size=60).map(b"".join))
def test_text(data: bytes) -> None:
    found: dict[tuple[str, str], InstalledPackage] = {}
    parse_dpkg(data, found)
    check(list(found.values()))
    check(parse_apk(data)[0])


@pytest.mark.parametrize("parse", [parse_apk, lambda data: parse_dpkg(data, {})])
def test_one_line_without_an_end_is_read_in_its_length(parse) -> None:
    parse(b"P" * (8 << 20))
