"""Readers of data sets: annotations, features, results and what converters take."""
import shutil
from functools import partial
from pathlib import Path

import h5py  # noqa: F401  (imported before anything is watched)
import numpy as np
import torch
from judging import Reader
from sources import (
    as_csv,
    as_gzip,
    as_hdf5,
    as_json,
    as_npy,
    as_npz,
    as_pickle,
    as_text,
    as_torch,
    as_zip,
)

from cltdr_mm.datasets import TALDataset
from cltdr_mm.datasets.annotations import load_annotations, read_class_file
from cltdr_mm.datasets.converters.activitynet import (
    convert_activitynet,
    convert_fineaction,
    convert_hacs,
)
from cltdr_mm.datasets.converters.charades import convert_charades
from cltdr_mm.datasets.converters.ego4d import convert_ego4d_mq
from cltdr_mm.datasets.converters.epic import convert_epic100, convert_epic_sounds
from cltdr_mm.datasets.converters.hapt import convert_hapt
from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_features_for
from cltdr_mm.datasets.converters.thumos import convert_multithumos, convert_thumos14
from cltdr_mm.datasets.feature_files import FeatureFileError, feature_shape, open_feature
from cltdr_mm.datasets.feature_manifest import read_manifest
from cltdr_mm.datasets.transforms import LoadTALFeature, LoadTALProposals
from cltdr_mm.evaluation import load_ground_truth
from cltdr_mm.evaluation.result_file import read_results
from cltdr_mm.structures import FeatureGrid
from cltdr_mm.utils import TALDataError, name_problem, read_result_file, report_problems

CLASSES = ('jump', 'café', 'run')
FPS, STRIDE, WINDOW, CHANNELS = 10.0, 4, 8, 3
STEPS = {'v0': 12, 'né': 9, 'v2': 7}
READERS: dict[str, Reader] = {}
DATABASE = {
    name: dict(subset='validation' if name == 'v2' else 'training', fps=FPS,
               duration=((steps - 1) * STRIDE + WINDOW) / FPS, annotations=[
                   dict(segment=[0.5, 1.25], label='jump', label_id=0),
                   dict(segment=[1, 2.5], label='café', label_id=1)])
    for name, steps in STEPS.items()}
ANNOTATIONS = dict(version='1', classes=list(CLASSES), database=DATABASE)
RESULTS = dict(version='VERSION 1.3', external_data={}, results={
    'v2': [dict(label='jump', segment=[0.5, 1.5], score=0.75),
           dict(label='café', segment=[1, 2], score=0.5)], 'né': []})


