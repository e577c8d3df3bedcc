// A server over content of its own, and calls of it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 60_000;

export async function start(binary) {
  const dir = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
  const content = join(dir, 'content'), state = join(dir, 'state');
  const workflow = join(content, 'workflows', 'page_v1');
  mkdirSync(join(workflow, 'phases', '0'), { recursive: true });
  mkdirSync(join(content, 'standards'));
  writeFileSync(join(content, 'standards', 'names.md'), '# Names\n\nA name says what a thing is.\n');
  writeFileSync(join(workflow, 'phases', '0', 'phase.md'), '# Look\n');
  writeFileSync(join(workflow, 'metadata.json'), JSON.stringify({
    workflow_type: 'page_v1', total_phases: 1, phases: [{ phase_number: 0, phase_name: 'Look', tasks: [] }],
  }));
  const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0',
    '--content', content, '--state', `file://${state}`], {
    env: { ...process.env, LOCKSTEP_SEARCH__CACHE: 'off' }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.on('data', (text) => { log += text; });
  const discovery = join(state, '.mcp_server_state.json');
  const until = Date.now() + PATIENCE_MS;
  while (!existsSync(discovery)) {
    if (server.exitCode !== null || Date.now() > until) throw new Error(`the server does not start: ${log}`);
    await sleep(50);
  }
  const { url, admin_url: admin } = JSON.parse(readFileSync(discovery, 'utf8'));
  return {
    url, admin,
    stop: () => new Promise((ended) => {
      server.once('exit', () => { rmSync(dir, { recursive: true, force: true }); ended(); });
      server.kill();
    }),
  };
}

export async function call(url, name, args) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${name}: ${JSON.stringify(error)}`);
  return result.structuredContent;
}
