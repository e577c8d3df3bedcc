// Promise: users notice nothing of a rollout: what the stable version answers never fails, however
// bad the new one is. Errors of the canary's share are counted apart (its gates judge them).
// Behind a proxy that says who answered (`x-served-by`), as load-tests/proxy.py does.

import { sleep } from 'k6';
import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askKnown } from '../lib/questions.js';
import { forget, wholeSession } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 10);
const THINK_MS = number('THINK_MS', 100);

const scenarios = { users: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s`, gracefulStop: '30s' } };
export const options = promise.options('users', scenarios, number('SAMPLES', VUS * SECONDS), {
  mcp_rpc_errors: ['rate<=1'],
  checks: ['rate<=1'],
  mcp_invariant_violations: ['count<1e9'],
  'mcp_calls{served_by:stable}': ['count>=100'],
  'mcp_rpc_errors{served_by:stable}': ['rate==0'],
  'mcp_rpc_errors{served_by:nobody}': ['rate==0'],
  mcp_shed_requests: ['count==0'],
});
export const handleSummary = promise.summary('users');
export const teardown = forget;

export default function () {
  const [agent, turn] = [exec.vu.idInTest, exec.vu.iterationInScenario];
  if (turn % 20 === 19) wholeSession(`users-${agent}-${turn}`, `agent ${agent} of run ${RUN}`);
  else askKnown(agent + turn);
  sleep((THINK_MS / 1000) * (0.5 + Math.random()));
}
