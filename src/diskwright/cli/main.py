"""The command: the only place where errors become words and numbers."""

from __future__ import annotations

import sys
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import click

import diskwright
from diskwright.cli.cancel import Interrupted
from diskwright.cli.lazy import LazyGroup
from diskwright.cli.session import (
    ReaderGone,
    Session,
    exit_code,
    path_text,
    print_out,
    silence_stdout,
    stdout_failed,
)

if TYPE_CHECKING:
    from diskwright.errors import DiskwrightError


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  diskwright inspect disk.qcow2
  diskwright validate disk.qcow2 --profile huawei-ims
  diskwright convert disk.qcow2 disk.raw -O raw
  diskwright prepare disk.qcow2 --profile huawei-ims --to s3://images/web
  diskwright restore s3://images/web --image web restored.qcow2""",
)
@click.version_option(diskwright.__version__, prog_name="diskwright")
@click.option("--config", metavar="FILE", help="Configuration file (default: the platform's).")
@click.option(
    "--unconfined",
    is_flag=True,
    default=None,
    help="Read without confinement (Linux without Landlock, and files you trust).",
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_obj
def cli(session: Session, config: str | None, unconfined: bool | None, debug: bool) -> None:
    """Prepare disk images for a cloud's image service: inspect, validate, convert, seal, upload.

    It never writes to a source, and never opens what an image names.
    """
    session.config = config
    session.unconfined = unconfined
    session.debug = debug


def run(session: Session) -> NoReturn:
    """With `session.cancel` entered. Exit codes: docs/exit-codes.md."""
    argv = sys.argv[1:]
    try:
        try:
            status = _run(session, argv)
        except Interrupted as caught:  # once more, before a first signal's last words
            status = _interrupted(session, caught)[1]
    except (BrokenPipeError, ReaderGone):
        # The reader of our results went away (`| head`): no more to say, and no traceback at exit
        silence_stdout()
        status = 141
    sys.exit(status)


def _run(session: Session, argv: list[str]) -> int:
    error: DiskwrightError | None = None
    status = 0
    try:
        session.cancel.check()  # it may have been asked to stop while it was imported
        cli.main(args=argv, prog_name="diskwright", standalone_mode=False, obj=session)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as nothing:
        click.echo(nothing.format_message(), err=True)
        return 2
    except click.ClickException as wrong:
        return _usage(session, argv, wrong)
    except (Interrupted, click.Abort) as caught:
        error, status = _interrupted(session, caught)
    except (BrokenPipeError, ReaderGone):
        raise
    except OSError as caught:
        # no verb runs yet: it was --help or --version that could not be printed
        known = caught if session.command else stdout_failed(caught)
        error, status = _failed(session, known)
    except Exception as caught:  # noqa: BLE001 - the outermost edge: a bug gets one line too
        error, status = _failed(session, caught)
    parsed = bool(session.command)  # else it was stopped before its words were read
    as_json = session.output == "json" if parsed else _wants_json(argv)
    if as_json and (parsed or error is not None):
        status = _print_document(session, error) or status
    return status or exit_code(session.failures)


def _interrupted(session: Session, caught: BaseException) -> tuple[DiskwrightError, int]:
    session.cancel.over()
    from diskwright.errors import Cancelled

    cancelled = Cancelled(session.cancel.signal)
    cancelled.left = next(iter(getattr(caught, "__notes__", ())), cancelled.left)
    session.show(cancelled)
    return cancelled, cancelled.status


def _failed(session: Session, caught: Exception) -> tuple[DiskwrightError, int]:
    # Imported here and not above: `--help` needs none of it
    from diskwright.errors import Cancelled, DiskwrightError

    if isinstance(caught, DiskwrightError):
        if isinstance(caught, Cancelled):
            session.cancel.over()
        session.show(caught)
        return caught, caught.status if isinstance(caught, Cancelled) else caught.exit_code
    text = path_text(f"{type(caught).__name__}: {caught}")
    click.echo(f"diskwright: a bug of ours: {text}", err=True)
    click.echo(f"  hint: {DiskwrightError.hint_template}", err=True)
    if session.debug:
        traceback.print_exception(caught)
    return DiskwrightError(), 1


def _usage(session: Session, argv: list[str], wrong: click.ClickException) -> int:
    from diskwright.errors import UsageError

    if isinstance(wrong, click.UsageError) and wrong.ctx is not None:
        hint = f"see {wrong.ctx.command_path} --help"
        session.command = wrong.ctx.command_path.partition(" ")[2]
    else:
        hint = "see diskwright --help"
    error = UsageError(" ".join(wrong.format_message().split()), hint)
    session.show(error)
    return (_print_document(session, error) if _wants_json(argv) else 0) or 2


def _wants_json(argv: list[str]) -> bool:
    """What --output says; the parser may have given up before it came there."""
    ours = argv[: argv.index("--")] if "--" in argv else argv
    return "--output=json" in ours or ("--output", "json") in pairwise(ours)


def _print_document(session: Session, error: DiskwrightError | None) -> int:
    """Returns 0, or the exit code of the failure to print it."""
    from diskwright.errors import OutputError
    from diskwright.report.json import document, error_of

    try:
        print_out(document(session.command, session.results, error_of(error) if error else None))
    except OutputError as failure:
        session.show(failure)
        return failure.exit_code
    return 0
