"""The files of a small guest in two styles, such that every reader finds something to read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import lz4.block

from diskwright.formats.packed.codecs import zstd
from support.cpio_maker import archive

ROOT_ID = "1c0de000-0001-4a11-9000-0000000000a1"
ESP_ID = "1C0D-E001"
VERSION = "6.1.0-9-cloud-amd64"
TIME = 1_700_000_000  # of everything, in seconds


class Link(str):
    """A symbolic link: its target."""

    __slots__ = ()


Files = Mapping[str, bytes | Link]
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
KERNEL = b"MZ" + bytes(510) + b"\x55\xaaHdrS" + bytes(range(256)) * 4
_DRIVERS = "block/virtio_blk net/virtio_net scsi/virtio_scsi virtio/virtio_pci virtio/virtio_ring"
_CONFIG = b"CONFIG_EXT4_FS=y\nCONFIG_VIRTIO=y\nCONFIG_BLK_DEV_NVME=y\n# CONFIG_XEN is not set\n"


def lz4_legacy(data: bytes) -> bytes:
    packed = lz4.block.compress(data, store_size=False)
    return b"\x02\x21\x4c\x18" + len(packed).to_bytes(4, "little") + packed


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": zstd.compress,
    "lz4": lz4_legacy,
    "plain": bytes,
}


def initramfs_files() -> bytes:
    """What an initramfs holds, unpacked."""
    above = f"usr/lib/modules/{VERSION}"
    drivers = {f"{above}/kernel/drivers/{name}.ko": ELF * 3 for name in _DRIVERS.split()}
    more: dict[str, bytes] = {
        "init": b"#!/bin/sh\nexec /sbin/init\n",
        f"{above}/modules.builtin": b"kernel/fs/ext4/ext4.ko\nkernel/drivers/virtio/virtio.ko\n",
        "etc/udev/rules.d/70-persistent-net.rules": b"# none\n",
    }
    return archive({**more, **drivers})


def microcode() -> bytes:
    return archive({"kernel/x86/microcode/GenuineIntel.bin": b"\1" * 300}) + bytes(200)


def _grub(device: str, boot: str, more: str = "") -> bytes:
    return f"""### made by update-grub
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
set default="0"
function savedefault {{
  saved_entry="${{chosen}}"
  save_env saved_entry
}}
insmod part_gpt
search --no-floppy --fs-uuid --set=root {device}
{more}menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {{
  insmod gzio
  if [ x$grub_platform = xxen ]; then insmod xzio; fi
  search --no-floppy --fs-uuid --set=root {device}
  echo 'Loading'
  linux {boot}/vmlinuz-{VERSION} root=UUID={ROOT_ID} ro console=ttyS0 quiet
  initrd {boot}/initrd.img-{VERSION}
}}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced' {{
  menuentry 'recovery' --class os {{
    linux {boot}/vmlinuz-{VERSION} root=UUID={ROOT_ID} ro single
    initrd {boot}/initrd.img-{VERSION}
  }}
}}
""".encode()


def root_fstab(root: str = f"UUID={ROOT_ID}", kind: str = "ext4", *more: str) -> bytes:
    lines = ["# <file system> <mount point> <type>", f"{root} / {kind} defaults 0 1", *more, ""]
    return "\n".join(lines).encode()


def boot_files(packing: str = "xz", *, prefix: str = "/boot") -> dict[str, bytes | Link]:
    packed = PACKERS[packing](initramfs_files())
    return {
        f"{prefix}/vmlinuz-{VERSION}": KERNEL,
        f"{prefix}/config-{VERSION}": _CONFIG,
        f"{prefix}/initrd.img-{VERSION}": microcode() + packed,
    }


def debian(
    fstab: bytes | None = None, *, packing: str = "xz", device: str = ROOT_ID, boot: str = "/boot"
) -> dict[str, bytes | Link]:
    """The root of a guest that GRUB starts. `boot`: where the root of `device` has the kernel."""
    return {
        **boot_files(packing),
        "/boot/grub/grub.cfg": _grub(device, boot),
        "/boot/grub/grubenv": b"# GRUB Environment Block\nsaved_entry=0\n".ljust(1024, b"#"),
        **_system(),
        "/etc/fstab": root_fstab() if fstab is None else fstab,
        "/etc/network/interfaces": b"auto lo\niface lo inet loopback\n"
        b"source /etc/network/interfaces.d/*\niface eth0 inet dhcp\n",
        "/etc/network/interfaces.d/more": b"iface eth1 inet static\n  address 192.0.2.7/24\n",
        "/etc/netplan/50-cloud-init.yaml": b"network:\n  version: 2\n  ethernets:\n    eth2:\n"
        b"      dhcp4: true\n      match: {macaddress: 'fa:16:3e:00:00:01'}\n"
        b"    eth3:\n      addresses: [192.0.2.9/24, \"2001:db8::1/64\"]\n",
        "/var/lib/dpkg/status": b"Package: bash\nStatus: install ok installed\nVersion: 5.2-2\n\n"
        b"Package: cloud-init\nStatus: install ok installed\nVersion: 22.4.2-1+deb12u1\n\n",
    }  # fmt: skip


def rhel(*, packing: str = "zstd") -> dict[str, bytes | Link]:
    """Another style: entries in files of their own, networks of NetworkManager and ifcfg."""
    entry = (
        f"title Rocky Linux\nversion {VERSION}\nlinux /boot/vmlinuz-{VERSION}\n"
        f"initrd /boot/initrd.img-{VERSION} $tuned_initrd\noptions $kernelopts\nid rocky\n"
    )
    config = f"set default=0\nload_env\nsearch --fs-uuid --set=root {ROOT_ID}\nset boot=$root\n"
    return {
        **boot_files(packing),
        "/boot/grub2/grub.cfg": f"{config}insmod blscfg\nblscfg\n".encode(),
        "/boot/grub2/grubenv": f"# GRUB Environment Block\nkernelopts=root=UUID={ROOT_ID} ro\n"
        "saved_entry=rocky\n".encode().ljust(1024, b"#"),
        "/boot/loader/entries/rocky.conf": entry.encode(),
        **_system(),
        "/etc/fstab": root_fstab(),
        "/etc/sysconfig/network": b"NETWORKING=yes\nGATEWAYDEV=eth0\n",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": b"DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n"
        b'HWADDR="fa:16:3e:00:00:02"\n',
        "/etc/NetworkManager/system-connections/lan.nmconnection": b"[connection]\nid=lan\n"
        b"type=ethernet\ninterface-name=eth1\n[ethernet]\nmac-address=FA:16:3E:00:00:03\n"
        b"[ipv4]\nmethod=manual\naddress1=192.0.2.3/24,192.0.2.1\n",
        "/etc/systemd/network/10-lan.network": b"[Match]\nName=eth2\n[Network]\nDHCP=yes\n",
        "/etc/systemd/network/20-old.link": b"[Match]\nMACAddress=fa:16:3e:00:00:04\n[Link]\n"
        b"Name=lan0\n",
        "/usr/lib/python3.9/site-packages/cloudinit/version.py": b'__VERSION__ = "23.1.1"\n',
        "/etc/systemd/system/multi-user.target.wants/NetworkManager.service": Link(
            "/usr/lib/systemd/system/NetworkManager.service"
        ),
    }


def _system() -> dict[str, bytes | Link]:
    return {
        "/usr/lib/os-release": b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n'
        b'VERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\nID_LIKE="linux \\"unix\\""\n',
        "/etc/os-release": Link("../usr/lib/os-release"),
        "/bin": Link("usr/bin"),
        "/usr/bin/sh": ELF,
        "/usr/sbin/sshd": ELF,
        "/usr/bin/cloud-init": b"#!/usr/bin/python3\n",
        "/usr/lib/systemd/system-generators/cloud-init-generator": b"#!/bin/sh\n",
        f"/usr/lib/modules/{VERSION}/modules.builtin": b"kernel/fs/ext4/ext4.ko\n",
        "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n"
        b"nobody:*:65534:65534::/:/usr/sbin/nologin\n",
        "/etc/shadow": b"root:$6$salt$hash:19000:0:99999:7:::\nme:!:19000::::::\n",
        "/etc/ssh/sshd_config": b"Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"
        b"PermitRootLogin prohibit-password # keys\nMatch User me\n  PermitRootLogin no\n",
        "/etc/ssh/sshd_config.d/10-more.conf": b"X11Forwarding no\n",
        "/etc/ssh/ssh_host_ed25519_key": b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "/etc/machine-id": b"0123456789abcdef0123456789abcdef\n",
        "/etc/cloud/cloud.cfg": b"users: [default]\ndatasource_list:\n  - OpenStack # here\n"
        b"  - None\n",
        "/etc/cloud/cloud.cfg.d/90_dpkg.cfg": b"datasource_list: [ OpenStack, ConfigDrive ]\n",
        "/etc/udev/rules.d/70-persistent-net.rules": b'SUBSYSTEM=="net", ACTION=="add", '
        b'ATTR{address}=="fa:16:3e:00:00:05", NAME="eth0"\n',
        "/root/.bash_history": b"ls\n",
        "/home/me/.ssh/id_ed25519": b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "/root/links/out": Link("../../../../outside"),
    }


def lay(folder: Path, files: Files) -> Path:
    """`files` below a folder of this machine, which nobody opens through a link."""
    for path, content in files.items():
        place = folder / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            place.symlink_to(content)
        else:
            place.write_bytes(content)
    for above, folders, names in os.walk(folder):
        for name in (*folders, *names):
            os.utime(os.path.join(above, name), (TIME, TIME), follow_symlinks=False)
    os.utime(folder, (TIME, TIME))
    return folder
