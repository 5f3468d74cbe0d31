"""Readers of checkpoints, scores, logs, work directories and command lines."""
import argparse
import io
from collections import OrderedDict
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path

import matplotlib.pyplot  # noqa: F401  (imported before anything is watched)
import numpy as np
import torch
from data_readers import ANNOTATIONS, CLASSES, RESULTS, features
from judging import Reader
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from sources import Source, as_json, as_json_lines, as_npy, as_npz, as_text, as_torch, as_zip

from cltdr_mm.apis.running.command_line import running_arguments
from cltdr_mm.apis.running.config_options import change_config
from cltdr_mm.engine.checkpoint_config import checkpoint_config
from cltdr_mm.engine.checkpoint_conversion import convert_checkpoint
from cltdr_mm.engine.checkpoint_fit import (
    check_classes,
    check_features,
    check_fit,
    check_overlap,
    checkpoint_classes,
    checkpoint_features,
    state_dict_in,
)
from cltdr_mm.engine.checkpoint_io import load_from_local
from cltdr_mm.engine.work_dir import find_checkpoint, latest_checkpoint
from cltdr_mm.postprocessing.external_scores import ExternalScores
from cltdr_mm.utils import TALDataError
from cltdr_mm.visualization.curves import load_metrics, load_scalars
from cltdr_mm.visualization.files import TimelineSource, load_signal

READERS: dict[str, Reader] = {}


# ---- checkpoints

CONFIG = """model = dict(
    type='TwoLayers', width=[3, 2], rate=1e-3,
    head=dict(type='mmaction.Head', classes=('jump', 'café')))
test_dataloader = dict(batch_size=1, collate_fn=dict(type='pseudo_collate'))
"""


FEATURES = dict(stride=4, window=16, fps=None, channels=8, recognizer='i3d-r50', weights=dict(
    file='w.pth', sha256='ab'))


def _buffer() -> HistoryBuffer:
    buffer = HistoryBuffer()
    buffer.update(0.5)
    return buffer


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))


def checkpoint() -> dict:
    return dict(
        meta=dict(epoch=1, iter=10, dataset_meta=dict(
            classes=list(CLASSES), features=FEATURES), cfg=CONFIG),
        state_dict=OrderedDict(model().state_dict()), optimizer=dict(state={}, param_groups=[]),
        message_hub=dict(log_scalars={'train/loss': _buffer()}, runtime_info=dict(cfg=CONFIG),
                         resumed_keys={}))


def read_checkpoint(folder: Path) -> list:
    path = str(folder / 'epoch_1.pth')
    loaded = load_from_local(path, map_location='cpu')
    state, net = dict(state_dict_in(loaded, path)), model()
    check_overlap(loaded, net, path)
    check_fit(loaded, net, path)
    net.load_state_dict(state)
    check_classes(loaded, CLASSES, path)
    check_features(checkpoint_features(loaded), FEATURES, path)
    cfg = checkpoint_config(loaded, path)
    classes = checkpoint_classes(loaded)
    assert classes is None or all(isinstance(name, str) for name in classes)
    return [dict(net.state_dict()), classes, cfg.to_dict()]


READERS['checkpoint'] = Reader({'epoch_1.pth': as_torch(checkpoint())}, read_checkpoint,
                               errors=(TALDataError, ValueError))


def read_published(folder: Path) -> list:
    out = folder / 'out.pth'
    result = convert_checkpoint(str(folder / 'published.pth.tar'), str(out), 'actionformer')
    assert load_from_local(str(out), 'cpu')['state_dict'].keys() == result['state_dict'].keys()
    return [result]


READERS['published checkpoint'] = Reader({'published.pth.tar': as_torch(dict(
    epoch=3, state_dict={'module.backbone.embd.0.conv.weight': torch.ones(2, 2)},
    state_dict_ema={'module.backbone.embd.0.conv.weight': torch.zeros(2, 2),
                    'module.cls_head.head.0.conv.bias': torch.ones(3)}))},
    read_published, errors=(TALDataError, ValueError), out='out.pth', finite=False)


def read_work_dir(folder: Path) -> list:
    found = latest_checkpoint(folder)
    return [found and Path(found).name, Path(find_checkpoint(str(folder))).name]


_SMALL = as_torch(dict(state_dict={'a': torch.ones(2)}))
READERS['last_checkpoint'] = Reader(
    {'last_checkpoint': as_text('/elsewhere/epoch_1.pth'), 'epoch_1.pth': _SMALL}, read_work_dir,
    errors=(FileNotFoundError, ))


# ---- scores of videos

_SCORES = {'v0': [0.1, 0.7, 0.2], 'né': [[0.5, 0.25, 0.25]]}


