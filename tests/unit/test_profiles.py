"""Profiles and minimums: every limit has a source, and what is not known is refused."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from diskwright.config_profiles import load_profile, parse_profile, profile_names
from diskwright.errors import UsageError
from diskwright.model.image import ImageFormat
from diskwright.model.units import GIB, MIB
from diskwright.writers import FORWARD, is_forward

RULES = files("diskwright") / "rules"
NO_LIMITS = ("title", "extends", "severities", "rule_sources", "accept")
HUAWEI = (RULES / "profiles" / "huawei-ims.toml").read_text()


@pytest.mark.parametrize("name", profile_names())
def test_every_limit_has_a_source_and_a_date(name: str) -> None:
    raw = tomllib.loads((RULES / "profiles" / f"{name}.toml").read_text())
    limits = {key: value for key, value in raw.items() if key not in NO_LIMITS}
    assert limits or "extends" in raw
    for key, limit in limits.items():
        assert len(limit["source"]) > 20, key
        assert re.fullmatch(r"20\d\d-\d\d", limit["date"]), key
    assert set(load_profile(name).sources) >= set(limits)


def test_the_minimums_have_a_source_and_a_date() -> None:
    raw = tomllib.loads((RULES / "minimums.toml").read_text())
    assert raw["source"]
    assert re.fullmatch(r"20\d{6}", raw["date"])
    assert raw["os"]["debian12"] == {"memory_mib": 1024, "disk_gib": 10}


def test_huawei_ims_has_the_documented_limits() -> None:
    profile = load_profile("huawei-ims")
    assert (profile.system_disk_minimum, profile.system_disk_maximum) == (GIB, 1024 * GIB)
    assert profile.object_maximum == 128 * GIB
    assert profile.memory_minimum == 512 * MIB
    assert profile.disk_minimum == 40 * GIB
    assert (profile.preferred_format, profile.compressed) == ("qcow2", True)


def test_azure_has_the_documented_limits() -> None:
    profile = load_profile("azure")
    assert profile.size_multiple == MIB
    assert profile.accepted_formats == ("vhd/fixed",)
    assert (profile.preferred_format, profile.preferred_subformat) == ("vhd", "fixed")
    assert profile.system_disk_maximum == 1023 * GIB
    assert "hv_storvsc" in profile.boot_modules


def test_every_shipped_profile_can_be_made_by_prepare() -> None:
    for name in profile_names():
        profile = load_profile(name)
        made, own = ImageFormat(profile.preferred_format), profile.preferred_subformat
        assert made in FORWARD
        assert not own or is_forward(made, own)
        names = {profile.preferred_format, f"{profile.preferred_format}/{own}"}
        assert names & set(profile.accepted_formats), name
        for entry in profile.accepted_formats:
            ImageFormat(entry.partition("/")[0])


def test_a_profile_of_the_users_builds_on_a_shipped_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'extends = "huawei-ims"\ntitle = "Ours"\n'
        '[object_maximum]\nvalue = "1GiB"\nsource = "our own storage rules"\ndate = "2026-11"\n'
        '[severities]\n"boot.mode" = "warn"\n'
    )
    profile, base = load_profile(str(mine)), load_profile("huawei-ims")
    assert (profile.name, profile.title) == ("mine", "Ours")
    assert (profile.object_maximum, base.object_maximum) == (GIB, 128 * GIB)
    assert profile.accepted_formats == base.accepted_formats
    assert profile.severities == base.severities | {"boot.mode": "warn"}
    assert profile.service == "ims"
    assert profile.sources["object_maximum"].startswith("our own storage rules")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extends = "no-such"\n', "there is no profile no-such"),
        ('extends = "../huawei-ims"\n', "there is no profile ../huawei-ims"),
        ("title", "profile mine: "),
        ('extends = "kvm"\nobject_maximun = 1\n', "object_maximun is not known"),
    ],
)
def test_a_profile_of_the_users_that_is_none_is_a_usage_error(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(said)):
        load_profile(str(tmp_path / "mine.toml"))


def test_a_file_that_is_not_there_or_no_text_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name in ("none.toml", "bytes.toml", "."):
        with pytest.raises(UsageError, match="profile "):
            load_profile(f"{tmp_path}/{name}")


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as raised:
        load_profile("../huawei-ims")
    assert "huawei-ims" in raised.value.hint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "', 'other = 1\ntitle = "'),
        ('date = "2026-11"', 'date = ""'),
        ('value = "40GiB"', 'value = "forty"'),
        ("[architectures]", "[architecture]"),
        ("[severities]", '[severities]\n"boot.no-such-rule" = "fail"'),
        ("[severities]", '[severities]\n"boot.mode" = "perhaps"'),
        ("[severities]", "[severities"),
    ],
)
def test_a_profile_that_is_not_whole_is_refused(old: str, new: str) -> None:
    assert old in HUAWEI
    with pytest.raises(UsageError):
        parse_profile("mine", HUAWEI.replace(old, new))


def test_the_other_ways_of_an_import_are_the_service_with_differences() -> None:
    for base in ("huawei-ims", "open-telekom-cloud"):
        normal, fast = load_profile(base), load_profile(f"{base}-fast")
        configured = load_profile(f"{base}-auto-config")
        assert (normal.service, normal.mends) == ("ims", {})
        assert (fast.service, fast.mends) == ("ims-fast", {})
        assert (fast.preferred_format, fast.accepted_formats) == ("raw", ("raw",))
        assert fast.object_maximum == 1024 * GIB
        assert configured.service == "ims-auto-config"
        assert configured.object_maximum == normal.object_maximum
        assert {"boot.fstab-device-name", "boot.initramfs-no-virtio"} <= set(configured.mends)


MINE = 'extends = "huawei-ims"\ntitle = "Ours"\n'


def test_a_profile_accepts_findings_with_a_reason_and_a_last_day() -> None:
    text = MINE + (
        '[[accept]]\nid = "boot.mode"\nreason = "the lab has both"\nuntil = "2027-01-31"\n'
        '[[accept]]\nid = "image.size"\nreason = "agreed"\n'
    )
    accepted = parse_profile("mine", text).accepted
    assert [(a.id, a.reason, a.until) for a in accepted] == [
        ("boot.mode", "the lab has both", "2027-01-31"),
        ("image.size", "agreed", ""),
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('id = "boot.mode"\nreason = " "', "needs a reason"),
        ('id = "boot.no-such-rule"\nreason = "x"', "no rule has the id boot.no-such-rule"),
        ('id = "boot.mode"\nreason = "x"\nuntil = "31.1.2027"', "31.1.2027"),
        ('id = "boot.mode"\nreason = "x"\nuntil = "20270131"', "20270131"),
        ('id = "boot.mode"\nreason = "x"\nwho = "me"', "who is not known"),
        ('id = "boot.mode"', "reason is missing"),
    ],
)
def test_what_is_accepted_has_to_be_said_rightly(lines: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_profile("mine", f"{MINE}[[accept]]\n{lines}\n")


def test_a_service_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no service ims-slow"):
        parse_profile(
            "mine", f'{MINE}[import]\nservice = "ims-slow"\nsource = "x"\ndate = "2026-11"\n'
        )
