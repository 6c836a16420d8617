"""A descriptor gives one machine and its disks in order, or is refused with the reason."""

from __future__ import annotations

import pytest

from diskwright.errors import ImageUnsafe
from diskwright.formats import limits
from diskwright.formats.package.ovf import Descriptor, read_descriptor
from diskwright.formats.package.units import unit_bytes
from diskwright.model.package import DiskOrder
from support.looking import read, refused
from support.packages import CPU, HEAD, MEMORY, descriptor, disk, drive, file, item

TWO_FILES = file("f1", "a.vmdk") + file("f2", "b.vmdk")
TWO_DISKS = disk("d1", "f1") + disk("d2", "f2")
CONTROLLERS = item(3, 6, "") + item(4, 20, "")


def facts_of(**options) -> Descriptor:
    return read(read_descriptor, descriptor(**options))


def code_of(content: bytes) -> str:
    return refused(read_descriptor, content).code


def names(found: Descriptor) -> list[str]:
    return [each.file.href for each in found.disks]


def test_the_machine_and_its_disk_are_told() -> None:
    found = facts_of(files=file("f1", "a.vmdk", 'ovf:size="700"'))
    assert (found.name, found.os_id, found.os_description) == ("web", 96, "Debian")
    assert (found.cpus, found.memory_bytes) == (2, 512 << 20)
    (only,) = found.disks
    assert (only.file.href, only.file.size, only.capacity) == ("a.vmdk", 700, 1 << 20)
    assert found.disk_order is DiskOrder.DISKS


def test_a_machine_without_a_name_has_its_id() -> None:
    found = facts_of(system="", items="")
    assert (found.name, found.os_id, found.os_description) == ("web-01", None, "")
    assert (found.cpus, found.memory_bytes) == (None, None)


def test_attributes_and_elements_of_other_namespaces_are_others() -> None:
    head = HEAD.replace("<Envelope", '<Envelope xmlns:vmw="http://www.vmware.com/schema/ovf"')
    files = file("f1", "a.vmdk", 'vmw:href="http://elsewhere/" vmw:size="9"')
    extra = '<vmw:DiskSection><vmw:Disk ovf:diskId="d9"/></vmw:DiskSection>'
    assert names(facts_of(head=head, files=files, extra=extra)) == ["a.vmdk"]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://schemas.dmtf.org/ovf/envelope/2",
        "http://schemas.dmtf.org/ovf/envelope/1/",
        "http://www.vmware.com/schema/ovf/1/envelope",
    ],
)
def test_other_versions_of_the_namespace_are_read(namespace: str) -> None:
    head = HEAD.replace("http://schemas.dmtf.org/ovf/envelope/1", namespace)
    assert names(facts_of(head=head)) == ["a.vmdk"]


def test_disks_stand_in_the_order_of_controllers_and_addresses() -> None:
    items = CONTROLLERS + drive(9, "d1", 4, 0) + drive(8, "d2", 3, 1)
    found = facts_of(files=TWO_FILES, disks=TWO_DISKS, items=items)
    assert (names(found), found.disk_order) == (["b.vmdk", "a.vmdk"], DiskOrder.HARDWARE)
    items = CONTROLLERS + drive(8, "d1", 3, 10) + drive(9, "d2", 3, 9)
    assert names(facts_of(files=TWO_FILES, disks=TWO_DISKS, items=items)) == ["b.vmdk", "a.vmdk"]


def test_without_places_in_the_hardware_the_disk_section_gives_the_order() -> None:
    found = facts_of(files=TWO_FILES, disks=disk("d2", "f2") + disk("d1", "f1"))
    assert (names(found), found.disk_order) == (["b.vmdk", "a.vmdk"], DiskOrder.DISKS)


def test_a_disk_that_no_item_names_comes_last() -> None:
    items = CONTROLLERS + drive(9, "d2", 4, 0)
    found = facts_of(files=TWO_FILES, disks=TWO_DISKS, items=items)
    assert names(found) == ["b.vmdk", "a.vmdk"]


def test_quantities_of_several_items_add_up_and_those_of_other_options_do_not() -> None:
    extra = (
        '<DeploymentOptionSection><Configuration ovf:id="large"/>'
        '<Configuration ovf:id="small" ovf:default="true"/></DeploymentOptionSection>'
    )
    items = (
        item(1, *CPU)
        + item(2, *CPU)
        + item(3, *CPU, 'ovf:configuration="large"')
        + item(4, *CPU, 'ovf:configuration="small tiny"')
        + item(5, *CPU, 'ovf:bound="max"')
        + item(6, *MEMORY)
    )
    assert facts_of(items=items, extra=extra).cpus == 6


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("", 512 << 20),
        ("MegaBytes", 512 << 20),
        ("byte * 2^30", 512 << 30),
        ("bytes*2^10", 512 << 10),
        ("byte", 512),
        ("byte * 10^6", 512_000_000),
    ],
)
def test_memory_is_in_bytes_whatever_its_unit(units: str, expected: int) -> None:
    inside = f"<rasd:AllocationUnits>{units}</rasd:AllocationUnits>{MEMORY[1][-49:]}"
    assert inside.count("VirtualQuantity") == 2
    assert facts_of(items=item(2, 4, inside)).memory_bytes == expected


