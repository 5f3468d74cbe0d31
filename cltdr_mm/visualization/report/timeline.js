// The timeline, drawn by Plotly: a row for each class, labels above, detections below.
'use strict';

const LABEL_HEIGHT = 18, FOUND_HEIGHT = 9, ROW_GAP = 12;  // pixels
const MARGIN = {l: 190, r: 16, t: 6, b: 42};
const MOST_LANES = 6;
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
  7200, 14400];
const [CURSOR, CHOSEN] = [0, 1];  // positions among Plotly's shapes

/** Plotly reads a few tags of HTML in texts; here there are none. */
function plain(text) {
  const one = text.replace(/\s+/g, ' ');
  return one.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function cut(text, most) {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join('')}…`;
}

/** A moment as one says it: seconds, beyond two minutes min:s, beyond an hour h:min:s. */
function clock(time, decimals, length) {
  if (length <= 120) return time.toFixed(decimals);
  const scale = 10 ** decimals;
  const whole = Math.round(time * scale) / scale;
  const seconds = (whole % 60).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, '0');
  const minutes = Math.floor(whole / 60);
  if (length <= 3600) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${seconds}`;
}

function faded(color, strength) {
  const [r, g, b] = [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${strength.toFixed(3)})`;
}

class Timeline {
  /** `tell` has `pick(segment)`, `seek(time)` and `move(segment, start, end)`. */
  constructor(place, report, tell) {
    Object.assign(this, {place, report, tell, time: 0, view: [0, 1], video: null, hit: -Infinity});
    this.config = {displaylogo: false, responsive: true, scrollZoom: true, edits: {shapePosition: true},
      doubleClick: false, displayModeBar: false};
    this.ready = Plotly.newPlot(place, [], {xaxis: {range: [0, 1]}}, this.config).then(() => {
      place.on('plotly_click', ({points}) => {
        tell.pick(points[0].customdata);
        this.hit = performance.now();
      });
      place.on('plotly_relayout', change => this.changed(change));
      place.addEventListener('click', event => this.clicked(event));
      place.addEventListener('wheel', event => {  // without Ctrl it scrolls the page
        if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
      }, {capture: true});
      place.addEventListener('dblclick', event => {
        if (event.target.closest('.nsewdrag')) this.show(0, this.length);
      });
    });
  }

  get length() {
    return this.report.length(this.video);
  }

  /** The time at a pixel of the page, from its left. */
  timeAt(x) {
    const width = this.place.clientWidth - MARGIN.l - MARGIN.r;
    const share = (x - this.place.getBoundingClientRect().left - MARGIN.l) / width;
    return this.view[0] + share * (this.view[1] - this.view[0]);
  }

  clicked(event) {
    // the click on a bar arrives here too, once as it was made and once from Plotly
    const onBar = event.timeStamp < this.hit + 100;
    if (!onBar && event.target.closest('.nsewdrag')) {
      this.tell.seek(Math.min(Math.max(this.timeAt(event.clientX), 0), this.length));
    }
  }

  /** Plotly tells that the view was moved, or a boundary of the label that is chosen. */
  changed(change) {
    const [left, right] = [0, 1].map(i => change[`shapes[${CHOSEN}].x${i}`]);
    if (left !== undefined || right !== undefined || change[`shapes[${CHOSEN}].y0`] !== undefined) {
      const {start, end} = this.chosen;
      const ends = [left ?? start, right ?? end].sort((a, b) => a - b);
      this.tell.move(this.chosen, ...ends);
      return;
    }
    const from = change['xaxis.range[0]'] ?? change['xaxis.range']?.[0];
    const to = change['xaxis.range[1]'] ?? change['xaxis.range']?.[1];
    const news = from !== undefined && to !== undefined
      && Math.max(Math.abs(from - this.view[0]), Math.abs(to - this.view[1])) > 1e-6;
    if (news) this.show(from, to);  // `show` itself causes such an event
  }

  /** Show a stretch of the video. */
  show(from, to) {
    const length = this.length;
    const width = Math.min(Math.max(to - from, 0.05), length);
    from = Math.min(Math.max(from, 0), length - width);
    this.view = [from, from + width];
    return Plotly.relayout(this.place, {'xaxis.range': this.view.slice(), ...this.ticks('xaxis.')});
  }

  /** Show a part of what is shown, or more; the cursor stays where it is if it can be seen. */
  zoom(factor) {
    const [from, to] = this.view;
    const still = this.time >= from && this.time <= to ? this.time : (from + to) / 2;
    return this.show(still + (from - still) * factor, still + (to - still) * factor);
  }

  near(segment) {
    const room = Math.max(2 * (segment.end - segment.start), 0.5);
    return this.show(Math.max(segment.start - room, 0), Math.min(segment.end + room, this.length));
  }

  ticks(prefix = '') {
    const [from, to] = this.view;
    const room = Math.max(2, (this.place.clientWidth - MARGIN.l - MARGIN.r) / 90);
    const step = STEPS.find(step => (to - from) / step <= room)
      ?? 3600 * Math.ceil((to - from) / room / 3600);
    const decimals = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const values = [];
    for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++) values.push(i * step);
    return {[`${prefix}tickvals`]: values,
      [`${prefix}ticktext`]: values.map(time => clock(time, decimals, this.length))};
  }

  /** Move the cursor line; a view that it leaves while playing moves on. */
  cursor(time, follow) {
    this.time = time;
    const [from, to] = this.view;
    if (follow && (time > to || time < from)) this.show(time, time + to - from);
    if (!this.place.layout.shapes?.length) return;
    Plotly.relayout(this.place, {[`shapes[${CURSOR}].x0`]: time, [`shapes[${CURSOR}].x1`]: time});
  }

  /** Draw a video. Returns how many classes there are to see. */
  draw(video, score, chosen) {
    if (video !== this.video) {
      this.video = video;
      this.view = [0, this.length];
    }
    this.chosen = chosen;
    const found = this.report.shown(video, score);
    const isLabel = new Set(video.labels);
    const classes = [...new Set([...video.labels, ...found].map(segment => segment.label))]
      .sort((a, b) => a - b);
    const bars = [], ticks = {values: [], texts: []}, stripes = [];
    let y = 0;
    for (const [row, label] of classes.entries()) {
      const top = y;
      y += ROW_GAP / 2;
      for (const [segments, height] of [[video.labels, LABEL_HEIGHT], [found, FOUND_HEIGHT]]) {
        const own = segments.filter(segment => segment.label === label);
        const lanes = lanesOf(own, MOST_LANES);
        own.forEach((segment, i) => bars.push({
          segment, height: height - 2, middle: y + (lanes[i] + 0.5) * height}));
        y += (Math.max(-1, ...lanes) + 1) * height;
      }
      y = Math.max(y + ROW_GAP / 2, top + LABEL_HEIGHT + FOUND_HEIGHT + ROW_GAP);
      ticks.values.push((top + y) / 2);
      ticks.texts.push(plain(cut(this.report.classes[label], 26)));
      if (row % 2 === 0) stripes.push({top, bottom: y});
    }
    const [drawnFound, drawnLabels] = [false, true].map(
      wanted => bars.filter(({segment}) => isLabel.has(segment) === wanted));
    const total = Math.max(y, 1);
    const layout = {
      height: total + MARGIN.t + MARGIN.b, margin: {...MARGIN}, barmode: 'overlay', showlegend: false,
      dragmode: 'pan', hovermode: 'closest', clickmode: 'event',
      plot_bgcolor: 'rgba(0,0,0,0)', paper_bgcolor: 'rgba(0,0,0,0)',
      font: {family: getComputedStyle(document.body).fontFamily, size: 12, color: '#222222'},
      hoverlabel: {bgcolor: '#ffffff', bordercolor: '#6b6b6b', align: 'left', font: {color: '#222222'}},
      xaxis: {range: this.view.slice(), minallowed: 0, maxallowed: this.length, zeroline: false,
        gridcolor: '#e3e3e3', tickmode: 'array', ...this.ticks(), title: {
          text: this.length > 3600 ? 'time (h:min:s)' : this.length > 120 ? 'time (min:s)' : 'time (s)',
          font: {color: '#6b6b6b'}, standoff: 8}},
      yaxis: {range: [total, 0], fixedrange: true, showgrid: false, zeroline: false,
        tickvals: ticks.values, ticktext: ticks.texts},
      shapes: [this.cursorShape(), this.chosenShape(bars),
        ...stripes.map(({top, bottom}) => ({type: 'rect', xref: 'paper', x0: 0, x1: 1, y0: top, y1: bottom,
          layer: 'below', line: {width: 0}, fillcolor: '#f6f7f8'}))],
    };
    const strength = segment => 0.25 + 0.7 * Math.min(segment.score / this.report.topScore, 1);
    const traces = [
      this.trace('detection', drawnFound, segment => faded(this.report.color(segment.label),
        strength(segment))),
      this.trace('label', drawnLabels, segment => this.report.color(segment.label))];
    this.ready.then(() => {
      layout.shapes[CURSOR] = this.cursorShape();  // it may have moved meanwhile
      return Plotly.react(this.place, traces, layout, this.config);
    });
    return classes.length;
  }

  trace(name, bars, color) {
    const segments = bars.map(bar => bar.segment);
    const isChosen = segment => segment === this.chosen;
    return {
      type: 'bar', orientation: 'h', name, customdata: segments,
      base: segments.map(segment => segment.start),
      x: segments.map(segment => segment.end - segment.start),
      y: bars.map(bar => bar.middle), width: bars.map(bar => bar.height),
      marker: {color: segments.map(color), line: {
        color: segments.map(segment => isChosen(segment) ? '#000000' : color(segment)),
        width: segments.map(segment => isChosen(segment) ? 2 : 0.5)}},
      hoverinfo: 'text', hovertext: segments.map(segment => this.hover(segment, name)),
    };
  }

  hover(segment, kind) {
    const {start, end, label, score} = segment;
    const times = `${start.toFixed(2)} to ${end.toFixed(2)} s (${(end - start).toFixed(2)} s)`;
    const fit = score === undefined ? null : this.report.fit(this.video, segment);
    return [`<b>${plain(this.report.classes[label])}</b>, ${kind}`, times,
      ...(score === undefined ? [] : [`score ${score.toFixed(3)}`]),
      ...(fit === null ? [] : [`tIoU ${fit.toFixed(2)} with a label`])].join('<br>');
  }

  cursorShape() {
    return {type: 'line', xref: 'x', yref: 'paper', x0: this.time, x1: this.time, y0: 0, y1: 1,
      line: {color: '#b3261e', width: 1.5}, layer: 'above'};
  }

  /** A frame around the label that is chosen, whose sides can be dragged. */
  chosenShape(bars) {
    const bar = bars.find(({segment}) => segment === this.chosen);
    if (!bar || bar.segment.score !== undefined) return {visible: false};
    return {type: 'rect', x0: bar.segment.start, x1: bar.segment.end,
      y0: bar.middle - bar.height / 2 - 2, y1: bar.middle + bar.height / 2 + 2,
      line: {color: '#000000', width: 2}, fillcolor: 'rgba(255,255,255,0.25)', layer: 'above'};
  }
}
