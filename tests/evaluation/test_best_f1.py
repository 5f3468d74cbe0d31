import numpy as np
import pytest

from cltdr_mm.evaluation import evaluate_detections, flat_metrics, get_protocol, report_text
from cltdr_mm.evaluation.functional import best_cut, best_f1

from . import loops


def cuts(detections, truth, classes, tiou):
    """Every threshold with precision, recall and F1, from the claims of each class."""
    scored = [(score, claim is not None) for c in classes
              for (_, _, score), claim in zip(loops.rows(detections, c),
                                              loops.claims(detections, truth, c, tiou))]
    total = sum(np.isin(truth.labels, classes))
    for threshold in sorted({score for score, _ in scored}, reverse=True):
        kept = [right for score, right in scored if score >= threshold]
        precision, recall = sum(kept) / len(kept), sum(kept) / total
        f1 = 2 * precision * recall / (precision + recall) if sum(kept) else 0.
        yield threshold, precision, recall, f1


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class'])
@pytest.mark.parametrize('tiou', [0.1, 0.5])
def test_equals_the_loop(kind, tiou):
    for seed in range(5):
        detections, truth = loops.scene(seed, kind=kind)
        together, of_class = best_f1(detections, truth, tiou)
        present = np.flatnonzero(truth.present).tolist()
        assert sorted(of_class) == present
        for classes, found in ((present, together), *(([c], of_class[c]) for c in present)):
            table = list(cuts(detections, truth, classes, tiou))
            best = max([f1 for *_, f1 in table], default=0.)
            assert found.f1 == pytest.approx(best, abs=1e-12)
            assert found.instances == np.isin(truth.labels, classes).sum()
            if best == 0:
                assert (found.threshold, found.precision, found.recall) == (0, 0, 0)
                continue
            # of equals the highest
            expected = next(row for row in table if row[3] >= best - 1e-12)
            assert (found.threshold, found.precision, found.recall) == pytest.approx(expected[:3])


@pytest.mark.parametrize('right, scores, instances, expected', [
    ([True, False, True], [.9, .8, .7], 2, (.7, 2 / 3, 1., .8)),
    ([True, False, True], [.9, .8, .8], 4, (.8, 2 / 3, .5, 4 / 7)),  # equals stay together
    ([True, False, True, False], [.9, .8, .7, .6], 2, (.7, 2 / 3, 1., .8)),
    ([True, False, False, True], [.9, .8, .7, .6], 2, (.9, 1., .5, 2 / 3)),  # F1 2/3 twice
    ([False, False], [.9, .8], 2, (0., 0., 0., 0.)),
    ([], [], 2, (0., 0., 0., 0.)),
])
def test_by_hand(right, scores, instances, expected):
    cut = best_cut(np.array(right, dtype=bool), np.array(scores), instances)
    assert (cut.threshold, cut.precision, cut.recall, cut.f1) == pytest.approx(expected)
    assert cut.instances == instances


def test_the_threshold_does_what_it_says():
    """Only the detections from it on, judged alone, have that precision and recall."""
    detections, truth = loops.scene(2)
    cut, _ = best_f1(detections, truth, 0.3)
    assert 0 < cut.f1 < 1
    kept = detections.select(detections.scores >= cut.threshold)
    again, _ = best_f1(kept, truth, 0.3)
    assert again == cut
    claimed = sum(claim is not None for c in range(len(truth.classes))
                  for claim in loops.claims(kept, truth, c, 0.3))
    counted = truth.present[kept.labels].sum()
    assert (cut.precision, cut.recall) == (claimed / counted, claimed / len(truth.labels))


def test_tiou_must_make_sense():
    detections, truth = loops.scene(0)
    with pytest.raises(ValueError, match='tIoU'):
        best_f1(detections, truth, 0.)


@pytest.mark.parametrize('tious, expected', [
    (None, 0.5), ([0.3, 0.7], 0.3), ([0.1, 0.6, 0.9], 0.6), ([0.75], 0.75)])
def test_which_tiou_a_protocol_takes(tious, expected):
    protocol = get_protocol('custom', tious)
    assert protocol.f1_tiou == expected
    detections, truth = loops.scene(1)
    report = evaluate_detections(detections, truth, protocol)
    cut, of_class = best_f1(detections, truth, expected)
    assert report['f1']['tiou'] == expected and report['f1']['threshold'] == cut.threshold
    for c, name in enumerate(truth.classes):
        assert (name in report['f1']['classes']) == (c in of_class)
    flat = flat_metrics(report, protocol)
    assert next(iter(flat)) == 'average_mAP'
    assert (flat['f1'], flat['precision'], flat['recall'], flat['f1_threshold']) == (
        cut.f1, cut.precision, cut.recall, cut.threshold)
    last = report_text(report, protocol).split('best F1')[1].splitlines()[-2 - len(
        report['remarks'])]
    assert [cell.strip() for cell in last.split('|')[1:8:2]] == [
        'all', f"{100 * np.mean([ap[f'{expected:g}'] for ap in report['AP'].values()]):.2f}",
        f'{100 * cut.recall:.2f}', f'{cut.threshold:.3g}']
