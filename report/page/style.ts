import { PALETTE, PLOTS } from '../svg/look.ts';

/** The page's look: one column of text, two of plots, light and dark, phone to print. No file, font or script from anywhere. */
export const STYLE = `
${PALETTE.trim()}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:56px 32px 64px}
.eyebrow{margin:0 0 8px;color:var(--soft);font-size:14px}
h1{margin:0 0 16px;font-size:clamp(28px,4.4vw,44px);line-height:1.12;letter-spacing:-.022em;font-weight:680;text-wrap:balance}
h2{margin:64px 0 6px;font-size:23px;line-height:1.25;letter-spacing:-.012em;font-weight:660}
h3{margin:0 0 2px;font-size:16.5px;line-height:1.35;font-weight:650}
p{margin:0 0 12px}
.lede{max-width:68ch;font-size:18px;color:var(--soft);text-wrap:pretty}
.about{max-width:72ch;color:var(--soft);text-wrap:pretty}
.warning{margin:20px 0;padding:12px 16px;border-left:4px solid var(--bad);background:var(--tint);color:var(--bad);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:16px;margin:32px 0 8px}
.card{padding:18px 20px 16px;border:1px solid var(--rule);border-top:3px solid var(--c);border-radius:3px 3px 8px 8px}
.card b{display:block;font-size:15px;font-weight:620}
.card .big{font-size:42px;line-height:1.12;font-weight:660;letter-spacing:-.03em;font-variant-numeric:tabular-nums}
.card .big i{font-style:normal;font-size:20px;letter-spacing:0;margin-left:3px;color:var(--soft);font-weight:500}
.card small{display:block;font-size:13.5px;line-height:1.45;color:var(--soft)}
.scroll{overflow-x:auto;margin:16px -32px 0;padding:0 32px}
table{border-collapse:collapse;min-width:100%;font-size:15px;font-variant-numeric:tabular-nums}
th,td{padding:9px 14px 8px;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule)}
th:first-child,td:first-child{text-align:left;padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:640;line-height:1.3;border-bottom:2px solid var(--ink);vertical-align:bottom}
thead th small{display:block;font-size:12.5px;font-weight:400}
thead th span{display:block;height:3px;margin:0 0 6px auto;width:32px;background:var(--c)}
tbody th{font-weight:560;min-width:190px;max-width:280px}
tbody th small,td small{display:block;color:var(--soft);font-weight:400;font-size:12.5px;line-height:1.4}
td{white-space:nowrap}
td em{font-style:normal;color:var(--soft);font-size:13px;margin-left:5px}
h1.no,.card .no{color:var(--bad)}.warning p{margin:0}.warning ul{margin:4px 0 0;padding-left:20px;font-weight:400}
td .yes{color:var(--good)}td .no,th .no{color:var(--bad)}
.figures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:44px 40px;margin-top:24px}
.figures>.wide{grid-column:1/-1}
figure{margin:0;break-inside:avoid}
figcaption{margin:0 0 10px}
figcaption p{margin:0;color:var(--soft);font-size:14.5px;line-height:1.45;text-wrap:pretty}
.on-phone{display:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 10px;padding:0;list-style:none;font-size:14px}
.legend.on-phone{display:none}
.legend i{display:inline-block;width:12px;height:12px;margin-right:6px;border-radius:2px;background:var(--c);vertical-align:-1px}
.ideas{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:24px 40px;margin:20px 0 0;padding:0;list-style:none}
.ideas p{margin:2px 0 0;color:var(--soft);text-wrap:pretty}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:6px 20px;margin:16px 0;font-size:15px}
dt{color:var(--soft)}dd{margin:0}
code{font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
details{margin:16px 0}summary{cursor:pointer;font-weight:600}
.fine{font-size:13.5px}
.fine td,.fine th{padding:5px 12px 4px}
.rig h3 i{display:inline-block;width:12px;height:12px;margin-right:8px;border-radius:2px;background:var(--c);vertical-align:-1px}
.machine{margin:10px 0 4px}.machine p{margin:0 0 6px;color:var(--soft);font-size:14.5px;line-height:1.45}
.meter{position:relative;height:10px;border-radius:2px;background:var(--tint)}
.meter span{position:absolute;left:0;top:0;bottom:0;border-radius:2px;background:var(--c)}.meter .far{opacity:.35}
.meter .limit{top:-3px;bottom:-3px;width:2px;border-radius:0;background:var(--bad)}
.rig .scroll{margin:8px 0 0;padding:0}.rig table{width:100%}.rig tbody th{min-width:0;white-space:nowrap}
.rig th,.rig td{padding:5px 0 4px 8px}.rig th:first-child{padding-left:0}.rig .note{margin:8px 0 0;color:var(--soft);font-size:12.5px;line-height:1.45;text-wrap:pretty}
td.yes{color:var(--good)}td.no{color:var(--bad);font-weight:600}
.checks tbody th{max-width:none;padding-top:18px;border:0;white-space:normal}.checks tbody th small{max-width:84ch;font-size:13.5px}
${PLOTS.trim()}
@media screen and (max-width:720px){main{padding:32px 18px 48px}.scroll{margin:12px -18px 0;padding:0 18px}.figures,.ideas{grid-template-columns:minmax(0,1fr)}
.on-phone{display:block}.legend.on-phone{display:flex}.on-desk{display:none}.lede{font-size:16.5px}h2{margin-top:48px}th,td{padding:8px 9px 7px}
tbody th{min-width:132px;position:sticky;left:0;background:var(--paper);z-index:1}thead th:first-child{position:sticky;left:0;background:var(--paper)}
tbody th[colspan]{position:static}.checks{font-size:13.5px}.checks td,.checks th{padding:7px 0 6px 8px}.checks th:first-child,.checks td:first-child{padding-left:0}dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:10px}.card .big{font-size:36px}}
@media print{:root{color-scheme:light}main{max-width:none;padding:0}.scroll{overflow:visible;margin:0;padding:0}h2{margin-top:32px;break-after:avoid}table{font-size:11px}th,td{padding:4px 6px}details{display:none}.card,.ideas li,tr{break-inside:avoid}}
`;
