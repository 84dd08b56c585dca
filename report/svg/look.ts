/** The colours of everything that shows a run, light and dark: paper and ink, good and bad, and the columns' own (`tone.ts`). */
export const PALETTE = `
:root{color-scheme:light dark;--paper:#fcfcfa;--ink:#191c20;--soft:#5a626b;--quiet:#828a93;--rule:#e2e4e3;--tint:#f1f3f2;--good:#1a7f4b;--bad:#b3341f;
--c0:#0b6bb0;--c1:#c4510a;--c2:#007f5f;--c3:#9c4a86;--c4:#4a90c2;--c5:#a37b00;--c6:#5b5fc7;--c7:#6b7178}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e9ebec;--soft:#a7afb6;--quiet:#7d868e;--rule:#2b3035;--tint:#1c2024;--good:#5cc48d;--bad:#ff8a70;
--c0:#5fb3f0;--c1:#ff9c54;--c2:#43c9a0;--c3:#dd92c8;--c4:#8cc4e8;--c5:#e3bd4a;--c6:#a3a6ff;--c7:#a7afb6}}
`;

/** What gives plots their look, wherever they are shown. */
export const PLOTS = `
.plot{display:block;width:100%;height:auto;overflow:visible;font-family:inherit;font-variant-numeric:tabular-nums}
svg text{fill:var(--ink)}
.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--quiet);stroke-width:1}
svg .tick,svg .name{fill:var(--soft)}
.line{fill:none;stroke:var(--c);stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.line.c2{stroke-dasharray:9 3.5}.line.c3{stroke-dasharray:2 4.5}
.bound{fill:none;stroke:var(--c);stroke-width:1.5;stroke-dasharray:5 4;opacity:.85}
.band{fill:var(--c);opacity:.16;stroke:none}
.span{fill:var(--tint)}
.dot{fill:var(--c);stroke:var(--paper);stroke-width:1.5}
.arrow{fill:none;stroke:var(--c);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.fill{fill:var(--c)}.track{fill:var(--tint)}
.whisker{fill:none;stroke:var(--ink);stroke-width:1.3}
.wedge{fill:var(--soft)}
svg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
svg .label{fill:var(--c);font-weight:620}
svg .value{font-weight:600}
svg .inside{fill:var(--paper);font-weight:600}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}
.c-quiet{--c:var(--soft)}.o-ins{--c:var(--c0)}.o-peers{--c:var(--c1)}.o-source{--c:var(--c7)}
`;
