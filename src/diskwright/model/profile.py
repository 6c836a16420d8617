"""A target cloud's limits and preferences, as values. The TOML files are read by `config`."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.finding import Accepted


class Minimum(Struct, frozen=True):
    """Least memory and disk of one operating system, with where the figure is written."""

    os: str  # osinfo short id, as debian12
    memory_bytes: int
    disk_bytes: int
    source: str


class Profile(Struct, frozen=True):
    """Sizes in bytes. By rule id: `severities` has the result of a breach, `mends` what the service
    does about it by itself at the import, `refusals` the error by which it refuses the image.
    """

    name: str
    title: str
    preferred_format: str  # of raw, qcow2, vhd: what `prepare` makes without -O
    preferred_subformat: str  # empty where the format has but one
    compressed: bool
    accepted_formats: tuple[str, ...]  # `vhd`, or of its subformats one: `vhd/fixed`
    size_multiple: int  # of which the virtual size is a whole multiple
    system_disk_minimum: int
    system_disk_maximum: int
    data_disk_minimum: int
    data_disk_maximum: int
    object_maximum: int
    memory_minimum: int
    disk_minimum: int
    architectures: tuple[str, ...]
    boot_modes: tuple[str, ...]
    boot_modules: tuple[str, ...]  # drivers of the server's disk and network
    service: str  # whose call imports an object: ims, ims-auto-config, ims-fast; empty: not known
    server_side_encryption: str  # "", "sse-kms" or "sse-obs"
    sources: dict[str, str]  # limit name or rule id -> where it is written
    severities: dict[str, str]
    mends: dict[str, str]
    refusals: dict[str, str]
    accepted: tuple[Accepted, ...]  # what its author takes into account on every image
