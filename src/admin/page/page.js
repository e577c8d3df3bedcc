'use strict';
const SECONDS = 120, TARGET = 0.05;
const at = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const count = new Intl.NumberFormat('en');
const number = (value) => count.format(value);
const rate = (value) => (value >= 100 ? number(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2).replace(/\.?0+$/, ''));
const percent = (share) => (share * 100).toFixed(share >= 0.9995 || share === 0 ? 0 : share < 0.001 ? 2 : 1) + ' %';
const bytes = (value) => (value >= 2 ** 30 ? (value / 2 ** 30).toFixed(2) + ' GiB' : (value / 2 ** 20).toFixed(0) + ' MiB');
const span = (seconds) => {
  const s = Math.floor(seconds);
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min ' + (s % 60) + ' s';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor((s % 3600) / 60) + ' min';
  return Math.floor(s / 86400) + ' d ' + Math.floor((s % 86400) / 3600) + ' h';
};

// One value a second, so that a line is two minutes long whatever was missed.
const histories = new Map();
function note(key, value) {
  if (!histories.has(key)) histories.set(key, []);
  const values = histories.get(key);
  values.push(value);
  if (values.length > SECONDS) values.shift();
  return values;
}
function draw(svg, values) {
  const most = Math.max(...values, 1e-9), width = SECONDS - 1;
  const x = (i) => width - (values.length - 1 - i);
  const y = (value) => (30 - (value / most) * 28).toFixed(2);
  const points = values.map((value, i) => x(i) + ' ' + y(value)).join('L');
  svg.setAttribute('viewBox', '0 0 ' + width + ' 31');
  svg.setAttribute('preserveAspectRatio', 'none');
  const path = (d, name) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    element.setAttribute('d', d);
    if (name) element.setAttribute('class', name);
    return element;
  };
  svg.replaceChildren(path('M' + x(0) + ' 31L' + points + 'L' + width + ' 31Z', 'area'), path('M' + points));
}
function line(id, values) { draw(at(id), values); }

// What changed since the last answer, in one second.
let before = null, taken = 0;
const since = (now, path) => {
  const dig = (of) => path.reduce((value, key) => (value === undefined || value === null ? undefined : value[key]), of);
  const was = before === null ? undefined : dig(before);
  return was === undefined ? 0 : Math.max(0, dig(now) - was) / taken;
};
const named = (list, name) => (list || []).find((entry) => entry.name === name);

function verdict(id, figure, mood, text) {
  const tile = at(id);
  tile.className = 'verdict ' + mood;
  tile.querySelector('.figure').textContent = figure;
  if (text !== undefined) tile.querySelector('.note').textContent = text;
}

// What happened in the last two minutes.
const minutes = [];
function recent(now) {
  minutes.push(now.traffic);
  if (minutes.length > SECONDS) minutes.shift();
  const first = minutes[0], then = new Map(first.seconds), gone = (key) => now.traffic[key] - first[key];
  const seconds = now.traffic.seconds.map(([bound, upTo]) => [bound, upTo - (then.get(bound) || 0)]);
  return { requests: gone('requests'), waited: gone('waited'), failed: gone('failed'), seconds };
}
// The time within which a share of the requests was answered: between two bounds, by interpolation.
function quantile(share, { requests, seconds }) {
  if (!requests) return null;
  let lower = 0, before = 0;
  for (const [bound, upTo] of seconds) {
    if (upTo >= share * requests) return lower + (bound - lower) * ((share * requests - before) / Math.max(1, upTo - before));
    lower = bound; before = upTo;
  }
  return lower;
}
const time = (seconds) => (seconds === null ? 'none' : seconds < 0.01 ? (seconds * 1000).toFixed(1) + ' ms' : seconds < 1 ? Math.round(seconds * 1000) + ' ms' : seconds.toFixed(1) + ' s');

function verdicts(now, last) {
  const doubles = now.caches.reduce((sum, cache) => sum + cache.double_loads, 0);
  verdict('double', number(doubles), doubles === 0 ? 'good' : 'bad', doubles === 0 ? 'no key was ever loaded twice at once' : 'one key was loaded twice at once: a bug, report it');
  const share = last.requests ? last.waited / last.requests : now.traffic.requests ? now.traffic.waited / now.traffic.requests : 0;
  verdict('waited', percent(share), share < TARGET ? 'good' : share < 2 * TARGET ? 'warn' : 'bad', (last.requests ? 'of ' + number(last.requests) + ' in two minutes' : 'since the start') + '; the target is under 5 %');
  at('waited').querySelector('.meter i').style.width = Math.min(100, (share / (2 * TARGET)) * 100) + '%';
  const waiting = now.locks.reduce((sum, lock) => sum + lock.waiters, 0);
  const loading = now.caches.reduce((sum, cache) => sum + cache.loads_active, 0);
  const stuck = now.stuck.length;
  verdict('waiting', number(waiting), stuck ? 'bad' : waiting > 50 ? 'warn' : 'good', stuck ? stuck + ' held or loading for too long' : number(loading) + (loading === 1 ? ' load runs' : ' loads run'));
  verdict('failed', number(last.failed), last.failed ? 'bad' : 'good', last.failed ? 'in two minutes; ' + number(now.traffic.failed) + ' since the start' : now.traffic.failed ? 'in two minutes; ' + number(now.traffic.failed) + ' since the start' : 'of ' + number(now.traffic.requests) + ' since the start');
}

