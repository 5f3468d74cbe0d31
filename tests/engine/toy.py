"""A tiny model, data set, metric and config that go through the whole Runner in a second."""
import random

import numpy as np
import torch
import torch.nn as nn
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel

CONFIGS = 'configs/_base_/'


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    """Linear regression with dropout (randomness) and a counter buffer (state)."""

    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.linear = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.scale = nn.Parameter(torch.ones(()))
        self.out = nn.Linear(4, 1)
        self.register_buffer('seen', torch.zeros(()))

    def forward(self, inputs, targets, mode='tensor'):
        x = torch.stack(inputs)
        y = self.out(self.norm(nn.functional.dropout(self.linear(x), 0.3, self.training)))
        y = y[:, 0] * self.scale
        if mode == 'predict':
            return [dict(pred=float(p), target=float(t)) for p, t in zip(y, targets)]
        self.seen += len(x)
        return dict(loss=nn.functional.mse_loss(y, torch.tensor(targets, dtype=y.dtype)))


@DATASETS.register_module(force=True)
class ToyDataset(torch.utils.data.Dataset):
    """Points and their sums; `noise` draws from all three generators in use."""

    def __init__(self, size=10, noise=0.1):
        self.x = np.random.RandomState(0).randn(size, 4).astype(np.float32)
        self.noise = noise

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        noise = random.random() + np.random.rand() + float(torch.rand(()))
        return dict(inputs=torch.from_numpy(self.x[index] + np.float32(self.noise * noise)),
                    targets=float(self.x[index].sum()))


@METRICS.register_module(force=True)
class ToyMetric(BaseMetric):
    """Something that grows with quality and counts the samples it saw."""

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        error = np.mean([(r['pred'] - r['target'])**2 for r in results])
        return dict(average_mAP=float(1 / (1 + error)), samples=len(results))


@HOOKS.register_module(force=True)
class BreakOffHook(Hook):
    """Ends the process, as far as the Runner can tell, when an epoch starts."""

    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


def loader(train: bool, **kwargs) -> dict:
    return dict(batch_size=2, num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=train),
                dataset=dict(type='ToyDataset', noise=0.1 if train else 0.), **kwargs)


def toy_config(root, work_dir, epochs=2, curve=None, **overrides) -> Config:
    """The repository's own bases with the toy parts in them; `curve` replaces the schedule."""
    bases = [str(root / CONFIGS / name)
             for name in ('default_runtime.py', 'schedules/adamw_cosine.py')]
    cfg = Config(dict(
        model=dict(type='ToyModel'),
        train_dataloader=loader(True), val_dataloader=loader(False),
        test_dataloader=loader(False), val_cfg=dict(type='ValLoop'),
        val_evaluator=dict(type='ToyMetric'),
        test_evaluator=dict(type='ToyMetric'), work_dir=str(work_dir)))
    for base in bases:
        cfg.merge_from_dict(Config.fromfile(base).to_dict())
    cfg.merge_from_dict(dict(train_cfg=dict(max_epochs=epochs), param_scheduler=dict(warmup=0.5),
                             optim_wrapper=dict(optimizer=dict(lr=0.01)),
                             default_hooks=dict(checkpoint=dict(save_best='average_mAP'))))
    if curve is not None:
        cfg.param_scheduler = curve
    cfg.merge_from_dict(overrides)
    return cfg
