"""`--report FORMAT=FILE`: what is written at the end of a run, besides what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diskwright._values import Struct
from diskwright.cli.session import path_text

if TYPE_CHECKING:
    from diskwright.report.judged import Judgement

FORMATS = ("junit", "sarif", "html", "json")


class Report(Struct, frozen=True):
    format: str
    path: str


class ReportType(click.ParamType[Report]):
    name = "report"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Report:
        if isinstance(value, Report):
            return value
        form, _, path = str(value).partition("=")
        if form not in FORMATS or not path:
            self.fail(f"write FORMAT=FILE, with FORMAT one of {', '.join(FORMATS)}", param, ctx)
        if path == "-":
            self.fail("reports are files; one named - is ./-", param, ctx)
        return Report(form, path)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - the signature that click calls
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(f"{name}=") for name in FORMATS if name.startswith(incomplete)]


def rendered(report: Report, judgement: Judgement) -> bytes:
    """The file's bytes."""
    if report.format == "json":
        return (_document(judgement) + "\n").encode()
    if report.format == "junit":
        from diskwright.report.junit import junit as render
    elif report.format == "sarif":
        from diskwright.report.sarif import sarif as render
    else:
        from diskwright.report.html import html as render
    return render(judgement).encode()


def _document(judgement: Judgement) -> str:
    """What --output json prints."""
    from diskwright.report.json import document, error_of, validated_result

    results = [
        validated_result(
            path_text(one.image),
            one.found,
            error_of(one.error) if one.error is not None else None,
            strict=judgement.strict,
            disk=path_text(one.disk),
        )
        for one in judgement.judged
    ]
    return document("validate", results)
