"""What a local output may take the place of."""

from __future__ import annotations

import os
import stat

from diskwright.errors import OutputNotWritable, TargetExists


def check_target(path: str, *, force: bool) -> None:
    """Raises TargetExists without `force`, OutputNotWritable where no regular file is replaced."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputNotWritable(path, error.strerror or str(error)) from error
    if not force:
        raise TargetExists(path)
    if not stat.S_ISREG(mode):
        # a folder, a device, a link to who knows where: never replaced by a file
        raise OutputNotWritable(path, "it is there and is not a regular file")
