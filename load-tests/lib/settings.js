// What a run can be told, all by environment (`k6 run -e NAME=VALUE`, or a TestRun's `env`).

/// The MCP endpoint.
export const URL = __ENV.URL || 'http://127.0.0.1:8080/mcp';
/// `modern` (2026-07-28, no handshake) or `legacy` (2025-11-25, `initialize` first).
export const ERA = __ENV.ERA || 'modern';
/// `canary` sends `x-canary: always`, by which proxies route testers to the new version; `stable`
/// sends `never`, and with `both` every other agent does.
export const TRACK = __ENV.TRACK || '';
/// The token that the server asks for, if it does.
export const TOKEN = __ENV.TOKEN || '';
/// Tells one run's sessions and cold questions from another's: give a new one each time, as `run`
/// does. It can't be made here: this file is read anew by each of k6's agents.
export const RUN = __ENV.RUN || 'unnamed';
/// The share of requests whose traces the server is asked to keep, 0 to 1.
export const SAMPLED = number('SAMPLED', 0.01);
/// How long load lasts, in seconds.
export const SECONDS = number('SECONDS', 60);

/// Reads a number, so that a slip stops the run instead of loading with NaN.
export function number(name, otherwise) {
  const value = __ENV[name] === undefined || __ENV[name] === '' ? otherwise : Number(__ENV[name]);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is ${__ENV[name]}, expected a number`);
  return value;
}
