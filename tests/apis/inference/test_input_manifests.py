"""A model knows how its training features were made, and takes no others."""
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

from cltdr_mm import cli
from cltdr_mm.apis import TALInferencer, VideoFeatureExtractor
from cltdr_mm.apis.features.feature_extraction import extract_features
from cltdr_mm.datasets import TALDataset
from cltdr_mm.datasets.feature_manifest import read_manifest

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

MOTION = dict(recognizer='motion')


@pytest.fixture
def trained(cfg, films, tmp_path):
    """Features of the films by ``motion``, and a config and checkpoint of a model on them."""
    manifest = read_manifest(extract_features(films, tmp_path / 'data', MOTION).folder)
    ann_file = tmp_path / 'data' / 'annotations.json'
    ann_file.write_text(json.dumps(dict(database={
        name: dict(duration=video.duration, fps=10.0, subset='test', annotations=[])
        for name, video in manifest.videos.items()})))
    dataset = cfg.test_dataloader.dataset
    dataset.update(ann_file=str(ann_file), data_prefix=dict(feats=str(tmp_path / 'data/features')))
    for key in ('feature_stride', 'feature_window', 'default_fps'):
        del dataset[key]
    cfg.model.backbone.in_channels = manifest.channels
    torch.manual_seed(3)
    model = MODELS.build(cfg.model)
    meta = dict(TALDataset(**{k: v for k, v in dataset.items() if k != 'type'}).metainfo)
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=meta)),
               tmp_path / 'trained.pth')
    return cfg, str(tmp_path / 'trained.pth')


def inferencer(trained, **options):
    return TALInferencer(trained[0], trained[1], device='cpu', **options)


def test_a_folder_with_a_manifest_needs_nothing_else(trained, tmp_path):
    folder = tmp_path / 'data' / 'features'
    found = inferencer(trained)(str(folder))['predictions']
    assert [video['video_name'] for video in found] == ['a', 'c', 'cam1/b']
    known = read_manifest(folder).videos
    assert all(video['duration'] == known[video['video_name']].duration for video in found)
    one = inferencer(trained)(str(folder / 'a.npy'))['predictions']
    assert one == found[:1]
    (folder / 'cam1' / 'b.npy').unlink()
    with pytest.raises(FileNotFoundError, match=r'b\.npy: no such file, but the manifest of'):
        inferencer(trained)(str(folder))


def test_a_video_is_extracted_as_the_training_features_were(trained, films, tmp_path):
    by_features = inferencer(trained)(str(tmp_path / 'data' / 'features' / 'a.npy'))
    by_video = inferencer(trained)(str(films / 'a.mp4'))
    for one, other in zip(by_features['predictions'][0]['detections'],
                          by_video['predictions'][0]['detections']):
        np.testing.assert_allclose(one['segment'], other['segment'], atol=0.05)
        assert one['score'] == pytest.approx(other['score'], abs=1e-5)


def test_the_checkpoint_knows_it_where_the_training_features_are_gone(trained, films, tmp_path):
    before = inferencer(trained)(str(films / 'c.mp4'))
    (tmp_path / 'data').rename(tmp_path / 'moved')
    assert inferencer(trained)(str(films / 'c.mp4')) == before
    assert len(inferencer(trained)(str(tmp_path / 'moved' / 'features'))['predictions']) == 3


def test_another_extractor_is_an_error(trained, films):
    other = VideoFeatureExtractor('motion', stride=2, fps='own')
    with pytest.raises(ValueError, match=r'a\.mp4: the recognizer would make other features than '
                                         r'the model was trained on \(stride: 4 and 2; fps: 15\.0 '
                                         r'and none, the model first\)'):
        inferencer(trained, extractor=other)(str(films / 'a.mp4'))
    same = inferencer(trained, extractor=VideoFeatureExtractor('motion'))
    assert same(str(films / 'a.mp4'))['predictions'][0]['detections']


