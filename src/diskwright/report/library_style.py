"""What a library's page looks like beside the report's style: table, drawing, filter."""

LIBRARY_STYLE = """
[hidden] { display: none !important; }
main { max-width: 76rem; }
section { margin-top: 1.75rem; }
section.overview { margin-top: 1.25rem; }
h2 { margin-bottom: .6rem; }
.plain { color: var(--soft); background: var(--code); }
.figures {
  display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; list-style: none; padding: 0;
  margin: 1rem 0 0; color: var(--soft);
}
.figures strong { color: var(--ink); font-size: 1.15rem; }
.note { color: var(--soft); margin-bottom: .5rem; }
#filter {
  display: flex; flex-wrap: wrap; gap: .4rem .75rem; align-items: center; margin-bottom: .75rem;
}
#filter input {
  flex: 1 1 14rem; max-width: 28rem; min-width: 0; font: inherit; padding: .35rem .7rem;
  color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: 8px;
}
#filter input::placeholder { color: var(--soft); opacity: 1; }
#found { color: var(--soft); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
table.library {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  border-collapse: separate; border-spacing: 0;
}
.library th, .library td { padding: .6rem .75rem; }
.library tbody th, .library tbody td { border-bottom: 0; }
.library tbody > :last-child > * { border-bottom: 1px solid var(--line); }
.library tbody:last-child > :last-child > * { border-bottom: 0; }
.library tbody th { font-weight: 400; color: var(--ink); white-space: normal; width: 32%; }
.library tbody tr + tr td { padding-top: 0; }
.library tbody:target { background: var(--code); }
.beneath { display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; align-items: center; }
.beneath p, .beneath ul { margin: 0; }
.library .name { display: block; font-weight: 600; overflow-wrap: anywhere; }
.library .id { color: var(--soft); overflow-wrap: anywhere; }
.library p { overflow-wrap: anywhere; }
.library td:nth-child(n+4) { white-space: nowrap; }
.library td { min-width: 0; }
.badges { display: flex; flex-wrap: wrap; gap: .3rem; }
.badges .badge { font-size: .8rem; white-space: normal; }
.against { color: var(--soft); font-size: .85rem; }
.tags {
  display: flex; flex-wrap: wrap; gap: .3rem; list-style: none; padding: 0; margin: 0;
}
.tags li {
  background: var(--code); border: 1px solid var(--line); border-radius: 5px; padding: 0 .45rem;
  font-size: .8rem; overflow-wrap: anywhere;
}
details.all { margin: 0; font-size: .85rem; }
details.all[open] { flex-basis: 100%; }
details.all dl { margin-top: .4rem; grid-template-columns: 7rem minmax(0, 1fr); }
details.more > summary { padding: .35rem 0; }
.lineage {
  display: flex; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .75rem; font-size: 13px;
}
.lineage svg { display: block; }
.lineage text { fill: var(--ink); }
.lanes { flex: none; }
.lanes text { font-weight: 600; }
.lanes text.none { fill: var(--soft); font-weight: 400; }
.drawn { overflow-x: auto; direction: rtl; flex: 1; min-width: 0; }
.drawn svg { direction: ltr; margin-right: auto; }
.rail { stroke: var(--line); stroke-width: 4; }
.edge { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.tip { fill: var(--soft); }
circle { fill: var(--good-soft); stroke: var(--good); stroke-width: 2; }
circle.bad { fill: var(--bad-soft); stroke: var(--bad); }
circle.warn { fill: var(--warn-soft); stroke: var(--warn); }
circle.open { fill: var(--open-soft); stroke: var(--open); }
circle.gone { stroke-dasharray: 3 3; }
text.sign { text-anchor: middle; font-weight: 700; fill: var(--ink); font-size: 12px; }
.lineage text.day {
  text-anchor: middle; fill: var(--soft); font-size: 11px; paint-order: stroke;
  stroke: var(--card); stroke-width: 4px; stroke-linejoin: round;
}
.drawn a:hover circle { stroke-width: 4; }
.key-of { margin-top: .5rem; gap: .35rem 1.25rem; color: var(--soft); font-size: .85rem; }
.key-of li { display: flex; align-items: center; gap: .4rem; }
@media (max-width: 48rem) {
  .library, .library tbody, .library tr, .library th, .library td { display: block; }
  .library thead { display: none; }
  .library tbody th, .library td { width: auto; border: 0; padding: .15rem 0; }
  .library tbody > :last-child > * { border-bottom: 0; }
  .library tbody { padding: .75rem; border-bottom: 1px solid var(--line); }
  .library tbody:last-child { border-bottom: 0; }
  .library td { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); }
  .library td::before { content: attr(data-label); color: var(--soft); grid-row: span 2; }
  .library td:nth-child(n+4) { display: inline-block; margin-right: 1.25rem; }
  .library td:nth-child(n+4)::before { margin-right: .4rem; }
  .library td:empty { display: none !important; }
  .library td > * { grid-column: 2; }
  .library td[colspan] { display: block; padding-top: .25rem !important; }
  .library td[colspan]::before { content: none; }
  .lanes { width: 104px; font-size: 11px; }
}
@media print {
  #filter { display: none; }
  .library tbody { break-inside: avoid; }
}
"""
