// What the page shows: video, timeline, table, and the segment that is chosen.
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
  at('no-video-text').textContent = `The browser cannot show ${decodeURIComponent(player.getAttribute('src'))}: it is not `
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
    ? `No detection of this video reaches ${score.toFixed(report.scoreDigits)}: move the slider to the left.`
    : 'This video has no detections and no labels. “New label” adds one.';
  at('score').value = score;
  at('score-value').textContent = score.toFixed(report.scoreDigits);
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
    chip.append(named(segment), isLabel ? 'label' : segment.score.toFixed(report.scoreDigits));
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
