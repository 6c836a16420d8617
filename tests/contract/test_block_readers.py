"""Every reader keeps the same promises."""

import os

import pytest

from contract.block_reader import BlockReaderContract
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.blockio.memory import MemoryReader
from diskwright.blockio.nbd import NbdReader
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from support.qemu_images import SIZE, compressed_qcow2, other, plain_qcow2, sparse_raw


@pytest.fixture(scope="class")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("image")


class OfAFile(BlockReaderContract):
    FORMAT = ImageFormat.QCOW2

    @pytest.fixture
    def disk(self, image):
        identity = take_identity(image.path)
        with QemuNbdExporter().open(DiskFile(identity, self.FORMAT), connections=2) as reader:
            padding = -len(image.content) % 512
            yield reader, image.content + bytes(padding)


class TestMemory(BlockReaderContract):
    @pytest.fixture
    def disk(self):
        picture = "A0C-?.B"
        reader = MemoryReader.of_picture(picture, unit=65536)
        expected = b"".join(
            (mark.encode() if mark in "ABC" else b"\0") * 65536 for mark in picture if mark != "?"
        )
        buffer = bytearray(65536)
        reader.read_into(4 * 65536, memoryview(buffer))
        return reader, expected[: 4 * 65536] + bytes(buffer) + expected[4 * 65536 :]


@pytest.mark.parametrize("size", [SIZE, 3_145_729, 2_900_001], scope="class")
class TestRaw(OfAFile):
    """Of a whole size, of an odd size, and of an odd size that ends in a hole."""

    FORMAT = ImageFormat.RAW

    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, folder, size):
        return sparse_raw(folder, size=size)


@pytest.mark.parametrize("cluster_size", [512, 65536, 2 << 20], scope="class")
class TestQcow2WrittenOutOfOrder(OfAFile):
    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, folder, cluster_size):
        return plain_qcow2(folder, cluster_size=cluster_size)


@pytest.mark.parametrize(("cluster_size", "kind"), [(4096, "zlib"), (65536, "zstd")], scope="class")
class TestQcow2Compressed(OfAFile):
    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, folder, cluster_size, kind):
        return compressed_qcow2(folder, cluster_size=cluster_size, kind=kind)


@pytest.mark.parametrize(
    "image_format", [ImageFormat.VMDK, ImageFormat.VHDX, ImageFormat.VDI], scope="class"
)
class TestOtherFormats(OfAFile):
    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, folder, image_format):
        return other(folder, image_format.value)

    @pytest.fixture
    def disk(self, image, image_format):
        identity = take_identity(image.path)
        with QemuNbdExporter().open(DiskFile(identity, image_format), connections=1) as reader:
            yield reader, image.content


class TestOneInheritedConnection(BlockReaderContract):
    """As the confined child reads: over a descriptor alone."""

    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, folder):
        return plain_qcow2(folder)

    @pytest.fixture
    def disk(self, image):
        identity = take_identity(image.path)
        with (
            QemuNbdExporter().descriptor(DiskFile(identity, ImageFormat.QCOW2)) as fd,
            NbdReader.from_descriptor(os.dup(fd), name=image.path) as reader,
        ):
            yield reader, image.content
