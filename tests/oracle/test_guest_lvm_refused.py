"""What lvm2 takes for volumes of other types than linear and striped is named, and not read."""

from __future__ import annotations

from pathlib import Path

from diskwright.guest.inspect import inspect_guest
from support.guest_disks import FileDisk
from support.lvm2 import lvm_on, partitioned

OTHERS = """
pool {
  id = "POOLxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 4
    type = "thin-pool"
    metadata = "pool_tmeta"
    pool = "pool_tdata"
    transaction_id = 1
    chunk_size = 128
    discards = "passdown"
    zero_new_blocks = 1
  }
}
thin {
  id = "THINxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 9
    type = "thin"
    thin_pool = "pool"
    transaction_id = 0
    device_id = 1
  }
}
r1 {
  id = "RAIDxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 2
    type = "raid1"
    device_count = 2
    region_size = 1024
    raids = ["r1_rmeta_0", "r1_rimage_0", "r1_rmeta_1", "r1_rimage_1"]
  }
}
snap {
  id = "SNAPxx-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 2
    type = "striped"
    stripe_count = 1
    stripes = ["pv0", 40]
  }
}
snapshot0 {
  id = "PSEUDO-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE", "VISIBLE"]
  flags = []
  segment_count = 1
  segment1 {
    start_extent = 0
    extent_count = 10
    type = "snapshot"
    chunk_size = 8
    origin = "plain"
    cow_store = "snap"
  }
}
"""


def hidden(name: str, extents: int, at: int) -> str:
    """A part that another volume is made of."""
    tag = f"{name.replace('_', ''):0<6.6}"
    return f"""
{name} {{
  id = "{tag}-{at:04}-bbbb-bbbb-bbbb-bbbb-bbbbbb"
  status = ["READ", "WRITE"]
  flags = []
  segment_count = 1
  segment1 {{
    start_extent = 0
    extent_count = {extents}
    type = "striped"
    stripe_count = 1
    stripes = ["pv0", {at}]
  }}
}}
"""


PARTS = "".join(
    hidden(name, extents, at)
    for name, extents, at in (
        ("pool_tmeta", 2, 20),
        ("pool_tdata", 4, 22),
        ("r1_rmeta_0", 1, 26),
        ("r1_rimage_0", 2, 27),
        ("r1_rmeta_1", 1, 29),
        ("r1_rimage_1", 2, 30),
    )
)


def test_what_lvm2_takes_for_thin_raid_and_snapshot_is_refused_by_name(tmp_path: Path) -> None:
    """lvm2 makes none of them without the device mapper, and restores them from its text."""
    image = tmp_path / "disk"
    text = tmp_path / "vg0"
    with lvm_on(image, partitioned(image, 60)) as lvm:
        lvm("pvcreate", "-ff", *lvm.devices)
        lvm("vgcreate", "-s", "1M", "vg0", *lvm.devices)
        lvm.create("vg0", "plain", "-l", "10")
        lvm("vgcfgbackup", "-f", text, "vg0")
        described = text.read_text()
        head, mark, tail = described.partition("logical_volumes {")
        text.write_text(head + mark + OTHERS + PARTS + tail)
        lvm("vgcfgrestore", "--force", "-f", text, "vg0")
        kinds = {
            r["lv_name"]: r for r in lvm.told("lvs", "lv_name", "segtype", "lv_dm_path", "lv_attr")
        }
    assert {name: row["segtype"] for name, row in kinds.items()} == {
        "plain": "linear",
        "snap": "linear",
        "pool": "thin-pool",
        "thin": "thin",
        "r1": "raid1",
    }
    assert kinds["snap"]["lv_attr"].startswith("s")
    found = inspect_guest(FileDisk(image))
    assert {v.name: v.note for v in found.volumes} == {
        "/dev/mapper/vg0-plain": "",
        "/dev/mapper/vg0-snap": "LVM snapshot is not read",
        "/dev/mapper/vg0-thin": "LVM thin is not read",
        "/dev/mapper/vg0-r1": "LVM raid1 is not read",
    }
