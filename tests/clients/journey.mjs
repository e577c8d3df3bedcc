// A sub-agent's session with one of the TypeScript clients: the same one that journey.py has.
// Usage: node journey.mjs v1|v2|v2-auto URL all|advance TARGET QUESTION FILE

import assert from 'node:assert/strict';

const [sdk, url, part, target, question, file] = process.argv.slice(2);
const TOOLS = [
  'create_workflow', 'current_date', 'get_server_info', 'search_standards', 'validate_workflow', 'workflow',
];
const EVIDENCE = { boolean: true, integer: 3, string: 'done, see the pull request', list: ['a'], object: {} };

async function connect() {
  const info = { name: `lockstep-clients-${sdk}`, version: '1.0.0' };
  const v1 = sdk === 'v1';
  const { Client } = await import(v1 ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client');
  const { StreamableHTTPClientTransport } = await import(
    v1 ? '@modelcontextprotocol/sdk/client/streamableHttp.js' : '@modelcontextprotocol/client');
  const client = new Client(info, sdk === 'v2-auto' ? { versionNegotiation: { mode: 'auto' } } : {});
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  const version = v1 ? transport.protocolVersion : client.getNegotiatedProtocolVersion();
  assert.equal(version, sdk === 'v2-auto' ? '2026-07-28' : '2025-11-25');
  return client;
}

const client = await connect();

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, `${name} ${JSON.stringify(args)}: ${JSON.stringify(result)}`);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}

const workflow = (action, args) => call('workflow', { action, ...args });

// Reads the open phase and its tasks, fails its gate with nothing, and passes it.
async function pass(phase) {
  const session_id = phase.session_id;
  const open = phase.current_phase;
  assert.ok(phase.phase_content.length > 0 && phase.tasks.length > 0);
  for (const { task_number, name } of phase.tasks) {
    const task = await workflow('get_task', { session_id, phase: open, task_number });
    assert.equal(task.task_name, name);
    assert.ok(task.content.length > 0);
  }
  const failed = await workflow('complete_phase', { session_id, phase: open, evidence: {} });
  const fields = phase.validation_gate.fields;
  const missing = fields.filter((field) => field.required).map((field) => field.name);
  assert.deepEqual(failed.validation_result.diagnostics.fields_missing, missing);
  assert.equal(failed.checkpoint_passed, false);
  const evidence = Object.fromEntries(fields.map((field) => [field.name, EVIDENCE[field.type]]));
  const passed = await workflow('complete_phase', { session_id, phase: open, evidence });
  assert.equal(passed.checkpoint_passed, true);
  return passed;
}

async function start() {
  const started = await workflow('start', { workflow_type: 'spec_creation_v1', target_file: target });
  return started;
}

async function tools() {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS);
  assert.ok(tools.every((tool) => tool.description && tool.outputSchema));
  assert.equal((await call('get_server_info')).server.transport_mode, 'dual');
  assert.match((await call('current_date')).iso_date, /^\d{4}-\d{2}-\d{2}$/);
  const found = await call('search_standards', { query: question, n_results: 3 });
  assert.equal(found.results.length, 3);
  assert.ok(found.results[0].file.endsWith(file), found.results[0].file);
}

async function wholeWorkflow() {
  const { workflows } = await workflow('list_workflows');
  assert.ok(workflows.some((entry) => entry.workflow_type === 'spec_creation_v1'));
  const started = await start();
  const { session_id } = started;
  let phase = started;
  for (let open = 0; open < 6; open += 1) {
    assert.equal(phase.current_phase, open);
    phase = (await pass(phase)).next_phase_content ?? {};
  }
  const { workflow_state: state } = await workflow('get_state', { session_id });
  assert.deepEqual([state.is_complete, state.completed_phases], [true, [0, 1, 2, 3, 4, 5]]);
  const { sessions } = await workflow('list_sessions', { status: 'completed' });
  assert.ok(sessions.some((line) => line.session_id === session_id));
  const session = await workflow('get_session', { session_id });
  assert.equal(session.artifacts['1'].evidence.srd_created, true);
  assert.equal((await workflow('delete_session', { session_id })).deleted, true);
  return session_id;
}

async function refusals(gone) {
  const cases = [['workflow', { action: 'no_such' }], ['workflow', { action: 'get_state', session_id: gone }],
    ['search_standards', { query: '' }], ['search_standards', { query: 'x', n_results: 0 }],
    ['current_date', { zone: 'x' }]];
  for (const [name, args] of cases) {
    const refused = await client.callTool({ name, arguments: args });
    assert.equal(refused.isError, true, JSON.stringify(args));
    assert.ok(JSON.parse(refused.content[0].text).error, JSON.stringify(refused));
  }
  await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), /there is no tool `no_such_tool`/);
}

if (part === 'all') {
  await tools();
  await refusals(await wholeWorkflow());
} else {
  const started = await start();
  assert.equal(started.resumed, true);
  await pass(started);
}
await client.close();
