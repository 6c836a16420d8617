"""docs/profiles.md: its example is a profile, and it names all that are shipped."""

from __future__ import annotations

import re
from pathlib import Path

from diskwright.config_profiles import parse_profile, profile_names
from diskwright.model.units import GIB

PAGE = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text()


def test_the_example_is_a_profile() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    profile = parse_profile("mine", example)
    assert profile.object_maximum == 20 * GIB
    assert profile.severities == {"cloud.cloud-init-missing": "fail"}
    assert [(a.id, a.until) for a in profile.accepted] == [
        ("network.net-static-address", "2027-03-31")
    ]


def test_every_shipped_profile_is_named() -> None:
    for name in profile_names():
        assert f"`{name}`" in PAGE, name
