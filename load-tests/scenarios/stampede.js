// Promise: CALLERS agents (1,000) ask one question at once that nobody asked before, and the model
// runs once: the server's own counts say one load and no double load, and all get one answer.
// The counts are the whole server's: run it against one replica that serves nobody else.

import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { callAtOnce, counted, violated } from '../lib/mcp.js';
import * as promise from '../lib/promise.js';
import { question, wellFormed } from '../lib/questions.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const CALLERS = number('CALLERS', 1000);
const VUS = Math.min(CALLERS, 50); // An agent of k6 takes megabytes; each sends its share at once.
const SHARE = Math.ceil(CALLERS / VUS);
const ROUNDS = number('ROUNDS', Math.max(1, Math.floor(SECONDS / 10)));
const ROUND_MS = (SECONDS * 1000) / ROUNDS;

const stampedes = new Counter('stampedes');
const scenarios = {
  stampede: { executor: 'per-vu-iterations', vus: VUS, iterations: ROUNDS, maxDuration: `${SECONDS * 3 + 60}s` },
};
export const options = Object.assign(
  promise.options('stampede', scenarios, SHARE * VUS * ROUNDS, {
    stampedes: [`count==${ROUNDS}`],
    mcp_shed_requests: ['count==0'],
  }),
  { batch: SHARE, batchPerHost: SHARE },
);
export const handleSummary = promise.summary('stampede');

export function setup() {
  return { before: counted(), startMs: Date.now() + 2000 };
}

export default function ({ startMs }) {
  const round = exec.vu.iterationInScenario;
  const wait = startMs + round * ROUND_MS - Date.now();
  if (wait > 0) sleep(wait / 1000); // All of them wake in one millisecond.
  const answers = callAtOnce(SHARE, 'search_standards', { query: cold(round), n_results: 1 });
  const first = answers[0].value && JSON.stringify(answers[0].value.results);
  check(answers, {
    'all get passages': (all) => all.every(({ value }) => wellFormed(value)),
    'all get one answer': (all) => all.every(({ value }) => value && JSON.stringify(value.results) === first),
  });
}

export function teardown({ before }) {
  const after = counted();
  const loads = (cache) => after.misses[cache] - before.misses[cache];
  if (after.pid !== before.pid) violated('other_server', 'the counts are of two processes: ask one replica');
  for (const cache of ['answers', 'vectors']) {
    if (loads(cache) !== ROUNDS) violated('inferences', `${ROUNDS} cold questions were loaded ${loads(cache)} times by ${cache}`);
  }
  if (after.double_loads !== before.double_loads) violated('double_load', `${after.double_loads - before.double_loads}`);
  stampedes.add(loads('vectors'));
}

function cold(round) {
  return `${question(round)} (stampede ${RUN}-${round})`;
}