function bar(share, mind) {
  const element = make('div', 'bar' + (mind ? ' mind' : ''));
  const track = make('div'), fill = make('i');
  fill.style.width = Math.min(100, share * 100) + '%';
  track.append(fill);
  element.append(make('span', '', percent(share)), track);
  return element;
}
// Rows stay the same elements, so that bars move and nothing flickers.
function rows(table, entries, cells) {
  const body = at(table).tBodies[0];
  const labels = [...at(table).tHead.rows[0].cells].map((cell) => cell.textContent);
  entries.forEach((entry, index) => {
    const row = body.rows[index] || body.insertRow();
    const built = cells(entry).map((cell, column) => {
      const element = make('td', cell.className || '');
      element.dataset.is = labels[column];
      if (cell.node) element.append(cell.node);
      else element.textContent = cell.text;
      return element;
    });
    row.replaceChildren(...built);
  });
  while (body.rows.length > entries.length) body.deleteRow(-1);
}
const plain = (value, bad) => ({ text: number(value), className: value === 0 ? 'zero' : bad || '' });
function trend(key, value) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'line');
  draw(svg, note(key, value));
  return { node: svg, className: 'trend' };
}

function caches(now) {
  rows('caches', now.caches, (cache) => {
    const asked = cache.hits + cache.misses + cache.coalesced + cache.errors + cache.abandoned;
    const was = before && named(before.caches, cache.name);
    const askedBefore = was ? was.hits + was.misses + was.coalesced + was.errors + was.abandoned : asked;
    const lookups = taken ? Math.max(0, asked - askedBefore) / taken : 0;
    return [
      { text: cache.name }, { node: bar(asked ? cache.hits / asked : 0), className: 'ratio' }, { text: rate(lookups), className: lookups ? '' : 'zero' },
      trend('cache ' + cache.name, lookups), plain(cache.misses), plain(cache.coalesced), plain(cache.errors, 'mind'),
      plain(cache.loads_active), plain(cache.entries), plain(cache.double_loads, 'alarm'),
    ];
  });
}
function locks(now) {
  rows('locks', now.locks, (lock) => {
    const taken_ = lock.free + lock.waits, share = taken_ ? lock.waits / taken_ : 0;
    const was = before && named(before.locks, lock.name);
    const per = was && taken ? Math.max(0, taken_ - was.free - was.waits) / taken : 0;
    return [
      { text: lock.name }, { node: bar(share, share >= TARGET), className: 'ratio' }, { text: rate(per), className: per ? '' : 'zero' },
      trend('lock ' + lock.name, per), plain(lock.waits), plain(lock.abandoned), plain(lock.waiters, 'mind'),
    ];
  });
}
function list(id, entries) {
  at(id).replaceChildren(...entries.flatMap(([term, text, className]) => [make('dt', '', term), make('dd', className || '', text)]));
}
function details(now) {
  const s = now.sessions;
  list('sessions', [['with an open phase (15 s ago at most)', number(s.active)], ['started', number(s.created)], ['taken up', number(s.resumed)], ['completed', number(s.completed)], ['deleted', number(s.deleted)], ['refused', number(s.refused), s.refused ? 'mind' : ''], ['told that it is not their turn', number(s.out_of_order)]]);
  const q = now.search;
  list('search', [['generation', number(q.generation)], ['last read', span(q.age_secs) + ' ago'], ['passages', number(q.passages)], ['without a vector', number(q.vectors_missing), q.vectors_missing ? 'mind' : ''], ['waiting for the model', number(q.queue), q.queue > 100 ? 'mind' : '']]);
  at('search-failure').hidden = !q.failure;
  at('search-failure').textContent = q.failure || '';
  const p = now.process, r = now.runtime;
  list('process', [['resident', bytes(p.memory_bytes)], ['threads', number(p.threads)], ['open files', number(p.files)], ['tasks', number(r.tasks)], ['tasks waiting', number(r.queue), r.queue > 100 ? 'mind' : ''], ['workers busy', percent(Math.min(1, since(now, ['runtime', 'busy_secs']) / Math.max(1, r.workers)))]]);
}
function trends(now, last) {
  const per = since(now, ['traffic', 'requests']), cpu = since(now, ['process', 'cpu_secs']);
  at('rate').textContent = rate(per) + ' /s';
  at('active').textContent = number(now.traffic.active);
  at('cpu').textContent = percent(cpu);
  at('memory').textContent = bytes(now.process.memory_bytes);
  line('rate-line', note('rate', per));
  const slow = quantile(0.95, last);
  at('slow').textContent = time(slow);
  line('slow-line', note('slow', slow || 0));
  line('active-line', note('active', now.traffic.active));
  line('cpu-line', note('cpu', cpu));
  line('memory-line', note('memory', now.process.memory_bytes));
}
function show(now) {
  at('state').textContent = now.ready.reason;
  at('state').className = 'state ' + (!now.ready.ready ? 'bad' : now.ready.reason === 'ready' ? 'good' : '');
  at('about').textContent = now.server.version + ' · pid ' + now.server.pid + ' · up ' + span(now.server.uptime_secs);
  at('stuck').hidden = now.stuck.length === 0;
  at('stuck').querySelector('ul').replaceChildren(...now.stuck.map((text) => make('li', '', text)));
  const last = recent(now);
  verdicts(now, last); trends(now, last); caches(now); locks(now); details(now);
}
let last = 0;
async function refresh() {
  try {
    const answer = await fetch('/status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    const now = await answer.json(), clock = performance.now();
    taken = before === null ? 0 : (clock - last) / 1000;
    // Another process has the port by now: what it counts has nothing to do with what we saw.
    if (before !== null && now.server.pid !== before.server.pid) { before = null; taken = 0; minutes.length = 0; }
    show(now);
    before = now; last = clock;
    document.body.classList.remove('stale');
  } catch (error) {
    at('state').textContent = 'no answer';
    at('state').className = 'state bad';
    document.body.classList.add('stale');
  }
  setTimeout(refresh, 1000);
}
refresh();
