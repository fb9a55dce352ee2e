/** The page's style sheet: light, dark and paper, narrow and wide. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --panel: #f6f8fa; --code: #f0f2f5;
  --good: #27935a; --odd: #1d7446; --bad: #d4711a; --plain: #2f7fd6; --alarm: #c93c3c; --range: #dfe4ea;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e8eb; --quiet: #9aa4ae; --line: #343b43; --panel: #1b2026; --code: #20262d;
    --odd: #3fb67a; --alarm: #ef6a6a; --range: #343b43;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
section > h3 { margin-top: 1.5rem; }
p { max-width: 46rem; margin: .5rem 0; }
a { color: inherit; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
.quiet { color: var(--quiet); }
.note { border-left: 4px solid var(--bad); padding: .25rem .75rem; background: var(--panel); }
.lead.heuristic { border-left: 4px solid var(--alarm); padding: .25rem .75rem; background: var(--panel); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile { display: flex; flex-direction: column-reverse; justify-content: flex-end; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; break-inside: avoid; }
.tile dt { color: var(--quiet); font-size: .85rem; line-height: 1.3; }
.tile dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; break-inside: avoid; }
.plot svg { display: block; max-width: 100%; height: auto; }
.plot h3 { margin-bottom: .5rem; }
figcaption { color: var(--quiet); font-size: .875rem; max-width: 34rem; margin-top: .25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)); gap: 1rem; margin-top: 1rem; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: .75rem; background: var(--panel); break-inside: avoid;
  font-size: .9rem; }
.card p { margin: .15rem 0; }
.card .name { font-size: .8rem; }
.worst { margin: .5rem 0 0; } .worst img { width: 5rem; border: 1px solid var(--line); }
.worst figcaption { font-size: .8rem; color: var(--quiet); }
.region { display: block; width: 100%; max-width: 15rem; max-height: 15rem; margin: 0 auto .5rem; }
.pixels { image-rendering: pixelated; }
.frame { fill: none; stroke: var(--line); }
.range { fill: var(--range); stroke: var(--quiet); stroke-width: .5; }
.axes { stroke: var(--quiet); stroke-width: .5; fill: none; }
.upright { fill: var(--quiet); }
.angle { fill: var(--quiet); font-size: 7px; text-anchor: middle; dominant-baseline: middle; }
.verdict-correct { fill: var(--good); } .verdict-wrong { fill: var(--bad); } .verdict-certified { fill: var(--plain); }
.slice-even { fill: var(--good); } .slice-odd { fill: var(--odd); } .slice-failed { fill: var(--alarm); opacity: .55; }
.slice-outline { fill: none; stroke: var(--ink); stroke-width: .4; opacity: .6; }
line.mark { stroke: var(--alarm); stroke-width: 2; } circle.mark { fill: var(--alarm); }
.tone-0 { fill: #2f7fd6; background: #2f7fd6; } .tone-1 { fill: #d4711a; background: #d4711a; }
.tone-2 { fill: #27935a; background: #27935a; } .tone-3 { fill: #b05cc8; background: #b05cc8; }
.tone-4 { fill: #d64545; background: #d64545; } .tone-5 { fill: #8a7a1f; background: #8a7a1f; }
circle[class^=tone], rect[class^=tone] { fill-opacity: .35; stroke: var(--ink); stroke-width: .6; }
.keys { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0; }
.key { display: inline-block; width: .9rem; height: .9rem; border-radius: 3px; vertical-align: -2px;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.sweep { border-top: 1px solid var(--line); padding: 1rem 0; break-inside: avoid; }
.sweep-row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.sweep-row > .region { flex: 0 0 13rem; margin: 0; } .sweep-row > div { flex: 1 1 18rem; }
.sweep ul { padding-left: 1.2rem; margin: .5rem 0; }
.view { flex: 0 0 13rem; } .view img { width: 6.25rem; margin-right: .4rem; border: 1px solid var(--line); }
.scroll { overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; font-size: .875rem; }
caption { caption-side: top; text-align: left; color: var(--quiet); padding: .25rem 0 .5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } tbody th { font-weight: normal; }
td, tbody th { font-variant-numeric: tabular-nums; }
thead th { white-space: nowrap; }
@media screen and (min-width: 48rem) { .scroll tr > th:first-child { position: sticky; left: 0; background: var(--paper); white-space: nowrap; } }
.numbers td { white-space: nowrap; } .numbers td:last-child { white-space: normal; min-width: 16rem; }
.words tbody th { white-space: nowrap; color: var(--quiet); }
pre, code { font: .85rem/1.5 ui-monospace, monospace; }
pre { background: var(--code); border-radius: 6px; padding: .75rem; white-space: pre-wrap; }
code { overflow-wrap: anywhere; }
summary { cursor: pointer; margin: 1rem 0 .5rem; }
@page { margin: 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; } .numbers td:last-child { min-width: 0; }
  tr, pre { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .plots { grid-template-columns: 1fr 1fr; } .cards { grid-template-columns: repeat(4, 1fr); }
  .card, .tile, .region { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
