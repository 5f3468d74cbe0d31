"""Charades, Ego4D-MQ, FineAction, EPIC-Sounds: from converted files to measures, by their configs.

Annotations, features and video-level scores are made; models are narrow, and their weights random.
"""
import json

import numpy as np
import pytest
import torch
from config_models import CONFIGS, load
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from cltdr_mm.datasets.converters.activitynet import convert_fineaction
from cltdr_mm.datasets.converters.charades import convert_charades
from cltdr_mm.datasets.converters.ego4d import convert_ego4d_mq
from cltdr_mm.datasets.converters.epic import convert_epic_sounds

DATA = 'charades', 'ego4d_mq', 'fineaction', 'epic_sounds'
#: Steps of the two videos of each subset.
STEPS = 90, 40
#: Stride, offset and rate as OpenTAD gives them: step t is at (t * stride + offset) / rate seconds.
GRIDS = dict(
    charades_i3d=(8, 0, 24), charades_videomae=(4, 2, 30), ego4d_mq_slowfast=(16, 16, 30),
    ego4d_mq_omnivore=(16, 16, 30), ego4d_mq_egovlp=(16, 8, 30), ego4d_mq_internvideo=(8, 4, 30),
    epic_sounds=(6, 16, 30), fineaction_videomae=(16, 8, 30))


def clock(seconds):
    return f'00:{int(seconds // 60):02d}:{seconds % 60:06.3f}'


def convert(data, folder, seconds):
    """Annotations of data set ``data``, by its converter; ``seconds`` are the videos' lengths."""
    out = folder / 'annotations' / f'{data}.json'
    subsets = dict(charades=('training', 'testing'), fineaction=('training', 'validation')).get(
        data, ('train', 'val'))
    videos = {f'{subset}_{i}': (subset, length) for subset in subsets
              for i, length in enumerate(seconds)}

    def segments(length):  # two overlap
        return (0.1 * length, 0.5 * length), (0.2 * length, 0.4 * length), (0.7 * length, length)

    if data == 'charades':
        (folder / 'c.json').write_text(json.dumps({name: dict(
            subset=subset, duration=length, actions=[[i + 100, *s] for i, s in enumerate(
                segments(length))]) for name, (subset, length) in videos.items()}))
        convert_charades(str(out), source=str(folder / 'c.json'))
    elif data == 'epic_sounds':
        (folder / 'i.csv').write_text('video_id,duration\n' + ''.join(
            f'{name},{length}\n' for name, (_, length) in videos.items()))
        for part in subsets:
            (folder / f'{part}.csv').write_text(
                'video_id,start_timestamp,stop_timestamp,class,class_id\n' + ''.join(
                    f'{name},{clock(start)},{clock(end)},rustle,4\n'
                    for name, (subset, length) in videos.items() if subset == part
                    for start, end in segments(length)))
        convert_epic_sounds(str(out), str(folder / 'i.csv'), str(folder / 'train.csv'),
                            str(folder / 'val.csv'))
    else:
        label = dict(ego4d_mq=('use_phone', 'walk_down_stairs_/_walk_up_stairs', 'use_phone'),
                     fineaction=('wash', 'apply', 'wash'))[data]
        (folder / 'd.json').write_text(json.dumps(dict(database={name: dict(
            subset=subset, duration=length, frame=30 * length,
            annotations=[dict(segment=s, label=label[i]) for i, s in enumerate(segments(length))])
            for name, (subset, length) in videos.items()})))
        if data == 'ego4d_mq':
            convert_ego4d_mq([str(folder / 'd.json')], str(out))
        else:
            convert_fineaction(str(folder / 'd.json'), str(out))
    return out, videos


