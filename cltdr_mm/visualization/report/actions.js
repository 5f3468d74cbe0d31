// What the reader does: labels are changed and saved, keys and buttons.
'use strict';

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
  Object.assign(at('score'), {max: report.mostScore, step: 10 ** -report.scoreDigits});
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
