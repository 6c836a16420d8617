"""What the shell offers when the key is pressed: the command itself is asked, as the shell does."""

from __future__ import annotations

import pytest

from support.care import small_disk


@pytest.fixture
def offered(diskwright, folder):
    """Of a library with web (tagged), and old in the trash."""
    disk = small_disk(folder / "disk.raw")
    made = ["image", "create", "--data", "--from-file", disk, "--name"]
    for words in (
        ["library", "init", "own", folder / "library"],
        [*made, "web", "--tag", "stage=prod", "--tag", "spare"],
        [*made, "old", "--tag", "team=edge"],
        [*made, "my image"],
        ["key", "new", folder / "ada.json", "--receiver", "--name", "Ada"],
        ["account", "add", "ada", folder / "ada.json.pub"],
        ["image", "delete", "old", "--yes"],
    ):
        ended = diskwright(*words)
        assert ended.code == 0, ended.err

    def ask(*words: str) -> list[str]:
        line = " ".join(["diskwright", *words])
        diskwright.environment["_DISKWRIGHT_COMPLETE"] = "bash_complete"
        diskwright.environment |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words))}
        return [one.partition(",")[2] for one in diskwright().out.splitlines() if one]

    return ask


def test_images_tags_and_columns(offered):
    assert offered("image", "show", "w") == ["web"]
    assert offered("image", "undelete", "o") == ["old"]
    assert offered("image", "undelete", "w") == []
    assert offered("image", "untag", "web", "s") == ["spare", "stage"]
    assert offered("image", "untag", "web", "t") == []
    assert offered("image", "tag", "web", "st") == ["stage=prod"]
    assert offered("image", "list", "--tag", "te") == ["team=edge"]
    assert offered("image", "list", "--columns", "al") == ["all"]
    assert offered("image", "share", "web", "--with", "a") == ["ada"]
    assert offered("image", "unshare", "web", "--from", "a") == ["ada"]
    assert offered("image", "list", "--columns", "id,na") == ["id,name"]


def test_a_name_with_a_space_is_one_word(offered):
    assert offered("image", "show", "my") == ["my\\ image"]
    assert offered("image", "show", "my\\ im") == ["my\\ image"]
