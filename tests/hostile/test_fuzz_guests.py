"""Disks with guests that `scripts/fuzz` changes: they are whole before, and what must not be of a
changed one is found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.guest_child import ConfinedGuestInspector
from diskwright.model.guest import GuestFacts, Section, Unread
from support.fuzzing.guests import judge as judging
from support.fuzzing.guests import sums
from support.fuzzing.guests.judge import judge
from support.fuzzing.guests.mutants import mutant
from support.fuzzing.guests.seed import watched
from support.fuzzing.guests.seeds import GUESTS, seeds
from support.fuzzing.guests.unread import PARTIAL, hanging, lies, results, without, without_menu
from support.fuzzing.write import write_sparse
from support.good_facts import BIOS, UEFI


@pytest.mark.parametrize("kind", GUESTS)
def test_a_disk_is_whole_before_it_is_changed(kind: str) -> None:
    for seed in seeds(kind):
        facts, reads = watched(seed.data)
        assert facts.table is not None
        assert (facts.unread, facts.table.problems) == ((), ())
        assert facts.root is not None
        assert [fs.note for fs in facts.filesystems or () if not fs.read] == []
        assert facts.bootloader is not None
        assert [entry.kernel_exists for entry in facts.bootloader.entries].count(True) > 0
        assert facts.kernels is not None
        assert facts.kernels[0].initramfs is not None
        assert len(facts.kernels[0].initramfs.modules) == 7
        assert facts.network is not None
        assert len(facts.network.interfaces) > 2
        assert len(reads) > 25
        assert len(seed.hot) > 3
        data = bytearray(seed.data)
        sums.repair(data, bytes(len(data)), seed.sums)  # all of them, as if all had changed
        assert data == seed.data


@pytest.mark.parametrize("kind", GUESTS)
def test_mutants_get_beyond_the_first_check(kind: str, tmp_path: Path) -> None:
    """Most are read in part or whole."""
    ends: Counter[str] = Counter()
    for number in range(16):
        path = tmp_path / "disk"
        write_sparse(path, mutant(kind, 3, number))
        end, findings = judge(path, read=False)
        assert findings == []
        ends[end] += 1
    assert ends["accepted"] > 2


def test_the_confined_child_says_the_same_of_a_changed_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk"
    write_sparse(path, mutant("guest-ext", 3, 1))
    assert judge(path, read=True)[1] == []
    asked = []

    class Other(ConfinedGuestInspector):
        def inspect(self, disk: object) -> GuestFacts:
            asked.append(disk)
            return replace(super().inspect(disk), root=7)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "ConfinedGuestInspector", Other)
    (finding,) = judge(path, read=True)[1]
    assert finding.startswith("differs: root: 7 and ")
    assert len(asked) == 1


@pytest.mark.parametrize("section", Section)
def test_a_pass_that_hangs_on_what_was_not_read_is_found(section: Section) -> None:
    for good in (BIOS, UEFI):
        unread = without(good, section)
        assert list(lies(unread)) == []
        found = list(lies(unread, results(good)))
        passed = {text.split()[1].strip(",") for text in found if text.startswith("pass: ")}
        assert passed & hanging(section) or not hanging(section)


def test_a_pass_without_the_boot_entries_is_found() -> None:
    unread = without_menu(BIOS)
    assert list(lies(unread)) == []
    found = "\n".join(lies(unread, results(BIOS)))
    assert "pass: boot.kernel-missing, and boot was not read" in found
    assert "boot.bootloader-missing" not in found  # its code was read


@pytest.mark.parametrize("section", [one for one in Section if one not in PARTIAL])
def test_facts_of_what_was_not_read_are_found(section: Section) -> None:
    facts = replace(BIOS, unread=(Unread(section, "was not read"),))
    assert f"facts: of {section}, which was not read: was not read" in list(lies(facts))
