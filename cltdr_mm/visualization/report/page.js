// Puts the parts of the page together: video, timeline, table, the segment that is chosen, keys.
'use strict';

const MOST_ROWS = 500;
const report = new Report(JSON.parse(document.getElementById('data').textContent));
const at = id => document.getElementById(id);
const player = at('video');
const state = {video: report.videos[0], score: report.startScore, chosen: null, stop: null, time: 0,
  tab: 'found', hasVideo: false};

/** An element with text; names of videos and classes go into the page in no other way. */
function element(tag, text = '', attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.textContent = text;
  return made;
}

function named(segment) {
  const cell = element('span', '', {className: 'cell'});
  const dot = element('i', '', {className: 'dot'});
  dot.style.background = report.color(segment.label);
  cell.append(dot, element('span', report.classes[segment.label], {className: 'name'}));
  return cell;
}

const timeline = new Timeline(at('timeline'), report, {
  pick: segment => play(segment),
  seek: time => {
    state.stop = null;
    seek(time);
  },
  move: (segment, start, end) => change(segment, {...segment, start, end}),
});

// the video

function seek(time) {
  state.time = Math.min(Math.max(time, 0), report.length(state.video));
  if (state.hasVideo) player.currentTime = state.time;
  timeline.cursor(state.time, true);
  drawRunning();
}

/** Choose a segment and play it to its end. */
function play(segment) {
  choose(segment);
  seek(segment.start);
  state.stop = segment.end;
  if (state.hasVideo) player.play().catch(() => {});
}

function follow() {
  if (state.hasVideo) {
    if (state.stop !== null && player.currentTime >= state.stop && !player.paused) {
      player.pause();
      state.stop = null;
    }
    if (player.currentTime !== state.time) {
      state.time = player.currentTime;
      timeline.cursor(state.time, !player.paused);
      drawRunning();
    }
  }
  requestAnimationFrame(follow);
}

function load(link) {
  state.hasVideo = false;
  if (link) player.src = link;
  else player.removeAttribute('src');
  player.hidden = !link;
  at('no-video').hidden = Boolean(link);
  at('no-video-text').textContent = 'No video lies beside this page for this name. The timeline can be '
    + 'read and corrected without it.';
}

player.addEventListener('loadedmetadata', () => {
  state.hasVideo = true;
  seek(state.time);
});
player.addEventListener('error', () => {
  if (!player.hasAttribute('src')) return;
  state.hasVideo = false;
  player.hidden = true;
  at('no-video').hidden = false;
  at('no-video-text').textContent = `The browser cannot show ${decodeURI(player.getAttribute('src'))}: it is not `
    + 'where it was when this page was written, or of a format that browsers do not play.';
});
at('video-file').addEventListener('change', event => {
  const [file] = event.target.files;
  if (file) load(URL.createObjectURL(file));
});

// what is shown

function choose(segment) {
  state.chosen = segment;
  if (segment) state.tab = segment.score === undefined ? 'labels' : 'found';
  draw();
  const [row, box] = [document.querySelector('#table tr.chosen'), at('table-scroll')];
  if (!row) return;  // scrolls the table, and not the page
  const [above, below] = [row.offsetTop - 40, row.offsetTop + row.offsetHeight - box.clientHeight];
  box.scrollTop = Math.max(Math.min(box.scrollTop, above), below);
}

function openVideo(video) {
  Object.assign(state, {video, chosen: null, stop: null, time: 0});
  at('video-choice').value = report.videos.indexOf(video);
  timeline.time = 0;
  load(video.link);
  draw();
}

function draw() {
  const {video, score} = state;
  const shown = report.shown(video, score);
  const rows = timeline.draw(video, score, state.chosen);
  at('timeline').hidden = !rows;
  at('no-timeline').hidden = Boolean(rows);
  at('no-timeline').textContent = video.found.length
    ? `No detection of this video reaches ${score.toFixed(2)}: move the slider to the left.`
    : 'This video has no detections and no labels. “New label” adds one.';
  at('score').value = score;
  at('score-value').textContent = score.toFixed(2);
  at('shown-count').textContent = `${shown.length} of ${video.found.length} detections, `
    + `${video.labels.length} labels`;
  const place = report.videos.indexOf(video);
  at('video-count').textContent = `${place + 1} of ${report.videos.length}`;
  at('previous').disabled = place === 0;
  at('next').disabled = place === report.videos.length - 1;
  at('accept-all').disabled = !shown.length;
  at('undo').disabled = !report.past.length;
  const saved = report.saved().length;
  at('save').disabled = !saved;
  at('save-state').textContent = report.unsaved ? 'not saved yet'
    : saved ? '' : 'no labels yet';
  drawEditor();
  drawTable(shown);
  drawRunning();
}

