"""A target cloud's limits and preferences, as values. The TOML files are read by `config`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Minimum:
    """Least memory and disk of one operating system, with where the figure is written."""

    os: str  # osinfo short id, as debian12
    memory_bytes: int
    disk_bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Sizes in bytes. `severities` maps a rule id to the result it gives when it does not hold."""

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
    service: str  # whose call imports an object, as far as it is known: "ims" or empty
    server_side_encryption: str  # "", "sse-kms" or "sse-obs"
    sources: dict[str, str]  # limit name or rule id -> where it is written
    severities: dict[str, str]
