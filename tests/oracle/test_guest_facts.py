"""All the facts of a real Debian disk, in this process and through the confined child."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diskwright.adapters.guest_child import ConfinedGuestInspector
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.guest.inspect import inspect_guest
from diskwright.guest.partitions import read_table
from diskwright.guest.probe import probe
from diskwright.guest.source import Source
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import GuestFacts, InitramfsState, NamedBy
from diskwright.model.network import AddressMethod
from diskwright.ops.opening import look
from support.guest_disks import FIXTURES, FileDisk, run

QCOW2 = FIXTURES / "debian12-uefi-ext4.qcow2"
VERSION = "6.1.0-56-cloud-amd64"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facts") / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", QCOW2, path)
    return path


@pytest.fixture(scope="module")
def facts(raw: Path) -> GuestFacts:
    return inspect_guest(FileDisk(raw))


def confined(path: Path) -> GuestFacts:
    source = look(str(path))
    inspector = ConfinedGuestInspector(descriptor=QemuNbdExporter().descriptor)
    return inspector.inspect(source.disk)


def test_the_confined_child_says_the_same_of_raw_and_qcow2(raw: Path, facts: GuestFacts) -> None:
    assert confined(raw) == facts
    assert confined(QCOW2) == facts


def test_nothing_is_unread_and_nothing_wrong(facts: GuestFacts) -> None:
    assert (facts.unread, facts.problems, facts.root) == ((), (), 1)


def test_the_system(facts: GuestFacts) -> None:
    assert facts.os is not None
    found = (facts.os.id, facts.os.version_id, facts.os.codename, facts.os.architecture)
    assert found == ("debian", "12", "bookworm", "x86_64")


def test_mounts_are_by_uuid_and_here(facts: GuestFacts) -> None:
    assert facts.fstab is not None
    assert [e.mount_point for e in facts.fstab] == ["/", "/boot/efi"]
    assert all(e.named_by is NamedBy.UUID and e.on_disk for e in facts.fstab)


def test_the_boot_loader(facts: GuestFacts) -> None:
    loader = facts.bootloader
    assert loader is not None
    assert (loader.name, loader.bios, loader.uefi) == ("grub2", False, True)
    assert loader.esp_fallback == "EFI/BOOT/BOOTX64.EFI"
    (entry,) = loader.entries
    assert entry.kernel == f"/boot/vmlinuz-{VERSION}"
    assert (entry.kernel_exists, entry.initrds_exist, entry.root_on_disk) == (True, True, True)
    assert entry.root_named_by is NamedBy.UUID


def test_the_kernel_and_its_drivers(facts: GuestFacts) -> None:
    assert facts.kernels is not None
    (kernel,) = facts.kernels
    assert (kernel.version, kernel.default) == (VERSION, True)
    assert kernel.builtin is not None
    assert {"nvme", "ext4"} <= set(kernel.builtin)
    assert kernel.initramfs is not None
    assert kernel.initramfs.state is InitramfsState.READ
    wanted = "virtio virtio_ring virtio_pci virtio_blk virtio_scsi virtio_net xen_blkfront"
    assert set(wanted.split()) <= set(kernel.initramfs.modules)


def test_the_network_and_cloud_init(facts: GuestFacts) -> None:
    assert facts.network is not None
    found = [(i.manager, i.name, i.method) for i in facts.network.interfaces]
    assert found == [("ifupdown", "eth0", AddressMethod.DHCP)]
    assert (facts.network.persistent_rules, facts.network.mac_pinned) == ((), ())
    assert facts.cloud_init is not None
    assert (facts.cloud_init.version, facts.cloud_init.enabled) == ("22.4.2", True)


def test_the_initramfs_lists_the_modules_that_xz_unpacks(
    raw: Path, facts: GuestFacts, tmp_path: Path
) -> None:
    source = Source(FileDisk(raw))
    place = read_table(source).partitions[1]
    found = probe(source.window(place.start, place.length), 2)
    assert found is not None
    assert found.reader is not None
    packed = tmp_path / "initrd.xz"
    packed.write_bytes(b"".join(GuestTree(found.reader).stream(f"/boot/initrd.img-{VERSION}")))
    run("xz", "-d", packed)
    names = re.findall(rb"/([A-Za-z0-9_-]+)\.ko\0", (tmp_path / "initrd").read_bytes())
    assert facts.kernels is not None
    assert facts.kernels[0].initramfs is not None
    expected = {name.decode().replace("-", "_") for name in names}
    missing = expected - set(facts.kernels[0].initramfs.modules)
    assert len(expected) > 30
    assert missing == set()