def read_scores(folder: Path, file: str, classes=None) -> list:
    scores = ExternalScores(str(folder / file), classes).scores
    for row in scores.values():
        assert row.dtype == np.float64 and row.ndim == 1 and (row >= 0).all()
        assert classes is None or len(row) == len(classes)
    return [scores]


_TABLE = np.array([(k, np.ravel(v)) for k, v in _SCORES.items()],
                  dtype=[('video', 'U8'), ('scores', 'f8', (3, ))])
for _name, _source, _classes in (
        ('s.json', as_json(dict(classes=list(CLASSES), results=_SCORES)), CLASSES[::-1]),
        ('plain.json', as_json(_SCORES), None),
        ('s.npz', as_npz(dict(classes=np.array(CLASSES), **{
            k: np.array(v) for k, v in _SCORES.items()})), CLASSES[::-1]),
        ('s.npy', as_npy(_TABLE), None)):
    READERS[f'video scores {_name}'] = Reader(
        {_name: _source}, partial(read_scores, file=_name, classes=_classes))


# ---- what is drawn


def read_timelines(folder: Path) -> list:
    source = TimelineSource(folder / 'ann.json', folder / 'results.json')
    assert all(isinstance(name, str) for name in source.classes)
    found = [source.classes, source.choose(2)]
    for name in sorted({*source.database, *source.results}):
        found.append(source.load(name))
        for instances in found[-1][:2]:
            if instances is not None:
                assert instances.segments.shape == (len(instances), 2)
    return found


READERS['timelines'] = Reader({
    'ann.json': as_json(ANNOTATIONS),
    'results.json': as_json(dict(results=dict(RESULTS['results'], v0=[])))}, read_timelines)


def read_signal(folder: Path, file: str = '') -> list:
    track = load_signal(folder / file, 'v0', 50.0)
    assert track.values.shape == track.times.shape and track.values.ndim == 1
    return [track.times, track.values]


_ROWS = features(0, 6)
_WORDS = '\n'.join(' '.join(map(str, row)) for row in _ROWS.tolist())
for _name, _source in (('acc_v0.npy', as_npy(_ROWS)), ('acc_v0.txt', as_text(_WORDS)),
                       ('v0.csv', as_text(_WORDS.replace(' ', ','), ',')),
                       ('s.zip', as_zip({'raw/acc_v0.txt': as_text(_WORDS),
                                         'acc_v1.txt': as_text(_WORDS)}))):
    READERS[f'signal {_name}'] = Reader(
        {_name: _source}, partial(read_signal, file=_name if _name == 's.zip' else ''),
        errors=(TALDataError, FileNotFoundError))


def read_metrics(folder: Path) -> list:
    found = load_metrics(folder / 'metrics.json')
    assert all(type(k) is float and type(v) is float for k, v in found.items())
    return [found]


READERS['metrics.json'] = Reader({'metrics.json': as_json(dict(
    mAP={'0.3': 0.5, '0.7': 0.125}, average_mAP=0.3125))}, read_metrics)


def read_log(folder: Path) -> list:
    scalars = load_scalars(folder)
    for steps, values in scalars.values():
        assert steps.shape == values.shape and steps.dtype.kind in 'iuf'
        assert values.dtype == np.float64 and np.isfinite(steps).all()
    return [scalars]


READERS['scalars.json'] = Reader({'a/vis_data/scalars.json': as_json_lines([
    *(dict(loss=2.5 / i, lr=1e-3, iter=i, step=i) for i in range(1, 4)),
    dict(average_mAP=0.25, step=1)])}, read_log, finite=False)


# ---- changes of a config on the command line


def read_options(folder: Path) -> list:
    words = (folder / 'options.txt').read_bytes().decode('utf-8', 'surrogateescape').split('\n')
    cfg = Config(dict(model=dict(width=3, names=['a', 'b'], head=dict(rate=1e-3)), work_dir='w',
                      train_cfg=dict(max_epochs=3)))
    errors = io.StringIO()
    try:
        with redirect_stderr(errors):
            args = running_arguments(argparse.ArgumentParser()).parse_args(
                ['cfg.py', '--cfg-options', *[word[:2000] for word in words if word]])
    except SystemExit as end:
        message = errors.getvalue().strip().splitlines()[-1]
        assert end.code == 2 and 'error: ' in message
        raise ValueError(message) from end
    change_config(cfg, args.cfg_options)
    return [cfg.to_dict()]


def _lines(text: str) -> Source:
    return as_text(text, '=')


READERS['--cfg-options'] = Reader({'options.txt': _lines(
    'model.width=4\nmodel.head.rate=0.5\n'
    "work_dir=a/b\ntrain_cfg.max_epochs=7\nmodel.pair=(1,2)")}, read_options,
    errors=(ValueError, ), names_file=False, finite=False)
