"""A published checkpoint through the command line: converted, tested, detections as published."""
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

sys.path.insert(0, str(Path(__file__).parents[1] / 'parity'))
from comparison import VIDEOS, Parity, check_equal_detections, load  # noqa: E402
from published_configs import published_model  # noqa: E402

from cltdr_mm.engine.checkpoint_conversion import convert_checkpoint  # noqa: E402


@pytest.fixture
def parity(request) -> Parity:
    """The measurements of the published CLTDR-GMG."""
    folder = os.environ.get('CLTDR_PARITY_DIR')
    folder = Path(folder) if folder else (
        request.getfixturevalue('shared_data') / 'fixtures' / 'parity')
    files = sorted(folder.glob('cltdr*.npz')) or sorted(folder.glob('*.npz'))
    assert files, f'no parity files in {folder}'
    return Parity(load(files[0]), files[0].stem)


def write_videos(parity: Parity, folder: Path) -> list[str]:
    """Both videos as a data set of a user's own; returns the names of its classes."""
    classes = [f'class {index}' for index in range(parity.settings['model']['num_classes'])]
    (folder / 'features').mkdir()
    database = {}
    for sample, feats in zip(parity.samples(), parity.feats()):
        np.save(folder / 'features' / f'{sample.video_name}.npy', feats.numpy().T)
        segments = sample.grid.to_seconds(sample.gt_instances.segments.double()).tolist()
        annotations = [dict(segment=segment, label=classes[label], label_id=label)
                       for segment, label in zip(segments, sample.gt_instances.labels.tolist())]
        database[sample.video_name] = dict(
            subset='test', duration=sample.duration, fps=sample.fps, annotations=annotations)
    (folder / 'annotations.json').write_text(
        json.dumps(dict(version='1', classes=classes, database=database)))
    return classes


def write_config(parity: Parity, root: Path, folder: Path) -> Path:
    """A config as a user writes it: the published model on these videos."""
    dataset = dict(
        type='TALDataset', data_root=f'{folder}/', ann_file='annotations.json',
        data_prefix=dict(feats='features'), subset='test', test_mode=True,
        feature_stride=parity.meta['stride'], feature_window=parity.meta['window'],
        pipeline=[dict(type='LoadTALFeature'), dict(type='PackTALInputs')])
    model = published_model(parity.family, parity.settings, parity.coarse_losses[0], parity.state)
    cfg = Config(dict(
        model=model,
        test_dataloader=dict(batch_size=1, num_workers=0, dataset=dataset,
                             sampler=dict(type='DefaultSampler', shuffle=False)),
        test_cfg=dict(type='TestLoop'),
        test_evaluator=dict(type='TALMetric', protocol='hapt', subset='test',
                            ann_file=str(folder / 'annotations.json'))))
    base = root / 'configs' / '_base_' / 'default_runtime.py'
    path = folder / 'config.py'
    path.write_text(f'_base_ = [{str(base)!r}]\n{cfg.pretty_text}')
    return path


def test_converted_checkpoint_runs(tools, parity, project_root, tmp_path):
    classes = write_videos(parity, tmp_path)
    config = write_config(parity, project_root, tmp_path)
    source, target = tmp_path / 'published.pth.tar', tmp_path / 'ours.pth'
    state = {f'module.{key}': value for key, value in parity.state.items()}
    torch.save(dict(epoch=39, state_dict=state, state_dict_ema=state), source)
    # the command line itself has its own test, which costs no second interpreter
    model = MODELS.build(Config.fromfile(config).model)
    convert_checkpoint(str(source), str(target), parity.family, model)

    printed = tools('test.py', config, target, '--out', tmp_path / 'results',
                    '--work-dir', tmp_path / 'work')
    assert 'unexpected key' not in printed and 'missing keys' not in printed
    results = json.loads((tmp_path / 'results' / 'detections.json').read_text())['results']
    assert set(results) == set(VIDEOS)
    for video in VIDEOS:
        got = dict(segments=np.array([d['segment'] for d in results[video]]),
                   scores=np.array([d['score'] for d in results[video]]),
                   labels=np.array([classes.index(d['label']) for d in results[video]]))
        expected = {key: parity.record[f'{video}/det/{key}'] for key in got}
        check_equal_detections(got, expected, 1e-4, 1e-5)
    metrics = json.loads((tmp_path / 'results' / 'metrics.json').read_text())
    assert 0 <= metrics['average_mAP'] <= 1
