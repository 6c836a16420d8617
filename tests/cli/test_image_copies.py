"""replicate, download, export and --base by the command: the bytes are looked at each time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.command import FIXTURE, Command, files_below, one_line_and_a_hint
from support.servers.counted import Counted

MIB = 1 << 20


@dataclass
class Desk:
    """A command whose default library is `own`, and the disk that lies there as the image web."""

    command: Command
    place: str
    disk: Path
    folder: Path

    def __call__(self, *words: str | Path) -> dict:
        ended = self.command("image", *words, "--output", "json", cwd=self.folder)
        assert ended.code == 0, ended.err
        return ended.document["results"][0]

    def refused(self, code: int, *words: str | Path) -> str:
        """Nothing is there that was not: but for names that were taken and given back."""
        before = self.there()
        ended = self.command("image", *words, cwd=self.folder)
        assert ended.code == code, ended.err
        assert self.there() == before
        return one_line_and_a_hint(ended)

    def there(self) -> list[str]:
        return [name for name in files_below(self.folder) if "/names" not in name]

    def same(self, image: str, disk: Path | None = None, *options: str) -> bool:
        """Downloaded, and compared with where it is from."""
        out = self.folder / f"{image}.out"
        self("download", image, out, "--force", *options)
        words = ["qemu-img", "compare", out, disk or self.disk]
        return subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def later(self) -> Path:
        """Another version of the disk."""
        made = self.folder / "later.raw"
        shutil.copyfile(self.disk, made)
        with made.open("r+b") as file:
            file.seek(2 * MIB)
            file.write(os.urandom(100_000))
            file.seek(5 * MIB)
            file.write(bytes(MIB))
        return made


def made_at(command: Command, folder: Path, place: str) -> Desk:
    disk = folder / "disk.raw"
    with disk.open("wb") as file:
        file.write(os.urandom(3 * MIB) + bytes(MIB) + os.urandom(4 * MIB))
        file.truncate(12 * MIB)
    for name, url in (("own", place), ("near", f"dir:{folder}/near")):
        assert command("library", "init", name, url).code == 0
    assert command("library", "default", "own").code == 0
    assert command("key", "new", folder / "kek.json").code == 0
    desk = Desk(command, place, disk, folder)
    desk("create", "--data", "--from-file", disk, "--name", "web", "--tag", "a=1")
    return desk


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def desk(request, folder):
    if request.param == "bucket":
        s3 = request.getfixturevalue("s3")
        return made_at(s3, folder, s3.target)
    return made_at(request.getfixturevalue("diskwright"), folder, f"dir:{folder}/own")


@pytest.fixture
def here(diskwright, folder):
    return made_at(diskwright, folder, f"dir:{folder}/own")


KEY = ("--key", "local:kek.json")


def sha256_holds(folder: Path, name: str) -> bool:
    words = ["sha256sum", "--check", "--status", "--strict", f"{name}.sha256"]
    return subprocess.run(words, cwd=folder, check=False).returncode == 0


def test_plain_sealed_and_plain_again(desk):
    copy = desk("replicate", "web", "--name", "copy")
    assert copy["ways"] == ["copied"]
    assert copy["entry"]["tags"] == {"a": "1"}
    assert desk.same("copy")
    sealed = desk("replicate", "web", "--name", "sealed", "--encrypt", "local:kek.json")
    assert (sealed["ways"], sealed["entry"]["sealed"]) == (["streamed"], True)
    assert desk.same("sealed", None, *KEY)
    again = desk("replicate", "sealed", "--name", "again", *KEY)
    assert again["entry"]["sealed"]
    opened = desk("replicate", "again", "--name", "open", "--decrypt", *KEY)
    assert not opened["entry"]["sealed"]
    assert desk.same("open")
    assert opened["entry"]["disks"][0]["digest"] == copy["entry"]["disks"][0]["digest"]
    assert "key" in desk.refused(12, "download", "sealed", "x.qcow2")
    assert desk.refused(14, "replicate", "web", "--name", "copy")


def test_quick_is_a_plain_file_that_an_overlay_stands_on(desk):
    made = desk("replicate", "web", "--name", "quick", "--quick", "--to-library", "near")
    (disk,) = made["entry"]["disks"]
    assert (made["entry"]["quick"], disk["format"], disk["compressed"]) == (True, "qcow2", False)
    file = desk.folder / "near" / disk["key"]
    overlay = desk.folder / "overlay.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", file, overlay], check=True
    )
    subprocess.run(["qemu-img", "compare", "-q", overlay, desk.disk], check=True)
    told = subprocess.run(["qemu-img", "check", "--output=json", file], stdout=-1, check=True)
    assert json.loads(told.stdout).get("compressed-clusters", 0) == 0


def test_versions_are_small_and_whole_wherever_they_go(desk):
    later = desk.later()
    made = desk("create", "--data", "--from-file", later, "--name", "web-2", "--base", "web")
    desk("set", "web", "--name", "web-1")
    assert desk("download", "web-1", "newest", "--force")["name"] == "web-1"
    base = desk("show", "web-2")["base"]
    assert base == {"id": made["entry"]["base"], "name": "web-1"}
    desk("set", "web-1", "--name", "web")
    assert desk("show", "web")["base"] is None
    assert made["entry"]["disks"][0]["object_size"] < 2 * MIB
    assert desk.same("web-2", later)
    assert desk("replicate", "web-2", "--name", "there", "--to-library", "near")["ways"] == [
        "streamed"
    ]
    assert desk.same("there", later, "--library", "near")
    copy = desk("replicate", "web-2", "--name", "copy")
    assert copy["ways"] == ["copied"]
    assert desk.same("copy", later)
    restored = desk.folder / "restored.qcow2"
    ended = desk.command("restore", desk.place, restored, "--image", "web-2", "--verify")
    assert ended.code == 0, ended.err
    subprocess.run(["qemu-img", "compare", "-q", restored, later], check=True)
    assert "in use" in desk.refused(14, "delete", "web", "--yes")
    assert files_below(desk.command.home / "state" / "diskwright" / "uploads") == []
    assert not list((desk.command.home / "state").rglob("staged-*"))


@pytest.mark.s3
def test_out_of_a_bucket_that_can_only_be_read(s3, folder, tmp_path):
    owner = made_at(s3, folder, s3.target)
    (tmp_path / "reader").mkdir()
    keys = {
        "AWS_ACCESS_KEY_ID": "test-reader",
        "AWS_SECRET_ACCESS_KEY": "test-reader-secret",
        "XDG_DATA_HOME": str(tmp_path / "reader"),
    }
    reader = Command(tmp_path / "reader", **{**s3.environment, **keys})
    reader.environment |= {"HOME": str(reader.home), "XDG_CONFIG_HOME": str(reader.home)}
    reader.environment["XDG_STATE_HOME"] = str(reader.home / "state")
    for words in (["init", "mine", folder / "mine"], ["add", "golden", s3.target]):
        assert reader("library", *words).code == 0
    words = ["replicate", "web", "--library", "golden", "--name", "web", "--to-library", "mine"]
    made = reader("image", *words)
    assert made.code == 0, made.err
    assert Desk(reader, "", owner.disk, folder).same("web")
    assert [one["kind"] for one in owner("history", "web")["changes"]] == ["created"]


def test_versions_of_sealed_images(here):
    later = here.later()
    here("replicate", "web", "--name", "one", "--encrypt", "local:kek.json")
    made = here("create", "--data", "--from-file", later, "--name", "two", "--base", "one", *KEY)
    assert made["entry"]["sealed"]
    assert made["entry"]["disks"][0]["object_size"] < 2 * MIB
    assert here.same("two", later, *KEY)
    assert here.same("two", later, "-O", "vmdk", *KEY)
    assert "differs" in here.refused(14, "download", "two", "two.dws", "--sealed")
    assert "differs" in here.refused(14, "download", "two", "two.dws", "--sealed", *KEY)
    whole = here("replicate", "two", "--name", "three", *KEY)
    assert whole["ways"] == ["streamed"]
    assert here.same("three", later, *KEY)
    words = ("create", "--data", "--from-file", later, "--name", "x", "--base")
    here.refused(2, *words, "web", *KEY)
    here.refused(12, *words, "one")
    here.refused(2, *words, "web", "-O", "raw")


def test_downloads_have_a_digest_beside_them(desk):
    for name, options in (
        ("as-stored.qcow2", ()),
        ("raw.raw", ("-O", "raw")),
        ("other.vmdk", ("-O", "vmdk", "--verify")),
    ):
        told = desk("download", "web", name, *options)
        assert hashlib.sha256((desk.folder / name).read_bytes()).hexdigest() == told["sha256"]
        assert sha256_holds(desk.folder, name)
        subprocess.run(["qemu-img", "compare", "-q", desk.folder / name, desk.disk], check=True)
    assert (desk.folder / "raw.raw").read_bytes() == desk.disk.read_bytes()
    assert "exists" in desk.refused(14, "download", "web", "raw.raw")
    (desk.folder / "half.qcow2.sha256").touch()
    assert "exists" in desk.refused(14, "download", "web", "half.qcow2")
    desk.refused(2, "download", "web", "x", "--sealed")
    desk.refused(2, "download", "web", "x", "--disk", "2")


def test_sealed_as_it_lies(here):
    sealed = here("replicate", "web", "--name", "sealed", "--encrypt", "local:kek.json")
    told = here("download", "sealed", "web.dws", "--sealed")
    stored = here.folder / "own" / sealed["entry"]["disks"][0]["key"]
    assert (here.folder / "web.dws").read_bytes() == stored.read_bytes()
    assert told["sealed"]
    assert sha256_holds(here.folder, "web.dws")


def test_every_disk_of_a_full_server(here):
    here("create", "--full", "--disk", FIXTURE, "--disk", here.disk, "--name", "shop")
    copy = here("replicate", "shop", "--name", "copy", "--encrypt", "local:kek.json")
    assert [disk["virtual_size"] for disk in copy["entry"]["disks"]][1] == 12 * MIB
    here("download", "copy", "all.qcow2", *KEY)
    for name, disk in (("all-1.qcow2", FIXTURE), ("all-2.qcow2", here.disk)):
        assert sha256_holds(here.folder, name)
        words = ["qemu-img", "compare", "-q", here.folder / name, disk]
        subprocess.run(words, check=True)
    here("download", "shop", "second.qcow2", "--disk", "2")
    subprocess.run(
        ["qemu-img", "compare", "-q", here.folder / "second.qcow2", here.disk], check=True
    )
    (here.folder / "some-2.qcow2").touch()
    here.refused(14, "download", "shop", "some.qcow2")


def test_damage_leaves_nothing(here):
    made = here("replicate", "web", "--name", "copy")
    file = here.folder / "own" / made["entry"]["disks"][0]["key"]
    data = bytearray(file.read_bytes())
    data[MIB] ^= 1
    file.write_bytes(data)
    for options in ((), ("-O", "raw")):
        assert here.refused(12, "download", "copy", "x.raw", *options)
    assert here.refused(12, "replicate", "copy", "--name", "y", "--quick", "--to-library", "near")


class TestExport:
    def test_to_a_folder(self, here):
        out = here.folder / "out.raw"
        told = here("export", "web", "--to", f"dir:{out}", "-O", "raw")
        assert out.read_bytes() == here.disk.read_bytes()
        assert sha256_holds(here.folder, "out.raw")
        assert told["target"] == str(out)
        here.refused(14, "export", "web", "--to", f"dir:{out}")
        here.refused(2, "export", "web", "--to", "s3://only-a-bucket")
        here.refused(2, "export", "web", "--to", "/no/kind")

    @pytest.mark.s3
    def test_to_a_bucket(self, s3, s3_place, folder):
        desk = made_at(s3, folder, f"dir:{folder}/own")
        desk("replicate", "web", "--name", "sealed", "--encrypt", "local:kek.json")
        later = desk.later()
        desk("create", "--data", "--from-file", later, "--name", "web-2", "--base", "web")
        store = s3_place.store
        for name, image, options, disk in (
            ("a.qcow2", "web", (), desk.disk),
            ("b.vmdk", "web", ("-O", "vmdk"), desk.disk),
            ("c.qcow2", "sealed", KEY, desk.disk),
            ("d.qcow2", "web-2", (), later),
        ):
            told = desk("export", image, "--to", f"{s3.target}/{name}", *options)
            out = folder / name
            out.write_bytes(store.get(name))
            assert hashlib.sha256(out.read_bytes()).hexdigest() == told["sha256"]
            assert store.get(f"{name}.sha256").decode() == f"{told['sha256']}  {name}\n"
            subprocess.run(["qemu-img", "compare", "-q", out, disk], check=True)
        desk("export", "sealed", "--to", f"{s3.target}/e.dws", "--sealed")
        assert store.get("e.dws").startswith(b"DWSEAL")
        before = [(one.key, one.etag) for one in store.list("")]
        desk.refused(14, "export", "web", "--to", f"{s3.target}/e.dws")
        store.put("f.qcow2.sha256", b"another's")
        desk.refused(14, "export", "web", "--to", f"{s3.target}/f.qcow2")
        store.delete("f.qcow2.sha256")
        assert desk("export", "web", "--to", f"{s3.target}/g", "--dry-run")["dry_run"]
        assert [(one.key, one.etag) for one in store.list("")] == before
        assert list(store.list_uploads("")) == []
        desk("export", "web", "--to", f"{s3.target}/e.dws", "--force")
        assert store.get("e.dws").startswith(b"QFI\xfb")


@pytest.mark.s3
@pytest.mark.parametrize("far", [False, True], ids=["same bucket", "another bucket"])
def test_within_a_server_no_data_passes_here(seaweed, s3, folder, far):
    desk = made_at(s3, folder, s3.target)
    if far:
        place = f"s3://{seaweed.bucket('other-copies')}/{s3.target.rpartition('/')[2]}"
        assert s3("library", "init", "far", place).code == 0
    at = urlsplit(seaweed.endpoint)
    with Counted(at.hostname, at.port) as counted:
        s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = counted.url
        where = ("--to-library", "far") if far else ()
        made = desk("replicate", "web", "--name", "copy", *where)
        assert made["entry"]["disks"][0]["object_size"] > 6 * MIB
        assert 0 < counted.carried < 64 << 10
    s3.environment["DISKWRIGHT_S3_ENDPOINT_URL"] = seaweed.endpoint
    assert desk.same("copy", None, *(("--library", "far") if far else ()))
