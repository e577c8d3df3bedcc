// The course of a workflow session, signed by who went it: what was acknowledged must be found.

import { check } from 'k6';
import { violated, workflow } from './mcp.js';
import { RUN } from './settings.js';

/// The workflow of our own content, and evidence that its gates accept. `by` signs it.
export const WORKFLOW = 'standard_change_v1';
const EVIDENCE = [
  (by) => ({ questions: ['load?'], existing_standards: [], decision: by }),
  (by) => ({ file: 'standards/load.md', check_faults: 0, found_first_or_second: 1, tried_by: by }),
  (by) => ({ reviewed_by: by, review_link: 'load', commit: '0'.repeat(40), removed_duplicates: [] }),
];
const SIGNED = ['decision', 'tried_by', 'reviewed_by'];
export const PHASES = EVIDENCE.length;

/// Starts the session of `target`, or joins it, and returns what `start` answered, or null.
export function join(target) {
  const { value, refused, shed } = workflow('start', { workflow_type: WORKFLOW, target_file: `load/${RUN}/${target}.md` });
  if (shed) return null;
  const good = check(value, { 'start opens a session': (v) => v && !refused && typeof v.session_id === 'string' });
  return good ? value : null;
}

/// Hands in evidence for `phase`. Returns `won`, `lost` (somebody else was faster) or `shed`.
export function complete(session_id, phase, by) {
  const args = { session_id, phase, evidence: EVIDENCE[phase](by) };
  const { value, refused, shed } = workflow('complete_phase', args);
  if (shed) return 'shed';
  if (value && value.checkpoint_passed === true) {
    if (value.phase_completed !== phase) violated('wrong_phase', `${session_id}: ${phase} was handed in, ${value.phase_completed} completed`);
    return 'won';
  }
  const beaten = Boolean(value && refused && /phase|complete/.test(value.error));
  check(beaten, { 'a refused change says why': (said) => said });
  return 'lost';
}

/// Reads the session whole, or null.
export function read(session_id) {
  const { value, refused } = workflow('get_session', { session_id });
  return value && !refused ? value : null;
}

/// Checks that what `by` was told is completed stands there, once, in its words.
export function verify(session_id, phase, by) {
  const session = read(session_id);
  if (!session) return; // Counted as an error where it was read, or refused for load.
  const artifact = session.artifacts[String(phase)];
  const signature = artifact && artifact.evidence[SIGNED[phase]];
  if (signature !== by) {
    violated('lost_update', `${session_id} phase ${phase}: ${by} was told it is done, there stands ${signature}`);
  }
  const times = session.history.newest.filter((entry) => entry.action === 'completed' && entry.phase === phase);
  if (times.length !== 1) violated('completed_twice', `${session_id} phase ${phase}: completed ${times.length} times`);
}

/// Takes a session of one's own from start to end.
export function wholeSession(target, by) {
  const started = join(target);
  if (!started) return;
  for (let phase = started.current_phase; phase < PHASES; phase += 1) {
    const outcome = complete(started.session_id, phase, by);
    if (outcome === 'shed') return;
    check(outcome, { 'a phase of my own is completed': (won) => won === 'won' });
  }
  verify(started.session_id, PHASES - 1, by);
  const { value, shed } = workflow('get_state', { session_id: started.session_id });
  if (!shed) check(value, { 'the session is complete': (v) => v && v.workflow_state.is_complete === true });
}

/// Removes the sessions of this run, unless the server's state is thrown away anyway (`KEEP=1`).
export function forget() {
  if (__ENV.KEEP) return;
  for (let page = 0; page < 1000; page += 1) {
    const { value } = workflow('list_sessions', { target_file: `load/${RUN}/`, limit: 100 });
    if (!value || !value.sessions || value.sessions.length === 0) return;
    for (const { session_id } of value.sessions) workflow('delete_session', { session_id });
  }
}
