"""Whatever a data worker needs goes to a new process, as it must on macOS and Windows."""
import json
import pickle

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS, METRICS, TRANSFORMS
from mmengine.dataset import RepeatDataset
from mmengine.registry import Registry
from mmengine.runner import Runner

from cltdr_mm.datasets import TALDataset

#: What has no default, by the class that needs it.
NEEDED = dict(TEMCurves=dict(out_dir='curves'), TALMetric=dict(ann_file='a.json', protocol='hapt'),
              ProposalMetric=dict(ann_file='a.json', protocol='anet13'),
              EPICActionMetric=dict(ann_file='a.json', noun_ann_file='b.json'),
              LoadTALProposals=dict(proposal_files='p.json'), ResizeFeature=dict(length=8))


@pytest.fixture
def folder(tmp_path):
    """Three videos with features, annotations and proposals."""
    rng = np.random.default_rng(0)
    database = {}
    for name, steps in (('a', 30), ('b/c', 47), ('d', 12)):
        path = tmp_path / 'feats' / f'{name}.npy'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, rng.standard_normal((steps, 4)).astype(np.float32))
        database[name] = dict(duration=steps * 0.4, fps=10., annotations=[
            dict(segment=[1., 3.], label='run'), dict(segment=[0.5, 2.], label='jump')])
    (tmp_path / 'ann.json').write_text(json.dumps(dict(classes=['run', 'jump'], database=database)))
    (tmp_path / 'proposals.json').write_text(json.dumps(dict(results={
        name: [dict(segment=[1, 2], score=0.5)] for name in database})))
    return tmp_path


def dataset(folder, *steps, **kwargs):
    proposals = str(folder / 'proposals.json')
    return TALDataset(
        ann_file='ann.json', data_root=str(folder), data_prefix=dict(feats='feats'),
        feature_stride=4, pipeline=[
            dict(type='LoadTALFeature'), *steps,
            dict(type='LoadTALProposals', proposal_files=proposals), dict(type='PackTALInputs')],
        filter_cfg=dict(filter_empty_gt=False), **kwargs)


def loader(data, workers, **kwargs):
    return Runner.build_dataloader(dict(
        dataset=data, batch_size=2, num_workers=workers, collate_fn=dict(type='pseudo_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        worker_init_fn=dict(type='tal_seed_worker'), **kwargs), seed=3)


def content(batches):
    """Everything in the batches, in plain types."""
    found = []
    for batch in batches:
        for inputs, sample in zip(batch['inputs'], batch['data_samples']):
            truth = sample.gt_instances
            found.append((inputs.rows.tolist(), truth.segments.tolist(), truth.labels.tolist(),
                          sample.proposals.proposals.tolist(), sample.metainfo))
    return found


@pytest.mark.parametrize('serialize', [True, False])
def test_spawned_workers_give_the_same_samples(folder, serialize):
    data = dataset(folder, window=dict(size=20), serialize_data=serialize)
    here = content(loader(data, 0))
    assert len(here) == len(data) == 7  # windows
    assert content(loader(data, 2, multiprocessing_context='spawn')) == here


def test_spawned_workers_draw_by_their_seed(folder):
    """Crops follow the seed of the main process, and are not those of the other worker."""
    data = RepeatDataset(dataset(folder, dict(type='RandomCropFeature', max_len=8)), 4)
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(content(loader(data, 2, multiprocessing_context='spawn')))
    assert drawn[0] == drawn[1] and len(drawn[0]) == 12
    assert len({str(rows) for rows, *_ in drawn[0]}) > 6


def own(registry: Registry) -> list:
    """Classes of this package in a registry, but for those that only answer to old names."""
    return [cls for cls in registry.module_dict.values() if cls.__module__.startswith('cltdr_mm')
            and cls.__module__ != 'cltdr_mm.utils.moved']


@pytest.mark.parametrize('registry, name', [
    (HOOKS, 'SetupCheckHook'), (METRICS, 'TALMetric'), (TRANSFORMS, 'LoadTALProposals')])
def test_registered_classes_pickle(registry, name):
    classes = own(registry)
    assert name in [cls.__name__ for cls in classes]
    for cls in classes:
        made = cls(**NEEDED.get(cls.__name__, {}))
        copy = pickle.loads(pickle.dumps(made))
        assert type(copy) is cls and vars(copy).keys() == vars(made).keys()
        for key, value in vars(made).items():
            if isinstance(value, (int, float, str, tuple)):
                assert vars(copy)[key] == value
