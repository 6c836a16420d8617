"""What is read of the root file system of a Linux alone, while its initramfs is unpacked."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.guest.accounts import read_accounts
from diskwright.guest.cloud_init import read_cloud_init
from diskwright.guest.crypttab import read_crypttab
from diskwright.guest.devices import DiskNames
from diskwright.guest.left_behind import read_left_behind
from diskwright.guest.network import read_network
from diskwright.guest.notes import Notes
from diskwright.guest.os_release import (
    OsReleaseMissing,
    OsReleaseUnusable,
    read_libc,
    read_os_release,
)
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.services import read_services
from diskwright.guest.sshd import read_sshd
from diskwright.guest.tree import GuestTree
from diskwright.model.access import Account, LeftBehind, SshServer
from diskwright.model.guest import CloudInit, CryptEntry, OsRelease, Section, Unread
from diskwright.model.image import Problem
from diskwright.model.network import Network
from diskwright.model.services import Services


class Sections(Struct, frozen=True):
    """None where one was not read: `notes` say why."""

    os: OsRelease | None
    crypttab: tuple[CryptEntry, ...] | None
    network: Network | None
    cloud_init: CloudInit | None
    accounts: tuple[Account, ...] | None
    ssh: SshServer | None
    left: LeftBehind | None
    services: Services | None
    libc: str | None


def read_sections(
    tree: GuestTree, notes: Notes, *, names: DiskNames, architecture: str | None, line: str
) -> Sections:
    """`line`: the kernel's command line."""
    system = _os(tree, notes, architecture)
    crypttab = notes.read(Section.CRYPTTAB, lambda: _crypttab(tree, names))
    network = notes.read(Section.NETWORK, lambda: read_network(tree))
    cloud_init = notes.read(Section.CLOUD_INIT, lambda: read_cloud_init(tree, line))
    accounts = notes.read(Section.ACCOUNTS, lambda: read_accounts(tree))
    ssh = notes.read(Section.SSH, lambda: read_sshd(tree))
    left = notes.read(Section.LEFT, lambda: read_left_behind(tree))
    ports = ssh.ports if ssh else ()
    services = notes.read(Section.SERVICES, lambda: read_services(tree, ports, line))
    return Sections(
        os=system,
        crypttab=crypttab,
        network=network,
        cloud_init=cloud_init,
        accounts=accounts,
        ssh=ssh,
        left=left,
        services=services,
        libc=read_libc(tree),
    )


def _crypttab(tree: GuestTree, names: DiskNames) -> tuple[CryptEntry, ...]:
    try:
        return read_crypttab(tree, names)
    except NotThere:
        return ()


def _os(tree: GuestTree, notes: Notes, architecture: str | None) -> OsRelease | None:
    try:
        return read_os_release(tree, architecture)
    except OsReleaseMissing:
        detail = "there is no /etc/os-release and no /usr/lib/os-release"
        notes.problems.append(Problem("os-release-missing", detail))
        notes.unread.append(Unread(Section.OS, detail))
    except OsReleaseUnusable as error:
        notes.unread.append(Unread(Section.OS, str(error)))
    except GuestReadError as error:
        notes.failed(Section.OS, error)
    return None
