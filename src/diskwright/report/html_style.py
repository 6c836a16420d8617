"""How the HTML report looks: light or dark as the reader's system is, narrow screens, paper.

No font, picture or script is loaded: the page's own policy forbids it.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1a2230; --soft: #566074; --line: #d9dee6;
  --code: #f0f2f6; --link: #1d5fb8;
  --bad: #b3261e; --bad-soft: #fbeae9; --warn: #8a5300; --warn-soft: #fcf1dd;
  --open: #6b3fa0; --open-soft: #f2ebfa; --good: #1d6f42; --good-soft: #e4f4ea;
  --esp: #b9d4f5; --boot: #d8c6f0; --linux: #bfe3c8; --swap: #f3d9b1; --lvm: #bfe3e0;
  --windows: #a9d8f2; --other: #dfe2e8; --fs: #e8edf5; --used: #5f86b8; --used-ink: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1a202a; --ink: #e4e9f1; --soft: #9aa6b8; --line: #313a48;
    --code: #11161e; --link: #86b6ff;
    --bad: #ff8a80; --bad-soft: #3b1f20; --warn: #f2b85c; --warn-soft: #36290f;
    --open: #c9a7f5; --open-soft: #2c2140; --good: #7fd6a2; --good-soft: #16321f;
    --esp: #2c4a70; --boot: #493566; --linux: #26513a; --swap: #5e4522; --lvm: #1f5553;
    --windows: #1d4f6b; --other: #3a4250; --fs: #252d3a; --used: #4d76ad; --used-ink: #ffffff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
a { color: var(--link); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
h3 {
  font-size: .8rem; margin: 1.75rem 0 .6rem; color: var(--soft);
  text-transform: uppercase; letter-spacing: .06em;
}
p { margin: .25rem 0; }
.sub { color: var(--soft); overflow-wrap: anywhere; }
code, pre {
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .875em;
}
article, .overview {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.25rem; margin-top: 1.25rem;
}
.head {
  display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline;
  justify-content: space-between;
}
.badge {
  display: inline-block; font-weight: 600; font-size: .85rem; padding: .1rem .65rem;
  border-radius: 99px; border: 1px solid currentColor; white-space: nowrap;
}
.bad { color: var(--bad); background: var(--bad-soft); }
.warn { color: var(--warn); background: var(--warn-soft); }
.open { color: var(--open); background: var(--open-soft); }
.good { color: var(--good); background: var(--good-soft); }
.counts {
  display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: 0; padding: 0;
}
.finding {
  border: 1px solid var(--line); border-left: 5px solid; border-radius: 8px;
  padding: .75rem 1rem; margin: .6rem 0; break-inside: avoid;
}
.finding.f-bad { border-left-color: var(--bad); }
.finding.f-warn { border-left-color: var(--warn); }
.finding.f-open { border-left-color: var(--open); }
.finding h4 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.finding .id { color: var(--soft); font-weight: 400; }
.finding dl {
  margin: .5rem 0 0; display: grid; grid-template-columns: 7.25rem minmax(0, 1fr);
  gap: .35rem .75rem;
}
.finding dt { color: var(--soft); font-size: .875rem; padding-top: .1rem; }
.finding dt.beside { padding-top: .5rem; }
.finding dd { margin: 0; overflow-wrap: anywhere; }
pre {
  margin: 0; padding: .5rem .7rem; background: var(--code); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere;
}
pre.copy { user-select: all; cursor: copy; }
.map { display: block; font-size: 12px; overflow: visible; }
.map text { fill: var(--ink); }
.map .disk { fill: var(--page); stroke: var(--line); }
.map .part { stroke: var(--card); stroke-width: 1.5; fill: var(--other); }
.map .esp { fill: var(--esp); } .map .bios-boot { fill: var(--boot); stroke: var(--boot); }
.map .linux { fill: var(--linux); }
.map .swap { fill: var(--swap); }
.map .lvm { fill: var(--lvm); }
.map .windows { fill: var(--windows); }
.map .thin { stroke: var(--soft); }
.map .extended { fill: none; stroke: var(--soft); stroke-dasharray: 4 3; }
.map .fs { fill: var(--fs); stroke: var(--soft); stroke-width: 1; }
.map .used { fill: var(--used); opacity: .45; }
.map .short { display: none; }
.map .axis { stroke: var(--soft); } .map .tick { fill: var(--soft); }
.key {
  display: inline-block; width: .8em; height: .8em; vertical-align: -.05em;
  margin-right: .3rem;
}
.key rect { fill: var(--other); }
.key .esp { fill: var(--esp); }
.key .bios-boot { fill: var(--boot); }
.key .linux { fill: var(--linux); }
.key .swap { fill: var(--swap); }
.key .lvm { fill: var(--lvm); }
.key .windows { fill: var(--windows); }
.key .fs { fill: var(--fs); stroke: var(--soft); }
.wide { overflow-x: auto; margin-top: .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td {
  text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line);
}
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 3.5rem; }
table.disk td:nth-child(n+4) { white-space: nowrap; }
table.disk td:nth-child(1) { min-width: 2.2rem; }
table.disk td:nth-child(2), table.disk td:nth-child(3) { min-width: 4.7rem; }
dl.facts {
  margin: 0; display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: .15rem .75rem;
  font-size: .9rem;
}
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--link); }
ul.passed { list-style: none; padding: 0; margin: .5rem 0 0; font-size: .9rem; }
ul.passed li { padding: .2rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .85rem; margin-top: 2rem; }
@media (max-width: 36rem) {
  main { padding: 1rem .6rem 3rem; }
  article, .overview { padding: .9rem; }
  .finding dl, dl.facts { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  .finding dd, dl.facts dd { margin-bottom: .4rem; }
  .map .long, .map .odd { display: none; }
  .map .short { display: inline; }
}
@media print {
  :root { --page: #fff; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  article { border: 0; padding: 0; break-before: page; }
  article:first-of-type { break-before: auto; }
  .map rect, .key rect, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
