// Promise: hours of ordinary work (SECONDS=28800) change nothing: no error, the last quarter is as
// fast as the first, and memory does not grow. Memory is read from the admin listener's /metrics
// (ADMIN=http://host:8081) where that is on; without ADMIN only the answers are judged.

import { sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Gauge } from 'k6/metrics';
import { violated } from '../lib/mcp.js';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { forget, wholeSession } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const RATE = number('RATE', 25);
const P99_MS = number('P99_MS', 1000);
const ADMIN = __ENV.ADMIN || '';
const QUARTER = SECONDS / 4;
const READ_SECONDS = Math.max(1, SECONDS / 200);
/// A warm server's memory still moves with the load; a leak grows without end.
const GROWTH_MB = number('GROWTH_MB', 24);

const growth = new Gauge('server_memory_growth_mb');
const readings = new Counter('server_memory_readings');
const quarter = (n) => ({
  executor: 'constant-arrival-rate', exec: 'work', rate: RATE, timeUnit: '1s', duration: `${QUARTER}s`,
  startTime: `${QUARTER * n}s`, preAllocatedVUs: RATE * 2, maxVUs: RATE * 4 + 10,
});
const scenarios = { first: quarter(0), second: quarter(1), third: quarter(2), last: quarter(3) };
if (ADMIN) scenarios.memory = { executor: 'per-vu-iterations', exec: 'memory', vus: 1, iterations: 1, maxDuration: `${SECONDS + 60}s` };

const least = RATE * QUARTER * 0.9;
export const options = promise.options('soak', scenarios, least * 4, Object.assign({
  'mcp_calls{scenario:first}': [`count>=${least}`],
  'mcp_calls{scenario:last}': [`count>=${least}`],
  'mcp_client_operation_duration{scenario:first}': [`p(99)<${P99_MS}`],
  'mcp_client_operation_duration{scenario:last}': [`p(99)<${P99_MS}`],
  mcp_shed_requests: ['count==0'],
}, ADMIN && { server_memory_growth_mb: [`value<${GROWTH_MB}`], server_memory_readings: ['count>=10'] }));
export const handleSummary = promise.summary('soak');
export const teardown = forget;

export function work() {
  const turn = exec.scenario.iterationInTest;
  const unique = `${exec.scenario.name}-${turn}`;
  if (turn % 50 === 49) wholeSession(`soak-${unique}`, `soak ${RUN}`);
  else if (turn % 10 === 0) askCold(`${RUN}-${unique}`);
  else askKnown(turn);
}

/// Compares the memory of the second quarter, when caches are warm, with that of the last.
export function memory() {
  const begun = Date.now();
  const quarters = [[], [], [], []];
  for (;;) {
    const passed = (Date.now() - begun) / 1000;
    if (passed >= SECONDS) break;
    const bytes = residentBytes();
    if (bytes) {
      quarters[Math.floor(passed / QUARTER)].push(bytes);
      readings.add(1);
    }
    sleep(READ_SECONDS);
  }
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  growth.add((median(quarters[3]) - median(quarters[1])) / 2 ** 20);
}

function residentBytes() {
  const answer = http.get(`${ADMIN}/metrics`, { tags: { name: 'admin metrics' } });
  const line = answer.status === 200 && /^process_memory_usage_bytes(?:\{[^}]*\})? ([\d.e+]+)/m.exec(answer.body);
  if (!line) violated('no_memory', `${ADMIN}/metrics: HTTP ${answer.status} without process_memory_usage_bytes`);
  return line ? Number(line[1]) : 0;
}
