"""diskwright doctor."""

from __future__ import annotations

import click

from diskwright.cli.options import not_empty, output_option, s3_options
from diskwright.cli.session import Session


@click.command(
    "doctor",
    short_help="Say what works here, and what an endpoint can do.",
    epilog="""\b
Examples:
  diskwright doctor
  diskwright doctor --to s3://images/web --endpoint-url https://obs.example.com""",
)
@click.option(
    "--to",
    metavar="TARGET",
    callback=not_empty,
    help="Try a target: s3://BUCKET[/PREFIX] or dir:PATH.",
)
@s3_options
@output_option
@click.pass_obj
def command(
    session: Session,
    to: str | None,
    endpoint_url: str | None,
    region: str | None,
    addressing_style: str | None,
) -> None:
    """Say which tools are there and which confinement is in force.

    With --to it writes, reads back, multiparts, copies, puts conditionally and deletes a probe
    object, and says what the endpoint can do.
    """
    from diskwright.report.json import made_result
    from diskwright.report.outcome import doctored_text

    session.command = "doctor"
    s3 = {"endpoint_url": endpoint_url, "region": region, "addressing_style": addressing_style}
    found = session.open(s3=s3).doctor(to=to)
    session.say(doctored_text(found))
    session.results.append(made_result(to or "", found))
