"""A copy of a library is another library to whoever has both, though it has its id."""

from __future__ import annotations

import shutil

from support.care import Care, care, template, where

__all__ = ["care", "template", "where"]


def test_a_copy_says_nothing_of_the_original(care, where, tmp_path):
    before = list(care.list())
    shutil.copytree(where.removeprefix("dir:"), tmp_path / "copy")
    care.tag("web-1", put={"stage": "prod"})
    care.delete("web-2")
    with Care(f"dir:{tmp_path / 'copy'}", tmp_path / "here") as copy:
        assert copy.place().info.id == care.place().info.id
        assert list(copy.list()) == before
        assert copy.sync().damaged == ()
    assert care.sync().damaged == ()
    assert care.show("web-1").tags == {"stage": "prod"}


def test_a_link_to_it_is_the_same_place(care, where, tmp_path):
    care.tag("web-1", put={"stage": "prod"})
    (tmp_path / "link").symlink_to(where.removeprefix("dir:"))
    with Care(f"dir:{tmp_path / 'link'}", tmp_path / "here") as linked:
        assert linked.show("web-1", sync=False).tags == {"stage": "prod"}
