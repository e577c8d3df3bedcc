// Questions about running Lockstep, and the standard of our own content that answers each.

import { check } from 'k6';
import { search } from './mcp.js';

/// Other content has other answers: with `ANSWERS=any` only the answer's form is judged.
const ANY = __ENV.ANSWERS === 'any';

const QUESTIONS = [
  ['How do two agents share one session?', 'sessions/sharing-a-session.md'],
  ['What happens to open requests when the server is stopped?', 'operations/start-stop-and-probes.md'],
  ['May several servers use one state directory?', 'operations/several-processes.md'],
  ['How do I write a gate?', 'authoring/write-a-gate.md'],
  ['Which settings are there and what are their defaults?', 'operations/settings.md'],
  ['How do I make a backup of the sessions?', 'operations/backup-and-repair.md'],
  ['What is written into spans?', 'operations/spans.md'],
  ['Which file tells sub-agents where the server listens?', 'operations/discovery-file.md'],
];

/// A known question; the same number gives the same one.
export function question(number) {
  return QUESTIONS[number % QUESTIONS.length][0];
}

/// Asks a known question, cached after the first time, and judges the answer.
export function askKnown(number, tags = {}) {
  const [text, file] = QUESTIONS[number % QUESTIONS.length];
  const answer = search(text, 3, tags);
  if (answer.shed) return answer;
  check(answer, {
    'a known question is answered by its standard': ({ value }) =>
      wellFormed(value) && (ANY || value.results.some((hit) => hit.file.endsWith(file))),
  });
  return answer;
}

/// Asks a question that nobody asked before: it costs an inference.
export function askCold(unique, tags = {}) {
  const answer = search(`${question(unique.length)} (${unique})`, 3, tags);
  if (answer.shed) return answer;
  check(answer, { 'a cold question gets passages': ({ value }) => wellFormed(value) });
  return answer;
}

/// Passages with text and file, best first.
export function wellFormed(value) {
  if (!value || !Array.isArray(value.results) || value.results.length === 0) return false;
  const complete = value.results.every((hit) => hit.content && hit.file && hit.id);
  const scores = value.results.map((hit) => hit.relevance_score);
  return complete && scores.every((score, n) => n === 0 || scores[n - 1] >= score);
}
