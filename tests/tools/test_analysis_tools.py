"""The thin tools that draw and infer, called as a user calls them."""
import importlib.util
import json
import sys

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

import cltdr_mm  # noqa: F401


@pytest.fixture
def tool(project_root):
    """Load a tool's module by its path below tools/."""
    def load(path):
        spec = importlib.util.spec_from_file_location(path.replace('/', '_'),
                                                      project_root / 'tools' / f'{path}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main
    return load


@pytest.fixture
def files(tmp_path):
    database = {f'v{i}': dict(duration=30.0, subset='test', annotations=[
        dict(label='run', label_id=0, segment=[1.0, 5.0])]) for i in range(6)}
    results = {f'v{i}': [dict(label='run', segment=[1.5, 5.5], score=0.7)] for i in range(6)}
    (tmp_path / 'ann.json').write_text(json.dumps(dict(database=database)))
    (tmp_path / 'res.json').write_text(json.dumps(dict(version='1', results=results,
                                                       external_data={})))
    return str(tmp_path / 'res.json'), str(tmp_path / 'ann.json'), tmp_path / 'out'


def pictures(folder):
    found = {p.name: cv2.imread(str(p)) for p in folder.iterdir()}
    assert all(p.shape[1] >= 1200 and p.std() > 5 for p in found.values())
    return found


def test_draw_timelines_draws_as_many_as_asked(tool, files, capsys):
    results, annotations, out = files
    main = tool('analysis_tools/draw_timelines')
    main([results, annotations, '--out-dir', str(out), '--num', '2'])
    assert sorted(pictures(out)) == ['v0.png', 'v5.png']
    assert str(out / 'v0.png') in capsys.readouterr().out
    main(['none', annotations, '--out-dir', str(out / 'gt'), '--videos', 'v3', 'v1'])
    assert sorted(pictures(out / 'gt')) == ['v1.png', 'v3.png']


def test_draw_timelines_takes_signals(tool, files, tmp_path):
    results, annotations, out = files
    (tmp_path / 'raw').mkdir()
    np.savetxt(tmp_path / 'raw' / 'acc_v1.txt', np.random.default_rng(0).normal(size=(1500, 3)))
    main = tool('analysis_tools/draw_timelines')
    base = [results, annotations, '--videos', 'v1']
    main([*base, '--out-dir', str(out / 'a')])
    main([*base, '--out-dir', str(out / 'b'), '--signals', str(tmp_path / 'raw'),
                 '--signal-name', '|a| (g)'])
    plain, signal = pictures(out / 'a')['v1.png'], pictures(out / 'b')['v1.png']
    assert signal.shape[0] > plain.shape[0] + 100, 'the signal takes room below'


def test_draw_timelines_says_what_is_wrong(tool, files, capsys):
    results, annotations, out = files
    main = tool('analysis_tools/draw_timelines')
    with pytest.raises(SystemExit, match=r'error: .*video v9 is in neither'):
        main([results, annotations, '--out-dir', str(out), '--videos', 'v9'])
    with pytest.raises(SystemExit, match=r'error: .*ann\.json: results: is missing'):
        main([annotations, annotations, '--out-dir', str(out)])
    with pytest.raises(SystemExit, match=r'error: .*res\.jsonx'):
        main([results + 'x', annotations, '--out-dir', str(out)])
    assert not out.exists()


def test_real_detections(tool, shared_data, tmp_path):
    out = tmp_path / 'out'
    tool('analysis_tools/draw_timelines')([
        str(shared_data / 'fixtures/evaluation/turn_detections.json.gz'),
        str(shared_data / 'data/annotations/thumos14.json'), '--out-dir', str(out), '--videos',
        'video_test_0000793', 'video_test_0000004'])
    assert len(pictures(out)) == 2


def test_plot_curves(tool, tmp_path, capsys):
    main = tool('analysis_tools/plot_curves')
    for name in ('a', 'b'):
        (tmp_path / name / 'vis_data').mkdir(parents=True)
        (tmp_path / name / 'metrics.json').write_text(json.dumps({'mAP': {'0.3': .5, '0.5': .2}}))
        (tmp_path / name / 'vis_data' / 'scalars.json').write_text(
            '\n'.join(json.dumps(dict(loss=1 / i, step=i)) for i in range(1, 60)))
    inputs = [str(tmp_path / n / 'metrics.json') for n in 'ab']
    out = tmp_path / 'pictures'
    main(['map', *inputs, '--out', str(out / 'map.png'), '--title', 'T'])
    main(['train', str(tmp_path / 'a'), '--out', str(out / 'train.png')])
    assert sorted(pictures(out)) == ['map.png', 'train.png']
    with pytest.raises(SystemExit, match=r'error: .*no vis_data/scalars\.json'):
        main(['train', str(out), '--out', str(out / 'x.png')])
    with pytest.raises(SystemExit):
        main(['map', *inputs, '--out', str(out / 'x.png'), '--names', 'one'])
    assert not (out / 'x.png').exists()


def test_infer_writes_results_and_pictures(tool, tmp_path, capsys):
    model = dict(
        type='SingleStageLocalizer',
        backbone=dict(type='GMG', in_channels=6, embed_dims=16, arch=(1, 1, 1), ffn_dims=24),
        head=dict(type='CLTDRHead', num_classes=2, in_channels=16, num_bins=4,
                  regression_ranges=[(0, 4), (4, 10000)]),
        postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS'), max_per_video=7,
                           min_score=1e-5))
    config = dict(default_scope='mmaction', model=model, test_dataloader=dict(dataset=dict(
        type='TALDataset', ann_file='', metainfo=dict(classes=['run', 'sit']), feature_stride=4,
        fps=10.0, test_mode=True,
        pipeline=[dict(type='LoadTALFeature'), dict(type='PackTALInputs')])))
    path = tmp_path / 'config.py'
    path.write_text('\n'.join(f'{k} = {v!r}' for k, v in config.items()))
    torch.save(dict(state_dict=MODELS.build(model).state_dict(), meta={}), tmp_path / 'w.pth')
    (tmp_path / 'feats').mkdir()
    for name in ('x', 'y'):
        np.save(tmp_path / 'feats' / f'{name}.npy', np.random.default_rng(1).normal(size=(40, 6)))
    main = tool('infer')
    base = [str(path), str(tmp_path / 'w.pth'), '--device', 'cpu']
    out = tmp_path / 'out'
    main([*base, str(tmp_path / 'feats'), '--out-dir', str(out)])
    results = json.loads((out / 'results.json').read_text())['results']
    assert {v: len(r) for v, r in results.items()} == {'x': 7, 'y': 7}
    assert {r['label'] for r in results['x']} <= {'run', 'sit'}
    assert sorted(pictures(out / 'pictures')) == ['x.png', 'y.png']
    assert 'x: 7 detections; strongest:' in capsys.readouterr().out
    # a model without classes finds proposals
    path.write_text(path.read_text().replace("'feature_stride'",
                                             "'class_agnostic': True, 'feature_stride'"))
    main([*base, str(tmp_path / 'feats'), '--out-dir', str(out / 'p')])
    assert 'x: 7 detections; strongest: proposal ' in capsys.readouterr().out
    results = json.loads((out / 'p' / 'results.json').read_text())['results']
    assert {tuple(r) for r in results['x']} == {('segment', 'score')}
    assert sorted(pictures(out / 'p' / 'pictures')) == ['x.png', 'y.png']
    with pytest.raises(SystemExit, match=r'error: .*gone\.npy: no such file'):
        main([*base, str(tmp_path / 'gone.npy'), '--out-dir', str(out / 'no')])
    assert not (out / 'no').exists()


