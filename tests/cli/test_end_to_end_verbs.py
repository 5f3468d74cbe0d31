"""The console command from videos to a report, with a model that reads their frames."""
import json

import pytest
from numbered_videos import VideoSet

from cltdr_mm.cli import check, infer, report, train
from cltdr_mm.cli import test as test_verb

CONFIG = '''
_base_ = ['cltdr_mm::_base_/schedules/adamw_cosine.py',
          'cltdr_mm::_base_/default_runtime.py']
model = dict(
    type='EndToEndLocalizer',
    front=dict(
        type='ClipFront', clip_len=8, frames_per_step=2, backbone=dict(
            type='ResNet3d', depth=34, pretrained=None, num_stages=1, base_channels=4,
            out_indices=(0, ), spatial_strides=(1, ), temporal_strides=(1, ), dilations=(1, ),
            inflate=(1, ))),
    backbone=dict(type='GMG', embed_dims=16, arch=(1, 1, 2), ffn_dims=24),
    head=dict(type='CLTDRHead', num_classes=2, num_bins=4))
videos = dict(
    type='TALVideoDataset', data_root={root!r}, ann_file='ann.json',
    data_prefix=dict(video='videos'), feature_stride=4, frames_per_step={per_step},
    metainfo=dict(classes=('jump', 'run')))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(subset='training', **videos, pipeline=[
        dict(type='SampleTALFrames'),
        dict(type='RandomCropFrames', max_len=20),
        dict(type='LoadTALFrames', short_side=20),
        dict(type='RandomResizedCrop'),
        dict(type='Resize', scale=(16, 16), keep_ratio=False),
        dict(type='Flip'),
        dict(type='ColorJitterFrames'),
        dict(type='PackTALInputs')]))
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        subset='test', test_mode=True, window=dict(size=16, overlap=0.5), **videos, pipeline=[
            dict(type='SampleTALFrames'),
            dict(type='LoadTALFrames', short_side=16),
            dict(type='CenterCrop', crop_size=16),
            dict(type='PackTALInputs')]))
test_evaluator = dict(
    type='TALMetric', ann_file={root!r} + '/ann.json', protocol='custom', subset='test',
    postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5),
                       max_per_video=30))
default_hooks = dict(ema=None)
train_cfg = dict(max_epochs=1)
param_scheduler = dict(warmup=0)
'''

FEATURES = '''
_base_ = {base!r}
model = dict(
    _delete_=True, type='SingleStageLocalizer',
    backbone=dict(type='GMG', in_channels=8, embed_dims=16, arch=(1, 1, 2), ffn_dims=24),
    head=dict(type='CLTDRHead', num_classes=2, num_bins=4))
'''


@pytest.fixture
def videos(tmp_path):
    pytest.importorskip('av', reason='PyAV is not installed: pip install av')
    made = VideoSet(tmp_path)
    made.settings()  # writes the annotation file
    return made


def config(videos, per_step=2):
    path = videos.root / 'mine.py'
    path.write_text(CONFIG.format(root=str(videos.root), per_step=per_step))
    return str(path)


def test_from_videos_to_a_report(videos, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = config(videos)
    check.main([cfg])
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == 'all checks passed: this can be trained'
    assert '| training |      2 |' in out
    assert '| num_levels |' in out and '| tious ' in out  # what suits features is not suggested
    assert not any(f'| {name} ' in out for name in ('max_len', 'width', 'batch_size', 'lr'))
    train.main([cfg, '--work-dir', 'work'])
    test_verb.main([cfg, 'work', '--out', 'out'])
    tested = json.loads((tmp_path / 'out' / 'detections.json').read_text())['results']
    assert set(tested) == {'v2'} and 0 < len(tested['v2']) <= 30
    infer.main([cfg, 'work/epoch_1.pth', str(videos.video('v2')), '--out-dir', 'inferred',
                '--formats', 'json', '--device', 'cpu'])
    found = json.loads((tmp_path / 'inferred' / 'results.json').read_text())['results']
    assert len(found['v2']) == len(tested['v2'])
    for one, other in zip(found['v2'], tested['v2']):
        assert one['score'] == pytest.approx(other['score'], abs=1e-4)
    if pytest.importorskip('plotly'):
        report.main(['inferred/results.json', '--annotations', 'ann.json', '--videos', 'videos',
                     '--out', 'report.html'])
        assert 'v2.mp4' in (tmp_path / 'report.html').read_text()


def fails(verb, *words):
    with pytest.raises(SystemExit) as end:
        verb.main([str(word) for word in words])
    return str(end.value.code)


def test_bad_videos_are_listed(videos):
    videos.video('v0').write_bytes(b'')
    videos.video('v2').unlink()
    lines = fails(check, config(videos)).splitlines()
    assert lines[0] == 'error: data: 2 problems'
    assert "v0.mp4: video 'v0': video: the video cannot be decoded" in lines[1]
    assert "v2: video 'v2': video: there is no file of this name" in lines[2]


def test_frames_that_do_not_meet_the_front(videos):
    assert 'frames_per_step: is 1, but model.front.frames_per_step is 2' in fails(
        check, config(videos, per_step=1))


def test_frames_for_a_model_of_features(videos):
    path = videos.root / 'features.py'
    path.write_text(FEATURES.format(base=config(videos)))
    assert ('gives frames (3, F, H, W), but the model takes features: frames are for an '
            'EndToEndLocalizer') in fails(check, path)
