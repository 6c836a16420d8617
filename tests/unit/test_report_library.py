"""A library's images as text and as JSON: columns that fit, and nothing that moves a cursor."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diskwright._values import field_names, replace
from diskwright.model.library import Change, Entry, ImageKind, Status
from diskwright.report import schema
from diskwright.report.columns import cells, cut, filled
from diskwright.report.library import (
    change_value,
    entries_table,
    entry_text,
    entry_value,
    history_text,
)
from support.judgements import EVIL
from support.library_entries import CHANGES, KMS, entry, hostile_entry, many, team

NAMES = list(field_names(Entry))


def table(*entries: Entry, **options) -> list[str]:
    return list(entries_table(entries, **options))


# --- the table ---------------------------------------------------------------------------------


def test_without_entries_there_are_no_lines():
    assert table() == []


def test_columns_stand_beneath_their_titles():
    lines = table(*team())
    for title, seen in (("STATUS", "active"), ("KIND", "system-disk"), ("CREATED", "2026-10-02")):
        assert lines[1].index(seen) == lines[0].index(title)


def test_sizes_end_where_their_title_does():
    lines = table(*team())
    end = lines[0].index("SIZE") + len("SIZE")
    assert lines[1][:end].endswith(" 40 GiB")
    assert lines[14][:end].endswith("500 GiB")


def test_a_wide_name_takes_two_cells_a_character():
    lines = table(entry(1), entry(2, name="東京-データ"))
    starts = [cells(line[: line.index("019a")]) for line in lines[1:]]
    assert len(set(starts)) == 1


def test_what_sets_an_image_apart_is_told_in_words():
    told = "\n".join(table(*team()))
    for words in ("quick", "1 finding, sealed", "2 findings", "shared with 2", "inconsistent"):
        assert words in told, words
    assert "(sealed, not opened)" in told
    assert "not accepted yet, shared" in told


def test_what_is_no_terminal_gets_everything():
    name = "n" * 300
    (_, line) = table(entry(1, name=name))
    assert name in line
    assert entry(1).id in line


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
def test_on_a_terminal_names_are_cut(columns):
    entries = [replace(one, warnings=(), failed=()) for one in team()[:14]]
    lines = table(*entries, entry(1, name="long-" * 80), columns=columns)
    assert max(map(cells, lines)) <= columns
    assert "…" in lines[-1]
    assert "…" not in lines[1]


def test_a_cut_id_still_names_the_image():
    (_, line) = table(entry(1), columns=80)
    assert line.split()[1] == entry(1).id[:13]


def test_wide_cuts_nothing_and_tells_more():
    title, line = table(entry(1, name="n" * 300, tags={"a": "b", "c": ""}), wide=True, columns=80)
    assert "n" * 300 in line
    assert "a=b,c" in line
    assert {"OWNER", "CHANNEL", "TAGS", "UPDATED", "BOOT"} <= set(title.split())


def test_colour_paints_the_status_only_and_moves_nothing():
    plain, painted = table(*team()), table(*team(), colour=True)
    assert any("\x1b[32mactive\x1b[0m" in line for line in painted)
    assert any("\x1b[31;1merror\x1b[0m" in line for line in painted)
    for code in ("31;1", "32", "33", "35", "0"):
        painted = [line.replace(f"\x1b[{code}m", "") for line in painted]
    assert plain == painted


def test_it_does_not_wait_for_the_last_entry():
    taken = []
    entries = (taken.append(one.id) or one for one in many(5000))
    lines = entries_table(entries)
    next(lines)
    assert len(taken) < 1000
    assert sum(1 for _ in lines) == 5000


def test_columns_may_widen_later_and_stay_together():
    late = [entry(n) for n in range(600)] + [entry(601, name="x" * 60)]
    lines = table(*late)
    assert lines[-1].index("019a") == 62
    assert lines[-2].index("019a") == 62


def test_a_word_that_comes_late_is_whole_on_a_terminal_too():
    late = [entry(n, name="n" * 90) for n in range(600)]
    late.append(entry(601, name="n" * 90, status=Status.PENDING_DELETE, os="x" * 99))
    lines = table(*late, columns=120)
    assert "pending-delete" in lines[-1]
    assert max(map(cells, lines)) <= 120


@pytest.mark.parametrize("columns", [None, 20, 80])
@pytest.mark.parametrize("wide", [False, True])
def test_a_hostile_entry_is_a_line(wide, columns):
    lines = table(hostile_entry(), entry(1), wide=wide, columns=columns)
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


@given(st.text(), st.integers(2, 40))
def test_a_cut_text_has_room(text, width):
    shown = cut(text, width)
    assert cells(shown) <= width
    assert cells(filled(shown, width)) == width
    assert shown == text or text.startswith(shown[:-1])


# --- one entry, and its history ----------------------------------------------------------------


def test_one_image_tells_every_attribute():
    told = entry_text(
        replace(
            team()[12],
            description="first\nsecond",
            tags={"team": "shop"},
            channel="c-1",
            proven="2026-11-01T00:00:00Z",
            failed=("rule.one", "rule.two"),
            warnings=("torn",),
            origin="s3://there",
            sealed=True,
            recipients=(KMS,),
            quick=True,
            max_memory_mib=4096,
            source_digest="12" * 32,
            tools={"qemu-img": "7.2.22", "diskwright": "0.1.0"},
            base="019a0001-7b10",
        ),
        base_name="web-1",
    )
    # fmt: off
    for said in (
        "billing-full", "first", "second", "active", "full-server image", "debian 12", "x86_64",
        "Debian GNU/Linux 12.0.0 64bit", "UEFI", "at least 1024 MiB, at most 4096 MiB", "512 MiB",
        "at least 40 GiB", "off, the guest has the driver", "214748364800 bytes", "data-1.vmdk",
        "team=shop", "lab, account 7e7e7e7e7e7e7e7e: accepted", "huawei-kms 0d0466b0", "opened",
        "anna@build-3", "debian-12-genericcloud-amd64.qcow2 (qcow2)", "019a0008-", "c-1",
        "huawei-ims", "2026-11-01T00:00:00Z", "rule.one", "rule.two", "torn", "s3://there",
        "a server starts from it at once", "record 1", "ef" * 32, "cd" * 32, "ab" * 32,
        "images/019a/disk-0", "dw1 " + "12" * 32, "diskwright 0.1.0, qemu-img 7.2.22",
        "web-1 (019a0001-7b10)",
    ):
        assert said in told, said
    # fmt: on


def test_a_sealed_image_that_is_not_opened_tells_what_is_known():
    told = entry_text(team()[14])
    assert "(sealed, not opened)" in told
    assert "no key here opens it" in told
    assert "at least 0" not in told
    assert "unknown (sealed, not opened)" in told
    assert "system-disk" not in table(team()[14])[1]


def test_a_data_disk_tells_nothing_of_a_system():
    told = entry_text(entry(1, kind=ImageKind.DATA, os_type="Linux"))
    for word in ("multi-queue", "SR-IOV", "memory", "system disk", "boots by", "Linux"):
        assert word not in told


def test_a_hostile_image_stays_within_its_lines():
    told = entry_text(hostile_entry())
    assert all(line.isprintable() for line in told.split("\n"))
    assert "\\x1b[2J" in told


def test_a_history_has_a_line_for_each_record():
    lines = history_text(CHANGES).split("\n")
    assert len(lines) == 3
    assert cells(lines[1][: lines[1].index("created as")]) == cells(
        lines[2][: lines[2].index("name:")]
    )
    assert history_text(()) == "no records"


def test_a_hostile_history_too():
    told = history_text([Change(1, EVIL, EVIL, EVIL, EVIL, EVIL)])
    assert len(told.split("\n")) == 2
    assert all(line.isprintable() for line in told.split("\n"))


# --- JSON --------------------------------------------------------------------------------------

DEFINITIONS = schema.schema()["$defs"]


def closed(kind: str) -> jsonschema.Draft202012Validator:
    """The published definition, without room for what it does not name."""
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{kind}", "unevaluatedProperties": False, "$defs": DEFINITIONS}
    )


@pytest.mark.parametrize("one", [*team(), hostile_entry()], ids=lambda one: ascii(one.name)[:20])
def test_an_entry_has_every_field_and_fits_the_schema(one):
    value = entry_value(one)
    assert [*value] == [*NAMES, "virtual_size", "object_size"]
    closed("entry").validate(json.loads(json.dumps(value)))
    assert json.loads(json.dumps(value)) == value


def test_no_wrapped_key_is_told():
    assert entry_value(team()[14])["recipients"] == [
        {"provider": "huawei-kms", "key_id": KMS.key_id}
    ]


def test_a_change_has_every_field_and_fits_the_schema():
    value = change_value(CHANGES[0])
    assert value["what"] == "created as 'web'"
    closed("change").validate(value)


def test_statuses_are_words():
    assert entry_value(entry(1, status=Status.PENDING_DELETE))["status"] == "pending-delete"
