"""One evaluation under a protocol: all numbers of a report, and the report as tables."""
from dataclasses import asdict

import numpy as np
from terminaltables import AsciiTable

from .functional import (
    average_precision,
    best_f1,
    fingerprint,
    fingerprint_line,
    recall_at_kx,
)
from .protocols import Protocol, tiou_name
from .remarks import detection_counts, detection_remarks, ground_truth_remarks
from .structures import Detections, GroundTruth

RECALL_KS = (1, 5)


def evaluate_detections(detections: Detections,
                        ground_truth: GroundTruth,
                        protocol: Protocol,
                        tie_order: str = 'stable') -> dict:
    """Judge detections under a protocol.

    Args:
        detections (Detections): What was found.
        ground_truth (GroundTruth): What is to be found.
        protocol (Protocol): At which thresholds.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        dict: JSON-ready; all measures are fractions, keyed by tIoU as text such as ``'0.5'``:
        ``protocol``, ``fingerprint``, ``mAP`` (at the protocol's thresholds), ``average_mAP``
        (over them), ``AP`` (class, then tIoU; classes with instances), ``recall``
        (``'1x'``, ``'5x'``, then tIoU; averaged as the protocol says), ``extra`` (name of a
        further average, then ``mAP`` and ``average_mAP``), ``f1`` (``tiou``; ``threshold``,
        ``precision``, ``recall``, ``f1``, ``instances`` at the score of best F1, see
        :func:`.best_f1`; the same of each class under ``classes``), ``detections`` (see
        :func:`.detection_counts`), ``remarks`` (sentences on what a reader could overlook).

    Raises:
        ValueError: If there is no instance to be found.
    """
    ground_truth.check_not_empty()
    tious = protocol.all_tious
    ap = average_precision(detections, ground_truth, tious, tie_order)
    recall = recall_at_kx(detections, ground_truth, tious, RECALL_KS, tie_order,
                          protocol.recall_average)
    names = [tiou_name(t) for t in tious]
    mean_ap = dict(zip(names, np.nanmean(ap, axis=1).tolist()))
    counts = detection_counts(detections, ground_truth)
    cut, cuts = best_f1(detections, ground_truth, protocol.f1_tiou, tie_order)

    def table(thresholds) -> dict:
        return {tiou_name(t): mean_ap[tiou_name(t)] for t in thresholds}

    def average(thresholds) -> float:
        return float(np.mean(list(table(thresholds).values())))

    return dict(
        protocol=protocol.name,
        fingerprint=fingerprint(ground_truth, protocol.tious),
        mAP=table(protocol.tious),
        average_mAP=average(protocol.tious),
        AP={
            ground_truth.classes[c]: dict(zip(names, ap[:, c].tolist()))
            for c in np.flatnonzero(ground_truth.present)
        },
        recall={
            f'{k}x': dict(zip(names, recall[i].tolist())) for i, k in enumerate(RECALL_KS)
        },
        extra={
            name: dict(mAP=table(ts), average_mAP=average(ts))
            for name, ts in protocol.extra.items()
        },
        f1=dict(
            tiou=protocol.f1_tiou, **asdict(cut),
            classes={ground_truth.classes[c]: asdict(cuts[c]) for c in sorted(cuts)}),
        detections=counts,
        remarks=ground_truth_remarks(ground_truth, protocol) + detection_remarks(counts))


def flat_metrics(report: dict, protocol: Protocol) -> dict[str, float]:
    """The numbers of a report under the names that MMEngine logs.

    Args:
        report (dict): From :func:`evaluate_detections`.
        protocol (Protocol): Recalls are given at the thresholds that it shows.

    Returns:
        dict[str, float]: ``average_mAP``, ``average_mAP@0.5:0.95`` for further averages,
        ``mAP@0.5``, ``recall@1x@0.5`` ..., ``f1``, ``precision`` and ``recall``, all fractions;
        and the score of best F1, where those three are, ``f1_threshold``.
    """
    flat = dict(average_mAP=report['average_mAP'])
    mean_ap = dict(report['mAP'])
    for name, extra in report['extra'].items():
        flat[f'average_mAP@{name}'] = extra['average_mAP']
        mean_ap.update(extra['mAP'])
    flat.update({f'mAP@{t}': mean_ap[t] for t in sorted(mean_ap, key=float)})
    for k, table in report['recall'].items():
        flat.update({f'recall@{k}@{t}': table[t] for t in map(tiou_name, protocol.shown_tious)})
    flat.update({key: report['f1'][key] for key in ('f1', 'precision', 'recall')})
    flat['f1_threshold'] = report['f1']['threshold']
    return flat


