"""Every disk of MANIFEST.tsv's linux/ rows has the facts that the row names.

A faulty disk is the good one but for its fault, so its facts are compared with the good one's: what
differs must be what the fault is, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from diskwright._values import replace
from diskwright.guest.inspect import inspect_guest
from diskwright.model.codec import encode
from diskwright.model.guest import GuestFacts, InitramfsState, NamedBy
from diskwright.model.partitions import TableKind
from support.guest_disks import FileDisk
from support.image_corpus import Disk, disks, flatten

DISKS = disks("linux")
GOOD = [disk for disk in DISKS if disk.base is None]
DELTAS = [disk for disk in DISKS if disk.base is not None]


@pytest.fixture(scope="session")
def facts_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], GuestFacts]:
    known: dict[str, GuestFacts] = {}
    folder = tmp_path_factory.mktemp("flat")

    def read(file: str) -> GuestFacts:
        if file not in known:
            flat = flatten(file, folder, "raw")
            known[file] = inspect_guest(FileDisk(flat))
            flat.unlink()
        return known[file]

    return read


def said(disk: Disk) -> dict[str, str]:
    """`firmware=bios; os=debian 12 …` as a mapping; words without a value are keys."""
    pairs = (part.strip().partition("=") for part in disk.expected_facts.split(";"))
    return {key: value for key, _, value in pairs}


def assert_table(facts: GuestFacts, wanted: dict[str, str]) -> None:
    assert facts.table is not None
    assert facts.table.kind is TableKind(wanted["table"])
    assert facts.table.problems == ()
    assert facts.bootloader is not None
    firmware = "bios" if facts.bootloader.bios else "uefi" if facts.bootloader.uefi else None
    assert firmware == wanted["firmware"]


def assert_kernel(facts: GuestFacts, wanted: dict[str, str]) -> None:
    assert facts.kernels is not None
    kernel = facts.kernels[0]
    assert (kernel.version, kernel.default) == (wanted["kernel"], True)
    assert kernel.initramfs is not None
    assert kernel.initramfs.state is InitramfsState.READ
    listed, _, others = wanted["initramfs"].rpartition(": ")[2].partition(" (")
    modules = {name.split()[0].replace("-", "_") for name in listed.split(",")}
    assert modules <= set(kernel.initramfs.modules)
    builtin = re.split(r" (?:is|are) built in", others)[0]
    assert kernel.builtin is not None
    assert set(builtin.split(" and ")) <= set(kernel.builtin)


@pytest.mark.parametrize("disk", GOOD, ids=str)
def test_a_good_disk(disk: Disk, facts_of: Callable[[str], GuestFacts]) -> None:
    facts, wanted = facts_of(disk.file), said(disk)
    assert_table(facts, wanted)
    assert facts.filesystems is not None
    assert_root(facts, wanted)
    assert_kernel(facts, wanted)


# The manifest's words for what the facts call otherwise
NETWORK = {"NetworkManager keyfile eth0 auto": "network-manager eth0 dhcp"}


def assert_root(facts: GuestFacts, wanted: dict[str, str]) -> None:
    assert (facts.unread, facts.problems) == ((), ())
    assert facts.os is not None
    system = [facts.os.id, facts.os.version_id, facts.os.codename, facts.os.architecture]
    assert wanted["os"].startswith(" ".join(filter(None, system)))
    assert facts.fstab is not None
    stable = {NamedBy.UUID, NamedBy.LABEL, NamedBy.MAPPER}
    assert all(e.on_disk and e.named_by in stable for e in facts.fstab)
    assert facts.network is not None
    found = [f"{i.manager} {i.name} {i.method}" for i in facts.network.interfaces]
    assert found == [NETWORK.get(wanted["net"], wanted["net"])]
    assert facts.cloud_init is not None
    assert facts.cloud_init.enabled
    version = facts.cloud_init.version
    assert "cloud-init enabled" in wanted or wanted["cloud-init"] == f"{version} enabled"
    assert facts.bootloader is not None
    assert all(e.kernel_exists and e.initrds_exist for e in facts.bootloader.entries)
    by_name = any(word.startswith("root by /dev/mapper") for word in wanted)
    expected = NamedBy.MAPPER if by_name else NamedBy.UUID
    assert {e.root_named_by for e in facts.bootloader.entries} == {expected}


def test_the_volumes_of_a_disk_are_those_that_it_was_made_with(
    facts_of: Callable[[str], GuestFacts],
) -> None:
    """`p3=PV of vg0: root xfs 640 MiB, var ext4 256 MiB, swap 64 MiB`"""
    disk = next(disk for disk in GOOD if disk.name == "debian12-uefi-lvm")
    number, group, listed = re.findall(r"p(\d)=PV of (\w+): ([^;]*)", disk.expected_facts)[0]
    made = {}
    for words in (part.split() for part in listed.split(", ")):
        made[f"/dev/mapper/{group}-{words[0]}"] = (words[-3], int(words[-2]) << 20)
    facts = facts_of(disk.file)
    assert [(v.partitions, v.complete, v.note) for v in facts.volumes] == [
        ((int(number),), True, "")
    ] * len(made)
    types = {fs.volume: fs.type for fs in facts.filesystems or () if fs.volume}
    assert {v.name: (types[v.name], v.size) for v in facts.volumes} == made
    assert [fs.note for fs in facts.filesystems or () if fs.type == "LVM2_member"] == [
        f"physical volume of {group}"
    ]
    assert facts.root is not None
    assert (facts.filesystems or ())[facts.root].volume == f"/dev/mapper/{group}-root"


def test_every_expected_good_disk_is_there() -> None:
    assert len(GOOD) >= 7
    assert len(DELTAS) >= 30


# What each finding changes: a pattern of every path that may differ, and a line that must be there.
CHANGES: dict[str, tuple[str, str]] = {
    "fstab-device-name": (r"fstab\.0\.", "fstab.0.named_by=device"),
    "fstab-other-disk": (r"fstab\.1\.", "fstab.1.on_disk=False"),
    "fstab-unknown-uuid": (r"fstab\.0\.", "fstab.0.on_disk=False"),
    "fstab-unreadable": (r"fstab|unread|problems", "problems.0.code=fstab-unreadable"),
    "grub-root-device-name": (
        r"bootloader\.entries\.0\.",
        "bootloader.entries.0.root_named_by=device",
    ),
    "grub-config-missing": (r"bootloader\.(entries|config)", "bootloader.config=None"),
    "kernel-missing": (
        r"bootloader\.entries\.0\.kernel_exists|kernels\.0\.(path|architecture)",
        "bootloader.entries.0.kernel_exists=False",
    ),
    "initramfs-no-virtio": (r"kernels\.0\.initramfs\.", "kernels.0.initramfs.state=read"),
    "initramfs-missing": (
        r"kernels\.0\.initramfs|bootloader\.entries\.0\.initrds_exist",
        "kernels.0.initramfs.state=missing",
    ),
    "initramfs-corrupt": (r"kernels\.0\.initramfs\.", "kernels.0.initramfs.state=corrupt"),
    "net-persistent-rules": (
        r"network\.persistent_rules",
        "network.persistent_rules.0.file=/etc/udev/rules.d/70-persistent-net.rules",
    ),
    "net-static-address": (r"network\.", "network.interfaces.0.method=static"),
    "net-mac-pinned": (
        r"network\.mac_pinned",
        "network.mac_pinned.0.file=/etc/systemd/network/10-eth0.link",
    ),
    "cloud-init-missing": (r"cloud_init\.", "cloud_init.installed=False"),
    "cloud-init-disabled": (r"cloud_init\.", "cloud_init.enabled=False"),
    "os-release-missing": (r"os|unread|problems", "problems.0.code=os-release-missing"),
    "guest-link-escapes": (r"os|unread|problems", "problems.0.code=guest-link-escapes"),
    "mbr-no-active-partition": (r"table\.partitions\.0\.active", "table.partitions.0.active=False"),
    "bootloader-missing": (r"table\.bo|table\.bios|bootloader\.bios", "bootloader.bios=False"),
    "filesystem-dirty": (r"filesystems\.0\.dirty", "filesystems.0.dirty=True"),
    "gpt-backup-missing": (r"table\.problems", "table.problems.0.code=gpt-backup-missing"),
    "esp-no-fallback": (r"bootloader\.esp_", "bootloader.esp_fallback=None"),
    "root-empty-password": (r"accounts\.0\.", "accounts.0.password=empty"),
    "ssh-root-login-refused": (r"ssh\.root_login", "ssh.root_login=no"),
    "ssh-host-keys-left": (
        r"ssh\.host_keys",
        "ssh.host_keys.0=/etc/ssh/ssh_host_ed25519_key",
    ),
    "machine-id-left": (r"left\.(machine_id|id_files)", "left.machine_id=set"),
    "guest-link-loop": (r"ssh|unread|problems", "problems.0.code=guest-link-loop"),
    "secrets-left": (r"left\.files", "left.files.0.path=/root/.bash_history"),
}
# What is no fault, and what shows in the free space alone: every other fact stays as it is
ELSEWHERE = {"disk-nearly-full", "none"}


def flat(value: Any, path: str = "") -> Iterator[str]:
    """`path=value` of every leaf, but for free space, which every change of a file changes."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from flat(item, f"{path}.{key}" if path else str(key))
    elif not path.endswith(".free"):
        yield f"{path}={value}"


