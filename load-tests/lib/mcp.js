// An MCP client over streamable HTTP: both eras of the protocol, JSON and event-stream answers.
// Every answer is judged by what it says; HTTP 200 alone proves nothing.

import http from 'k6/http';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { ERA, SAMPLED, TOKEN, TRACK, URL } from './settings.js';

const LATEST = '2026-07-28';
const VERSION = ERA === 'legacy' ? '2025-11-25' : LATEST;
const CLIENT = { name: 'k6', version: '1' };

/// Milliseconds from the first byte sent to the last received, by tool.
export const duration = new Trend('mcp_client_operation_duration', true);
/// Calls that were made, by tool. Thresholds count it: one without samples would pass.
export const calls = new Counter('mcp_calls');
/// Calls without a JSON-RPC result: no answer, HTTP error, JSON-RPC error, not our id.
export const rpcErrors = new Rate('mcp_rpc_errors');
/// Refusals for overload (429, 503): the client may try again.
export const shed = new Counter('mcp_shed_requests');
/// Answers that break a promise of the server, by `kind`.
export const violations = new Counter('mcp_invariant_violations');

let handshake = null; // This VU's, of the legacy era.
let sent = 0;

/// Calls a tool and returns `{ value, refused, shed }`: the structured answer, and whether the
/// tool or the server refused. `value` is null when there was no answer.
export function call(tool, args, tags = {}) {
  return outcome(post('tools/call', { name: tool, arguments: args }, tool, tags));
}

/// Calls a tool many times at once, over as many connections, and returns the outcomes.
export function callAtOnce(count, tool, args) {
  const messages = Array.from({ length: count }, () => message('tools/call', { name: tool, arguments: args }, tool, {}));
  const answers = http.batch(messages.map((m) => ['POST', URL, m.body, m.params]));
  return answers.map((answer, n) => outcome(judge(answer, messages[n])));
}

/// Sends any request and returns its `result`, or null.
export function request(method, params = {}) {
  const { result } = post(method, params, params.name || params.uri || '', {});
  return result;
}

/// Searches the standards.
export function search(query, n_results = 3, tags = {}) {
  return call('search_standards', { query, n_results }, tags);
}

/// Does something with a workflow session.
export function workflow(action, args = {}, tags = {}) {
  return call('workflow', Object.assign({ action }, args), tags);
}

/// Reads the server's own counts: `{ double_loads, misses: { vectors, … }, generation, pid }`.
export function counted() {
  const { value } = call('get_server_info', {});
  if (!value) throw new Error(`${URL} does not answer get_server_info`);
  const caches = value.metrics.caches;
  return {
    pid: value.server.pid,
    generation: value.search.generation,
    double_loads: caches.reduce((sum, cache) => sum + cache.double_loads, 0),
    misses: Object.fromEntries(caches.map((cache) => [cache.name, cache.misses])),
    coalesced: Object.fromEntries(caches.map((cache) => [cache.name, cache.coalesced])),
  };
}

/// Counts a broken promise and says it in the log, where a run's reader looks for the reason.
export function violated(kind, detail) {
  violations.add(1, { kind });
  console.error(`${kind}: ${detail}`);
}

/// Takes JSON-RPC messages out of an answer, whichever way it was sent.
export function messagesOf(answer) {
  if (!answer.body) return [];
  const type = answer.headers['Content-Type'] || '';
  if (!type.startsWith('text/event-stream')) return [JSON.parse(answer.body)];
  const events = answer.body.split(/\r?\n\r?\n/).map((event) => {
    const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
    return data.map((line) => line.slice(5).trimStart()).join('\n');
  });
  return events.filter(Boolean).map((data) => JSON.parse(data));
}

function post(method, params, name, tags) {
  if (ERA === 'legacy' && !handshake && method !== 'initialize') connect();
  const m = message(method, params, name, tags);
  return judge(http.post(URL, m.body, m.params), m);
}

function message(method, params, name, tags) {
  sent += 1;
  const id = `${exec.vu.idInTest}-${sent}`;
  const traced = traceparent();
  const meta = { traceparent: traced };
  if (ERA !== 'legacy') {
    meta['io.modelcontextprotocol/protocolVersion'] = VERSION;
    meta['io.modelcontextprotocol/clientInfo'] = CLIENT;
    meta['io.modelcontextprotocol/clientCapabilities'] = {};
  }
  const body = { jsonrpc: '2.0', id, method, params: Object.assign({}, params, { _meta: meta }) };
  const tool = method === 'tools/call' ? name : method;
  const headers = headersOf(method, name, traced);
  const named = Object.assign({ name: `${method} ${method === 'tools/call' ? name : ''}`.trim(), tool }, tags);
  return { id, tool, tags, traced, body: JSON.stringify(body), params: { headers, tags: named, timeout: '60s' } };
}

function headersOf(method, name, traced) {
  const headers = {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    traceparent: traced,
  };
  if (method !== 'initialize') headers['MCP-Protocol-Version'] = VERSION;
  if (ERA !== 'legacy') {
    headers['Mcp-Method'] = method;
    if (name) headers['Mcp-Name'] = name;
  }
  if (handshake && handshake.session) headers['Mcp-Session-Id'] = handshake.session;
  if (TOKEN) headers.Authorization = `Bearer ${TOKEN}`;
  if (TRACK) headers['x-canary'] = toCanary() ? 'always' : 'never';
  return headers;
}

function toCanary() {
  return TRACK === 'both' ? exec.vu.idInTest % 2 === 1 : TRACK === 'canary';
}

function judge(answer, { id, tool, tags, traced }) {
  // Who answered, where the proxy says so: a rollout's errors are then told apart by version.
  const labels = Object.assign({ tool, served_by: answer.headers['X-Served-By'] || 'nobody' }, tags);
  calls.add(1, labels);
  duration.add(answer.timings.duration, labels);
  if (answer.status === 429 || answer.status === 503) {
    shed.add(1, labels);
    return { shed: true, result: null, answer };
  }
  let found = null;
  try {
    found = answer.status === 200 ? messagesOf(answer).find((m) => m.id === id) : null;
  } catch (error) {
    console.error(`${tool}: the answer is not JSON: ${error}`);
  }
  const failed = !found || found.error !== undefined;
  rpcErrors.add(failed, labels);
  if (failed) {
    const why = found ? JSON.stringify(found.error) : answer.error || String(answer.body).slice(0, 200);
    console.error(`${tool}: HTTP ${answer.status}, trace ${traced.slice(3, 35)}: ${why}`);
  }
  return { shed: false, result: failed ? null : found.result, answer };
}

function outcome({ shed: refusedByLoad, result }) {
  const value = result && result.structuredContent ? result.structuredContent : null;
  return { value, refused: Boolean(result && result.isError), shed: refusedByLoad };
}

/// The handshake of the legacy era, once for each VU.
function connect() {
  handshake = {};
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: CLIENT };
  const { result, answer } = post('initialize', params, '', {});
  if (!result || result.protocolVersion !== VERSION) {
    violated('handshake', `asked for ${VERSION}, got ${JSON.stringify(result)}`);
  }
  handshake = { session: answer.headers['Mcp-Session-Id'] };
  const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const headers = headersOf('notifications/initialized', '', traceparent());
  http.post(URL, note, { headers, tags: { name: 'notifications/initialized' } });
}

function traceparent() {
  const hex = (digits) => Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  return `00-${hex(31)}1-${hex(15)}1-0${Math.random() < SAMPLED ? 1 : 0}`;
}
