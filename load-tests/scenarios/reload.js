// Promise: standards that are edited under load are answered from whole generations: no search
// fails, the edited text is seen within seconds, and nobody who saw a newer one sees an older one.
// Something must edit `standards/load-test-word.md` ("The word of the load test is WORD-7 .") with
// a growing number: `load-tests/run reload` does; in a cluster see README.md.

import { check } from 'k6';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { search, violated } from '../lib/mcp.js';
import * as promise from '../lib/promise.js';
import { askKnown } from '../lib/questions.js';
import { SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 10);

const edits = new Counter('edits_seen');
const word = new Trend('edit_number');
const scenarios = { reload: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s` } };
export const options = promise.options('reload', scenarios, VUS * SECONDS, {
  edits_seen: [`count>=${VUS * Math.max(1, Math.floor(SECONDS / 10))}`],
  mcp_client_operation_duration: [`p(99)<${number('P99_MS', 2000)}`],
  mcp_shed_requests: ['count==0'],
});
export const handleSummary = promise.summary('reload');

let newest = -1;

export default function () {
  if (exec.vu.iterationInScenario % 2) {
    askKnown(exec.vu.iterationInScenario);
    return;
  }
  const { value } = search('What is the word of the load test?', 1);
  const found = value && value.results[0] && /WORD-(\d+)/.exec(value.results[0].content);
  check(found, { 'the edited standard is found at any time': (match) => Boolean(match) });
  if (!found) return;
  const seen = Number(found[1]);
  word.add(seen);
  if (seen < newest) violated('stale', `WORD-${seen} after WORD-${newest}`);
  if (seen > newest && newest >= 0) edits.add(1);
  newest = Math.max(newest, seen);
}
