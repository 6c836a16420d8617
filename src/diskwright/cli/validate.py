"""diskwright validate."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import click

import diskwright
from diskwright.cli.options import (
    accepted,
    image_path,
    input_options,
    not_empty,
    output_option,
    profile_option,
    progress_option,
    rule_ids,
    rules_options,
    stats_option,
)
from diskwright.cli.reports import Report, ReportType, rendered
from diskwright.cli.session import Session
from diskwright.errors import DiskwrightError

if TYPE_CHECKING:
    from diskwright.app import Diskwright
    from diskwright.app.inputs import InputOptions
    from diskwright.report.judged import Judged, Judgement


@click.command(
    "validate",
    short_help="Check images against a target cloud's written requirements.",
    epilog="""\b
Examples:
  diskwright validate disk.qcow2 --profile huawei-ims
  diskwright validate disk.qcow2 --min-memory 1GiB --strict
  diskwright validate data.raw --data
  diskwright validate disk.qcow2 --accept network.net-static-address --reason "lab network"
  diskwright validate images/ more.vmdk --jobs 4 --report html=report.html
  diskwright validate --explain boot.fstab-device-name

\b
Exit codes: 0 nothing stands against an import, 3 something does.""",
)
@click.argument("images", nargs=-1, metavar="IMAGE|FOLDER...", callback=image_path)
@profile_option
@rules_options
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Judge so many images at a time (default: one for each processor).",
)
@click.option(
    "--explain",
    metavar="ID",
    shell_complete=rule_ids,
    callback=not_empty,
    help="Explain this rule: why it matters, where it is written, what to do. Reads no image.",
)
@click.option(
    "--report",
    "reports",
    type=ReportType(),
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write a report too: junit, sarif, html or json. More than one may be asked for.",
)
@click.option("--force", is_flag=True, help="Overwrite the files of --report if they exist.")
@stats_option
@input_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    images: tuple[str, ...],
    profile: str | None,
    data: bool,
    min_memory: int | None,
    strict: bool,
    accept: tuple[str, ...],
    reason: tuple[str, ...],
    until: tuple[str, ...],
    jobs: int | None,
    explain: str | None,
    reports: tuple[Report, ...],
    force: bool,
    stats: bool,
    inputs: InputOptions,
    progress: bool | None,
) -> None:
    """Check images against a target cloud's written requirements, before a byte moves.

    Of one IMAGE it prints what fails first, each with what to do; of several, or of a FOLDER (the
    disk images in it and below, by their endings; no links, no ISO), a line each and a summary.
    What could not be read is `unknown`, never `pass`. Of a package (OVA) the first disk is the
    system's, any other is judged as a data disk.
    """
    session.command = "validate"
    waivers = accepted(accept, reason, until)
    app = session.open(profile=profile)
    if explain is not None:
        if reports or accept or images:
            raise click.UsageError(
                "--explain tells of a rule: leave the images out, and what is done to them"
            )
        _explain(session, app, explain)
        return
    if force and not reports:
        raise click.UsageError("--force is for the files of --report: add one")
    if not images:
        raise click.UsageError("Missing argument 'IMAGE|FOLDER...'.", click.get_current_context())
    files = [file for image in images for file in _files(app, image)]
    one_file = len(files) == 1 and files[0][0] == images[0]
    paths = [path for path, error in files if error is None]
    with (
        app.ahead(),
        app.report_files([r.path for r in reports], images=paths, force=force) as outputs,
        session.watched(progress if one_file else False) as (bar, cancel),
    ):
        from diskwright.cli.judging import Telling  # heavy, and the child is started

        telling = Telling(session, strict=strict, whole=one_file, keep=bool(reports), stats=stats)
        judged = app.validate_all(
            paths,
            jobs=jobs,
            data=data,
            min_memory=min_memory,
            accepted=waivers,
            progress=bar,
            cancel=cancel,
            **inputs,
        )
        with closing(judged):
            for path, error in files:
                for disk, outcome in next(judged) if error is None else (("", error),):
                    telling.tell(path, disk, outcome)
        telling.end(waivers)
        if reports:
            judgement = _judgement(app, telling.judged, strict=strict)
            for report in reports:
                outputs.write(report.path, rendered(report, judgement))


def _judgement(app: Diskwright, judged: list[Judged], *, strict: bool) -> Judgement:
    from diskwright.model.times import time_text
    from diskwright.report.judged import Judgement

    return Judgement(
        app.profile_name(),
        strict,
        tuple(judged),
        app.rules(),
        diskwright.__version__,
        time_text(int(time.time())),
    )


def _explain(session: Session, app: Diskwright, name: str) -> None:
    from diskwright.report.explained import explained_result, explained_text

    rule = app.rule(name)
    session.say(explained_text(rule, app.profile_name()))
    session.results.append(explained_result(rule))


def _files(app: Diskwright, image: str) -> list[tuple[str, DiskwrightError | None]]:
    """A file itself, or those of a folder; the folder and why, where none can be had of it."""
    try:
        return [(path, None) for path in app.images_below(image)]
    except DiskwrightError as error:
        return [(image, error)]