@pytest.mark.parametrize("disk", DELTAS, ids=str)
def test_a_fault_changes_what_it_is_and_nothing_else(
    disk: Disk, facts_of: Callable[[str], GuestFacts]
) -> None:
    assert disk.base is not None
    before = set(flat(encode(facts_of(disk.base))))
    after = set(flat(encode(facts_of(disk.file))))
    finding = disk.expected_finding
    if finding in ELSEWHERE:
        assert after == before
        return
    may, must = CHANGES[finding]
    assert must in after
    assert after != before
    strange = [line for line in before ^ after if not re.match(may, line)]
    assert strange == []


def test_the_initramfs_without_virtio_holds_none(facts_of: Callable[[str], GuestFacts]) -> None:
    facts = facts_of("linux/fault-initramfs-no-virtio.qcow2")
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is not None
    assert not any("virtio" in name for name in facts.kernels[0].initramfs.modules)


def test_a_nearly_full_disk_has_little_free(facts_of: Callable[[str], GuestFacts]) -> None:
    facts = facts_of("linux/fault-disk-nearly-full.qcow2")
    assert facts.filesystems is not None
    root = facts.filesystems[0]
    assert root.free is not None
    assert root.size is not None
    assert root.free < root.size * 0.03
    assert replace(root, free=0) == replace(
        (facts_of("linux/debian12-bios-ext4.qcow2").filesystems or ())[0], free=0
    )


def test_the_subvolumes_of_a_disk_are_those_that_it_was_made_with(
    facts_of: Callable[[str], GuestFacts],
) -> None:
    """`p2=btrfs zstd: subvolumes @ (default, root), @home, …, one read-only snapshot`"""
    (disk,) = (disk for disk in GOOD if disk.name == "debian12-uefi-btrfs")
    assert "subvolumes @ (default, root), @home, @var, @snapshots" in disk.expected_facts
    filesystems = facts_of(disk.file).filesystems
    assert filesystems is not None
    (fs,) = (fs for fs in filesystems if fs.type == "btrfs")
    paths = {one.path: one.number for one in fs.subvolumes}
    assert set(paths) == {"@", "@home", "@var", "@snapshots", "@snapshots/1"}
    assert fs.default_subvolume == paths["@"]
    assert [one.path for one in fs.subvolumes if one.readonly] == ["@snapshots/1"]
