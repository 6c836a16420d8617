"""Findings as HTML: what is to be mended first, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright.model.finding import Accepted, Finding, Result, Verdict
from diskwright.model.rule import RuleText
from diskwright.report.markup import escaped, lines

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
            shown += [_finding(f, look, known.get(f.id), accepted.get(f.id)) for f in found]
    return shown or ["<p>Nothing stands against an import.</p>"]


def _finding(finding: Finding, look: str, rule: RuleText | None, accepted: Accepted | None) -> str:
    where = "here" if finding.id.startswith("image.") else "in the guest"
    rows = []
    if accepted is not None:
        rows.append(("accepted", escaped(accepted.reason)))
    if finding.evidence:
        rows.append(("at", _block(finding.evidence)))
    if finding.remedy:
        rows.append((f"do {where}", _block(finding.remedy, copy=True)))
    if rule is not None:
        rows.append(("why", escaped(rule.why)))
    if finding.source:
        rows.append(("written in", escaped(finding.source)))
    listed = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in rows)
    badge = ' <span class="badge good">accepted</span>' if accepted is not None else ""
    return (
        f'<section class="finding f-{look}">'
        f'<h4>{escaped(finding.message)}{badge}</h4><code class="id">{escaped(finding.id)}</code>'
        f"<dl>{listed}</dl></section>"
    )


def _block(text: str, *, copy: bool = False) -> str:
    kind = ' class="copy"' if copy else ""
    return f"<pre{kind}>" + "\n".join(lines(text)) + "</pre>"


def passed(verdict: Verdict) -> list[str]:
    """What holds and what does not apply, folded up."""
    good = [f for f in verdict.findings if f.result in (Result.PASS, Result.SKIP)]
    if not good:
        return []
    count = sum(finding.result is Result.PASS for finding in good)
    said = f"{count} rule{'s' if count != 1 else ''} hold"
    if len(good) > count:
        said += f", {len(good) - count} do not apply"
    items = "\n".join(
        f"<li><code>{escaped(f.id)}</code> {'' if f.result is Result.PASS else '(skipped) '}"
        f"{escaped(f.message)}</li>"
        for f in good
    )
    return [f'<details><summary>{said}</summary>\n<ul class="passed">\n{items}\n</ul></details>']
