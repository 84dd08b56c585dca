import { describe, expect, it } from 'vitest';
import { pageOf } from '../../report/page/page.ts';
import type { Report } from '../../report/report.ts';
import { checked } from '../../report/rig.ts';
import { el, escaped } from '../../report/svg/element.ts';
import { spread } from '../../report/svg/frame.ts';
import { linearScale, percentText, secondsText } from '../../report/svg/scale.ts';
import { isReached, targetOf } from '../../report/targets.ts';
import { figureText, halfText, rateText } from '../../report/text.ts';
import { sampleProcessReport, sampleRig } from './rig.ts';
import { sampleReport } from './sample.ts';

/** What does not close, or closes what was never open; nothing where all is well. */
function brokenTags(markup: string): string[] {
  const open: string[] = [];
  const broken: string[] = [];
  for (const [, closing, name, rest] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (closing === '/') {
      if (open.pop() !== name) broken.push(`</${name}>`);
    } else if (!rest!.endsWith('/') && name !== 'meta') open.push(name!);
  }
  return [...broken, ...open];
}

function svgsOf(page: string): string[] {
  return [...page.matchAll(/<svg .*?<\/svg>/gs)].map(([svg]) => svg);
}

describe('the page', () => {
  const report = sampleReport();
  const page = pageOf(report);

  it('names every column, the figures of each, and the command that made it', () => {
    for (const { label, startupDelayMs } of Object.values(report.modes)) {
      expect(page).toContain(label);
      expect(page).toContain(figureText(startupDelayMs.p95, 'ms'));
    }
    expect(page).toContain(report.made.command);
    for (const { command, traceHash } of report.modes.ins!.runs) {
      expect(page).toContain(escaped(command));
      expect(page).toContain(traceHash);
    }
  });

  it('takes nothing from anywhere: no address, no script, no font, no picture', () => {
    const addresses = [...page.matchAll(/https?:\/\/[^"'\s<]+/g)].map(([address]) => address);
    expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg']));
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\ssrc=|\shref=|\son[a-z]+=/);
  });

  it('is well-formed, and so is every plot, drawn for desks and for phones', () => {
    expect(brokenTags(page.slice(page.indexOf('<html')))).toEqual([]);
    const svgs = svgsOf(page);
    expect(svgs.length).toBeGreaterThan(20);
    expect(svgs.length % 2).toBe(0);
    for (const svg of svgs) {
      expect(svg).toMatch(/viewBox="0 0 [\d.]+ [\d.]+"/);
      expect(svg).toMatch(/aria-label="[^"]{10,}"/);
      expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
    }
  });

  it('shows the drafts’ startup as arrows at the edge, for it is off the scale', () => {
    expect(page).toContain('the drafts, INS: 35–40 s');
    expect(page).toContain('the drafts, native: 110–120 s');
    expect(page.match(/class="arrow c0"/g)).toHaveLength(2);
  });

  it('is made of a report as it is read back from a file', () => {
    expect(pageOf(JSON.parse(JSON.stringify(report)) as Report)).toBe(page);
  });

  it('escapes whatever the report says', () => {
    const evil = '<script>alert("1")</script>&\u0000';
    const modes = { ...report.modes, ins: { ...report.modes.ins!, label: evil, what: evil } };
    const made = { ...report.made, command: evil, version: evil, machine: evil };
    const text = pageOf({ ...report, scenario: evil, seed: evil, seeds: [evil], warnings: [evil], modes, made });
    expect(text).not.toContain('<script');
    expect(text).not.toContain('\u0000');
    expect(text).toContain('&lt;script&gt;');
    expect(brokenTags(text.slice(text.indexOf('<html')))).toEqual([]);
  });

  it('is whole where nobody started, nothing is known and there was one run', () => {
    const native = report.modes.native!;
    const empty = { count: 0, sorted: [] };
    const none = { p50: null, p95: null, max: null, bound: null };
    const perSecond = Object.fromEntries(
      Object.entries(native.series.perSecond).map(([key, list]) => [
        key,
        Array.isArray(list) ? [] : { ins: [], peers: [], source: [] },
      ]),
    ) as unknown as typeof native.series.perSecond;
    const nobody = {
      ...native,
      viewers: { joined: 0, started: 0 },
      startupDelayMs: none,
      liveLatencyMs: { p50: null, p95: null, bound: null },
      efficiencyBound: null,
      confidence: {},
      series: { startupDelayMs: empty, startupBoundMs: null, uploadBps: empty, perSecond },
    };
    const text = pageOf({ ...report, peers: 0, seeds: [1], modes: { native: nobody } });
    expect(brokenTags(text.slice(text.indexOf('<html')))).toEqual([]);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(text).toContain('One seed, so no confidence interval');
  });

  it('says in red what makes the figures doubtful', () => {
    expect(pageOf({ ...report, warnings: ['the machine was saturated'] })).toContain(
      '<p class="warning">the machine was saturated</p>',
    );
  });
});

describe('the page of real processes', () => {
  const page = pageOf(sampleProcessReport());
  const part = (text: string, name: string) => {
    const from = text.indexOf(`<h2>${name}</h2>`);
    return from < 0 ? '' : text.slice(from, text.indexOf('<h2>', from + 1));
  };

  it('says what it ran on: links, machines, each server, and many viewers in one line', () => {
    const ran = part(page, 'What it ran on');
    expect(ran).toContain('<dt>Links</dt><dd>Each program in a network namespace of its own');
    expect(ran).toContain('This machine, 2 processors: 47\u00a0% busy on average, at most 71\u00a0% in 95');
    for (const name of ['tracker', 'INS server 0', 'INS server 1', 'relay'])
      expect(ran.match(new RegExp(`<th scope="row">${name}</th>`, 'g'))).toHaveLength(2);
    expect(ran).toContain('<th scope="row">viewers<small>20 of them</small></th>');
    expect(ran).not.toContain('viewers 3');
    expect(ran).toMatch(/<td>5\.2\u00a0%<small>5\.0–5\.4\u00a0%<\/small><\/td>/);
  });

  it('names processes in the order of their numbers, whichever was up first', () => {
    const rig = sampleRig();
    const turned = { ...rig, processes: rig.processes.toReversed() };
    const text = pageOf(sampleProcessReport([1], { ins: turned, native: turned }));
    expect(text.indexOf('>INS server 0<')).toBeLessThan(text.indexOf('>INS server 1<'));
  });

  it('sets what was counted twice side by side, with the sentence that explains, and what is tolerated', () => {
    const twice = part(page, 'What was counted twice');
    expect(twice).toContain('TCP and IP headers and acknowledgements add 4 to 6 %');
    expect(twice).toContain('<td>751,204,113</td><td>752,331,004</td><td class="yes">✓ 0.15\u00a0%</td>');
    expect(twice).toContain('<td>5.0\u00a0%</td><td>not judged</td>');
    expect(page).not.toContain('counted twice is not the same');
  });

  it('shows of several runs the one that differs most, and says so at the head', () => {
    const report = sampleProcessReport([1, 2, 3]);
    const native = report.modes.native!;
    const [first, ...others] = native.runs;
    const checks = first!.rig!.checks.map((check) => checked({ ...check, own: check.own * 1.1 }));
    const runs = [{ ...first!, rig: { ...first!.rig!, checks } }, ...others];
    const text = pageOf({ ...report, modes: { ...report.modes, native: { ...native, runs } } });
    expect(text).toContain(
      '<p>What was counted twice is not the same.</p><ul><li>Native: bytes that viewers got</li></ul>',
    );
    expect(part(text, 'What was counted twice')).toContain(
      '<td class="no">✗ 9.0\u00a0%<small>in 1 of 3 runs</small></td>',
    );
  });

  it('is well-formed, and takes nothing from anywhere', () => {
    expect(brokenTags(page.slice(page.indexOf('<html')))).toEqual([]);
    expect(page).not.toMatch(/<script|<link|<img|url\(|NaN|undefined|Infinity/);
  });

  it('has none of this where there were no processes', () => {
    const simulated = pageOf(sampleReport());
    expect(part(simulated, 'What it ran on') + part(simulated, 'What was counted twice')).toBe('');
  });
});

describe('axes', () => {
  it('have ticks at round values, with as few digits as their steps need', () => {
    const scale = linearScale(0, 4_300, 0, 100, 5);
    expect(scale.ticks).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
    expect([scale.at(0), scale.at(2500), scale.at(5000)]).toEqual([0, 50, 100]);
    expect(scale.ticks.map(secondsText(scale.ticks))).toEqual(['0', '1', '2', '3', '4', '5']);
    const shares = linearScale(0, 0.017, 0, 100, 4);
    expect(shares.ticks.map(percentText(shares.ticks))).toEqual([
      '0.0\u00a0%',
      '0.5\u00a0%',
      '1.0\u00a0%',
      '1.5\u00a0%',
      '2.0\u00a0%',
    ]);
  });

  it('of a single value do not collapse', () => {
    const scale = linearScale(0, 0, 0, 100, 5);
    expect(Number.isFinite(scale.at(0))).toBe(true);
  });

  it('keep labels apart, in their order', () => {
    expect(spread([50, 50, 50], 10, 0, 60)).toEqual([40, 50, 60]);
    expect(spread([90, 10], 10, 0, 100)).toEqual([90, 10]);
  });
});

describe('text', () => {
  it('has the digits that count', () => {
    expect(figureText(617.4, 'ms')).toBe('0.62\u00a0s');
    expect(figureText(0.00002, 'share')).toBe('0.002\u00a0%');
    expect(figureText(0.99991, 'share')).toBe('99.991\u00a0%');
    expect(figureText(1, 'share')).toBe('100\u00a0%');
    expect(figureText(null, 'ms')).toBe('–');
    expect(rateText(1_050_000)).toBe('1.05\u00a0Mbit/s');
    expect(rateText(999_600)).toBe('1.00\u00a0Mbit/s');
    expect(halfText(23, 617, 'ms')).toBe('±0.02');
    expect(halfText(1e-12, 43, 'count')).toBe('±0');
    expect(halfText(null, 43, 'count')).toBe('');
  });

  it('in attributes and between tags is escaped', () => {
    expect(el('text', { title: '"<&\'' }, 'a<b').markup).toBe('<text title="&quot;&lt;&amp;&#39;">a&lt;b</text>');
  });
});

describe('targets', () => {
  const report = sampleReport();

  it('are those of the scenario and the column, and none elsewhere', () => {
    expect(targetOf(report, 'ins', 'startupDelayMs.p50')).toBe(700);
    expect(targetOf(report, 'native', 'startupDelayMs.p95')).toBe(6_000);
    expect(targetOf({ ...report, scenario: 'flash-crowd-tight' }, 'native', 'startupDelayMs.p95')).toBe(12_000);
    expect(targetOf({ ...report, peers: 10_000 }, 'native', 'startupDelayMs.p95')).toBe(15_000);
    expect(targetOf({ ...report, peers: 10_000 }, 'ins', 'startupDelayMs.p95')).toBe(2_000);
    expect(targetOf({ ...report, scenario: 'steady' }, 'ins', 'startupDelayMs.p50')).toBeNull();
  });

  it('of efficiency follow what demand allows', () => {
    expect(targetOf(report, 'ins', 'efficiency')).toBeCloseTo((0.97 * 2) / 3, 9);
    expect(isReached(0.65, (0.97 * 2) / 3, 'more')).toBe(true);
    expect(isReached(0.001, 0, 'less')).toBe(false);
  });
});