function drawRunning() {
  const {video, score, time} = state;
  const length = report.length(video);
  at('clock').textContent = `${clock(time, 1, length)} / ${clock(length, 1, length)}`
    + (length <= 120 ? ' s' : '');
  const chips = report.running(video, score, time).slice(0, 12).map(segment => {
    const isLabel = segment.score === undefined;
    const chip = element('span', '', {className: isLabel ? 'chip label' : 'chip'});
    chip.append(named(segment), isLabel ? 'label' : segment.score.toFixed(2));
    return chip;
  });
  at('running-labels').replaceChildren(...chips);
}

function drawEditor() {
  const segment = state.chosen;
  at('no-segment').hidden = Boolean(segment);
  at('fields').hidden = !segment;
  at('segment-error').textContent = '';
  if (!segment) return;
  const isLabel = segment.score === undefined;
  at('segment-kind').textContent = isLabel ? 'Label' : 'Detection';
  const choices = report.classes.map((name, i) => element('option', name, {value: i}));
  at('class-choice').replaceChildren(...choices, element('option', 'New class…', {value: 'new'}));
  at('class-choice').value = segment.label;
  at('start').value = segment.start.toFixed(3);
  at('end').value = segment.end.toFixed(3);
  for (const id of ['class-choice', 'start', 'end']) at(id).disabled = !isLabel;
  const fit = isLabel ? null : report.fit(state.video, segment);
  at('segment-facts').textContent = `${(segment.end - segment.start).toFixed(2)} s long`
    + (isLabel ? '; its sides can be dragged' : `, score ${segment.score.toFixed(3)}`)
    + (fit === null ? '' : `, tIoU ${fit.toFixed(2)} with a label`);
  at('accept').hidden = isLabel;
  at('delete').hidden = !isLabel;
}

function drawTable(shown) {
  const isFound = state.tab === 'found';
  at('tab-found').setAttribute('aria-selected', isFound);
  at('tab-labels').setAttribute('aria-selected', !isFound);
  at('tab-found').textContent = `Detections (${shown.length})`;
  at('tab-labels').textContent = `Labels (${state.video.labels.length})`;
  const columns = isFound ? ['Score', 'Class', 'Start', 'End', 'tIoU'] : ['Class', 'Start', 'End', 'Length'];
  at('table-head').replaceChildren(...columns.map(
    name => element('th', name, {className: name === 'Class' ? '' : 'number'})));
  const rows = isFound ? shown : state.video.labels;
  at('table').replaceChildren(...rows.slice(0, MOST_ROWS).map(segment => tableRow(segment, isFound)));
  at('no-rows').hidden = rows.length > 0 && rows.length <= MOST_ROWS;
  at('no-rows').textContent = rows.length ? `The first ${MOST_ROWS} of ${rows.length} are listed.`
    : isFound ? (state.video.found.length ? 'No detection reaches the score of the slider.'
      : 'This video has no detections.') : 'This video has no labels yet.';
}

function tableRow(segment, isFound) {
  const row = element('tr', '', {className: segment === state.chosen ? 'chosen' : ''});
  const number = text => element('td', text, {className: 'number'});
  const name = element('td');
  name.append(named(segment));
  const fit = isFound ? report.fit(state.video, segment) : null;
  row.append(...(isFound ? [number(segment.score.toFixed(3))] : []), name,
    ...[segment.start, segment.end].map(time => number(time.toFixed(2))),
    number(isFound ? fit?.toFixed(2) ?? '–' : (segment.end - segment.start).toFixed(2)));
  row.addEventListener('click', () => play(segment));
  return row;
}

// changes

/** Put a label in the place of another (null: none); what cannot be is said beside the fields. */
function change(old, fresh) {
  try {
    choose(report.replace(state.video, old, fresh));
  } catch (error) {
    draw();
    at('segment-error').textContent = error.message;
  }
}

function accept(segments) {
  const fresh = report.accept(state.video, segments);
  if (fresh.length) choose(fresh.length === 1 ? fresh[0] : null);
  else at('segment-error').textContent = 'There is such a label already.';
}

function addLabel() {
  const length = report.length(state.video);
  const wanted = Math.max((timeline.view[1] - timeline.view[0]) / 40, 0.1);
  const start = Math.max(0, Math.min(state.time, length - wanted));
  if (!report.classes.length && !askClass()) return;  // the first class
  const label = state.chosen?.label ?? 0;
  change(null, {start, end: Math.min(start + wanted, length), label});
}

/** Ask for the name of a new class; its position, or null. */
function askClass() {
  const name = (prompt('Name of the new class:') ?? '').trim();
  return name ? {label: report.classIndex(name)} : null;
}

