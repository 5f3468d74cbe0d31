// The data of the page, and what can be done to it. Nothing here draws. Times are seconds.
'use strict';

const SHORTEST = 0.01;

/** Milliseconds are enough, and keep 0.1 + 0.2 out of the saved file. */
function rounded(time) {
  return Math.round(time * 1000) / 1000;
}

/** Temporal intersection over union. */
function tIoU(a, b) {
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  const joined = Math.max(a.end, b.end) - Math.min(a.start, b.start);
  return shared > 0 ? shared / joined : 0;
}

/** The first lane, for each segment, in which it overlaps none before it; the last takes the rest. */
function lanesOf(segments, most) {
  const taken = [];
  return segments.map(segment => {
    let lane = taken.findIndex(others => others.every(
      other => other.start >= segment.end || other.end <= segment.start));
    if (lane < 0) lane = Math.min(taken.length, most - 1);
    (taken[lane] ??= []).push(segment);
    return lane;
  });
}

class Report {
  constructor(data) {
    this.classes = data.classes;
    this.colors = data.colors;
    this.rest = data.rest;
    this.videos = data.videos.map(video => ({
      ...video,
      labels: video.labels.map(([start, end, label, rest]) => ({start, end, label, rest})),
      found: video.found.map(([start, end, label, score]) => ({start, end, label, score}))
        .sort((a, b) => b.score - a.score),
      edited: false,
    }));
    // a detector whose best score is 0.03 needs a finer slider than one that reaches 0.99
    this.topScore = Math.max(0, ...this.videos.map(video => video.found[0]?.score ?? 0)) || 1;
    this.scoreDigits = this.topScore > 0.5 ? 2 : 3;
    this.mostScore = this.topScore > 0.5 ? Math.max(1, this.topScore) : this.topScore + 0.005;
    const scale = 10 ** this.scoreDigits;
    this.startScore = Math.floor(data.start_score * scale + 1e-6) / scale;
    this.past = [];
    this.unsaved = false;
  }

  color(label) {
    return this.colors[label % this.colors.length];
  }

  /** Where the timeline of a video ends. */
  length(video) {
    const ends = [...video.labels, ...video.found].map(segment => segment.end);
    return video.duration ?? ends.reduce((a, b) => Math.max(a, b), 1);
  }

  shown(video, score) {
    return video.found.filter(segment => segment.score >= score);
  }

  /** What runs at a moment: labels, then the detections shown by falling score. */
  running(video, score, time) {
    return [...video.labels, ...this.shown(video, score)]
      .filter(segment => segment.start <= time && time < segment.end);
  }

  /** The label of its class that a detection fits best, as a tIoU; null if there are no labels. */
  fit(video, segment) {
    if (!video.labels.length) return null;
    return video.labels.filter(label => label.label === segment.label)
      .reduce((best, label) => Math.max(best, tIoU(label, segment)), 0);
  }

  /** Position of a class, which is added if it is a new one. */
  classIndex(name) {
    const known = this.classes.indexOf(name);
    return known >= 0 ? known : this.classes.push(name) - 1;
  }

  /** Start and end as they may be: in order, and within the video. Throws what is wrong. */
  checked(video, start, end) {
    if (!Number.isFinite(start) || !Number.isFinite(end)) throw new Error('Start and end must be numbers.');
    const last = video.duration ?? Infinity;
    [start, end] = [start, end].map(time => rounded(Math.min(Math.max(time, 0), last)));
    if (end - start < SHORTEST) throw new Error('The end must be after the start, within the video.');
    return [start, end];
  }

  /** Put a label in the place of another; null for either adds or deletes. Returns the new one. */
  replace(video, old, fresh) {
    if (fresh) [fresh.start, fresh.end] = this.checked(video, fresh.start, fresh.end);
    this.remember(video);
    video.labels = video.labels.filter(label => label !== old);
    if (fresh) video.labels.push(fresh);
    video.labels.sort((a, b) => a.start - b.start || a.end - b.end);
    return fresh;
  }

  accept(video, segments) {
    const fresh = segments.flatMap(({start, end, label}) => {
      try {
        [start, end] = this.checked(video, start, end);
      } catch {
        return [];  // outside the video
      }
      const same = other => other.label === label && other.start === start && other.end === end;
      return video.labels.some(same) ? [] : [{start, end, label}];
    });
    if (!fresh.length) return fresh;
    this.remember(video);
    video.labels = [...video.labels, ...fresh].sort((a, b) => a.start - b.start || a.end - b.end);
    return fresh;
  }

  remember(video) {
    this.past.push({video, labels: video.labels.slice(), edited: video.edited});
    video.edited = this.unsaved = true;
  }

  /** Takes the last change back; returns its video, or null if there is none. */
  undo() {
    const last = this.past.pop();
    if (!last) return null;
    Object.assign(last.video, {labels: last.labels, edited: last.edited});
    this.unsaved = true;
    return last.video;
  }

  /** Videos that are saved: all of the annotation file, and those that were changed. */
  saved() {
    return this.videos.filter(video => video.annotated || video.edited);
  }

  /** The labels as an annotation file has them. */
  annotations() {
    const database = this.saved().map(video => {
      const annotations = video.labels.map(({start, end, label, rest}) => ({
        ...rest, segment: [start, end], label: this.classes[label], label_id: label,
      }));
      // a video without annotations, such as of a hidden test set, is not one with none
      return [video.name, {...video.entry, ...(video.labelled || video.edited ? {annotations} : {})}];
    });
    return {...this.rest, classes: this.classes, database: Object.fromEntries(database)};
  }
}
