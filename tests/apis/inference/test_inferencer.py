import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner import Runner

from cltdr_mm.apis import TALInferencer
from cltdr_mm.engine.score_threshold import THRESHOLD
from cltdr_mm.utils import TALDataError


def run_test(cfg, weights):
    """What the Runner's metric writes: detections by video."""
    runner = Runner.from_cfg(cfg.copy())
    runner.load_checkpoint(weights)
    runner.test()
    path = Path(cfg.test_evaluator.out_dir) / 'detections.json'
    return json.loads(path.read_text())['results']


@pytest.fixture
def inferencer(cfg, weights):
    return TALInferencer(cfg, weights, device='cpu')


def assert_equal(found, expected):
    assert len(found) == len(expected) > 5
    for key, tolerance in (('score', 1e-5), ('segment', 1e-4)):
        np.testing.assert_allclose([d[key] for d in found], [d[key] for d in expected],
                                   atol=tolerance)
    assert [d['label'] for d in found] == [d['label'] for d in expected]


@pytest.mark.parametrize('batch_size', [1, 3])
def test_predictions_are_the_runners(cfg, weights, folder, inferencer, batch_size):
    expected = run_test(cfg, weights)
    out = inferencer(str(folder), batch_size=batch_size)
    assert [p['video_name'] for p in out['predictions']] == [f'v{i}' for i in range(5)]
    for prediction in out['predictions']:
        assert_equal(prediction['detections'], expected[prediction['video_name']])
    scores = [d['score'] for d in out['predictions'][0]['detections']]
    assert scores == sorted(scores, reverse=True)


def test_sliding_windows_are_merged(cfg, weights, folder):
    whole = TALInferencer(cfg, weights, device='cpu')(str(folder / 'v2.npy'))
    cfg.test_dataloader.dataset.window = dict(size=24, overlap=0.5)
    cfg.test_evaluator.postprocessor = cfg.model.pop('postprocessor')
    sliding = TALInferencer(cfg, weights, device='cpu')
    expected = run_test(cfg, weights)
    out = sliding([str(folder / 'v2.npy'), str(folder / 'v3.npy')], batch_size=3)
    assert [p['video_name'] for p in out['predictions']] == ['v2', 'v3']
    for prediction in out['predictions']:
        assert_equal(prediction['detections'], expected[prediction['video_name']])
        assert len(prediction['detections']) <= 40, 'the merging NMS keeps 40'
    ends = max(d['segment'][1] for d in out['predictions'][0]['detections'])
    assert ends > 24 * 0.5 + 1, 'later windows count'
    assert out['predictions'][0]['detections'] != whole['predictions'][0]['detections']
    array = sliding(np.load(folder / 'v2.npy'))['predictions'][0]['detections']
    assert_equal(array, out['predictions'][0]['detections'])


def test_windows_without_a_merging_postprocessor_are_put_together(cfg, weights, folder):
    cfg.test_dataloader.dataset.window = dict(size=24, overlap=8)
    expected = run_test(cfg, weights)
    out = TALInferencer(cfg, weights, device='cpu')(str(folder / 'v2.npy'))['predictions'][0]
    assert_equal(out['detections'], expected['v2'])
    assert len(out['detections']) > 40, 'each window keeps 40'


def test_arrays_files_tensors_and_either_layout_agree(inferencer, folder):
    path = folder / 'v1.npy'
    feats = np.load(path)
    np.save(folder / 'turned.npy', feats.T)
    inputs = [str(path), path, feats, feats.T, torch.from_numpy(feats), feats.astype(np.float64)]
    inputs = inputs[:1] + inputs[2:] + [str(folder / 'turned.npy'),
                                        dict(feats=feats, video_name='mine', fps=10.0)]
    before = feats.copy()
    out = inferencer(inputs)['predictions']
    assert [p['video_name'] for p in out] == ['v1', 'input_1', 'input_2', 'input_3', 'input_4',
                                              'turned', 'mine']
    for other in out[1:]:
        assert other['detections'] == out[0]['detections']
    np.testing.assert_array_equal(feats, before)
    assert inferencer(path)['predictions'][0] == out[0]


def test_square_features_follow_the_configured_layout(inferencer):
    feats = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    one = inferencer(feats)['predictions'][0]['detections']
    assert inferencer(feats, layout='time_major')['predictions'][0]['detections'] == one
    assert inferencer(feats.T, layout='channel_major')['predictions'][0]['detections'] == one
    assert inferencer(feats.T)['predictions'][0]['detections'] != one


