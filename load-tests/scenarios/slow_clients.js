// Promise: clients that drip their requests in byte by byte, or do not read their answers, hurt
// nobody else: agents beside them are answered as ever. `load-tests/run slow_clients` opens the
// slow connections (`load-tests/slow_clients URL` alone does it against any server).

import { sleep } from 'k6';
import exec from 'k6/execution';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 10);

const scenarios = { beside: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s` } };
export const options = promise.options('slow_clients', scenarios, VUS * SECONDS, {
  mcp_client_operation_duration: [`p(95)<${number('P95_MS', 250)}`],
  mcp_shed_requests: ['count==0'],
});
export const handleSummary = promise.summary('slow_clients');

export default function () {
  const turn = exec.vu.iterationInScenario;
  if (turn % 10 === 0) askCold(`${RUN}-${exec.vu.idInTest}-${turn}`);
  else askKnown(turn);
  sleep(0.2);
}