def test_features_that_were_made_otherwise_are_an_error(trained, films, tmp_path):
    extract_features(films, tmp_path / 'other', dict(MOTION, stride=2))
    with pytest.raises(ValueError, match=r'a\.npy: its manifest\.json says that it was made '
                                         r'otherwise .*\(stride: 4 and 2, the model first\)'):
        inferencer(trained)(str(tmp_path / 'other' / 'features'))
    with pytest.raises(ValueError, match=r'its manifest\.json says fps 15, but 30 was given'):
        inferencer(trained)(str(tmp_path / 'data' / 'features'), fps=30.0)
    with pytest.raises(ValueError, match=r'a\.mp4: the manifest of the training features says '
                                         'stride 4, but 8 was given'):
        inferencer(trained)(str(films / 'a.mp4'), stride=8)


def test_weights_are_those_of_the_training_features(trained, films, tmp_path):
    cfg, checkpoint = trained
    content = torch.load(checkpoint, weights_only=True)
    folder = tmp_path / 'data' / 'features'
    manifest = replace(read_manifest(folder), recognizer='x3d-m', crop_size=32, short_side=32,
                       weights=dict(file='x3d.pth', sha256='ab' * 32))
    manifest.write(folder)
    content['meta']['dataset_meta']['features'] = manifest.settings()
    torch.save(content, checkpoint)
    with pytest.raises(ValueError, match='x3d-m: a recognizer without weights'):
        inferencer(trained)(str(films / 'a.mp4'))
    model = MODELS.build(dict(type='X3D', gamma_w=1, gamma_b=2.25, gamma_d=2.2))
    torch.save(dict(state_dict={f'backbone.{key}': value for key, value
                                in model.state_dict().items()}), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match=r'w\.pth: recognizer: is not that of the training '
                                         rf'features \(weights: {"ab" * 32} and \w+\)'):
        inferencer(trained, extractor=dict(checkpoint=str(tmp_path / 'w.pth')))(
            str(films / 'a.mp4'))


def test_broken_videos_can_be_left_out(trained, films, tmp_path):
    model = inferencer(trained)
    whole = model(str(films))
    assert whole['broken'] == []
    (films / 'junk.mp4').write_text('no video')
    with pytest.raises(ValueError, match="junk.mp4: video 'junk'.*; --skip-broken leaves out"):
        model(str(films))
    out = model(str(films), skip_broken=True)
    assert out['predictions'] == whole['predictions']
    assert [problem.video for problem in out['broken']] == ['junk']
    with pytest.raises(ValueError, match='junk.mp4'):
        model(str(films / 'junk.mp4'), skip_broken=True)  # nothing would be left


def test_a_video_that_breaks_while_it_is_decoded(trained, films, monkeypatch):
    model = inferencer(trained)
    whole = model(str(films))['predictions']
    extract = VideoFeatureExtractor.__call__

    def fails(self, path, *args):
        if str(path) == whole[0]['video']:
            raise ValueError(f'{path}: 3 of 9 frames could be read')
        return extract(self, path, *args)

    monkeypatch.setattr(VideoFeatureExtractor, '__call__', fails)
    out = model(str(films), skip_broken=True)
    assert out['predictions'] == whole[1:] and len(whole) > 1
    assert [problem.message for problem in out['broken']] == ['3 of 9 frames could be read']
    with pytest.raises(ValueError, match='3 of 9 frames could be read; --skip-broken'):
        model(str(films))


def test_the_command_leaves_out_and_lists_broken_videos(trained, films, tmp_path):
    trained[0].dump(tmp_path / 'config.py')
    (films / 'junk.mp4').write_text('no video')
    out = tmp_path / 'out'
    with pytest.raises(SystemExit, match="error: videos left out: .*junk.mp4: video 'junk'"):
        cli.main(['infer', str(tmp_path / 'config.py'), trained[1], str(films), '--out-dir',
                  str(out), '--formats', 'csv', '--skip-broken', '--device', 'cpu'])
    assert (out / 'results.csv').is_file()
    assert len(json.loads((out / 'results.json').read_text())['results']) == 2
