import json

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError, TALDataset
from cltdr_mm.datasets.converters.synthetic import (
    SyntheticSpec,
    SyntheticWorld,
    make_features_for,
    make_synthetic,
)
from cltdr_mm.structures import FeatureGrid


def build(folder, **kwargs):
    return TALDataset(**dict(dict(
        ann_file='annotations.json', data_root=str(folder), data_prefix=dict(feats='features'),
        feature_stride=8, feature_window=16), **kwargs))


def test_passes_every_check(tmp_path):
    database = make_synthetic(str(tmp_path), SyntheticSpec(
        num_train=12, num_test=4, num_validation=3, channels=8))
    assert len(database) == 19
    train = build(tmp_path, subset='train', feature_dim=8, length_tolerance=0.0,
                  duration_tolerance=0.0)
    assert len(train) == 12 and len(build(tmp_path, subset='test')) == 4
    assert len(build(tmp_path, subset='validation')) == 3
    steps = [train.get_data_info(i)['num_steps'] for i in range(12)]
    assert min(steps) >= 192 and max(steps) <= 640 and len(set(steps)) > 6


def test_seeds(tmp_path):
    def files(folder, **kwargs):
        make_synthetic(str(tmp_path / folder), SyntheticSpec(
            num_validation=1, channels=4, num_classes=3, **kwargs))
        annotations = json.loads((tmp_path / folder / 'annotations.json').read_text())
        feats = {p.name: np.load(p) for p in (tmp_path / folder / 'features').iterdir()}
        return annotations['database'], feats

    first, again = files('a', num_train=3, num_test=2), files('b', num_train=3, num_test=2)
    more, other = files('c', num_train=5, num_test=2), files('d', num_train=3, num_test=2, seed=1)
    assert first[0] == again[0]
    for name, feats in first[1].items():
        np.testing.assert_array_equal(feats, again[1][name])
        np.testing.assert_array_equal(feats, more[1][name])  # whatever the number of videos
        assert feats.shape != other[1][name].shape or not np.allclose(feats, other[1][name])


def test_what_is_promised_is_there(tmp_path):
    """Background, overlapping classes, short and long actions, all classes."""
    spec = SyntheticSpec(num_train=60, num_test=0, num_validation=0, channels=2)
    database = make_synthetic(str(tmp_path), spec)
    lengths, labels, covered, total, overlaps = [], set(), 0, 0, 0
    for entry in database.values():
        busy = np.zeros(int(entry['duration'] * 10))
        segments = [(a['segment'], a['label_id']) for a in entry['annotations']]
        for (start, end), label in segments:
            lengths.append((end - start) * 30 / 8)
            labels.add(label)
            busy[int(start * 10):int(end * 10)] += 1
        overlaps += (busy > 1).sum()
        covered += (busy > 0).sum()
        total += len(busy)
    assert labels == set(range(6))
    assert min(lengths) < 6 and max(lengths) > 100
    assert 0.3 < covered / total < 0.8
    assert overlaps / total > 0.02


def test_actions_can_be_seen_and_need_their_order():
    """Template matching finds an action; its own class fits better than others on average."""
    spec = SyntheticSpec(channels=64)
    world = SyntheticWorld(spec)
    assert not {tuple(p) for p in world.paths} & {tuple(p) for p in world.other_paths}
    rng = np.random.default_rng(0)
    phase = np.linspace(0, 1, 40)
    weights = np.stack([np.clip(1 - 2 * phase, 0, 1), 1 - abs(2 * phase - 1),
                        np.clip(2 * phase - 1, 0, 1)], 1)
    hits = 0
    for trial in range(60):
        label = trial % spec.num_classes
        feats = world.render(rng, 120, np.array([[40.0, 79.0]]), [label], np.zeros((0, 2)))
        inside, outside = feats[40:80], np.concatenate([feats[:30], feats[90:]])
        scores = [(inside * (weights @ world.motifs[path] + 0.4 * own)).sum()
                  for path, own in zip(world.paths, world.own)]
        hits += int(np.argmax(scores)) == label
        assert inside.std() > outside.std()
    assert hits > 45


