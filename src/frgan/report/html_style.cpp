#include <fmt/format.h>

#include "frgan/report/html_report.h"

namespace frgan {
namespace {

// The Okabe-Ito palette, which is safe for color-blind readers, darkened or lightened to suit the background.
constexpr std::string_view kPageStyle = R"(
:root { color-scheme: light dark; --ground: #f7f6f3; --panel: #fff; --ink: #1c2025; --soft: #59606b; --line: #dedbd4;
  --grid: #e6e3dd; --link: #005a96; --warn: #fff3d6; --wrong: 213 94 0; --right: 0 114 178;
  --c0: #0072b2; --c1: #d55e00; --c2: #00805d; --c3: #b8578c; --c4: #a87900; --c5: #3a3f47; }
@media (prefers-color-scheme: dark) { :root { --ground: #121418; --panel: #1b1e23; --ink: #e8e6e2; --soft: #a5abb5;
  --line: #343941; --grid: #2b3037; --link: #7cc0f5; --warn: #3a2f14; --wrong: 240 138 60; --right: 86 180 233;
  --c0: #56b4e9; --c1: #f08a3c; --c2: #2fc79a; --c3: #e39ac4; --c4: #e6b13a; --c5: #f0f0f0; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); line-height: 1.15; margin: 0; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 0 0 1rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
section { margin: 3rem 0 0; padding-top: 1.5rem; border-top: 1px solid var(--line); scroll-margin-top: 1rem; }
section:first-child { border-top: 0; margin-top: 1.5rem; padding-top: 0; }
main { padding-bottom: 4rem; }
p { margin: .3rem 0; max-width: 46rem; }
a { color: var(--link); }
.soft, figcaption, caption, legend { color: var(--soft); font-size: .875rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; top: 0; background: var(--panel); padding: .6rem 1rem; z-index: 2; }
.skip:focus { left: .5rem; top: .5rem; }
nav ul { list-style: none; padding: 0; margin: 1.2rem 0 0; display: flex; flex-wrap: wrap; gap: .4rem .5rem; }
nav a { display: inline-block; padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 99px;
  background: var(--panel); text-decoration: none; font-size: .9rem; }
nav a:hover { border-color: var(--link); }
.run { white-space: normal; overflow-wrap: anywhere; }
.swatch { display: inline-block; width: .75em; height: .75em; border-radius: 50%; background: currentColor; margin-right: .45em; }
.swatch.dashed { border-radius: 0; }
.c0 { color: var(--c0); stroke: var(--c0); } .c1 { color: var(--c1); stroke: var(--c1); }
.c2 { color: var(--c2); stroke: var(--c2); } .c3 { color: var(--c3); stroke: var(--c3); }
.c4 { color: var(--c4); stroke: var(--c4); } .c5 { color: var(--c5); stroke: var(--c5); }
.cards { list-style: none; padding: 0; margin: 0 0 1.5rem; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
.card, .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.2rem; min-width: 0; }
.panel { color: inherit; stroke: none; margin-bottom: 1rem; }
.number { font-size: 2.5rem; font-weight: 650; line-height: 1.15; letter-spacing: -.03em; margin: .1rem 0 .2rem;
  font-variant-numeric: tabular-nums; }
.number.none { font-size: 1.5rem; color: var(--soft); }
.note { background: var(--warn); border-radius: 8px; padding: .4rem .7rem; font-size: .875rem; overflow-wrap: anywhere; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(27rem, 100%), 1fr)); align-items: start; }
.grid.small { grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
.grid > .panel { margin: 0; }
figure { margin: 0; }
.grid > .panel:only-child > figure { max-width: 42rem; }
figure.wide { margin: 1.5rem 0; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { fill: var(--soft); stroke: none; font-size: 12px; font-variant-numeric: tabular-nums; }
.grid line, line.grid { stroke: var(--grid); stroke-width: 1; }
.curve { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.curve.dashed { stroke-dasharray: 5 3; }
.curve.gate { stroke: var(--c0); stroke-width: 1.5; }
.band { fill: var(--c0); opacity: .22; stroke: none; }
.legend { border: 1px solid var(--line); border-radius: 10px; background: var(--panel); display: flex; flex-wrap: wrap;
  gap: .2rem 1.2rem; margin: 0 0 1rem; padding: .4rem 1rem .6rem; }
.legend label { display: inline-flex; align-items: center; gap: .45rem; min-height: 2rem; cursor: pointer; }
.interval { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 4.5rem; gap: .2rem 1rem; align-items: center; padding: .15rem 0; }
.interval .track { position: relative; height: 1.7rem; }
.interval .track i { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--grid); }
.interval .track b { position: absolute; top: .6rem; height: .5rem; background: currentColor; opacity: .35; border-radius: 99px; }
.interval .track u { position: absolute; top: .3rem; height: 1.1rem; width: 4px; margin-left: -2px; background: currentColor; border-radius: 2px; }
.interval .value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.interval.axis { color: var(--soft); font-size: .8rem; }
.interval.axis .track span { position: absolute; transform: translateX(-50%); }
.scroll { overflow-x: auto; margin: .5rem 0; }
table .run { white-space: nowrap; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; font-size: .82rem; vertical-align: bottom; }
tbody th { font-weight: 500; }
table.numbers { white-space: nowrap; }
td { overflow-wrap: anywhere; }
.confusion { width: 100%; font-size: .82rem; }
.confusion td, .confusion th { padding: 1px; text-align: center; vertical-align: middle; border: 0; }
.confusion tbody th { padding-right: .4rem; text-align: right; }
.confusion td span { display: block; padding: .3rem .1rem; border-radius: 4px; min-width: 1.9rem; }
.confusion .right { background: rgb(var(--right) / var(--share)); }
.confusion .wrong { background: rgb(var(--wrong) / var(--share)); }
.confusion .zero { color: var(--soft); opacity: .55; }
.classes { width: 100%; }
.classes td { width: 30%; min-width: 7rem; }
.bar { display: block; background: linear-gradient(currentColor, currentColor) no-repeat 0 100% / var(--size) 3px; padding-bottom: 4px; }
.bar > span { color: var(--ink); }
.store { position: absolute; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.6rem, 1fr)); gap: .8rem .6rem; margin-top: .8rem; }
@media (min-width: 62rem) { .mistakes { grid-template-columns: repeat(10, 1fr); } }
.mistake svg { border-radius: 6px; overflow: hidden; }
.mistake image, .samples img, .map img { image-rendering: pixelated; }
.mistake figcaption { color: var(--ink); line-height: 1.25; padding-top: .2rem; overflow-wrap: anywhere; }
.truth { color: var(--soft); }
.mistake .file { display: block; color: var(--soft); font-size: .7rem; }
.samples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .8rem; }
.samples img { width: 100%; height: auto; display: block; border-radius: 6px; }
.map { display: flex; gap: .4rem; margin-top: .6rem; }
.map > div { display: grid; grid-template-rows: repeat(var(--rows), 1fr); font-size: .75rem; line-height: 1; color: var(--soft);
  text-align: right; align-items: center; max-width: 40%; min-width: 1.6rem; }
.map > div:empty { display: none; }
.map > div span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.map img { flex: 1; min-width: 0; height: calc(var(--rows) * 1rem); max-height: 20rem; border-radius: 4px; }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--link); font-size: .9rem; padding: .25rem 0; width: fit-content; }
dl { margin: .3rem 0; }
dl div { display: grid; grid-template-columns: minmax(6rem, 11rem) 1fr; gap: .8rem; padding: .2rem 0; border-bottom: 1px solid var(--grid); font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .85rem; }
pre { background: var(--ground); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
@media (max-width: 40rem) {
  header, main { padding-left: .9rem; padding-right: .9rem; }
  .card, .panel { padding: .8rem .9rem; }
  .interval { grid-template-columns: 1fr 4.5rem; }
  .interval > span:first-child { grid-column: 1 / -1; }
  .interval.axis > span:first-child, .interval.axis .track span:nth-child(even) { display: none; }
  .mistakes { grid-template-columns: repeat(auto-fill, minmax(4.4rem, 1fr)); }
  .confusion { font-size: .7rem; }
  .confusion td span { padding: .3rem 0; min-width: 1.2rem; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { color-scheme: light; --ground: #fff; --panel: #fff; --ink: #000; --soft: #444; --line: #ccc; --grid: #ddd; --link: #000;
    --warn: #fff3d6; --wrong: 213 94 0; --right: 0 114 178; --c0: #0072b2; --c1: #d55e00; --c2: #00805d; --c3: #b8578c; --c4: #a87900; --c5: #3a3f47; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 10pt; }
  header, main { max-width: none; padding: 0; }
  nav, .skip, details, .legend input { display: none; }
  section { break-inside: auto; margin-top: 1.2rem; }
  .card, figure, tr, .grid > .panel { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  .grid { grid-template-columns: 1fr 1fr; }
  .mistakes { grid-template-columns: repeat(10, 1fr); }
  table { font-size: 8pt; }
  .confusion, .mistake figcaption { font-size: 7pt; }
  .confusion td span { padding: .2rem 0; min-width: 0; }
}
)";

}  // namespace

std::string report_style(size_t runs) {
  std::string style(kPageStyle.substr(1));
  for (size_t i = 0; i < runs; ++i) {
    style += fmt::format("body:has(#show-{}:not(:checked)) .r{} {{ display: none; }}\n", i, i);
  }
  return style;
}

}  // namespace frgan
