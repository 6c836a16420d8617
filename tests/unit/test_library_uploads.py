"""gc ends uploads of a library alone: others may keep what is theirs beside it."""

from __future__ import annotations

import pytest

from support.care import DAY, Care, care, folder_store, id_of_age, template, where

__all__ = ["care", "template", "where"]

ONE, TWO = (f"0190b0f4-0000-7000-8000-00000000000{n}" for n in (1, 2))
OURS = [
    f"images/{ONE}/web-0.raw",
    f"images/{ONE}/disk-0.dws",
    f"images/{ONE}/condition",
    "library.json",
    f"manifests/{ONE}.json",
    f"records/{ONE}/00000001.json",
    f"received/{ONE}/00000001.json",
    f"names/{'a' * 64}/00000001.json",
    f"names/keys/{'a' * 64}.json",
    f"shares/{TWO}/{ONE}.json",
    f"shares/{TWO}/{ONE}.answer.json",
    f"uses/{ONE}/{TWO}.json",
    f"probe/{TWO}/plain",
    f"changes/2026-11-27/101112-{ONE}-00000001",
    f"changes/2026-11-27/101112-{ONE}-gone",
]
OTHERS = [
    "backups/db.tar",
    "db.tar",
    "images/holiday.tar",
    "images/holiday/1.jpg",
    f"images/{ONE}/more/web-0.raw",
    f"team/images/{ONE}/web-0.raw",
    f"manifests/{ONE}.yaml",
    f"manifests/{ONE}xjson",
    "manifests/list.json",
    f"records/{ONE}/all.json",
    "names/keys/mine.json",
    "shares/stocks/2026.json",
    "uses/cases.json",
    "probe/plain",
    "changes/2026-11-27/log",
    "libraryxjson",
]


def ended(where, folder, keys):
    store = folder_store(where)
    for key in keys:
        store.create_upload(key, part_size=8 << 20)
    with Care(where, folder / "later", later_s=2 * DAY) as later:
        planned = later.gc(dry_run=True).uploads
        assert later.gc().uploads == planned
    left = {one.key for one in store.list_uploads("")}
    assert planned == len(keys) - len(left)
    return left


def test_all_that_is_put_into_a_library(where, tmp_path):
    assert ended(where, tmp_path, OURS) == set()


def test_nothing_else(where, tmp_path):
    assert ended(where, tmp_path, OTHERS) == set(OTHERS)


@pytest.mark.parametrize("age", [3600, 10 * DAY])
def test_what_is_begun_lately_whatever_its_images_age(care, where, age):
    folder_store(where).create_upload(f"images/{id_of_age(age)}/web-0.raw", part_size=8 << 20)
    assert care.gc().uploads == 0
