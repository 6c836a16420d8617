"""Good facts with one fault each, by the rule that finds it and the result that it gives."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.access import LeftFile, MachineId, PasswordState, SshServer
from diskwright.model.finding import Result
from diskwright.model.guest import (
    CloudInit,
    GuestFacts,
)
from diskwright.model.image import ImageFacts, ImageFormat, Problem
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod
from diskwright.model.partitions import TableKind
from diskwright.model.services import ServiceState
from diskwright.model.units import GIB, MIB
from diskwright.model.windows import Hibernation
from support.fault_parts import (
    FIREWALL_OFF,
    RULES_FILE,
    SSHD,
    STATIC,
    WINDOWS,
    WINDOWS_NETWORK,
    WINDOWS_STATIC,
    bios,
    firewall,
    only,
    services,
    table,
    uefi,
    windows,
)
from support.faults_boot import BOOT_FAULTS
from support.good_facts import (
    CLOUD,
    DHCP,
    IMAGE,
    LEFT,
    NETWORK,
    ROOT,
    ROOT_ACCOUNT,
    SERVICES,
    SSH,
    TABLE,
    UEFI,
    WINDOWS_BIOS,
    WINDOWS_UEFI,
    kernel,
)

assert WINDOWS.device_drivers is not None

FAULTS: dict[str, list[tuple[GuestFacts, Result]]] = {
    **BOOT_FAULTS,
    "disk.gpt-backup-missing": [
        (
            uefi(table=replace(UEFI.table, problems=(Problem("gpt-backup-missing", "zeros"),))),
            Result.WARN,
        )
    ],
    "disk.filesystem-dirty": [(bios(filesystems=(replace(ROOT, dirty=True),)), Result.WARN)],
    "disk.encrypted": [
        (bios(filesystems=(ROOT, replace(ROOT, type="luks", read=False))), Result.FAIL)
    ],
    "disk.partition-table": [
        (bios(table=replace(TABLE, kind=TableKind.NONE, partitions=())), Result.FAIL),
        (table(Problem("partition-past-end", "partition 1 ends behind the disk")), Result.FAIL),
    ],
    "disk.table-too-large": [(table(Problem("table-too-large", "4 G entries")), Result.FAIL)],
    "disk.header-inconsistent": [(table(Problem("header-inconsistent", "x")), Result.FAIL)],
    "disk.partition-overlap": [(table(Problem("partition-overlap", "1 and 2")), Result.FAIL)],
    "disk.partition-loop": [(table(Problem("partition-loop", "5 to 5")), Result.FAIL)],
    "network.net-persistent-rules": [
        (bios(network=replace(NETWORK, persistent_rules=(RULES_FILE,))), Result.FAIL),
        (
            bios(
                kernels=kernel(persistent_net_rules=("etc/udev/rules.d/70-persistent-net.rules",))
            ),
            Result.FAIL,
        ),
    ],
    "network.net-static-address": [
        (bios(network=replace(NETWORK, interfaces=(STATIC,))), Result.FAIL),
        (
            replace(WINDOWS_BIOS, network=replace(WINDOWS_NETWORK, interfaces=(WINDOWS_STATIC,))),
            Result.FAIL,
        ),
        (
            replace(
                WINDOWS_BIOS,
                network=replace(
                    WINDOWS_NETWORK, interfaces=(replace(WINDOWS_STATIC, judged=False),)
                ),
            ),
            Result.PASS,
        ),
    ],
    "network.net-mac-pinned": [
        (
            bios(network=replace(NETWORK, mac_pinned=(Location("/etc/systemd/network/10.link"),))),
            Result.FAIL,
        )
    ],
    "network.dhcp": [
        (
            bios(
                network=replace(NETWORK, interfaces=(replace(DHCP, method=AddressMethod.NONE),)),
                cloud_init=None,
            ),
            Result.UNKNOWN,
        )
    ],
    "cloud.cloud-init-missing": [
        (bios(cloud_init=replace(CLOUD, installed=False, enabled=None)), Result.WARN),
        (bios(cloud_init=CloudInit(False, None, peers=("ignition",))), Result.PASS),
        (replace(WINDOWS_UEFI, cloud_init=CloudInit(False, None)), Result.WARN),
    ],
    "access.root-empty-password": [
        (bios(accounts=(replace(ROOT_ACCOUNT, password=PasswordState.EMPTY),)), Result.FAIL),
        (
            bios(accounts=(replace(ROOT_ACCOUNT, password=PasswordState.EMPTY, shell=False),)),
            Result.PASS,
        ),
    ],
    "access.ssh-root-login-refused": [
        (bios(ssh=replace(SSH, root_login="no", root_login_at=SSHD)), Result.WARN),
        (bios(ssh=replace(SSH, conditional=(SSHD,))), Result.UNKNOWN),
        (bios(ssh=replace(SSH, root_login="no", conditional=(SSHD,))), Result.UNKNOWN),
        (bios(ssh=SshServer(False)), Result.SKIP),
    ],
    "access.ssh-server-off": [
        (bios(services=replace(SERVICES, ssh=ServiceState.DISABLED)), Result.WARN),
        (bios(services=replace(SERVICES, ssh=ServiceState.MASKED)), Result.WARN),
        (bios(services=replace(SERVICES, ssh=ServiceState.UNKNOWN)), Result.UNKNOWN),
        (bios(services=replace(SERVICES, ssh=None), ssh=SshServer(False)), Result.WARN),
        (bios(services=replace(SERVICES, ssh=None)), Result.UNKNOWN),
        (bios(ssh=None), Result.PASS),
    ],
    "access.firewall-closed": [
        (firewall(lets_ssh=False), Result.WARN),
        (firewall(lets_ssh=False, name="other"), Result.WARN),
        (firewall(lets_ssh=None), Result.UNKNOWN),
        (firewall(lets_ssh=False, state=ServiceState.UNKNOWN), Result.UNKNOWN),
        (firewall(lets_ssh=False, state=ServiceState.DISABLED), Result.PASS),
        (bios(services=replace(SERVICES, firewalls=())), Result.PASS),
    ],
    "privacy.ssh-host-keys-left": [
        (bios(ssh=replace(SSH, host_keys=("/etc/ssh/ssh_host_rsa_key",))), Result.WARN)
    ],
    "privacy.machine-id-left": [
        (bios(left=replace(LEFT, machine_id=MachineId.SET)), Result.WARN),
        (bios(left=replace(LEFT, id_files=("/var/lib/dbus/machine-id",))), Result.WARN),
        (bios(left=replace(LEFT, machine_id=MachineId.MISSING)), Result.PASS),
    ],
    "privacy.secrets-left": [
        (
            bios(left=replace(LEFT, files=(LeftFile("private key", "/root/.ssh/id_rsa"),))),
            Result.WARN,
        )
    ],
    "disk.disk-nearly-full": [
        (bios(filesystems=(replace(ROOT, free=GIB // 50),)), Result.WARN),
        (bios(filesystems=(replace(ROOT, free=None),)), Result.UNKNOWN),
    ],
    "cloud.cloud-init-disabled": [
        (
            bios(
                cloud_init=replace(
                    CLOUD, enabled=False, disabled_by="/etc/cloud/cloud-init.disabled"
                )
            ),
            Result.WARN,
        ),
        (replace(WINDOWS_UEFI, cloud_init=CloudInit(True, False, None, "Start=4")), Result.WARN),
    ],
    "os.os-release-missing": [
        (bios(os=None, problems=(Problem("os-release-missing", "none"),)), Result.WARN)
    ],
    "guest.guest-link-escapes": [
        (
            bios(os=None, problems=(Problem("guest-link-escapes", "/etc/os-release"),)),
            Result.WARN,
        )
    ],
    "guest.guest-link-loop": [
        (bios(problems=(Problem("guest-link-loop", "/etc/ssh/sshd_config"),)), Result.WARN)
    ],
    "boot.windows-virtio-missing": [
        (windows(services=()), Result.FAIL),
        (windows(services=services(file_exists=False)), Result.FAIL),
        (windows(services=services()[:2]), Result.WARN),
        (windows(services=services(file_exists=None)), Result.UNKNOWN),
        (windows(services=services()[:1] + services()[2:]), Result.PASS),
        (windows(services=services()[1:]), Result.WARN),
        (windows(services=only("viostor", file_exists=False)), Result.WARN),
        (bios(), Result.SKIP),
    ],
    "boot.windows-virtio-disabled": [
        (windows(services=services(start=4)), Result.FAIL),
        (windows(services=services(start=3)), Result.FAIL),
        (windows(services=services(override=3)), Result.FAIL),
        (windows(device_drivers=()), Result.FAIL),
        (windows(services=only("viostor", start=4)), Result.WARN),
        (windows(services=only("vioscsi", start=4)), Result.PASS),
        (windows(services=only("netkvm", start=4)), Result.WARN),
        (windows(services=only("netkvm", override=4)), Result.WARN),
        (windows(services=only("netkvm", start=None)), Result.UNKNOWN),
        (windows(device_drivers=WINDOWS.device_drivers[1:]), Result.WARN),
        (windows(services=services(start=None)), Result.UNKNOWN),
        (windows(services=only("viostor", start=None)), Result.UNKNOWN),
        (windows(device_drivers=None), Result.UNKNOWN),
        (bios(), Result.SKIP),
    ],
    "disk.windows-hibernated": [
        (windows(hibernation=Hibernation.SAVED), Result.FAIL),
        (windows(hibernation=Hibernation.EMPTY, fast_startup=True), Result.WARN),
        (windows(hibernation=Hibernation.EMPTY, fast_startup=None), Result.UNKNOWN),
        (windows(hibernation=Hibernation.EMPTY, fast_startup=False), Result.PASS),
        (windows(hibernation=Hibernation.NONE, fast_startup=True), Result.PASS),
        (windows(hibernation=Hibernation.UNKNOWN), Result.UNKNOWN),
    ],
    "access.remote-desktop-off": [
        (windows(remote_desktop=False), Result.WARN),
        (windows(remote_desktop=False, remote_desktop_policy=False), Result.WARN),
        (windows(remote_desktop_service=False), Result.WARN),
        (windows(remote_desktop_service=None), Result.UNKNOWN),
        (windows(remote_desktop_allowed=False), Result.WARN),
        (windows(remote_desktop_allowed=False, remote_desktop_port=3390), Result.WARN),
        (windows(remote_desktop_allowed=False, firewall=FIREWALL_OFF), Result.PASS),
        (windows(remote_desktop_allowed=None, firewall=FIREWALL_OFF), Result.PASS),
        (windows(remote_desktop_allowed=False, firewall=()), Result.UNKNOWN),
        (windows(remote_desktop_allowed=None), Result.UNKNOWN),
        (windows(remote_desktop_port=None), Result.UNKNOWN),
        (windows(firewall=None), Result.UNKNOWN),
        (windows(firewall_by_policy=True), Result.UNKNOWN),
        (windows(firewall_by_policy=None), Result.UNKNOWN),
        (windows(remote_desktop=None), Result.UNKNOWN),
    ],
    "os.pending-reboot": [
        (windows(pending_reboot=("PendingFileRenameOperations",)), Result.WARN),
        (windows(pending_reboot=None), Result.UNKNOWN),
    ],
    "disk.one-system-disk": [
        (GuestFacts(table=TABLE, filesystems=(replace(ROOT, type="vfat"),)), Result.FAIL)
    ],
}

IMAGE_FAULTS: dict[str, tuple[ImageFacts, Result]] = {
    "image.format": (replace(IMAGE, format=ImageFormat.ISO), Result.FAIL),
    "image.size": (replace(IMAGE, virtual_size=512 * MIB, exact_size=512 * MIB), Result.FAIL),
    "image.size-multiple": (replace(IMAGE, virtual_size=GIB + 1, exact_size=GIB + 1), Result.FAIL),
    "image.object-size": (
        replace(IMAGE, virtual_size=200 * GIB, exact_size=200 * GIB),
        Result.UNKNOWN,
    ),
    "image.size-unaligned": (replace(IMAGE, exact_size=GIB - 1), Result.WARN),
    "image.dirty": (replace(IMAGE, problems=(Problem("dirty", "bit 0"),)), Result.WARN),
    "image.snapshots": (replace(IMAGE, snapshots=2), Result.WARN),
    "image.oddities": (replace(IMAGE, problems=(Problem("size-ambiguous", "x"),)), Result.WARN),
}
