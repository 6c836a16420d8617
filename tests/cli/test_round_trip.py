"""What was prepared comes back identical: any target, sealed or plain, any stored format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.command import FIXTURE, Command, Ended, files_below, one_line_and_a_hint


def identical(one: Path, other: Path, *options: str) -> bool:
    compared = subprocess.run(["qemu-img", "compare", "-q", *options, one, other], check=False)
    return compared.returncode == 0


def prepared(command: Command, *arguments: str | Path) -> dict:
    ended = command("prepare", "--output", "json", *arguments)
    assert ended.code == 0, ended.err
    (result,) = ended.document["results"]
    assert ended.err == ""
    return result


def ok(ended: Ended) -> dict:
    assert ended.code == 0, ended.err
    return ended.document["results"][0]["made"]


@pytest.fixture(params=["dir", pytest.param("s3", marks=pytest.mark.s3)])
def place(request, folder) -> tuple[Command, str]:
    """The command, and a target of either kind."""
    if request.param == "dir":
        return request.getfixturevalue("diskwright"), f"dir:{folder / 'library'}"
    command = request.getfixturevalue("s3")
    return command, command.target


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("stored", ["qcow2", "raw", "vhd"])
def test_prepare_and_restore_is_identity(place, folder, raw_disk, sealed, stored):
    command, target = place
    # a raw object of 1 GiB is slow over the wire and no other than a small one
    source = FIXTURE if stored == "qcow2" else folder / "data.raw"
    data = [] if stored == "qcow2" else ["--data"]
    if stored != "qcow2":
        with raw_disk.open("rb") as disk, source.open("wb") as out:
            out.write(disk.read(24 << 20))
            out.truncate(40_000_001)  # odd: the guest sees it rounded up to 512
    key = []
    if sealed:
        assert command("key", "new", folder / "kek.json").code == 0
        key = ["--key", f"local:{folder / 'kek.json'}"]
    result = prepared(command, source, "--to", target, "-O", stored, *data, *key)
    made = result["made"]
    assert made["sealed"] is sealed
    assert (result["import_request"] is None) is sealed
    out = folder / "out"
    restored = ok(command("restore", target, out, "--verify", "--output", "json", *key))
    assert restored["digest"] == made["digest"]
    assert restored["format"] == stored
    reference = source
    if stored != "qcow2":
        reference = folder / "rounded.raw"
        reference.write_bytes(source.read_bytes())
        with reference.open("ab") as file:
            file.truncate(40_000_512)
    # nothing at its start tells a fixed VHD
    assert identical(reference, out, *(["-F", "vpc"] if stored == "vhd" else []))
    assert files_below(folder / "library" / ".uploads") == []


def test_another_format_on_the_way_back_is_verified_and_said(diskwright, folder):
    target = f"dir:{folder / 'library'}"
    prepared(diskwright, FIXTURE, "--to", target)
    for image_format in ("raw", "vmdk", "vhdx"):
        out = folder / f"out.{image_format}"
        arguments = ["restore", target, out, "-O", image_format, "--output", "json"]
        restored = ok(diskwright(*arguments))
        assert restored["verified"]
        assert restored["staged_bytes"] > 0
        assert identical(FIXTURE, out)
    assert [n for n in files_below(folder) if n.startswith(".")] == []


def test_a_name_that_promises_another_format_is_remarked(diskwright, folder):
    target = f"dir:{folder / 'library'}"
    prepared(diskwright, FIXTURE, "--to", target)
    assert "holds qcow2" in diskwright("restore", target, folder / "out.vhd").err
    assert diskwright("restore", target, folder / "out.qcow2").err == ""


def test_a_sealed_image_is_opened_into_an_import_ready_one(diskwright, folder):
    vault, target = f"dir:{folder / 'vault'}", f"dir:{folder / 'plain'}"
    assert diskwright("key", "new", folder / "kek.json").code == 0
    key = f"local:{folder / 'kek.json'}"
    sealed = prepared(diskwright, FIXTURE, "--to", vault, "--key", key, "--name", "web 1")["made"]
    opened = ok(diskwright("restore", vault, "--key", key, "--to", target, "--output", "json"))
    assert opened["opened"] == sealed["image"]
    assert opened["image"] != sealed["image"]
    assert opened["key"].endswith("/web_1-0.qcow2")
    assert opened["manifest_digest"] == sealed["digest"]
    restored = ok(diskwright("restore", target, folder / "out", "--verify", "--output", "json"))
    assert restored["digest"] == sealed["digest"]
    assert identical(FIXTURE, folder / "out")


def test_the_storage_of_a_sealed_image_learns_neither_name_nor_facts(diskwright, folder):
    target = folder / "library"
    assert diskwright("key", "new", folder / "kek.json").code == 0
    prepared(
        diskwright, FIXTURE, "--to", f"dir:{target}", "--name", "secretname",
        "--key", f"local:{folder / 'kek.json'}",
    )  # fmt: skip
    stored = [path for path in target.rglob("*") if path.is_file()]
    assert len(stored) == 2
    for path in stored:
        data = path.read_bytes()
        assert b"secretname" not in data
        assert b"debian" not in data.lower()
        assert "secretname" not in str(path.relative_to(target))
    manifest = json.loads(next(target.glob("manifests/*.json")).read_text())
    assert set(manifest) == {"v", "image", "time", "objects", "seal", "recipients", "private"}


def test_images_are_found_by_id_and_by_name_and_never_guessed(diskwright, folder):
    target = f"dir:{folder / 'library'}"
    one = prepared(diskwright, FIXTURE, "--to", target, "--name", "web")["made"]
    prepared(diskwright, FIXTURE, "--to", target, "--name", "db")
    prepared(diskwright, FIXTURE, "--to", target, "--name", "db")
    for wanted, code in (("web", 0), (one["image"], 0), ("db", 14), ("no", 14), (None, 14)):
        out = folder / "out"
        out.unlink(missing_ok=True)
        ended = diskwright("restore", target, out, *(["--image", wanted] if wanted else []))
        assert ended.code == code, (wanted, ended.err)
        assert out.exists() is (code == 0)


def test_a_dry_run_sends_nothing(diskwright, folder):
    target = folder / "library"
    made = prepared(diskwright, FIXTURE, "--to", f"dir:{target}", "--dry-run")["made"]
    assert made["dry_run"]
    assert made["stored_size"] > 6_000_000
    assert not target.exists()
    assert not (diskwright.home / "state").exists()


def test_what_fails_validation_is_not_sent_unless_it_is_accepted(diskwright, folder, raw_disk):
    faulty = folder / "faulty.raw"
    subprocess.run(["cp", "--sparse=always", raw_disk, faulty], check=True)
    with faulty.open("r+b") as disk:
        disk.seek(1 << 20)
        disk.write(bytes(32 << 20))  # the EFI system partition
    target = folder / "library"
    ended = diskwright("prepare", faulty, "--to", f"dir:{target}")
    assert ended.code == 3
    assert "boot.bootloader-missing" in ended.out
    one_line_and_a_hint(ended)
    assert not target.exists()
    document = diskwright("prepare", faulty, "--to", f"dir:{target}", "--output", "json").document
    failed = [f["id"] for f in document["results"][0]["findings"] if f["result"] == "fail"]
    waivers = [word for name in failed for word in ("--accept", name)]
    result = prepared(
        diskwright, faulty, "--to", f"dir:{target}", *waivers, "--reason", "a test of ours"
    )
    assert {entry["id"] for entry in result["made"]["accepted"]} == set(failed)
    manifest = json.loads(next(target.glob("manifests/*.json")).read_text())
    assert {entry["reason"] for entry in manifest["body"]["accepted"]} == {"a test of ours"}


def test_a_passphrase_comes_from_a_file_that_the_settings_name(diskwright, folder):
    from diskwright.adapters.kms_local import new_key

    new_key(str(folder / "kek.json"), passphrase="correct horse")
    (folder / "phrase").write_text("correct horse\n")
    target, key = f"dir:{folder / 'library'}", f"local:{folder / 'kek.json'}"
    diskwright.environment["DISKWRIGHT_PASSPHRASE_FILE"] = str(folder / "phrase")
    prepared(diskwright, FIXTURE, "--to", target, "--key", key)
    assert ok(diskwright("restore", target, folder / "out", "--key", key, "--output", "json"))
    (folder / "phrase").write_text("wrong\n")
    ended = diskwright("restore", target, folder / "other", "--key", key)
    assert ended.code == 12
    one_line_and_a_hint(ended)
