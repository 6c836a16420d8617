"""Exit code 10: the file that was given."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class InputError(DiskwrightError):
    exit_code = 10
    kind = "input"


class InputMissing(InputError):
    path: str
    template = "{path}: no such file"
    hint_template = "check the path: ls -l -- {path}"


class FolderMissing(InputError):
    path: str
    template = "{path}: no such folder"
    hint_template = "check the path: ls -ld -- {path}"


class NotALibrary(InputError):
    url: str
    hint_text: str = ""
    template = "{url}: no library is there"
    hint_template = "make one: diskwright library init NAME URL"


class InputUnreadable(InputError):
    path: str
    reason: str
    template = "{path}: can't be read: {reason}"
    hint_template = "check its permissions: ls -l -- {path}"


class InputNotAFile(InputError):
    path: str
    what: str
    template = "{path}: is a {what}, not an image file"
    hint_template = "name the image file itself"


class FolderWithoutImages(InputError):
    path: str
    template = "{path}: no image files in it"
    hint_template = "name the files themselves: by their endings (.qcow2, .raw, …) none was found"


class PackagesUnread(InputError):
    path: str
    reason: str
    template = "{path}: its packages can't be listed: {reason}"
    hint_template = "see what was read of it, and what was not: diskwright inspect -- {path}"


class ImageRefused(InputError):
    """`code_name` is a stable short name (`reference-outside`); `offset` is the byte, if known."""

    path: str
    code_name: str
    detail: str
    offset: int | None = None
    hint_text: str = ""

    @property
    def message(self) -> str:
        at = f" (at byte {self.offset})" if self.offset is not None else ""
        return f"{self.path}: {self.kind}: {self.detail}{at} [{self.code_name}]"


class ImageUnsafe(ImageRefused):
    kind = "unsafe"
    hint_template = (
        "do not open it with other tools; ask its sender for a flat image without references"
    )


class ImageBroken(ImageRefused):
    kind = "broken"
    hint_template = "get the file again and compare its checksum with the sender's"


class ImageUnsupported(ImageRefused):
    kind = "unsupported"
    hint_template = "formats that are read: raw, qcow2"
