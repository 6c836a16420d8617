"""server and volume: disks of their own, overlays over an image's data, and how they end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.ops.library.uses import uses_of
from support.command import FIXTURE, Command, Ended, files_below, one_line_and_a_hint
from support.quick_images import make_quick

GIB = 1 << 30


def made(ended: Ended) -> dict:
    assert ended.code == 0, ended.err
    return ended.document["results"][0]


def create_image(command: Command, source: Path, name: str, *options: str) -> str:
    words = ["image", "create", "--from-file", source, "--name", name, *options]
    return made(command(*words, "--output", "json"))["entry"]["id"]


def same(source: Path, disk: str) -> bool:
    return subprocess.run(["qemu-img", "compare", "-q", source, disk]).returncode == 0


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def servers(command: Command, kind: str = "server") -> list[dict]:
    ended = command(kind, "list", "--output", "json")
    assert ended.code == 0, ended.err
    return [one["server"] for one in ended.document["results"]]


@pytest.fixture
def local(diskwright: Command, folder: Path) -> Command:
    """The command with a library at `folder/library`; its servers are below `data`."""
    diskwright.environment["XDG_DATA_HOME"] = str(folder / "data")
    assert diskwright("library", "init", "golden", folder / "library").code == 0
    return diskwright


@pytest.fixture
def quick(local: Command, folder: Path) -> str:
    """The id of an image for quick provisioning, called web."""
    image = create_image(local, FIXTURE, "web", "--no-compress", "-O", "qcow2")
    make_quick(folder / "library", image)
    assert local("library", "rebuild").code == 0
    return image


@pytest.mark.parametrize("options", [(), ("-O", "raw"), ("-O", "vhd")])
def test_its_disk_is_its_own_and_the_images(local, folder, options):
    image = create_image(local, FIXTURE, "web", *options)
    server = made(local("server", "create", "--image", "web", "--output", "json"))["server"]
    disk = server["disks"][0]
    assert disk["format"] == ("raw" if "raw" in options else "qcow2")
    assert (server["image"], server["quick"], server["use"]) == (image, False, "")
    assert (server["boot_mode"], server["name"]) == ("uefi", "web")
    assert same(FIXTURE, disk["path"])
    shutil.rmtree(folder / "library" / "images")  # whatever deletes an image can't touch it
    shutil.rmtree(folder / "library" / "manifests")
    assert same(FIXTURE, disk["path"])
    assert servers(local) == [server]


def test_of_a_sealed_image(local, folder):
    kek = folder / "kek.json"
    assert local("key", "new", kek).code == 0
    create_image(local, FIXTURE, "web", "--key", f"local:{kek}")
    shown = local("image", "list", "--output", "json").document["results"][0]["entry"]["id"]
    assert local("server", "create", "--image", shown).code == 12
    words = ["server", "create", "--image", "web", "--key", f"local:{kek}", "--verify"]
    server = made(local(*words, "--output", "json"))["server"]
    assert same(FIXTURE, server["disks"][0]["path"])
    assert os.stat(server["folder"]).st_mode & 0o777 == 0o700


def test_a_full_server_and_a_volume(local, folder, tiny_disk):
    words = ["image", "create", "--full", "--disk", FIXTURE, "--disk", tiny_disk, "--name", "shop"]
    assert local(*words, "--accept", "image.size", "--reason", "small").code == 0
    server = made(local("server", "create", "--image", "shop", "--output", "json"))["server"]
    assert [disk["data"] for disk in server["disks"]] == [False, True]
    assert same(FIXTURE, server["disks"][0]["path"])
    assert same(tiny_disk, server["disks"][1]["path"])
    options = ["--data", "--accept", "image.size", "--reason", "small"]
    create_image(local, tiny_disk, "data", *options)
    volume = made(local("volume", "create", "--image", "data", "--output", "json"))["server"]
    assert same(tiny_disk, volume["disks"][0]["path"])
    assert servers(local, "volume") == [volume]
    assert servers(local) == [server]
    for kind, other, image in (("server", "volume", "data"), ("volume", "server", "shop")):
        refused = local(kind, "create", "--image", image)
        assert refused.code == 2
        said = refused.err.rstrip().rpartition(": diskwright ")[2].split()
        assert said[:3] == [other, "create", "--image"]
        assert local(*said, "--dry-run").code == 0  # it can be pasted
    assert local("server", "delete", "data", "--yes").code == 14
    assert local("volume", "delete", "data", "--yes").code == 0
    assert servers(local, "volume") == []


def test_names_and_ids(local):
    create_image(local, FIXTURE, "web")
    first = made(local("server", "create", "--image", "web", "--output", "json"))["server"]
    second = made(local("server", "create", "--image", "web", "--output", "json"))["server"]
    assert (first["name"], second["name"]) == ("web", "web-2")
    taken = local("server", "create", "--image", "web", "--name", "web")
    assert taken.code == 14
    one_line_and_a_hint(taken)
    shown = made(local("server", "show", second["id"][:-1], "--output", "json"))
    assert shown["server"] == second
    assert local("server", "show", second["id"][:8]).code == 14  # made within a minute of another
    memory = local("server", "create", "--image", "web", "--memory", "1MiB")
    assert memory.code == 2, memory.err
    said = memory.err.rstrip().rpartition(": diskwright ")[2].split()
    assert local(*said, "--reason", "small").code == 0
    assert local("server", "create", "--image", "web", "--memory", "1MiB", "--dry-run").code == 0


def test_dry_runs_and_a_prompt_change_nothing(local, folder):
    create_image(local, FIXTURE, "web")
    assert "would be made" in local("server", "create", "--image", "web", "--dry-run").out
    assert servers(local) == []
    assert local("server", "create", "--image", "web").code == 0
    there = files_below(folder / "data")
    assert local("server", "delete", "web").code == 2  # nobody to ask
    assert "would be deleted" in local("server", "delete", "web", "--dry-run").out
    assert files_below(folder / "data") == there
    assert local("server", "delete", "web", "--yes").code == 0
    assert files_below(folder / "data" / "diskwright" / "servers") == []


def test_an_overlay_over_the_images_data(local, folder, quick):
    store = DirectoryStore(str(folder / "library"))
    server = made(local("server", "create", "--image", "web", "--output", "json"))["server"]
    (disk,) = server["disks"]
    base = disk["base"]["path"]
    assert server["quick"]
    assert same(FIXTURE, disk["path"])
    info = json.loads(
        subprocess.check_output(["qemu-img", "info", "--output", "json", disk["path"]])
    )
    assert (info["full-backing-filename"], info["backing-filename-format"]) == (base, "qcow2")
    subprocess.run(["qemu-img", "check", "-q", disk["path"]], check=True)
    (use,) = uses_of(store, quick)
    assert (use.server, use.name) == (server["id"], "web")
    before = sha256(base)
    write = ["qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 64k", disk["path"]]
    subprocess.run(write, check=True, capture_output=True)
    assert not same(FIXTURE, disk["path"])
    assert sha256(base) == before
    assert os.stat(base).st_mode & 0o222 == 0
    assert base in local("server", "show", "web").out
    assert local("server", "delete", "web", "--yes").code == 0
    assert uses_of(store, quick) == ()
    assert sha256(base) == before


def test_a_copy_of_a_quick_image(local, folder, quick):
    words = ["server", "create", "--image", "web", "--copy", "--output", "json"]
    server = made(local(*words))["server"]
    assert not server["quick"]
    assert same(FIXTURE, server["disks"][0]["path"])
    assert uses_of(DirectoryStore(str(folder / "library")), quick) == ()


def test_flattened_it_stands_alone(local, folder, quick):
    server = made(local("server", "create", "--image", "web", "--output", "json"))["server"]
    overlay = server["disks"][0]["path"]
    write = ["qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 64k", overlay]
    subprocess.run(write, check=True, capture_output=True)
    kept = folder / "kept.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", overlay, kept], check=True)
    assert local("server", "flatten", "web", "--dry-run").code == 0
    flat = made(local("server", "flatten", "web", "--output", "json"))["server"]
    assert (flat["quick"], flat["use"]) == (False, "")
    assert uses_of(DirectoryStore(str(folder / "library")), quick) == ()
    shutil.rmtree(folder / "library" / "images")
    assert same(kept, flat["disks"][0]["path"])
    assert sorted(os.listdir(flat["folder"])) == ["disk-0-own.qcow2", "server.json"]
    again = local("server", "flatten", "web")
    assert again.code == 2
    one_line_and_a_hint(again)


def test_a_base_that_is_not_what_its_manifest_says(local, folder, quick):
    (base,) = (folder / "library" / "images").rglob("*.qcow2")
    with base.open("ab") as file:
        file.write(b"more")
    ended = local("server", "create", "--image", "web")
    assert ended.code == 12, ended.err
    assert servers(local) == []
    assert uses_of(DirectoryStore(str(folder / "library")), quick) == ()


def test_a_base_that_names_another_file(local, folder, quick):
    (base,) = (folder / "library" / "images").rglob("*.qcow2")
    size = base.stat().st_size
    secret = folder / "secret"
    secret.write_bytes(bytes(GIB >> 10))
    hostile = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, base, "1G"]
    subprocess.run(hostile, check=True)
    os.truncate(base, size)
    assert local("server", "create", "--image", "web").code == 10
    assert servers(local) == []


def test_deleted_while_its_library_is_away(local, folder, quick):
    assert local("server", "create", "--image", "web").code == 0
    (folder / "library").rename(folder / "away")
    ended = local("server", "delete", "web", "--yes")
    assert ended.code == 0, ended.err
    assert "later" in ended.out
    assert servers(local) == []
    (folder / "away").rename(folder / "library")
    store = DirectoryStore(str(folder / "library"))
    assert len(uses_of(store, quick)) == 1
    assert servers(local) == []  # this takes it back
    assert uses_of(store, quick) == ()
    assert files_below(folder / "data" / "diskwright" / "servers") == []


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3])
def test_killed_nothing_is_there_and_the_next_run_removes_it(local, folder, data_disk, wait):
    create_image(local, data_disk, "data", "--data", "-O", "raw")
    root = folder / "data" / "diskwright" / "servers"
    process = local.start("volume", "create", "--image", "data", "--verify")
    deadline = time.monotonic() + 30
    while not (root.exists() and files_below(root)) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if not list(root.glob("*/server.json")):
        assert files_below(root)
        assert servers(local, "volume") == []
        assert files_below(root) == []
    volume = made(local("volume", "create", "--image", "data", "--output", "json"))["server"]
    assert same(data_disk, volume["disks"][0]["path"])


def test_one_that_is_being_made_is_left_alone(local, folder, data_disk):
    create_image(local, data_disk, "data", "--data", "-O", "raw")
    root = folder / "data" / "diskwright" / "servers"
    process = local.start("volume", "create", "--image", "data", "--verify")
    while not (root.exists() and files_below(root)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    try:
        there = servers(local, "volume")
        assert there or files_below(root)
    finally:
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(servers(local, "volume")) == 1


@pytest.mark.s3
def test_of_a_bucket(s3, folder):
    s3.environment["XDG_DATA_HOME"] = str(folder / "data")
    assert s3("library", "init", "team", s3.target).code == 0
    create_image(s3, FIXTURE, "web")
    server = made(s3("server", "create", "--image", "web", "--output", "json"))["server"]
    assert same(FIXTURE, server["disks"][0]["path"])
    assert s3("server", "delete", "web", "--yes").code == 0
    assert servers(s3) == []


def test_restore_finds_an_image_by_the_name_that_it_has_now(local, folder):
    image = create_image(local, FIXTURE, "web")
    assert local("image", "set", "web", "--name", "web-2026").code == 0
    create_image(local, FIXTURE, "web")
    place = f"dir:{folder / 'library'}"
    found = local("restore", place, folder / "x.qcow2", "--image", "web-2026", "--output", "json")
    assert made(found)["made"]["image"] == image
    other = local("restore", place, folder / "y.qcow2", "--image", "web", "--output", "json")
    assert made(other)["made"]["image"] != image
