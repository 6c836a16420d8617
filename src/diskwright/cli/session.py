"""What one run of the command knows: its settings, how it reports, and what it has to say."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from diskwright._values import Struct, field
from diskwright.cli.cancel import SignalCancel
from diskwright.cli.progress import TerminalProgress, choose
from diskwright.model.nulls import NullProgress

if TYPE_CHECKING:
    from diskwright._child import Ahead
    from diskwright.app import Diskwright
    from diskwright.app.inputs import InputOptions
    from diskwright.errors import DiskwrightError, ImageRefused, OutputError
    from diskwright.model.cost import ReadingCost
    from diskwright.model.deep import Refused
    from diskwright.model.finding import Accepted, Verdict
    from diskwright.ports import CancelToken, Progress


class Session(Struct):
    """`results` are those of the JSON document, in order; `failures` the errors among them.

    `cancel` is how the run is asked to stop.
    """

    command: str = ""
    output: str = "table"
    debug: bool = False
    config: str | None = None
    unconfined: bool | None = None
    new_passphrase: bool = False  # asked for twice
    cancel: SignalCancel = field(default_factory=SignalCancel)
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[DiskwrightError] = field(default_factory=list)
    bar: TerminalProgress | None = None  # what is drawn now
    explain: Callable[[str, ImageRefused], Refused] | None = None  # of a refused image
    ahead: Ahead | None = None  # readers that were started already

    def open(self, *, s3: dict[str, Any] | None = None, **overrides: Any) -> Diskwright:
        """The application, with settings from file and environment and these on top."""
        from diskwright import app, config

        settings = config.load(self.config, unconfined=self.unconfined, **overrides)
        if settings.unconfined:
            click.echo("diskwright: readers are not confined (--unconfined)", err=True)
        return app.Diskwright(
            settings.with_s3(**(s3 or {})), passphrase=self._ask_passphrase, ahead=self.ahead
        )

    def say(self, text: str) -> None:
        """A result, to stdout; in JSON mode the document says it at the end."""
        if self.bar is not None:
            self.bar.close()
        if self.output != "json":
            print_out(text)

    def tell_cost(self, label: str, cost: ReadingCost | None) -> None:
        """What reading a disk took: one line on stderr."""
        from diskwright.report.stats import stats_text

        click.echo(f"diskwright: stats: {stats_text(label, cost)}", err=True)

    def disks_of(
        self, app: Diskwright, image: str, inputs: InputOptions
    ) -> list[tuple[str, InputOptions]]:
        """What there is to look at in a file, one disk after the other: its name, and options."""
        if inputs.get("disk") is not None:
            return [("", inputs)]
        names: tuple[str, ...] = ()
        with self.reporting(image):
            names = app.disk_names(image, **inputs)
        return [(name, {**inputs, "disk": number}) for number, name in enumerate(names, 1)]

    @contextmanager
    def reporting(self, image: str, disk: str = "") -> Iterator[None]:
        """One of several images: its failure is a line, a hint and a result; the rest goes on."""
        from diskwright.errors import Cancelled, DiskwrightError

        try:
            yield
        except Cancelled:
            raise
        except DiskwrightError as error:
            from diskwright.report.json import error_of, inspected_result, validated_result

            self.show(error)
            self.failures.append(error)
            where, said = path_text(image), error_of(error)
            if self.command == "validate":
                failed = validated_result(where, None, said, disk=path_text(disk))
            else:
                why = self._explained(image, error)
                failed = inspected_result(where, None, said, disk=path_text(disk), refused=why)
            self.results.append(failed)

    def _explained(self, image: str, error: DiskwrightError) -> Refused | None:
        """Also to stdout. None where nobody asked, or nothing can be said."""
        from diskwright.errors import ImageRefused, InputError

        if self.explain is None or not isinstance(error, ImageRefused):
            return None
        try:
            why = self.explain(image, error)
        except InputError:  # the file is no longer what was refused, and that was shown
            return None
        from diskwright.report.deep import refused_text

        self.say(refused_text(why, image))
        return why

    def show(self, error: DiskwrightError) -> None:
        """One line, and a hint."""
        with suppress(OSError):  # the terminal may be gone: the exit code says it all the same
            line = "; ".join([error.message, *getattr(error, "__notes__", ())])
            click.echo(f"diskwright: {path_text(line)}", err=True)
            click.echo(f"  hint: {path_text(error.hint)}", err=True)
            if self.debug:
                traceback.print_exception(error)

    def colour(self) -> bool:
        from diskwright.config import colour_wanted

        return colour_wanted(terminal=sys.stdout is not None and sys.stdout.isatty())

    def remark_idle(self, given: tuple[Accepted, ...], found: list[Verdict]) -> None:
        """A word on what was accepted and stood against no disk of the file."""
        if not found:
            return
        used = {entry.id for v in found for entry in (*v.accepted, *v.expired)}
        for entry in given:
            if entry.id not in used:
                click.echo(f"diskwright: note: --accept {entry.id}: nothing to accept", err=True)

    def _ask_passphrase(self) -> str:
        """Asked on the terminal, never taken from the command line."""
        import getpass

        if not _has_terminal():
            from diskwright.errors import KeyUnreadable

            raise KeyUnreadable(
                "given",
                "it needs a passphrase, and there is no terminal to ask on",
                "put it in a file and set DISKWRIGHT_PASSPHRASE_FILE to its name",
            )
        with self.cancel.interrupting():
            phrase = getpass.getpass("Passphrase: ", stream=sys.stderr)
            if self.new_passphrase and getpass.getpass("Again: ", stream=sys.stderr) != phrase:
                raise click.UsageError("the passphrases are not the same")
        if not phrase:
            raise click.UsageError("an empty passphrase protects nothing")
        return phrase

    @contextmanager
    def watched(self, asked: bool | None) -> Iterator[tuple[Progress, CancelToken]]:
        """Progress on stderr and Ctrl-C as a token, for as long as a verb runs."""
        with self.progress(asked) as bar, self.cancel.looked_at() as cancel:
            yield bar, cancel

    @contextmanager
    def progress(self, asked: bool | None) -> Iterator[Progress]:
        """Progress on stderr; Ctrl-C interrupts the main thread where it stands."""
        self.bar = choose(asked)
        try:
            yield self.bar or NullProgress()
        finally:
            if self.bar is not None:
                self.bar.close()
                self.bar = None


def print_out(text: str, *, end: bool = True) -> None:
    """To stdout, with the end of a line. Raises OutputError where it takes no more, and then
    nothing is said at exit."""
    with _writing():
        click.echo(text, nl=end)


def print_data(text: str) -> None:
    """Lines of JSON or CSV, with their ends: the bytes as they are, so that no value is altered,
    but for a terminal, which would obey some. Raises as `print_out`."""
    if sys.stdout.isatty():
        from diskwright.model.text import data_on_terminal

        print_out(data_on_terminal(text), end=False)
        return
    with _writing():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
        sys.stdout.buffer.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise stdout_failed(error) from error


class ReaderGone(Exception):
    """Whoever read stdout went away (`| head`). No OSError: click would end with 1 for that."""


def silence_stdout() -> None:
    """What is in its buffer goes nowhere at exit, and does not fail there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def stdout_failed(error: OSError) -> OutputError:
    """The error in our words. What is in the buffer still goes nowhere, without a word at exit."""
    from diskwright.errors import output_error

    silence_stdout()
    return output_error("standard output", error)


def _has_terminal() -> bool:
    """Is there one to ask on? It need not be stdin (`getpass` looks for /dev/tty too)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty()
    return True


def path_text(path: str | bytes) -> str:
    """A path as it can be printed: nothing in it moves the cursor or breaks the line."""
    text = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def exit_code(failures: list[DiskwrightError]) -> int:
    """Several failures in one run: the highest of 1 and 10 to 15, else 3."""
    codes = [error.exit_code for error in failures]
    hard = [code for code in codes if code == 1 or 10 <= code <= 15]
    return max(hard) if hard else max(codes, default=0)
