"""How reports look: light or dark as the reader has it, one column on a phone, whole blocks on
paper, which is white."""

CSS = """
:root{--paper:#fff;--ink:#1b1b1f;--soft:#3b3e43;--dim:#5c6066;
--rule:#d5d7db;--hair:#e4e6e9;--pale:#eceef0;
--done:#2b7a4b;--rejected:#c27c0e;--failed:#b3261e;--pending:#9aa0a6;--line:#1f5fa8}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;
--paper:#17181b;--ink:#e9eaec;--soft:#cdd0d4;--dim:#a3a8af;
--rule:#43474d;--hair:#303338;--pale:#26292d;
--done:#4caf7a;--rejected:#d99a3a;--failed:#f2726b;--pending:#7b8187;--line:#6aa6e8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:940px;padding:24px 20px 48px;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
overflow-wrap:anywhere;-webkit-text-size-adjust:100%}
h1{font-size:1.7em;line-height:1.2;margin:0 0 4px}
h2{font-size:1.2em;margin:36px 0 8px;padding-top:12px;border-top:1px solid var(--rule)}
p{margin:6px 0 10px}
.dim{color:var(--dim)}
.state{display:inline-block;padding:1px 10px;border-radius:4px;color:#fff;font-weight:600}
.state.good{background:#2b7a4b}.state.bad{background:#b3261e}
.state.part{background:#8a5a06}
.bar{display:flex;height:18px;margin:14px 0 12px;background:var(--pale);border-radius:3px;
overflow:hidden}
.bar i{display:block;min-width:2px}
.done{background:var(--done)}.rejected{background:var(--rejected)}
.failed{background:var(--failed)}.pending{background:var(--pending)}
.scroll{overflow-x:auto}
.whole{white-space:nowrap}
.missed{color:var(--failed);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:10px;margin:0;padding:0}
.tiles div{border:1px solid var(--rule);border-radius:6px;padding:8px 12px}
.tiles dt{color:var(--soft);font-size:.9em}
.tiles dt i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}
.tiles dd{margin:0;font-size:1.45em;font-weight:600;line-height:1.25;
font-variant-numeric:tabular-nums;overflow-wrap:normal}
.tiles small{display:block;font-size:.6em;font-weight:400;color:var(--dim)}
table{border-collapse:collapse;width:100%;font-size:.94em}
th,td{text-align:left;vertical-align:top;padding:5px 10px 5px 0;border-bottom:1px solid var(--hair)}
th{font-weight:600}
thead th{border-bottom-color:var(--pending)}
td small,th small{display:block;font-size:.8em;font-weight:400;color:var(--dim)}
.methods tbody th{position:sticky;left:0;background:var(--paper);min-width:13em}
.methods thead th{white-space:normal;vertical-align:bottom;min-width:5.5em;overflow-wrap:normal}
.methods .group{font-weight:400;color:var(--dim);padding-top:14px}
.methods .group span{position:sticky;left:0}
.strips{min-width:740px}
.strips p{position:sticky;left:0;width:fit-content;max-width:calc(100vw - 30px);margin:12px 0 3px}
.strip{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:2px}
.strip img{display:block;width:100%;height:auto}
.charts .strip{grid-auto-columns:calc((100% - 4px)/3)}
.charts p{font-size:.9em;margin:4px 0 3px}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.stages td:first-child,.stages th:first-child{white-space:nowrap;width:1%}
.stages .track{width:45%}
.reasons td:nth-child(2){white-space:nowrap}
.reasons td:nth-child(3){width:46%}
.track i{display:block;height:14px;margin-top:5px;background:var(--line);min-width:1px;
border-radius:2px}
.facts th{width:34%;font-weight:400;color:var(--soft)}
.groups{display:grid;grid-template-columns:1fr 1fr;gap:0 36px}
.groups>div{min-width:0}
h3{font-size:1em;margin:10px 0 2px}
svg text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
fill:var(--soft)}
svg .small{font-size:12px;fill:var(--dim);paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.chart svg{display:block;width:100%;height:auto}.chart svg.narrow{display:none}
.end{text-anchor:end}.middle{text-anchor:middle}.start{text-anchor:start}
.grid{stroke:var(--hair);fill:none}.axis{stroke:var(--dim);fill:none}
.line{stroke:var(--line);stroke-width:2;fill:none;stroke-linejoin:round}
.mean{stroke:var(--soft);stroke-dasharray:2 4;fill:none}
.pause{stroke:var(--failed);stroke-dasharray:5 4;fill:none}
.gallery{display:grid;grid-template-columns:repeat(4,1fr);gap:14px 12px;margin-top:10px}
figure{margin:0;break-inside:avoid}
.pic{position:relative;background:var(--pale)}
.pic img,.pic svg{display:block;width:100%;height:auto}
.pic svg{position:absolute;inset:0;height:100%}
.pic path{fill:none;stroke:#ffe500;stroke-width:1.6;vector-effect:non-scaling-stroke;
filter:drop-shadow(0 0 .6px #000) drop-shadow(0 0 .6px #000)}
.pic path.found{stroke:#fff;stroke-dasharray:4 3}
.pic line{stroke-width:2.4;vector-effect:non-scaling-stroke;stroke-linecap:round}
.x{stroke:#ff3b30}.y{stroke:#34c759}.z{stroke:#2f8bff}
#lines:not(:checked)~.gallery svg{display:none}
.gallery.small{grid-template-columns:repeat(6,1fr);gap:10px 8px}
.gallery.pairs{grid-template-columns:repeat(3,1fr)}
.small figcaption{font-size:.7em}
.bar-done{fill:var(--done)}.bar-rejected{fill:var(--rejected)}.bar-control{fill:var(--pending)}
.chart.one{max-width:640px}.charts{display:grid;grid-template-columns:1fr 1fr;gap:4px 28px}
.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 6px 0 10px}
.categories td:first-child{width:60%}
figcaption{font-size:.78em;line-height:1.35;margin-top:3px}
label{cursor:pointer}
@media(max-width:640px){
body{padding:16px 14px 32px}
.tiles{grid-template-columns:repeat(2,1fr)}
.groups{display:block}
.tiles div:first-child{grid-column:1/-1}
.chart svg.wide{display:none}.chart svg.narrow{display:block}
.gallery{grid-template-columns:repeat(2,1fr)}
.stages .track{width:22%}
th,td{padding-right:7px}
.reasons thead{display:none}
.reasons tr{display:block;padding:6px 0;border-bottom:1px solid var(--hair)}
.reasons td{display:inline;border:0;padding:0 6px 0 0}
.reasons td:nth-child(n+3){display:block;width:auto}
.reasons td:nth-child(4){color:var(--dim);font-size:.92em}
.gallery{gap:12px 10px}
.gallery.small{grid-template-columns:repeat(3,1fr)}
.gallery.pairs{grid-template-columns:1fr}
.methods tbody th{min-width:8.5em;max-width:42vw}
.charts{grid-template-columns:1fr}
}
@media print{
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{max-width:none;padding:0;font-size:12px}
.switch{display:none}
h2,h3{break-after:avoid}
tr{break-inside:avoid}
}
"""