def test_rates_and_durations(inferencer, folder):
    path = str(folder / 'v1.npy')
    base = inferencer(path)['predictions'][0]
    assert base['duration'] == ((47 - 1) * 5 + 10) / 10
    double = inferencer(path, fps=20.0)['predictions'][0]
    assert double['duration'] == base['duration'] / 2
    np.testing.assert_allclose([d['segment'] for d in double['detections']],
                               [np.divide(d['segment'], 2) for d in base['detections']])
    short = inferencer(path, duration=4.0)['predictions'][0]
    assert short['duration'] == 4.0
    assert max(d['segment'][1] for d in short['detections']) <= 4.0
    assert inferencer(path, annotations=folder / 'ann.json')['predictions'][0] == base
    with pytest.raises(ValueError, match="ann.json: video 'other': database: there is no such vid"):
        inferencer(dict(path=path, video_name='other'), annotations=folder / 'ann.json')


def test_json_and_pictures(inferencer, folder, tmp_path):
    out = inferencer([str(folder / 'v0.npy'), str(folder / 'v3.npy')], return_vis=True,
                     out_file=str(tmp_path / 'o' / 'results.json'),
                     picture_dir=str(tmp_path / 'pictures'), top=5)
    written = json.loads((tmp_path / 'o' / 'results.json').read_text())
    assert set(written) == {'version', 'results', 'external_data'}
    assert written['results'] == {p['video_name']: p['detections'] for p in out['predictions']}
    assert sorted(p.name for p in (tmp_path / 'pictures').iterdir()) == ['v0.png', 'v3.png']
    picture = cv2.imread(str(tmp_path / 'pictures' / 'v0.png'))[..., ::-1]
    np.testing.assert_array_equal(picture, out['visualization'][0])
    assert inferencer(str(folder / 'v0.npy'))['visualization'] is None
    samples = inferencer(str(folder / 'v0.npy'), return_datasamples=True)['predictions']
    assert samples[0].pred_instances.labels.dtype == torch.int64


@pytest.mark.parametrize('window', [None, dict(size=24, overlap=0.5)])
def test_proposals_have_no_label(cfg, folder, tmp_path, window):
    """Of a class-agnostic data set, whatever the number of classes and their names."""
    cfg.test_dataloader.dataset.update(class_agnostic=True, window=window)
    cfg.model.head.num_classes = 1
    cfg.test_evaluator = dict(cfg.test_evaluator, type='ProposalMetric', protocol='custom')
    model = MODELS.build(cfg.model)
    path = tmp_path / 'agnostic.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        dataset_meta=dict(classes=['walk', 'sit', 'lie']), cfg=cfg.pretty_text)), path)
    expected = run_test(cfg, str(path))
    inferencer = TALInferencer(cfg, str(path), device='cpu')
    out = inferencer([str(folder / 'v0.npy'), np.load(folder / 'v2.npy')], return_vis=True,
                     out_file=str(tmp_path / 'results.json'))
    for prediction, name in zip(out['predictions'], ('v0', 'v2')):
        assert len(prediction['detections']) > 5
        assert {tuple(d) for d in prediction['detections']} == {('segment', 'score')}
        np.testing.assert_allclose([d['segment'] for d in prediction['detections']],
                                   [d['segment'] for d in expected[name]], atol=1e-4)
    written = json.loads((tmp_path / 'results.json').read_text())['results']
    assert written['v0'] == out['predictions'][0]['detections']
    assert len(out['visualization']) == 2
    # one class is a class all the same where the data set has one
    cfg.test_dataloader.dataset.class_agnostic = False
    found = TALInferencer(cfg, str(path), device='cpu')(str(folder / 'v0.npy'))['predictions'][0]
    assert {d['label'] for d in found['detections']} == {'walk'}


def test_proposals_with_video_level_scores_have_labels(cfg, folder, tmp_path, weights):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps({'v0': [0.1, 0.2, 0.7]}))
    cfg.test_dataloader.dataset.class_agnostic = True
    cfg.model.postprocessor.fusion = dict(type='ExternalScores', score_file=str(path), topk=2)
    found = TALInferencer(cfg, weights, device='cpu')(str(folder / 'v0.npy'))['predictions'][0]
    assert {d['label'] for d in found['detections']} == {'sit', 'lie'}


def test_no_picture_outside_and_none_over_another(inferencer, folder, tmp_path):
    feats = np.load(folder / 'v1.npy')
    names = ['a/b', 'a:b', 'a_b', '../x', '/abs/x', 'x' * 300]
    inferencer([dict(feats=feats, video_name=name) for name in names],
               picture_dir=str(tmp_path / 'deep' / 'pictures'), out_file=str(tmp_path / 'r.json'))
    made = list((tmp_path / 'deep').rglob('*.png'))
    assert len(made) == len(names) == len(list(tmp_path.rglob('*.png')))
    assert list(json.loads((tmp_path / 'r.json').read_text())['results']) == names


