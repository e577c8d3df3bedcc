// Promise: servers that are told to stop (SIGTERM, a rolling update) while agents work cost nobody
// an answer: no request fails, none is answered wrongly, and none is refused. Something must stop
// them during the run: `load-tests/drain` does, or `kubectl rollout restart`.

import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { forget, wholeSession } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 20);

// Agents without a pause: whenever a server is stopped, all of them have a request under way.
const scenarios = { drain: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s`, gracefulStop: '60s' } };
export const options = promise.options('drain', scenarios, number('SAMPLES', VUS * SECONDS * 0.5), {
  http_req_failed: ['rate==0'],
  mcp_shed_requests: ['count==0'],
});
export const handleSummary = promise.summary('drain');
export const teardown = forget;

export default function () {
  const [agent, turn] = [exec.vu.idInTest, exec.vu.iterationInScenario];
  if (turn % 10 === 9) wholeSession(`drain-${agent}-${turn}`, `agent ${agent} of run ${RUN}`);
  else if (turn % 3 === 0) askCold(`${RUN}-${agent}-${turn}`); // Slow enough to be caught in flight.
  else askKnown(turn);
}
