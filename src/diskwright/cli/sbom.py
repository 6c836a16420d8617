"""`inspect --sbom FILE`: a disk's packages as a bill of materials, beside what `inspect` tells."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

import diskwright
from diskwright.cli.session import Session, path_text, print_out

if TYPE_CHECKING:
    from diskwright.app.inputs import InputOptions
    from diskwright.model.examined import Software
    from diskwright.model.outcome import Inspected

STDOUT = "-"


def write_sbom(
    session: Session,
    image: str,
    path: str,
    inputs: InputOptions,
    *,
    force: bool,
    progress: bool | None,
) -> None:
    """The file appears whole or not at all. To stdout nothing else is printed."""
    from diskwright.report.json import inspected_result
    from diskwright.report.text import inspected_text

    if path == STDOUT and session.output == "json":
        raise click.UsageError("--sbom - and --output json are two documents: name a file for one")
    app = session.open()
    files = () if path == STDOUT else (path,)
    with app.report_files(files, images=[image], force=force) as outputs:
        with session.progress(progress) as bar:
            found = app.inspect(image, packages=True, progress=bar, **inputs)
        software = found.software
        assert software is not None  # else it was refused
        text = _rendered(found, software)
        if path == STDOUT:
            print_out(text.rstrip("\n"))
        else:
            outputs.write(path, text.encode())
            session.say(inspected_text(found, image))
            session.say(f"{'packages':<13}{len(software.packages)}, in {path_text(path)}")
    session.results.append(inspected_result(path_text(image), found, None))
    for reason in software.unread:
        click.echo(f"diskwright: note: not all packages are listed: {path_text(reason)}", err=True)


def _rendered(found: Inspected, software: Software) -> str:
    from diskwright.model.times import time_text
    from diskwright.report.cyclonedx import Maker, sbom

    made = time_text(int(time.time()))
    return sbom(found, software, Maker(diskwright.__version__, made, os.urandom(16)))