def test_model_object_and_checkpoint_alone(cfg, weights, inferencer, folder, capsys):
    path = str(folder / 'v1.npy')
    expected = inferencer(path)['predictions']
    capsys.readouterr()
    assert TALInferencer(weights=weights, device='cpu')(path)['predictions'] == expected
    assert 'checkpoint' not in capsys.readouterr().out  # where it is read from is not printed
    assert TALInferencer(inferencer.model, device='cpu')(path)['predictions'] == expected
    model = inferencer.model
    del model.cfg
    bare = TALInferencer(model, device='cpu', classes=['a', 'b', 'c'])
    out = bare(path, fps=10.0, stride=5, window=10)['predictions'][0]
    assert [d['score'] for d in out['detections']] == \
        [d['score'] for d in expected[0]['detections']]
    assert {d['label'] for d in out['detections']} <= {'a', 'b', 'c'}
    with pytest.raises(ValueError, match='v1.npy: the frame rate is unknown'):
        bare(path, stride=5)
    with pytest.raises(ValueError, match='v1.npy: these features are resampled'):
        bare(path, fps=10.0)


def test_the_config_in_a_checkpoint_is_not_executed(weights, tmp_path):
    checkpoint = torch.load(weights, weights_only=True)
    meta = checkpoint['meta']
    meta['cfg'] = f"open({str(tmp_path / 'hacked')!r}, 'w')\n" + meta['cfg']
    torch.save(checkpoint, weights)
    with pytest.raises(ValueError, match=f'{Path(weights).name}: its config is not made of'):
        TALInferencer(weights=weights, device='cpu')
    assert not (tmp_path / 'hacked').exists()


def test_class_names_of_the_checkpoint_go_before_the_configs(cfg, weights, folder):
    checkpoint = torch.load(weights, weights_only=True)
    checkpoint['meta']['dataset_meta']['classes'] = ['x', 'y', 'z']
    torch.save(checkpoint, weights)
    assert TALInferencer(cfg, weights, device='cpu').classes == ['x', 'y', 'z']
    del checkpoint['meta']['dataset_meta']
    torch.save(checkpoint, weights)
    assert TALInferencer(cfg, weights, device='cpu').classes == ['walk', 'sit', 'lie']


@pytest.mark.parametrize('content, words', [
    (np.zeros((9, 5), np.float32), r'bad.npy: features of shape \(9, 5\), but .* 6 channels'),
    (np.zeros((0, 6), np.float32), 'bad.npy'),
    (np.zeros((4, 6, 1), np.float32), 'bad.npy'),
    (np.full((9, 6), np.nan, np.float32), 'bad.npy.*v?bad.*NaN or inf at step 0'),
    (b'no array at all', 'bad.npy'),
])
def test_bad_files_are_named_before_anything_runs(inferencer, folder, content, words, monkeypatch):
    path = folder / 'bad.npy'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    if 'NaN' not in words:
        monkeypatch.setattr(inferencer, 'forward', lambda *a, **k: pytest.fail('ran a model'))
    with pytest.raises(ValueError, match=words):
        inferencer([str(folder / 'v0.npy'), str(path)])


def test_bad_inputs_are_named(inferencer, folder, tmp_path, cfg):
    (tmp_path / 'nothing').mkdir()
    (tmp_path / 'clip.mp4').write_bytes(b'')
    (tmp_path / 'v0.npy').write_bytes((folder / 'v0.npy').read_bytes())
    cases = [
        (str(tmp_path / 'gone.npy'), FileNotFoundError, 'gone.npy: no such file'),
        (str(tmp_path / 'nothing'), FileNotFoundError, 'no feature or video file'),
        (str(folder / 'ann.json'), ValueError, 'ann.json: neither a feature file'),
        (str(tmp_path / 'clip.mp4'), ValueError, 'clip.mp4: a video needs a feature extractor'),
        ([folder / 'v0.npy', tmp_path / 'v0.npy'], ValueError, 'two inputs are called v0'),
        (3, TypeError, 'input must be'), ([None], TypeError, 'input 0 must be'),
        (dict(feats=np.zeros((9, 6)), foo=1), ValueError, 'foo'),
        (dict(video_name='a'), ValueError, 'needs either'),
        (np.full((9, 6), np.inf), ValueError, 'input_0: NaN or inf at step 0'),
    ]
    for inputs, error, words in cases:
        with pytest.raises(error, match=words):
            inferencer(inputs)
    with pytest.raises(ValueError, match='fps must be positive'):
        inferencer(str(folder / 'v0.npy'), fps=-1.0)
    with pytest.raises(ValueError, match='batch_size'):
        inferencer(str(folder / 'v0.npy'), batch_size=0)
    with pytest.raises(ValueError, match='unknown argument'):
        inferencer(str(folder / 'v0.npy'), foo=1)
    with pytest.raises(FileNotFoundError, match='gone.py: no such config'):
        TALInferencer(str(tmp_path / 'gone.py'))
    with pytest.raises(FileNotFoundError, match='gone.pth: no such checkpoint'):
        TALInferencer(cfg, str(tmp_path / 'gone.pth'))
    stock = MODELS.build(dict(type='TEM', temporal_dim=9, boundary_ratio=.1, tem_feat_dim=6,
                              tem_hidden_dim=4, tem_match_threshold=.5))
    with pytest.raises(TypeError, match='TEM of MMAction2 returns no data samples'):
        TALInferencer(stock)