def test_render_ignores_what_lies_outside():
    world = SyntheticWorld(SyntheticSpec(channels=4))
    feats = world.render(np.random.default_rng(0), 50, np.array([[-90.0, -50.0], [70.0, 90.0]]),
                         [0, 1], np.zeros((0, 2)))
    bare = world.render(np.random.default_rng(0), 50, np.zeros((0, 2)), [], np.zeros((0, 2)))
    np.testing.assert_array_equal(feats, bare)


def test_streams_of_any_size(tmp_path):
    spec = SyntheticSpec(num_train=0, num_test=1, num_validation=0, channels=3, num_classes=1,
                         min_steps=8, max_steps=8)
    make_synthetic(str(tmp_path), spec)  # may hold no action at all
    assert len(build(tmp_path, test_mode=True)) == 1


@pytest.mark.parametrize('kwargs', [
    dict(num_train=0, num_test=0, num_validation=0), dict(num_validation=-1),
    dict(num_classes=0), dict(num_classes=121), dict(channels=0),
    dict(min_steps=99, max_steps=98), dict(density=1.0), dict(short=9, long=8), dict(stride=0),
    dict(fps=float('nan')), dict(noise=-1.0), dict(distractors=float('inf'))])
def test_impossible_sizes(kwargs):
    with pytest.raises(ValueError, match='synthetic'):
        SyntheticSpec(**kwargs)


def test_features_for_an_annotation_file(tmp_path):
    database = dict(
        a=dict(subset='x', duration=20.0, fps=25.0, annotations=[
            dict(segment=[1.0, 9.0], label='one'), dict(segment=[15.0, 19.0], label='two')]),
        b=dict(subset='y', duration=40.0, fps=30.0, annotations=[]),
        c=dict(subset='y', duration=40.0, fps=30.0, annotations=[]))
    source = tmp_path / 'in.json'
    source.write_text(json.dumps(dict(database=database)))
    spec = SyntheticSpec(num_classes=2, channels=5, stride=4, window=16)
    written = make_features_for(str(source), str(tmp_path / 'o'), spec, ('one', 'two'), 1)
    assert list(written) == ['a', 'b']
    data = build(tmp_path / 'o', feature_stride=4, length_tolerance=0.0, test_mode=True)
    assert [data.get_data_info(i)['num_steps'] for i in range(2)] == [122, 297]
    assert FeatureGrid(25, 4, 16, 122).extent <= 20 < FeatureGrid(25, 4, 16, 123).extent
    with pytest.raises(ValueError, match='has 2 classes, the spec 3'):
        make_features_for(str(source), str(tmp_path / 'o'), SyntheticSpec(num_classes=3),
                          ('one', 'two'))
    with pytest.raises(TALDataError, match='unknown label'):
        make_features_for(str(source), str(tmp_path / 'o'), spec, ('one', 'three'))


def test_sets_do_not_mix(tmp_path):
    spec = dict(num_train=2, num_test=1, num_validation=0, channels=4, num_classes=2)
    for seed in (0, 1):  # all of the first is replaced
        make_synthetic(str(tmp_path), SyntheticSpec(**spec, seed=seed))
    before = (tmp_path / 'annotations.json').read_text()
    with pytest.raises(TALDataError, match="features of 1 videos of another set, such as 'train_0"):
        make_synthetic(str(tmp_path), SyntheticSpec(**dict(spec, num_train=1)))
    with pytest.raises(TALDataError, match="features of 1 videos of another set, such as 'train_0"):
        make_features_for(str(tmp_path / 'annotations.json'), str(tmp_path),
                          SyntheticSpec(channels=4, num_classes=2), max_videos=1)
    assert (tmp_path / 'annotations.json').read_text() == before