def test_infer_with_strides_that_are_not_whole(tool, tmp_path, monkeypatch):
    seen = {}

    class Inferencer:
        def __init__(self, *args, **kwargs):
            pass

        classes = ()

        def limits(self, *limits):
            return limits

        def __call__(self, inputs, **kwargs):
            seen.update(kwargs)
            return dict(predictions=[], broken=[])

    main = tool('infer')
    monkeypatch.setitem(main.__wrapped__.__globals__, 'TALInferencer', Inferencer)
    base = ['checkpoint', 'w.pth', 'v.npy', '--out-dir', str(tmp_path)]
    main([*base, '--stride', '4.5', '--window', '9'])
    assert (seen['stride'], seen['window']) == (4.5, 9.0)
    with pytest.raises(SystemExit, match='stride must be a whole number of frames, got 4.5'):
        main([*base, '--stride', '4.5', '--recognizer', 'motion'])
    with pytest.raises(SystemExit):
        main([*base, '--stride', 'four'])


def test_tools_need_no_display(project_root, files):
    import os
    import subprocess
    results, annotations, out = files
    env = {k: v for k, v in os.environ.items() if k not in ('DISPLAY', 'WAYLAND_DISPLAY')}
    subprocess.run(
        [sys.executable, str(project_root / 'tools/analysis_tools/draw_timelines.py'), results,
         annotations, '--out-dir', str(out), '--num', '1'],
        check=True, cwd=out.parent, env=env)
    assert len(pictures(out)) == 1