def test_a_checkpoint_that_would_run_code_is_refused(cfg, tmp_path):
    class Attack:
        def __reduce__(self):
            return open, (str(tmp_path / 'owned'), 'w')

    torch.save(dict(state_dict={}, meta=Attack()), tmp_path / 'evil.pth')
    with pytest.raises(TALDataError, match=r'evil\.pth: file: .*might run code'):
        TALInferencer(cfg, str(tmp_path / 'evil.pth'), device='cpu')
    assert not (tmp_path / 'owned').exists()


def test_only_the_strongest_are_kept(inferencer, folder, weights):
    path = str(folder / 'v2.npy')
    every = inferencer(path)['predictions'][0]['detections']
    limit = every[9]['score']
    few = inferencer(path, min_score=limit)['predictions'][0]['detections']
    assert few == [detection for detection in every if detection['score'] >= limit]
    assert 10 <= len(few) < len(every)
    assert inferencer(path, top=4)['predictions'][0]['detections'] == every[:4]
    assert inferencer(path, min_score=2.)['predictions'][0]['detections'] == []
    with pytest.raises(ValueError, match=r'checkpoint\.pth: was never validated'):
        inferencer(path, min_score='auto')
    checkpoint = torch.load(weights)
    checkpoint['meta'][THRESHOLD] = limit
    torch.save(checkpoint, weights)
    assert inferencer(path, min_score='auto')['predictions'][0]['detections'] == few
    for options, words in ((dict(min_score='x'), "min_score must be a number or 'auto'"),
                           (dict(min_score=float('nan')), 'min_score'),
                           (dict(top=0), 'top must be a whole number from 1 on')):
        with pytest.raises(ValueError, match=words):
            inferencer(path, **options)


def test_pictures_show_what_is_kept(inferencer, folder):
    path = str(folder / 'v2.npy')
    limit = inferencer(path)['predictions'][0]['detections'][2]['score']
    shown = [inferencer(path, return_vis=True, **options)['visualization'][0]
             for options in (dict(min_score=limit), dict(top=3), dict())]
    assert not np.array_equal(shown[0], shown[2]) and shown[0].shape == shown[1].shape


def test_rate_of_the_configs_annotation_file(cfg, weights, folder):
    """What is known of a video in training is known here; others are not looked for in it."""
    del cfg.test_dataloader.dataset.default_fps
    content = json.loads((folder / 'ann.json').read_text())
    content['database']['v1']['fps'] = 20.0
    content['database']['v1']['duration'] = 12.0
    (folder / 'ann.json').write_text(json.dumps(content))
    inferencer = TALInferencer(cfg, weights, device='cpu')
    found = inferencer(str(folder / 'v1.npy'))['predictions'][0]
    assert (found['duration'], found['fps'], found['video']) == (12.0, 20.0, None)
    assert inferencer(str(folder / 'v1.npy'), fps=40.)['predictions'][0]['fps'] == 40.
    with pytest.raises(ValueError, match='other: the frame rate is unknown|rate is unknown'):
        inferencer(dict(path=str(folder / 'v1.npy'), video_name='other'))


def test_rate_and_duration_of_the_videos(cfg, weights, folder, tmp_path):
    av = pytest.importorskip('av')
    (tmp_path / 'films').mkdir()
    film = tmp_path / 'films' / 'v1.mkv'
    with av.open(str(film), 'w') as container:
        stream = container.add_stream('mpeg4', rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for _ in range(245):
            image = np.zeros((48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
    del cfg.test_dataloader.dataset.default_fps
    cfg.test_dataloader.dataset.ann_file = str(folder / 'gone.json')
    inferencer = TALInferencer(cfg, weights, device='cpu')
    path = str(folder / 'v1.npy')
    with pytest.raises(ValueError, match='the frame rate is unknown'):
        inferencer(path)
    found = inferencer([path], videos=tmp_path / 'films')['predictions'][0]
    assert found['fps'] == pytest.approx(20.) and found['duration'] == pytest.approx(12.25, abs=.06)
    assert found['video'] == str(film)
    with pytest.raises(TALDataError, match=r"v1\.npy: video 'v1': feature length: 47 steps"):
        inferencer([path], videos=tmp_path / 'films', fps=10.)
    with pytest.raises(TALDataError, match='none of its 1 video files has the name of a video'):
        inferencer([str(folder / 'v2.npy')], videos=tmp_path / 'films')
