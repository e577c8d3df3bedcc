// What every scenario is held to, and how its result is told.

import { ERA, RUN, SECONDS, TRACK, URL } from './settings.js';

/// k6 passes a threshold that has no samples, so every promise says how many calls it rests on.
/// `thresholds` are the scenario's own; `samples` is the least number of calls.
export function options(name, scenarios, samples, thresholds = {}) {
  const common = {
    mcp_calls: [`count>=${samples}`],
    mcp_rpc_errors: ['rate==0'],
    mcp_invariant_violations: ['count==0'],
    checks: ['rate==1'],
  };
  return {
    scenarios,
    thresholds: Object.assign(common, thresholds),
    tags: { testid: name, track: TRACK || 'any', era: ERA },
    summaryTrendStats: ['count', 'avg', 'med', 'p(95)', 'p(99)', 'max'],
    // Without `url`: sessions and questions would each be a series.
    systemTags: ['status', 'method', 'name', 'scenario', 'check', 'error_code', 'expected_response'],
    setupTimeout: '120s',
    teardownTimeout: '120s',
  };
}

/// Returns `handleSummary`: text on standard output, and `summary.json` and `summary.txt` below
/// `RESULTS`. The report with plots is k6's own (`K6_WEB_DASHBOARD_EXPORT`, see `run`).
export function summary(name) {
  return (data) => {
    const text = told(name, data);
    const files = { stdout: text };
    if (__ENV.RESULTS) {
      files[`${__ENV.RESULTS}/summary.txt`] = text;
      files[`${__ENV.RESULTS}/summary.json`] = JSON.stringify(judged(name, data), null, 1);
    }
    return files;
  };
}

function judged(name, data) {
  const thresholds = thresholdsOf(data);
  const verdict = thresholds.every((threshold) => threshold.ok) ? 'kept' : 'broken';
  return { scenario: name, verdict, url: URL, era: ERA, track: TRACK, run: RUN, seconds: SECONDS, thresholds, metrics: data.metrics };
}

function thresholdsOf(data) {
  return Object.entries(data.metrics).flatMap(([metric, { thresholds = {}, values }]) =>
    Object.entries(thresholds).map(([bound, { ok }]) => ({ metric, bound, ok, value: valueFor(bound, values) })));
}

function valueFor(bound, values) {
  const name = bound.split(/[<>=!]/)[0].trim();
  return values[name];
}

function told(name, data) {
  const { verdict, thresholds } = judged(name, data);
  const lines = [`${name}: the promise was ${verdict} (${URL}, ${Math.round(data.state.testRunDurationMs / 1000)} s)`];
  for (const { metric, bound, ok, value } of thresholds) {
    lines.push(`  ${ok ? 'ok  ' : 'FAIL'} ${metric} ${bound}   (${shown(value)})`);
  }
  const operations = data.metrics.mcp_client_operation_duration;
  const made = data.metrics.mcp_calls;
  if (operations && made) {
    const { values } = operations;
    const times = ['med', 'p(95)', 'p(99)', 'max'].map((stat) => `${stat} ${shown(values[stat])} ms`);
    lines.push(`  ${made.values.count} calls, ${shown(made.values.rate)} a second; ${times.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function shown(value) {
  if (value === undefined) return 'none';
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