def test_error_profile_draws_what_the_diagnosis_counts(tool, files, capsys):
    results, annotations, out = files
    main = tool('analysis_tools/diagnose_results')
    command = [results, annotations, '--protocol', 'thumos14', '--out-dir', str(out)]
    main(command)
    assert sorted(pictures(out)) == ['false_positives.png', 'missed.png', 'missed_tiou.png',
                                     'sensitivity.png', 'sensitivity_tiou.png']
    with pytest.raises(SystemExit, match=r'error: .*res\.jsonx'):
        main([results + 'x', *command[1:]])


def test_error_profile_of_real_detections(tool, shared_data, tmp_path, monkeypatch):
    main = tool('analysis_tools/diagnose_results')
    from cltdr_mm.visualization import error_profile
    titles = []
    monkeypatch.setattr(error_profile, '_title', lambda figure, title: titles.append(title))
    evaluation = shared_data / 'fixtures/evaluation'
    main([str(evaluation / 'turn_detections.json.gz'),
         str(shared_data / 'data/annotations/thumos14.json'), '--protocol', 'thumos14',
                 '--out-dir', str(tmp_path / 'o')])
    # in the published evaluator's order of ties 26.0
    average = 'turn_detections on thumos14, average over tIoU 0.3, 0.4, 0.5, 0.6, 0.7'
    assert titles == ['turn_detections on thumos14, tIoU 0.5, mAP 25.9', average, average]
    assert len(pictures(tmp_path / 'o')) == 5


def test_scores_of_models_beside_tious(tool, files, tmp_path, capsys):
    results, annotations, out = files
    content = json.loads((tmp_path / 'res.json').read_text())
    content['results']['v1'] = [dict(label='run', segment=[1., 3.], score=0.9)]
    content['results']['gone'] = [dict(label='run', segment=[1., 3.], score=0.9)]
    (tmp_path / 'other.json').write_text(json.dumps(content))
    main = tool('analysis_tools/draw_score_tiou')
    command = [results, str(tmp_path / 'other.json'), annotations, '--protocol', 'custom']
    main([*command, '--out', str(out / 'a.png')])
    said = capsys.readouterr().out
    assert 'other.json: 1 candidates of videos outside the subset are left out' in said
    assert said.splitlines()[-2:] == [str(out / 'a.png'), str(out / 'a.json')]
    report = json.loads((out / 'a.json').read_text())
    assert report['fingerprint']['instances'] == 6 and report['videos'] == 'all'
    whole, half = (report['models'][name]['instances'] for name in ('res', 'other'))
    assert whole['mean_tiou'] == pytest.approx(3.5 / 4.5)
    assert half['mean_tiou'] == pytest.approx((5 * 3.5 / 4.5 + 0.5) / 6)
    main([*command, '--out', str(out / 'b.png'), '--videos', 'v1', '--names', 'm', 'n'])
    report = json.loads((out / 'b.json').read_text())
    assert report['videos'] == ['v1'] and list(report['models']) == ['m', 'n']
    assert report['models']['n']['instances'] == dict(
        count=1, with_candidate=1, mean_score=0.9, mean_tiou=0.5, best_mean_tiou=0.5)
    for name in ('a.json', 'b.json'):
        (out / name).unlink()
    assert sorted(pictures(out)) == ['a.png', 'b.png']
