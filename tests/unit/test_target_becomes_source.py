"""A target that becomes the source while it is converted is seen before it is replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diskwright.app import Diskwright
from diskwright.config import load
from diskwright.errors import UsageError
from diskwright.model.image import ImageFormat

CONTENT = b"precious" * 4096


class LinksAtOnce:
    """A Progress in whose first phase the target becomes another name of the source."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target

    def phase(self, name: str, total: int) -> None:
        if not self._target.exists():
            os.link(self._source, self._target)

    def advance(self, count: int) -> None:
        pass


@pytest.mark.parametrize("verify", [False, True])
def test_a_target_that_became_the_source_is_left_as_it_is(tmp_path, monkeypatch, verify):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "work"
    folder.mkdir()
    source, target = folder / "disk.raw", folder / "out.qcow2"
    source.write_bytes(CONTENT)
    with pytest.raises(UsageError, match="is the image to convert"):
        Diskwright(load(None)).convert(
            str(source),
            str(target),
            output_format=ImageFormat.QCOW2,
            verify=verify,
            force=True,
            progress=LinksAtOnce(source, target),
        )
    assert sorted(os.listdir(folder)) == ["disk.raw", "out.qcow2"]
    assert source.read_bytes() == CONTENT
    assert target.samefile(source)
