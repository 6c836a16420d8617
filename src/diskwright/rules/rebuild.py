"""The initramfs anew, by the tool that each family of guests has for it."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright.rules import loaders
from diskwright.rules.rule import Case, commands


def rebuild(case: Case, modules: Iterable[str] = (), *, missing: bool = False) -> tuple[str, ...]:
    """Makes the initramfs anew, with `modules` in it; one that is missing has to be created."""
    mode = "-c" if missing else "-u"
    names = list(modules)
    drivers = f' --force --add-drivers "{" ".join(names)}"' if names else " --force"
    added = (f"printf '%s\\n' {' '.join(names)} >> /etc/initramfs-tools/modules",) if names else ()
    dracut = (f"dracut --regenerate-all{drivers}",)
    arch = (f"sed -i 's/^MODULES=(/&{' '.join(names)} /' /etc/mkinitcpio.conf",) if names else ()
    alpine = _alpine_feature(names) if names else ()
    rebuilt = commands(
        case,
        debian=(*added, f"update-initramfs {mode} -k all"),
        rhel=dracut,
        suse=dracut,
        arch=(*arch, "mkinitcpio -P"),
        alpine=(*alpine, "mkinitfs"),
    )
    return loaders.with_image(case, rebuilt)


def _alpine_feature(modules: list[str]) -> tuple[str, ...]:
    """A feature of its own: mkinitfs' virtio and nvme hold those only, and Hyper-V's has none."""
    listed = "sed -n 's|.*/kernel/|kernel/|p' > /etc/mkinitfs/features.d/server.modules"
    features = 's/^features="/&server /'
    return (
        f"modinfo -F filename {' '.join(modules)} | {listed}",
        f"sed -i '{features}' /etc/mkinitfs/mkinitfs.conf",
    )