def features(seed: int, steps: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((steps, CHANNELS)).astype(np.float32)


def check_segments(segments: np.ndarray, labels: np.ndarray, classes: tuple) -> None:
    assert segments.shape == (len(labels), 2) and segments.dtype == np.float64
    assert (segments[:, 1] >= segments[:, 0]).all()
    assert labels.dtype == np.int64 and ((labels >= 0) & (labels < len(classes))).all()


# ---- annotations and results


def read_annotations(folder: Path) -> list:
    found = []
    for subset in (None, 'Training'):
        videos, problems, classes = load_annotations(str(folder / 'ann.json'), None, subset)
        report_problems(problems, 'raise', 'annotation file')
        for video in videos:
            check_segments(video.segments, video.labels, classes)
            assert video.duration > 0 and video.fps > 0
        found += [videos, classes]
    return found


READERS['annotations'] = Reader({'ann.json': as_json(ANNOTATIONS)}, read_annotations)


def read_dataset(folder: Path, **more) -> list:
    data = TALDataset(
        ann_file='ann.json', data_root=str(folder), data_prefix=dict(feats='feats'),
        feature_stride=STRIDE, feature_window=WINDOW, pipeline=[LoadTALFeature()],
        serialize_data=False, **more)  # it would collect garbage each time
    assert len(data) > 0
    samples = [data[i] for i in range(len(data))]
    for sample in samples:
        assert sample['rows'].dtype == np.float32 and sample['rows'].ndim == 2
        assert len(sample['rows']) == sample['grid'].num_steps > 0
        assert sample['gt_segments'].shape == (len(sample['gt_labels']), 2)
    return [dict(sample) for sample in samples]


for _name, _more in (('data set', {}), ('data set, windows', dict(window=dict(size=5)))):
    READERS[_name] = Reader(
        {'ann.json': as_json(ANNOTATIONS), **{
            f'feats/{name}.npy': as_npy(features(i, steps))
            for i, (name, steps) in enumerate(STEPS.items())}},
        partial(read_dataset, **_more), errors=(TALDataError, ValueError))


def read_ground_truth(folder: Path) -> list:
    truth = load_ground_truth(str(folder / 'ann.json'), 'validation')
    check_segments(truth.segments, truth.labels, truth.classes)
    assert truth.videos.shape == truth.labels.shape
    truth.sha256 = ''  # of the bytes
    unknown = np.isnan(truth.durations)  # an evaluation does without
    assert (truth.durations[~unknown] > 0).all()
    truth.durations[unknown] = -1
    return [truth]


READERS['ground truth'] = Reader({'ann.json': as_json(ANNOTATIONS)}, read_ground_truth)


def read_result(folder: Path, file: str) -> list:
    truth = load_ground_truth(str(folder / 'ann.json'), 'validation')
    path = folder / file
    results = read_results(path, truth, 'drop', 'drop')
    check_segments(results.detections.segments, results.detections.labels, truth.classes)
    assert results.detections.scores.shape == results.detections.videos.shape
    return [results.detections, sorted(results.videos), results.unknown_labels,
            read_result_file(path), read_results(path, truth).detections]


for _name, _source in (('results.json', as_json(RESULTS)),
                       ('results.json.gz', as_gzip(as_json(RESULTS)))):
    READERS[f'result file {_name}'] = Reader(
        {_name: _source, 'ann.json': as_json(ANNOTATIONS)}, partial(read_result, file=_name),
        names=(_name, ))  # of labels that the annotations do not have


def read_proposals(folder: Path) -> list:
    step = LoadTALProposals([str(folder / 'p.json'), str(folder / 'q.json')])
    found = []
    for name in ('v2', 'né'):
        grid = FeatureGrid(FPS, STRIDE, WINDOW, 12)
        rows = step.transform(dict(video_name=name, grid=grid))['proposals']
        assert rows.ndim == 2 and rows.shape[1] == 3 and len(rows) and rows.dtype == np.float32
        assert (rows[:, :2] >= 0).all() and (rows[:, :2] <= 1).all()
        found.append(rows)
    return found


READERS['proposals'] = Reader({'p.json': as_json(RESULTS), 'q.json': as_json(dict(results={
    'né': [dict(segment=[0, 1.5], score=2)]}))}, read_proposals)


def read_classes(folder: Path) -> list:
    names = read_class_file(str(folder / 'classes.txt'))
    assert all(isinstance(name, str) for name in names)
    return names


READERS['class file'] = Reader(
    {'classes.txt': as_text('Jump\nHigh jump\ncafé\n', '')}, read_classes)


# ---- features


def read_features_manifest(folder: Path) -> list:
    found = read_manifest(folder)
    assert found.stride > 0 and found.window > 0 and (found.fps is None or found.fps > 0)
    assert all(name_problem(name) is None and video.duration > 0 and video.steps > 0
               for name, video in found.videos.items())
    found.write(folder / 'again')
    assert read_manifest(folder / 'again') == found
    return [found.settings(), found.videos]


READERS['manifest of features'] = Reader({'manifest.json': as_json(dict(
    stride=4, window=16, channels=8, fps=None, dtype='float16', recognizer='i3d-r50',
    weights=dict(file='w.pth', sha256='ab'), versions=dict(av=None), videos={
        'cam/né': dict(file='cam/né.mp4', duration=2.5, fps=25.0, steps=7)}))},
    read_features_manifest, out='again/manifest.json')

def read_feature(folder: Path, file: str, key=None, layout: str = 'time_major') -> list:
    path, refused = str(folder / file), None
    try:
        arrays = [open_feature(path, key, layout, mapped) for mapped in (True, False)]
    except FeatureFileError as error:
        refused = error
    sample = dict(video_name='v0', feature_paths=[path], feature_key=key, layout=layout, fps=FPS,
                  duration=4.0, stride=STRIDE, window=WINDOW)
    rows = LoadTALFeature().transform(sample)['rows']
    assert refused is None, f'is loaded although it is refused: {refused}'
    try:
        assert feature_shape(path, key, layout) == rows.shape
    except FeatureFileError:  # of .pt, the map of a file needs more of it to be whole
        assert file.endswith(('.pt', '.pth'))
    for array in arrays:
        assert array.shape == rows.shape and array.dtype.kind in 'fiu'
        np.testing.assert_array_equal(array.astype(np.float32), rows)
    assert rows.dtype == np.float32
    return [rows]


_PAIR = {'rgb': features(0, 5), 'flow': features(1, 6)}
for _name, _source, _more in (
        ('npy', as_npy(features(0, 5)), {}), ('npz', as_npz(_PAIR), dict(key='flow')),
        ('pt', as_torch(torch.from_numpy(features(0, 5))), {}),
        ('pth', as_torch({k: torch.from_numpy(v) for k, v in _PAIR.items()}), dict(key='rgb')),
        ('pkl', as_pickle(dict(rgb=features(0, 5))), {}),
        ('pickle', as_pickle(features(0, 5)), dict(layout='channel_major')),
        ('h5', as_hdf5(_PAIR), dict(key='flow')), ('hdf5', as_hdf5({'a/b': features(0, 5)}), {})):
    READERS[f'features .{_name}'] = Reader(
        {f'v0.{_name}': _source}, partial(read_feature, file=f'v0.{_name}', **_more))


# ---- converters


def converted(read):
    """Run a converter and read what it wrote."""
    def run(folder: Path) -> list:
        (folder / 'out').mkdir(exist_ok=True)
        result = read(folder, str(folder / 'out' / 'ann.json'))
        videos, problems, classes = load_annotations(
            str(folder / 'out' / 'ann.json'), default_fps=1.0, duration_tolerance=8.0,
            require_annotations=False)
        assert not problems
        for video in videos:
            check_segments(video.segments, video.labels, classes)
        return [result[1] if isinstance(result, tuple) else None, videos]

    return run


def converter(name: str, sources: dict, convert, **more) -> None:
    READERS[f'converter: {name}'] = Reader(sources, converted(convert), out='out/ann.json', **more)


def _entry(label: str, segment: tuple = (1.5, 3.0), **more) -> dict:
    return dict(dict(duration=9.5, annotations=[
        dict(segment=list(segment), label=label), dict(segment=[4, 6], label=label)]), **more)


_DIVING = dict(duration=9.5, fps=30, subset='Test')
converter('THUMOS14', {'thumos.json': as_json(dict(database=dict(
    a=_entry('Diving', **_DIVING), b=_entry('CliffDiving', **_DIVING))))},
    lambda folder, out: convert_thumos14(str(folder / 'thumos.json'), out))
converter('THUMOS14 text', {
    'text/Diving_val.txt': as_text('v1 1.0 2.5\nv1 3.0 4.5\nv2 1 2'),
    'text/Billiards_test.txt': as_text('v3 0.5 9.0'),
    'info.csv': as_csv('video,duration,fps\nv1,10,30\nv2,12.5,25\nv3,20,25')},
    lambda folder, out: convert_thumos14(str(folder / 'text'), out, str(folder / 'info.csv')),
    names=('files/text, ', 'files/text/'))
converter('MultiTHUMOS', {
    'multi.json': as_json(dict(
        a=dict(subset='training', duration=9.0, actions=[[65, 1.0, 2.0], [1, 3, 4.5], [2, 5, 5]]),
        b=dict(subset='testing', duration=12, actions=[]))),
    'thumos.json': as_json(dict(database=dict(a=_entry('Diving', **_DIVING)))),
    'list.txt': as_text('\n'.join(f'{i} Name{i}' for i in range(1, 66)))},
    lambda folder, out: convert_multithumos(
        str(folder / 'multi.json'), out, str(folder / 'thumos.json'), str(folder / 'list.txt')))
converter('ActivityNet', {
    'anet.json': as_json(dict(v_a=dict(duration_second=9.5, annotations=[
        dict(segment=[1, 2.5], label='Archery'), dict(segment=[3, 3], label='Zumba')]),
        v_b=dict(duration_second=3, annotations=[]))),
    'info.csv': as_csv('video,subset,rfps,x\nv_a,training,30,1\nv_b,validation,29.97,\n')},
    lambda folder, out: convert_activitynet(
        str(folder / 'anet.json'), str(folder / 'info.csv'), out))
converter('HACS', {'hacs.json': as_json(dict(database=dict(
    a=_entry('Archery', ('1.5', '7.25'), subset='training'),
    b=dict(subset='testing', duration=9, annotations=[]))))},
    lambda folder, out: convert_hacs(str(folder / 'hacs.json'), out))
_HEAD = 'video_id,start_timestamp,stop_timestamp,verb_class\n'
converter('EPIC-KITCHENS', {
    'train.csv': as_csv(_HEAD + 'P01,00:00:00.50,00:00:02.00,3\nP01,00:01:00.50,00:01:02.00,0'),
    'val.csv': as_csv(_HEAD + 'P02,00:00:01.50,00:00:03.00,5'),
    'info.csv': as_csv('video_id,duration,fps\nP01,100,50\nP02,59.5,29.97')},
    lambda folder, out: convert_epic100('verb', str(folder / 'info.csv'), out,
                                        str(folder / 'train.csv'), str(folder / 'val.csv')),
    names=('val.csv', ))


converter('FineAction', {'fine.json': as_json(dict(database=dict(
    a=_entry('wash', subset='training'), b=_entry('apply', subset='validation'))))},
    lambda folder, out: convert_fineaction(str(folder / 'fine.json'), out))
converter('Charades', {
    'train.csv': as_csv('id,actions,length\nA,c092 1.90 2.20;c147 0.00 2.60,9.00\nB,,9'),
    'test.csv': as_csv('id,actions,length\nC,c000 1 5,9.5')},
    lambda folder, out: convert_charades(out, str(folder / 'train.csv'), str(folder / 'test.csv'),
                                         skip_inverted=True), names=('test.csv', ))
converter('Charades of super-events', {'charades.json': as_json(dict(
    a=dict(subset='training', duration=9.0, actions=[[65, 1.0, 2.0], [1, 3, 4.5]]),
    b=dict(subset='testing', duration=12, actions=[])))},
    lambda folder, out: convert_charades(out, source=str(folder / 'charades.json')))
_MOMENTS = [dict(label='use_phone', primary=True, video_start_time=101.5, video_end_time=103.0)]
converter('Ego4D-MQ', {'moments.json': as_json(dict(videos=[dict(
    video_uid='v', split='train', clips=[dict(
        clip_uid='a', video_start_sec=100.0, video_end_sec=110.5, video_start_frame=3000,
        video_end_frame=3315, annotations=[dict(labels=_MOMENTS)])])]))},
    lambda folder, out: convert_ego4d_mq([str(folder / 'moments.json')], out))
converter('Ego4D-MQ of OpenTAD', {'ego4d.json': as_json(dict(database=dict(
    a=_entry('use_phone', frame=285, subset='train'), b=dict(
        subset='test', duration=9, frame=270))))},
    lambda folder, out: convert_ego4d_mq([str(folder / 'ego4d.json')], out))
_HEAD = 'video_id,start_timestamp,stop_timestamp,class,class_id\n'
converter('EPIC-Sounds', {
    'train.csv': as_csv(_HEAD + 'P01,00:00:00.50,00:00:02.00,rustle,4\n'
                        'P01,00:01:00.50,00:01:02.00,cut / chop,2'),
    'test.csv': as_csv('video_id\nP02'),
    'info.csv': as_csv('video_id,duration,fps\nP01,100,50\nP02,59.5,29.97')},
    lambda folder, out: convert_epic_sounds(out, str(folder / 'info.csv'),
                                            str(folder / 'train.csv'),
                                            test=str(folder / 'test.csv')), names=('test.csv', ))
converter('EPIC-Sounds of OpenTAD', {'sounds.json': as_json(dict(database=dict(
    a=_entry('id_004', subset='train'), b=_entry('id_043', subset='val'))))},
    lambda folder, out: convert_epic_sounds(out, source=str(folder / 'sounds.json')))


def read_hapt(folder: Path, source: str) -> list:
    out = folder / 'out'
    database = convert_hapt(str(folder / source), str(out), partial=True)
    for name in database:
        rows = np.load(out / 'features' / f'{name}.npy')
        assert rows.dtype == np.float32 and rows.shape[1] == 150 and len(rows)
    return [database, rows, load_annotations(str(out / 'annotations.json'))]


_SIGNAL = '\n'.join(' '.join(map(str, row)) for row in features(0, 60).tolist())
_HAPT = {'RawData/acc_exp01_user01.txt': as_text(_SIGNAL),
         'RawData/acc_exp03_user02.txt': as_text(_SIGNAL),
         'RawData/labels.txt': as_text('1 1 2 11 50\n3 2 1 1 60\n3 2 2 20 30'),
         'activity_labels.txt': as_text('1 WALKING\n2 SITTING')}
READERS['converter: HAPT'] = Reader(
    {f'hapt/{name}': source for name, source in _HAPT.items()}, partial(read_hapt, source='hapt'),
    out='out/annotations.json', names=('labels.txt', ))
READERS['converter: HAPT zip'] = Reader(
    {'hapt.zip': as_zip(_HAPT)}, partial(read_hapt, source='hapt.zip'),
    out='out/annotations.json', names_file=False)


def read_synthetic(folder: Path) -> list:
    out = folder / 'out'
    shutil.rmtree(out, ignore_errors=True)  # sets are not mixed
    spec = SyntheticSpec(num_classes=3, channels=4, stride=STRIDE, window=WINDOW)
    database = make_features_for(str(folder / 'ann.json'), str(out), spec)
    if not database:
        return []
    data = TALDataset(ann_file=str(out / 'annotations.json'), feature_stride=STRIDE,
                      feature_window=WINDOW, data_prefix=dict(feats=str(out / 'features')),
                      filter_cfg=dict(filter_empty_gt=False), serialize_data=False)
    assert len(data) == len(database)
    return [database]


READERS['synthetic features'] = Reader({'ann.json': as_json(ANNOTATIONS)}, read_synthetic,
                                       errors=(TALDataError, ValueError),
                                       out='out/annotations.json')
