// Promise: at a constant rate of arrivals (RATE a second, whatever the answers take) every search is
// answered well and in time, and no arrival is dropped for want of a free agent. One question in
// ten is new and costs an inference.

import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const RATE = number('RATE', 50);
const P95_MS = number('P95_MS', 250);
const P99_MS = number('P99_MS', 1000);

const scenarios = {
  steady: {
    executor: 'constant-arrival-rate', rate: RATE, timeUnit: '1s', duration: `${SECONDS}s`,
    preAllocatedVUs: RATE * 2 + 10, maxVUs: RATE * 4 + 20,
  },
};
export const options = promise.options('steady', scenarios, RATE * SECONDS * 0.95, {
  mcp_client_operation_duration: [`p(95)<${P95_MS}`, `p(99)<${P99_MS}`],
  mcp_shed_requests: ['count==0'],
  dropped_iterations: ['count==0'],
});
export const handleSummary = promise.summary('steady');

export default function () {
  const turn = exec.scenario.iterationInTest;
  if (turn % 10 === 0) askCold(`${RUN}-${turn}`);
  else askKnown(turn);
}
