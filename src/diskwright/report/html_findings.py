"""Findings as HTML: what is to be mended first, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby

from diskwright.model.finding import Accepted, Finding, Result, Verdict
from diskwright.model.rule import RuleText
from diskwright.report.markup import escaped, lines
from diskwright.report.text import by_reason, until_text, where

_HEADS = {
    Result.FAIL: ("What stands against an import", "bad"),
    Result.WARN: ("Warnings", "warn"),
    Result.UNKNOWN: ("Could not be read", "open"),
}


def findings(verdict: Verdict, rules: Iterable[RuleText]) -> list[str]:
    """Those that are more than a pass, the worst first."""
    known = {rule.id: rule for rule in rules}
    accepted = {entry.id: entry for entry in verdict.accepted}
    shown: list[str] = []
    for result, (head, look) in _HEADS.items():
        found = [finding for finding in verdict.findings if finding.result is result]
        if found:
            shown.append(f"<h3>{head}</h3>")
            for group in by_reason(found) if result is Result.UNKNOWN else ([f] for f in found):
                if len(group) > 1:
                    shown.append(_unread(group, look))
                else:
                    shown.append(_finding(group[0], look, known, accepted))
    return shown or ["<p>Nothing stands against an import.</p>"]


def _unread(group: Sequence[Finding], look: str) -> str:
    """Rules that were not judged for one and the same reason: there is nothing else to tell."""
    ids = ", ".join(f"<code>{escaped(finding.id)}</code>" for finding in group)
    return (
        f'<section class="finding f-{look}"><h4>{len(group)} rules could not be judged</h4>'
        f"<dl>{_term('why', '')}<dd>{'<br>'.join(lines(group[0].evidence))}</dd>"
        f"{_term('which', '')}<dd>{ids}</dd></dl></section>"
    )


def _finding(
    finding: Finding,
    look: str,
    rules: Mapping[str, RuleText],
    waivers: Mapping[str, Accepted],
) -> str:
    rule, accepted = rules.get(finding.id), waivers.get(finding.id)
    rows = []
    if accepted is not None:
        rows.append(("accepted", escaped(until_text(accepted) + accepted.reason)))
    if finding.evidence:
        rows.append(("at", _block(finding.evidence)))
    for place, remedy in groupby(finding.remedy.split("\n"), partial(where, finding)):
        if text := "\n".join(remedy):
            rows.append((f"do {place}", _block(text, copy=True)))
    if rule is not None:
        rows.append(("why", escaped(rule.why)))
    if finding.source:
        rows.append(("written in", escaped(finding.source)))
    listed = "".join(f"{_term(key, value)}<dd>{value}</dd>" for key, value in rows)
    badge = ' <span class="badge good">accepted</span>' if accepted is not None else ""
    return (
        f'<section class="finding f-{look}">'
        f'<h4>{escaped(finding.message)}{badge}</h4><code class="id">{escaped(finding.id)}</code>'
        f"<dl>{listed}</dl></section>"
    )


def _term(key: str, value: str) -> str:
    return f'<dt class="beside">{key}</dt>' if value.startswith("<pre") else f"<dt>{key}</dt>"


def _block(text: str, *, copy: bool = False) -> str:
    kind = ' class="copy"' if copy else ""
    return f"<pre{kind}>" + "\n".join(lines(text)) + "</pre>"


def passed(verdict: Verdict) -> list[str]:
    """What holds and what does not apply, folded up."""
    good = [f for f in verdict.findings if f.result in (Result.PASS, Result.SKIP)]
    if not good:
        return []
    count = sum(finding.result is Result.PASS for finding in good)
    said = f"{count} rule{' holds' if count == 1 else 's hold'}"
    if len(good) > count:
        others = len(good) - count
        said += f", {others} do{'es' if others == 1 else ''} not apply"
    items = "\n".join(
        f"<li><code>{escaped(f.id)}</code> {'' if f.result is Result.PASS else '(skipped) '}"
        f"{escaped(f.message)}</li>"
        for f in good
    )
    return [f'<details><summary>{said}</summary>\n<ul class="passed">\n{items}\n</ul></details>']