@pytest.mark.parametrize("text", ["", "hertz * 10^6", "byte * 2^", "byte * 2^99", "byte * 3^9"])
def test_what_is_no_unit_of_bytes_has_no_bytes(text: str) -> None:
    assert unit_bytes(text) is None


def test_a_capacity_is_in_its_units() -> None:
    more = 'ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^30" ovf:format="uri"'
    (only,) = facts_of(disks=disk("d1", "f1", more)).disks
    assert (only.capacity, only.format) == (16 << 30, "uri")


@pytest.mark.parametrize(
    "href",
    [
        "http://example.com/a.vmdk",
        "file:///etc/shadow",
        "nbd:host",
        "/etc/shadow",
        "../a.vmdk",
        "b/a.vmdk",
        "b\\a.vmdk",
        "C:a.vmdk",
        "..",
        "",
    ],
)
def test_a_file_elsewhere_is_unsafe(href: str) -> None:
    found = refused(read_descriptor, descriptor(files=file("f1", href)))
    assert isinstance(found, ImageUnsafe)
    assert found.code == "reference-outside"


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<Envelope>&b;</Envelope>",
    '<?xml version="1.0"?><!DOCTYPE e SYSTEM "file:///etc/passwd"><Envelope/>',
    '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<Envelope>&a;</Envelope>",
)


@pytest.mark.parametrize("text", ENTITIES)
def test_types_and_entities_are_unsafe(text: str) -> None:
    found = refused(read_descriptor, text.encode())
    assert (found.kind, found.code) == ("unsafe", "xml-entities")


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        (
            {"system": '</VirtualSystem><VirtualSystem ovf:id="2">'},
            "unsupported",
            "several-systems",
        ),
        ({"files": file("f1", "a", 'ovf:compression="gzip"')}, "unsupported", "member-compressed"),
        ({"files": file("f1", "a", 'ovf:chunkSize="9"')}, "unsupported", "member-chunked"),
        ({"disks": disk("d1", "f1", 'ovf:parentRef="d0"')}, "unsupported", "disk-parent"),
        ({"disks": disk("d1", "")}, "unsupported", "disk-empty"),
        ({"disks": ""}, "unsupported", "no-disk"),
        ({"disks": disk("d1", "f1", 'ovf:capacity="${size}"')}, "unsupported", "disk-capacity"),
        ({"extra": "<EncryptionSection>x</EncryptionSection>"}, "unsupported", "encryption"),
        ({"disks": disk("d1", "f1", 'ovf:capacity="-1"')}, "broken", "descriptor-inconsistent"),
        ({"disks": disk("d1", "f1", 'ovf:capacity="0"')}, "broken", "size-too-large"),
        ({"disks": disk("d1", "f1", f'ovf:capacity="{1 << 63}"')}, "broken", None),
        ({"disks": disk("d1", "f9")}, "broken", "descriptor-inconsistent"),
        ({"disks": disk("d1", "f1") * 2}, "broken", "descriptor-inconsistent"),
        ({"files": file("f1", "a") * 2}, "broken", "descriptor-inconsistent"),
        ({"items": drive(1, "d9", 0, 0)}, "broken", "descriptor-inconsistent"),
        ({"items": drive(1, "d1", 0, 0) * 2}, "broken", "descriptor-inconsistent"),
        ({"items": item(1, 3, "")}, "broken", "descriptor-inconsistent"),
        ({"head": HEAD.replace("<Envelope", "<Other")}, "broken", "descriptor-unreadable"),
    ],
)
def test_what_is_not_one_readable_machine_is_refused(
    changes: dict, kind: str, code: str | None
) -> None:
    found = refused(read_descriptor, descriptor(**changes))
    assert found.kind == kind
    assert code is None or found.code == code


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"<a", b"<Envelope", b'<?xml version="1.0" encoding="x-none"?><Envelope/>'],
)
def test_what_is_no_xml_is_broken(content: bytes) -> None:
    assert code_of(content) == "descriptor-unreadable"


def test_another_document_is_broken() -> None:
    assert code_of(b"<html/>") == "descriptor-inconsistent"
    assert code_of(f"{HEAD}</Envelope>".encode()) == "descriptor-inconsistent"


def test_an_attribute_that_stands_twice_in_effect_is_broken() -> None:
    assert code_of(descriptor(files=file("f1", "a", 'href="b"'))) == "descriptor-unreadable"


def test_a_document_is_bounded() -> None:
    deep = "<a>" * (limits.OVF_DEPTH + 1)
    many = "<a/>" * (limits.OVF_NODES + 1)
    for content in (deep.encode(), f"<b>{many}</b>".encode(), b" " * (limits.OVF_BYTES + 1)):
        assert code_of(content) == "table-too-large"
    long = facts_of(system=f"<Name>{'x' * 5000}</Name>")
    assert len(long.name) == limits.OVF_TEXT_CHARACTERS