def report_text(report: dict, protocol: Protocol) -> str:
    """Fingerprint, tables (in percent) and remarks, as printed to the log.

    Args:
        report (dict): From :func:`evaluate_detections`.
        protocol (Protocol): For the thresholds to show.

    Returns:
        str: Several lines.
    """
    flat = flat_metrics(report, protocol)
    rows = [['tIoU', 'mAP', *(f'recall@{k}' for k in report['recall'])]]
    for t in map(tiou_name, protocol.shown_tious):
        rows.append([t, *(f'{100 * flat[key]:.2f}' for key in
                          (f'mAP@{t}', *(f'recall@{k}@{t}' for k in report['recall'])))])

    def average_row(name: str, thresholds, mean: float) -> list[str]:
        recalls = [np.mean([table[tiou_name(t)] for t in thresholds])
                   for table in report['recall'].values()]
        return [name, f'{100 * mean:.2f}', *(f'{100 * r:.2f}' for r in recalls)]

    rows.append(average_row('average', protocol.tious, report['average_mAP']))
    for name, thresholds in protocol.extra.items():
        mean = report['extra'][name]['average_mAP']
        rows.append(average_row(f'average {name}', thresholds, mean))
    table = AsciiTable(rows, f' {protocol.name}, % ')
    for column in range(1, len(rows[0])):
        table.justify_columns[column] = 'right'
    table.inner_footing_row_border = not protocol.extra
    return '\n'.join([f"{protocol.name}: {fingerprint_line(report['fingerprint'])}", table.table,
                      classes_table(report), *report['remarks']])


def short_text(report: dict, protocol: Protocol) -> str:
    """The mAP and the best F1 in few lines, for a validation among many.

    Args:
        report (dict): From :func:`evaluate_detections`.
        protocol (Protocol): For the thresholds to show.

    Returns:
        str: Three lines, in percent but for the score.
    """
    flat, cut = flat_metrics(report, protocol), report['f1']
    names = [*map(tiou_name, protocol.shown_tious), 'average']
    keys = [f'mAP@{t}' for t in names[:-1]] + ['average_mAP']
    lines = [('tIoU', names), ('mAP, %', [f'{100 * flat[key]:.2f}' for key in keys])]
    text = [f'{name:<7}' + ''.join(f'{cell:>9}' for cell in cells) for name, cells in lines]
    return '\n'.join([*text, f'best F1 at tIoU {tiou_name(cut["tiou"])}: {100 * cut["f1"]:.2f} % '
                      f'(precision {100 * cut["precision"]:.2f}, recall {100 * cut["recall"]:.2f}) '
                      f'from score {cut["threshold"]:.3g}'])


def classes_table(report: dict) -> str:
    """Table of what each class has: instances, AP, and the best F1 with its score.

    Args:
        report (dict): From :func:`evaluate_detections`.

    Returns:
        str: Several lines; in percent but for the scores. The last row has one score for all
        classes.
    """
    cut, tiou = report['f1'], tiou_name(report['f1']['tiou'])
    name_of_ap = f'AP@{tiou}'
    rows = [['class', 'instances', name_of_ap, 'precision', 'recall', 'F1', 'from score']]
    means = [ap[tiou] for ap in report['AP'].values()]
    for name, ap, one in (*((name, ap[tiou], cut['classes'][name])
                            for name, ap in report['AP'].items()),
                          ('all', float(np.mean(means)), cut)):
        rows.append([name, str(one['instances']), f'{100 * ap:.2f}',
                     *(f'{100 * one[key]:.2f}' for key in ('precision', 'recall', 'f1')),
                     f"{one['threshold']:.3g}"])
    table = AsciiTable(rows, f' best F1 at tIoU {tiou}, % ')
    for column in range(1, len(rows[0])):
        table.justify_columns[column] = 'right'
    table.inner_footing_row_border = True
    return table.table
