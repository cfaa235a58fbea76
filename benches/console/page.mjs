// The console in Chromium, measured under load.
//
// Argument: a JSON object with `link`, `modules` (node_modules with playwright-core), `chromium` and `seconds`. Prints `ready` once
// the page is open, waits for a line on standard input, measures, and prints a line of JSON.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const settings = JSON.parse(process.argv[2]);
const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'];

/** Counts the events of the stream in the page. */
function countEvents() {
  globalThis.events = 0;
  const Original = EventSource;
  globalThis.EventSource = class extends Original {
    constructor(...options) {
      super(...options);
      this.addEventListener('message', () => {
        globalThis.events += 1;
      });
    }
  };
}

/** Returns the durations of the main thread's tasks and their processor times, in milliseconds, both sorted. */
function mainThreadTasks(trace) {
  const { traceEvents } = JSON.parse(trace);
  const threads = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid}-${tid}`),
  );
  const tasks = traceEvents.filter(({ name, ph, pid, tid }) => name === 'RunTask' && ph === 'X' && threads.has(`${pid}-${tid}`));
  const sorted = (values) => values.map((micros) => micros / 1_000).sort((a, b) => a - b);
  return { durations: sorted(tasks.map(({ dur }) => dur)), processor: sorted(tasks.map(({ tdur }) => tdur ?? 0)) };
}

const { chromium } = createRequire(join(settings.modules, 'package.json'))('playwright-core');
const browser = await chromium.launch({ executablePath: settings.chromium, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en' });
await page.addInitScript(countEvents);
await page.goto(settings.link);
await page.locator('#stream', { hasText: 'Live' }).waitFor();
process.stdout.write('ready\n');
await once(process.stdin, 'data');

const session = await page.context().newCDPSession(page);
await session.send('Performance.enable');
const heapNow = async () => {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'JSHeapUsedSize').value;
};
/** Processes of all pages. There is one page; a spare process of Chromium may be among them, and is smaller. */
const { processInfo } = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
/** Returns the resident memory of the largest renderer, in bytes. */
const memoryNow = () => Math.max(...renderers.map((id) => {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) * 1024;
  } catch {
    // It ended.
    return 0;
  }
}));
const steps = [
  () => page.fill('#search', ''),
  // A connection that sends messages, whose timeline grows.
  async () => {
    await page.fill('#search', 'open');
    await page.locator('#list .row').first().click();
    await page.locator('#timeline').waitFor();
  },
  async () => {
    await page.keyboard.press('Escape');
    await page.fill('#search', 'prod open');
    await page.locator('#list').evaluate((list) => list.scrollTo(0, list.scrollHeight / 2));
  },
];
const seenBefore = await page.evaluate(() => globalThis.events);
const started = performance.now();
await browser.startTracing(page, { categories: CATEGORIES });
let heap = 0;
let memory = 0;
for (let second = 0; second < settings.seconds; second += 1) {
  const at = (second * steps.length) / settings.seconds;
  if (Number.isInteger(at)) {
    await steps[at]();
  }
  heap = Math.max(heap, await heapNow());
  memory = Math.max(memory, memoryNow());
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + (second + 1) * 1_000 - performance.now())));
}
const events = (await page.evaluate(() => globalThis.events)) - seenBefore;
const seconds = (performance.now() - started) / 1_000;
const { durations, processor } = mainThreadTasks((await browser.stopTracing()).toString());
const summary = await page.locator('#summary').textContent();
const number = (pattern) => Number((pattern.exec(summary)?.[1] ?? '0').replaceAll(',', ''));
await session.send('HeapProfiler.collectGarbage');
const result = {
  events,
  seconds,
  heap,
  memory,
  collected: await heapNow(),
  longest: durations.at(-1),
  p999: durations[Math.floor(durations.length * 0.999)],
  tasks: durations.length,
  over: durations.filter((duration) => duration > 100).length,
  processor: processor.at(-1),
  connections: number(/([\d,]+) open connection/),
  missed: number(/([\d,]+) events? missed/),
  chromium: browser.version(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await browser.close();
