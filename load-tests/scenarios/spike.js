// Promise: a tenfold burst that rises within seconds neither breaks the server nor outlasts itself:
// what is not served is refused cleanly (503, 429), and afterwards answers are as fast as before.

import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const RATE = number('RATE', 20);
const P95_MS = number('P95_MS', 250);
const PART = Math.max(1, Math.floor(SECONDS / 4)); // Before, up and at the top, down again, after.

const calm = (startTime) => ({
  executor: 'constant-arrival-rate', rate: RATE, timeUnit: '1s', duration: `${PART}s`, startTime: `${startTime}s`,
  preAllocatedVUs: RATE * 2 + 10, maxVUs: RATE * 4 + 10,
});
const scenarios = {
  before: calm(0),
  burst: {
    executor: 'ramping-arrival-rate', startRate: RATE, timeUnit: '1s', startTime: `${PART}s`,
    preAllocatedVUs: RATE * 2, maxVUs: RATE * 10 + 10, gracefulStop: `${PART}s`,
    stages: [
      { target: RATE * 10, duration: `${Math.min(5, PART)}s` },
      { target: RATE * 10, duration: `${PART}s` },
      { target: RATE, duration: '1s' },
    ],
  },
  after: calm(PART * 3 + Math.min(5, PART)),
};
export const options = promise.options('spike', scenarios, RATE * PART * 8, {
  'mcp_calls{scenario:before}': [`count>=${RATE * PART * 0.9}`],
  'mcp_calls{scenario:after}': [`count>=${RATE * PART * 0.9}`],
  'mcp_client_operation_duration{scenario:before}': [`p(95)<${P95_MS}`],
  'mcp_client_operation_duration{scenario:after}': [`p(95)<${P95_MS}`],
  'mcp_client_operation_duration{scenario:burst}': [`p(99)<${number('P99_MS', 5000)}`],
});
export const handleSummary = promise.summary('spike');

export default function () {
  const turn = exec.scenario.iterationInTest;
  if (turn % 10 === 0) askCold(`${RUN}-${exec.scenario.name}-${turn}`);
  else askKnown(turn);
}
