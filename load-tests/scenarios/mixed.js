// Promise: a working fleet is served well: of each ten things agents do, seven are searches, two
// read a session, one changes it; between them they think. Nothing fails, nothing is lost.

import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { workflow } from '../lib/mcp.js';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { PHASES, complete, forget, join, verify } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 30);
const THINK_MS = number('THINK_MS', 500);

const scenarios = { mixed: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s` } };
const each = (VUS * SECONDS * 1000) / (THINK_MS + 500);
export const options = promise.options('mixed', scenarios, each * 0.5, {
  'mcp_calls{tool:search_standards}': [`count>=${Math.floor(each * 0.25)}`],
  'mcp_calls{tool:workflow}': [`count>=${Math.floor(each * 0.1)}`],
  'mcp_client_operation_duration{tool:search_standards}': [`p(95)<${number('P95_MS', 250)}`],
  'mcp_client_operation_duration{tool:workflow}': [`p(95)<${number('P95_MS', 250)}`],
  mcp_shed_requests: ['count==0'],
});
export const handleSummary = promise.summary('mixed');
export const teardown = forget;

let session = null; // This agent's, with the phase that is open in it.
let begun = 0;

export default function () {
  const draw = Math.random();
  if (draw < 0.7) ask();
  else if (draw < 0.9) readState();
  else change();
  sleep((THINK_MS / 1000) * (0.5 + Math.random()));
}

function ask() {
  const turn = exec.vu.iterationInScenario;
  if (Math.random() < 0.1) askCold(`${RUN}-${exec.vu.idInTest}-${turn}`);
  else askKnown(turn);
}

function readState() {
  if (!session && !begin()) return;
  const { value, shed } = workflow('get_state', { session_id: session.id });
  if (!shed) check(value, { 'the state is what I left': (v) => v && v.workflow_state.current_phase === session.phase });
}

function change() {
  if (!session && !begin()) return;
  const by = `agent ${exec.vu.idInTest} of run ${RUN}`;
  if (complete(session.id, session.phase, by) === 'shed') return;
  verify(session.id, session.phase, by);
  session.phase += 1;
  if (session.phase === PHASES) session = null;
}

function begin() {
  const started = join(`mixed-${exec.vu.idInTest}-${begun}`);
  begun += 1;
  session = started && { id: started.session_id, phase: started.current_phase };
  return session;
}
