"""Whether the object can grow past its limit is known before: only then it can be accepted."""

from __future__ import annotations

import json
import random

import pytest

from diskwright._values import replace
from diskwright.app import Diskwright
from diskwright.app.adapters import Adapters
from diskwright.config import load
from diskwright.config_profiles import load_profile
from diskwright.errors import ObjectTooLarge
from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.finding import Accepted, Result
from diskwright.model.image import ImageFormat
from diskwright.model.units import GIB, MIB
from diskwright.rules.image import largest_object
from diskwright.writers import FORWARD, writer_for
from support.command import files_below

LIMIT = 8 * MIB
WAIVER = Accepted("image.object-size", "the service raised it for us")


@pytest.mark.parametrize("size", [512, MIB, 512 * MIB + 512, 8 * GIB, 70 * GIB - 512])
@pytest.mark.parametrize("image_format", sorted(FORWARD))
def test_no_object_is_larger_than_the_rule_thinks(image_format: ImageFormat, size: int) -> None:
    for compressed in {False, image_format is ImageFormat.QCOW2}:
        writer = writer_for(image_format, virtual_size=size, compressed=compressed, threads=1)
        planned = writer.plan([Extent(0, size, ExtentKind.DATA)])
        assert size <= planned.size_limit <= largest_object(size)


@pytest.fixture
def app(tmp_path, monkeypatch) -> Diskwright:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    profile = replace(load_profile("huawei-ims"), object_maximum=LIMIT, data_disk_minimum=1)
    monkeypatch.setattr(Adapters, "profile", lambda *_: profile)
    return Diskwright(load(None))


def prepare(app, folder, size: int, *waivers: Accepted, image_format=ImageFormat.QCOW2):
    """What does not compress, to a folder; its result and the manifest's body."""
    disk, place = folder / "disk.raw", folder / "place"
    disk.write_bytes(random.Random(7).randbytes(size))
    made = app.prepare(
        str(disk),
        to=f"dir:{place}",
        data=True,
        accepted=waivers,
        output_format=image_format,
    )
    return made, json.loads((place / made.manifest_key).read_bytes())["body"]


def finding(body) -> Result:
    (found,) = (f["result"] for f in body["findings"] if f["id"] == WAIVER.id)
    return Result(found)


def test_an_object_that_grows_past_the_limit_is_refused_and_nothing_left(app, tmp_path):
    with pytest.raises(ObjectTooLarge):
        prepare(app, tmp_path, LIMIT)
    assert files_below(tmp_path / "place") == []


def test_accepted_it_is_sent_though_the_disk_itself_is_within_the_limit(app, tmp_path):
    made, body = prepare(app, tmp_path, LIMIT, WAIVER)
    assert made.stored_size > LIMIT
    assert [(a["id"], a["reason"]) for a in body["accepted"]] == [(WAIVER.id, WAIVER.reason)]
    assert finding(body) is Result.UNKNOWN


def test_a_waiver_of_what_can_not_happen_is_not_recorded(app, tmp_path):
    _, body = prepare(app, tmp_path, LIMIT - 2 * MIB, WAIVER)
    assert body["accepted"] == []
    assert finding(body) is Result.PASS