function changeFields() {
  const old = state.chosen;
  const choice = at('class-choice').value;
  const own = choice === 'new' ? askClass() : {label: Number(choice)};
  if (!own) return draw();
  change(old, {...old, ...own, start: at('start').valueAsNumber, end: at('end').valueAsNumber});
}

function undo() {
  const video = report.undo();
  if (!video) return;
  if (video !== state.video) openVideo(video);
  else choose(null);
}

function save() {
  const text = JSON.stringify(report.annotations(), null, 1);
  const link = element('a', '', {
    href: URL.createObjectURL(new Blob([text], {type: 'application/json'})), download: 'annotations.json'});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  report.unsaved = false;
  draw();
}

function step(by) {
  const rows = state.tab === 'found' ? report.shown(state.video, state.score) : state.video.labels;
  const next = rows[Math.max(rows.indexOf(state.chosen) + by, 0)];
  if (next) play(next);
}

function turn(by) {
  const video = report.videos[report.videos.indexOf(state.video) + by];
  if (video) openVideo(video);
}

// keys and buttons

const keys = {
  ' ': () => {
    state.stop = null;
    if (state.hasVideo) player.paused ? player.play() : player.pause();
  },
  ArrowLeft: event => seek(state.time - (event.shiftKey ? 0.1 : 1)),
  ArrowRight: event => seek(state.time + (event.shiftKey ? 0.1 : 1)),
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
  PageUp: () => turn(-1),
  PageDown: () => turn(1),
  Enter: () => state.chosen?.score !== undefined && accept([state.chosen]),
  Delete: () => isChosenLabel() && change(state.chosen, null),
  '[': () => isChosenLabel() && change(state.chosen, {...state.chosen, start: state.time}),
  ']': () => isChosenLabel() && change(state.chosen, {...state.chosen, end: state.time}),
  n: addLabel,
  z: () => state.chosen && timeline.near(state.chosen),
  '+': () => timeline.zoom(0.5),
  '-': () => timeline.zoom(2),
  0: () => timeline.show(0, timeline.length),
};

function isChosenLabel() {
  return state.chosen !== null && state.chosen.score === undefined;
}

function pressed(event) {
  if (!state.video) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && 'zs'.includes(event.key)) {
    event.preventDefault();
    (event.key === 'z' ? undo : save)();
    return;
  }
  if (control || event.altKey || event.target.matches('select, input:not([type="range"])')) return;
  if (event.target.matches('button, summary, label') && [' ', 'Enter'].includes(event.key)) return;
  if (event.target.matches('input') && event.key.startsWith('Arrow')) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();  // the video element has keys of its own
  action(event);
}

function start() {
  const groups = new Map();
  report.videos.forEach((video, i) => {
    const group = video.detected ? 'Videos' : 'Not in the results';
    if (!groups.has(group)) groups.set(group, element('optgroup', '', {label: group}));
    groups.get(group).append(element('option', video.name, {value: i}));
  });
  at('video-choice').append(...groups.values());
  at('score').max = report.topScore;
  document.addEventListener('keydown', pressed, true);
  addEventListener('beforeunload', event => report.unsaved && event.preventDefault());
  addEventListener('resize', () => draw());
  const listen = (id, kind, action) => at(id).addEventListener(kind, action);
  listen('video-choice', 'change', event => {
    event.target.blur();  // so that keys go to the page again
    openVideo(report.videos[event.target.value]);
  });
  listen('previous', 'click', () => turn(-1));
  listen('next', 'click', () => turn(1));
  listen('score', 'input', event => {
    state.score = Number(event.target.value);
    if (state.chosen?.score < state.score) state.chosen = null;
    draw();
  });
  for (const id of ['class-choice', 'start', 'end']) listen(id, 'change', changeFields);
  listen('editor', 'submit', event => event.preventDefault());
  listen('play-segment', 'click', () => play(state.chosen));
  listen('zoom-segment', 'click', () => timeline.near(state.chosen));
  listen('accept', 'click', () => accept([state.chosen]));
  listen('accept-all', 'click', () => accept(report.shown(state.video, state.score)));
  listen('delete', 'click', () => change(state.chosen, null));
  listen('add', 'click', addLabel);
  listen('zoom-in', 'click', () => timeline.zoom(0.5));
  listen('zoom-out', 'click', () => timeline.zoom(2));
  listen('zoom-all', 'click', () => timeline.show(0, timeline.length));
  listen('undo', 'click', undo);
  listen('save', 'click', save);
  for (const tab of ['found', 'labels']) {
    listen(`tab-${tab}`, 'click', () => {
      state.tab = tab;
      draw();
    });
  }
  openVideo(report.videos[0]);
  requestAnimationFrame(follow);
}

timeline.ready.then(start);
