// Promise: 120 agents without a pause (VUS=1000 for who has the machines) get right answers or a
// clean refusal for overload (503, 429), and no other error; p99 stays bounded.

import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { forget, wholeSession } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 120);
const UP = Math.max(1, Math.floor(SECONDS / 4));

const scenarios = {
  stress: {
    executor: 'ramping-vus', startVUs: 1, gracefulRampDown: '30s', gracefulStop: '30s',
    stages: [
      { target: VUS, duration: `${UP}s` },
      { target: VUS, duration: `${Math.max(1, SECONDS - UP - 1)}s` },
      { target: 0, duration: '1s' },
    ],
  },
};
export const options = promise.options('stress', scenarios, VUS * SECONDS * 0.5, {
  vus_max: [`value>=${VUS}`],
  mcp_client_operation_duration: [`p(99)<${number('P99_MS', 5000)}`],
});
export const handleSummary = promise.summary('stress');
export const teardown = forget;

export default function () {
  const [agent, turn] = [exec.vu.idInTest, exec.vu.iterationInScenario];
  if (turn % 20 === 19) wholeSession(`stress-${agent}-${turn}`, `agent ${agent} of run ${RUN}`);
  else if (turn % 20 === 9) askCold(`${RUN}-${agent}-${turn}`);
  else askKnown(agent + turn);
}
