// Promise: agents who share sessions lose nothing. TEAM agents (5) work on each session; for each
// phase exactly one of them is told that it completed it, and what that one handed in stands in
// the session afterwards, once.

import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import * as promise from '../lib/promise.js';
import { PHASES, complete, forget, join, verify } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const VUS = number('VUS', 25);
const TEAM = number('TEAM', 5);

const won = new Counter('phases_won');
const lost = new Counter('phases_lost');
const scenarios = { sessions: { executor: 'constant-vus', vus: VUS, duration: `${SECONDS}s` } };
export const options = promise.options('sessions', scenarios, VUS * SECONDS * 0.5, {
  phases_won: [`count>=${Math.max(PHASES, SECONDS / 2)}`],
  // Without anybody who came second the run says nothing about races.
  phases_lost: ['count>=5'],
  mcp_client_operation_duration: [`p(99)<${number('P99_MS', 2000)}`],
});
export const handleSummary = promise.summary('sessions');
export const teardown = forget;

let session = 0; // Each agent goes through its team's sessions one after the other.

export default function () {
  const team = Math.floor(exec.vu.idInTest / TEAM);
  const by = `agent ${exec.vu.idInTest} of run ${RUN}`;
  const started = join(`team-${team}-${session}`);
  if (!started) return;
  const id = started.session_id;
  for (let phase = started.current_phase; phase < PHASES; phase += 1) {
    const outcome = complete(id, phase, by);
    if (outcome === 'shed') return;
    if (outcome === 'won') {
      won.add(1);
      verify(id, phase, by);
    } else {
      lost.add(1);
    }
  }
  session += 1;
}
