// Promise: every tool answers with the right content, in this era of the protocol, and says no
// where it must. One agent, one call at a time. Run it in both eras: ERA=modern, ERA=legacy.

import { check } from 'k6';
import exec from 'k6/execution';
import { call, request, workflow } from '../lib/mcp.js';
import * as promise from '../lib/promise.js';
import { askCold, askKnown } from '../lib/questions.js';
import { PHASES, WORKFLOW, complete, forget, join, wholeSession } from '../lib/session.js';
import { RUN, SECONDS, number } from '../lib/settings.js';

const scenarios = { smoke: { executor: 'constant-vus', vus: 1, duration: `${SECONDS}s` } };
export const options = promise.options('smoke', scenarios, number('SAMPLES', 20));
export const handleSummary = promise.summary('smoke');
export const teardown = forget;

export default function () {
  const turn = exec.vu.iterationInScenario;
  lists();
  askKnown(turn);
  askCold(`${RUN}-${turn}`);
  wholeSession(`smoke-${turn}`, `smoke ${RUN}`);
  refusals(turn);
  const today = call('current_date', {}).value;
  check(today, { 'the date is a date': (v) => v && /^\d{4}-\d\d-\d\d$/.test(v.iso_date) });
  const info = call('get_server_info', {}).value;
  check(info, { 'the server knows itself': (v) => v && v.search.chunks > 0 && /^\d+\.\d+/.test(v.server.version) });
}

function lists() {
  const tools = request('tools/list');
  check(tools, {
    'tools are listed with schemas': (v) => v && ['search_standards', 'workflow'].every((name) =>
      v.tools.some((tool) => tool.name === name && tool.inputSchema.type === 'object')),
  });
  const workflows = workflow('list_workflows').value;
  check(workflows, { 'the workflow is installed': (v) => v && v.workflows.some((w) => w.workflow_type === WORKFLOW) });
  const prompts = request('prompts/list');
  check(prompts, { 'prompts are listed': (v) => v && Array.isArray(v.prompts) });
  const resources = request('resources/list');
  check(resources, { 'resources are listed': (v) => v && Array.isArray(v.resources) });
}

function refusals(turn) {
  const unknown = workflow('no_such_action');
  check(unknown, { 'an unknown action is refused with what there is': ({ value, refused }) => refused && value && /list_workflows/.test(value.remediation) });
  const empty = call('search_standards', { query: '' });
  check(empty, { 'an empty question is refused': ({ refused }) => refused });
  const session = join(`smoke-order-${turn}`);
  if (!session) return;
  const early = complete(session.session_id, PHASES - 1, 'too early');
  check(early, { 'a phase cannot be skipped': (outcome) => outcome === 'lost' });
}