def make(cfg, data, folder):
    """Annotations and features where a config looks for them, once its root is this folder."""
    found = cfg.train_dataloader.dataset
    stride = found.feature_stride or 16
    window = found.feature_window or 0
    seconds = [((steps - 1) * stride + window) / found.fps for steps in STEPS]
    out, videos = convert(data, folder, seconds)
    assert str(out) == str(folder / found.ann_file)
    feats = folder / found.data_prefix.feats
    feats.mkdir(parents=True)
    for i, name in enumerate(videos):
        rows = np.random.default_rng(i).standard_normal(
            (STEPS[i % 2], found.feature_dim)).astype(np.float32)
        if found.get('file_suffix') == '.npz':
            np.savez(feats / f'{name}.npz', feats=rows)
        else:
            np.save(feats / f'{name}.npy', rows)
    if data == 'fineaction':
        (folder / 'video_scores.json').write_text(json.dumps(dict(
            classes=['wash', 'apply'], results={name: [[0.75, 0.25]] for name in videos})))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.data_root = str(folder)
    cfg.val_evaluator.ann_file = str(out)


@pytest.mark.parametrize('name', GRIDS)
def test_steps_lie_where_they_are_published(name, tmp_path):
    cfg = Config.fromfile(CONFIGS / '_base_' / 'datasets' / f'{name}.py')
    data = next(data for data in DATA if data in name)
    make(cfg, data, tmp_path)
    stride, offset, fps = GRIDS[name]
    steps = cfg.val_dataloader.dataset.pipeline = cfg.val_dataloader.dataset.pipeline[:1]
    assert steps[0].type == 'LoadTALFeature'
    grid = DATASETS.build(cfg.val_dataloader.dataset)[0]['grid']
    expected = (np.arange(5) * stride + offset) / fps
    np.testing.assert_allclose(grid.to_seconds(np.arange(5.)), expected)


@pytest.mark.parametrize('name', [f'{method}_{data}' for method in ('actionformer', 'cltdr')
                                  for data in DATA] + ['actionformer_charades_videomae'])
def test_from_converted_files_to_measures(name, tmp_path):
    cfg = load(name)
    data = next(data for data in DATA if data in name)
    make(cfg, data, tmp_path)
    cfg.model.backbone.update(embed_dims=16, ffn_dims=16)
    if data == 'fineaction':
        cfg.model.postprocessor.fusion.score_file = str(tmp_path / 'video_scores.json')
        cfg.model.head.pop('feat_channels', None)
    windows = cfg.val_dataloader.dataset.get('window')
    assert bool(windows) == (name.endswith(('epic_sounds', 'videomae')))
    if windows:
        windows.size = 64
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(cfg.model)

    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(train) == 2
    batch = model.data_preprocessor(pseudo_collate([train[0], train[1]]), True)
    losses = model.train()(**batch, mode='loss')
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())

    test = DATASETS.build(cfg.val_dataloader.dataset)
    assert len(test) == (3 if windows else 2)
    metric = METRICS.build(cfg.val_evaluator)
    metric.dataset_meta = test.metainfo
    model.postprocessor.set_classes(test.metainfo['classes'])
    batch = model.data_preprocessor(pseudo_collate([test[i] for i in range(len(test))]), False)
    with torch.no_grad():
        samples = model.eval()(**batch, mode='predict')
    metric.process(None, [sample.to_dict() for sample in samples])
    found = metric.evaluate(len(samples))
    assert 0 <= found['average_mAP'] <= 1
    expected = (0.5 if data in ('charades', 'fineaction') else 0.1)
    assert f'mAP@{expected:g}' in found
    kept = cfg.val_evaluator.get('postprocessor', cfg.model.postprocessor).max_per_video
    topk = 2 if data == 'fineaction' else 1
    if not windows:
        assert all(len(sample.pred_instances) <= kept * topk for sample in samples)
    if data == 'fineaction':  # the classes of the file, in the order of its list
        labels = torch.cat([sample.pred_instances.labels for sample in samples])
        assert test.metainfo['classes'] == ('apply', 'wash') and set(labels.tolist()) == {0, 1}
