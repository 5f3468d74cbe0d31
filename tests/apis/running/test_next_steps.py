"""What a run left, and the commands that follow, of runs that only say where they were."""
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cltdr_mm.apis.running.next_steps import after_test, after_training
from cltdr_mm.cli import infer, test
from cltdr_mm.cli.diagnose import parse_args as diagnose_args
from cltdr_mm.cli.draw.timelines import parse_args as draw_args
from cltdr_mm.cli.report import parse_args as report_args


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A work directory `w o` (with a blank) below the current folder, with two checkpoints."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'w o'
    (folder / 'log').mkdir(parents=True)
    torch.save(dict(meta=dict(score_threshold=0.3125)), folder / 'best_average_mAP_epoch_2.pth')
    torch.save(dict(meta={}), folder / 'epoch_3.pth')
    (folder / 'mine.py').write_text("model = dict(type='x')\n")
    return folder


class Mine(dict):
    filename = 'configs/mine.py'


def trained(folder: Path, **info):
    return SimpleNamespace(
        work_dir=str(folder), log_dir=str(folder / 'log'), timestamp='2030',
        cfg=Mine(model=dict(type='SingleStageLocalizer'), test_dataloader=dict(batch_size=1),
                 test_evaluator=dict(type='TALMetric')), message_hub=SimpleNamespace(
            runtime_info={key: str(folder / name) for key, name in info.items()}))


def commands(text: str) -> list:
    return [shlex.split(line.strip()) for line in text.split('next:')[1].splitlines() if line]


def test_after_a_training(folder):
    text = after_training(trained(folder, best_ckpt='best_average_mAP_epoch_2.pth',
                                  last_ckpt='epoch_3.pth'))
    lines = text.split('next:')[0].splitlines()
    assert '  w o/best_average_mAP_epoch_2.pth  (the best checkpoint; best F1 with scores from ' \
           '0.312)' in lines
    assert '  w o/epoch_3.pth  (the last checkpoint)' in lines
    assert '  w o/mine.py  (the config as it was run)' in lines
    test_words, infer_words = commands(text)
    assert test_words[:2] == infer_words[:1] + ['test'] == ['cltdr', 'test']
    args = test.parse_args(test_words[2:])  # the program takes what is advised
    assert (args.config, args.checkpoint, args.out) == (
        'w o/mine.py', 'w o/best_average_mAP_epoch_2.pth', 'w o')
    args = infer.parse_args(infer_words[2:])
    assert args.checkpoint == 'w o/best_average_mAP_epoch_2.pth' and args.min_score == 'auto'


def test_after_a_training_without_validation(folder):
    text = after_training(trained(folder, last_ckpt='epoch_3.pth'))
    assert 'the best' not in text
    (_, verb, _, checkpoint, *_), infer_words = commands(text)
    assert (verb, checkpoint) == ('test', 'w o/epoch_3.pth') and '--min-score' not in infer_words


def test_after_a_training_that_has_nothing_to_be_tested_on(folder):
    runner = trained(folder, last_ckpt='epoch_3.pth')
    runner.cfg.update(test_dataloader=None)
    (_, verb, *_), = commands(after_training(runner))
    assert verb == 'infer'


def test_after_a_training_of_tem(folder):
    """Its test writes curves where its config says; files in, detections out is for ours."""
    runner = trained(folder, last_ckpt='epoch_3.pth')
    runner.cfg.update(model=dict(type='TEM'), test_evaluator=[dict(type='TEMCurves')])
    words, = commands(after_training(runner))
    assert words == ['cltdr', 'test', 'w o/mine.py', 'w o/epoch_3.pth']


def test_after_a_training_that_kept_nothing(folder):
    text = after_training(trained(folder, last_ckpt='gone.pth'))
    assert 'next:' not in text and 'w o/mine.py' in text


class TALMetric:
    ann_file, subset = 'data/a.json', None
    protocol = SimpleNamespace(name='custom', subsets=('test', 'testing'))

    def __init__(self, out_dir):
        self.out_dir = out_dir


class ProposalMetric(TALMetric):
    pass


class Accuracy:
    pass


def ran_test(folder, *metrics):
    return SimpleNamespace(log_dir=str(folder / 'log'), test_loop=SimpleNamespace(
        evaluator=SimpleNamespace(metrics=metrics)))


def test_after_a_test(folder):
    out = folder / 'out'
    out.mkdir()
    runner = ran_test(folder, Accuracy(), TALMetric(str(out)))
    assert after_test(runner).splitlines() == ['', 'written:', '  w o/log  (log)']
    (out / 'detections.json').write_text('{}')
    assert len(commands(after_test(runner))) == 2  # without annotations: not judged
    (out / 'metrics.json').write_text('{}')
    text = after_test(runner)
    assert '  w o/out/metrics.json  (how it is judged)' in text.splitlines()
    report, draw, diagnose = commands(text)
    args = report_args(report[2:])
    assert (report[1], args.annotations, args.out) == (
        'report', 'data/a.json', 'w o/out/report.html')
    assert draw[:3] == ['cltdr', 'draw', 'timelines'] and diagnose[:2] == ['cltdr', 'diagnose']
    args = draw_args(draw[3:])
    assert args.out_dir == 'w o/out/timelines'
    args = diagnose_args(diagnose[2:])
    assert (args.protocol, args.subset) == ('custom', None)
    runner.test_loop.evaluator.metrics[-1].subset = 'validation'  # as in a fold
    assert diagnose_args(commands(after_test(runner))[-1][2:]).subset == 'validation'


@pytest.mark.parametrize('metrics', [[TALMetric(None)], [Accuracy()], [ProposalMetric('out')], []])
def test_after_a_test_that_wrote_nothing_to_go_on_from(folder, metrics):
    assert 'next:' not in after_test(ran_test(folder, *metrics))
