"""Compares a model of ours with what a published implementation computed from the same weights.

A record maps names to arrays, as the parity files do: `state/<published key>`; per video
`<v>/feats` (C, T), `<v>/segments` (N, 2) in grid steps, `<v>/labels`, outputs by level and
`<v>/det/*`; `loss/*` and `gradnorm/<published key>` of one training step on both videos.
"""
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData
from published_configs import published_model
from torch import nn

from cltdr_mm.engine.checkpoint_conversion import check_against, convert_state_dict
from cltdr_mm.structures import FeatureGrid

VIDEOS = ('full', 'short')
FAMILIES = dict(cltdr='cltdr-gmg', tmaxer='temporalmaxer')
#: Our output by level, the record's, and whether classes or bins come last there.
OUTPUTS = [
    ('cls_logits', 'cls_logits', True),
    ('centers', 'reg_out', True),
    ('distances', 'reg_out', True),
    ('starts', 'start', False),
    ('ends', 'end', False),
    ('refine_starts', 'refine_start', False),
    ('refine_ends', 'refine_end', False),
]


class Parity:
    """One record and the model that its own settings ask for, with its weights.

    Args:
        record (Mapping): See the module.
        name (str): Name of the record, which may tell the coarse loss as its ``tag`` does.
        dtype (torch.dtype): Type of weights and features. Defaults to float32.
    """

    def __init__(self, record: Mapping, name: str = '', dtype: torch.dtype = torch.float32):
        self.record = record
        self.dtype = dtype
        self.meta = json.loads(str(record['meta']))
        settings = dict(self.meta['model'])
        self.settings = dict(model=settings, train=settings.pop('train_cfg'),
                             test=settings.pop('test_cfg'))
        self.family = FAMILIES.get(self.meta['name'], self.meta['name'])
        self.state = {key[len('state/'):]: torch.from_numpy(np.array(record[key]))
                      for key in self.keys('state/')}
        self.levels = self.settings['model']['backbone_arch'][-1] + 1
        self.coarse_losses = self.possible_coarse_losses(f'{self.meta.get("tag", "")} {name}')

    def keys(self, prefix: str) -> list[str]:
        """Names of the record that begin so."""
        return [key for key in self.record if key.startswith(prefix)]

    def possible_coarse_losses(self, text: str) -> list[str]:
        """CLTDR-GMG's coarse loss is no setting: its name says it, or the losses must."""
        if self.family != 'cltdr-gmg':
            return ['focal']
        if 'varifocal' in text or 'vfl' in text:
            return ['varifocal']
        return ['focal'] if 'focal' in text else ['focal', 'varifocal']

    def build(self, coarse_loss: str = '') -> nn.Module:
        """The model with the record's weights, in training mode."""
        model = MODELS.build(published_model(self.family, self.settings,
                                             coarse_loss or self.coarse_losses[0], self.state))
        if self.dtype != torch.float32:  # a needless cast would round the double normaliser
            model = model.to(self.dtype)
        converted = convert_state_dict(self.state, self.family)
        check_against(converted, model)
        model.load_state_dict(converted, strict=False)
        return model

    def feats(self) -> list[torch.Tensor]:
        """Features (C, T) of both videos."""
        return [torch.from_numpy(np.array(self.record[f'{v}/feats'])).to(self.dtype)
                for v in VIDEOS]

    def samples(self) -> list[ActionDataSample]:
        """Data samples of both videos; a video lasts until its last window's end, and a stride."""
        samples = []
        fps, stride, window = (self.meta[key] for key in ('fps', 'stride', 'window'))
        for video, feats in zip(VIDEOS, self.feats()):
            steps = feats.shape[1]
            sample = ActionDataSample()
            sample.set_metainfo(dict(
                video_name=video, grid=FeatureGrid(fps, stride, window, steps),
                fps=fps, duration=(steps * stride + window) / fps))
            sample.gt_instances = InstanceData(
                segments=torch.from_numpy(np.array(self.record[f'{video}/segments'])),
                labels=torch.from_numpy(np.array(self.record[f'{video}/labels'])))
            samples.append(sample)
        return samples

    # what is compared

    def check_outputs(self, tolerance: float = 1e-5, relative: float = 0.) -> int:
        """Every output of every level on both videos; returns how many arrays were compared."""
        model = self.build().eval()
        with torch.no_grad():
            outs = model(self.feats())
        seen = set()
        for row, video in enumerate(VIDEOS):
            for level in range(self.levels):
                key = f'{video}/mask/{level}'
                mask = outs['masks'][level][row].numpy()
                assert np.array_equal(mask, self.record[key].reshape(-1)), key
                seen.add(key)
                for ours, theirs, last in OUTPUTS:
                    key = f'{video}/{theirs}/{level}'
                    if ours not in outs:
                        continue
                    got = outs[ours][level][row].numpy()
                    got = got.T if last else got
                    expected = self.record[key]
                    assert got.shape == expected.shape, key
                    error = np.abs(got - expected)
                    worst = float((error - relative * np.abs(expected)).max())
                    assert worst <= tolerance, f'{key} is off by {float(error.max()):.2e}'
                    seen.add(key)
        expected = {key for video in VIDEOS for key in self.keys(f'{video}/')
                    if key.rsplit('/')[-1].isdigit()}
        assert seen == expected, f'not compared: {sorted(expected - seen)}'
        return len(seen)

    def check_training(self, tolerance: float = 1e-5, relative: float = 1e-4,
                       tiny: float = 1e-6) -> int:
        """Losses, the normaliser, gradient norms; returns how many norms were compared."""
        steps = [self.train_step(coarse_loss) for coarse_loss in self.coarse_losses]
        expected = float(self.record['loss/cls_loss'])
        model, losses = min(steps, key=lambda s: abs(s[1]['loss_cls'].item() - expected))
        self.check_losses(model, losses, tolerance)
        return self.check_gradients(model, relative, tiny)

    def train_step(self, coarse_loss: str) -> tuple[nn.Module, dict]:
        """Forward and backward on both videos together."""
        model = self.build(coarse_loss).train()
        losses = model(self.feats(), self.samples(), mode='loss')
        (losses['loss_cls'] + losses['loss_reg']).backward()
        return model, losses

    def check_losses(self, model: nn.Module, losses: dict, tolerance: float) -> None:
        """Classification, regression and total loss, and the normaliser to the last digit."""
        cls, reg = losses['loss_cls'].item(), losses['loss_reg'].item()
        weight = self.settings['train']['loss_weight']
        if weight <= 0:  # balanced to the size of the classification loss
            weight = cls / max(float(self.record['loss/reg_loss']), 0.01)
        got = dict(cls_loss=cls, reg_loss=reg / weight, final_loss=cls + reg)
        for name, value in got.items():
            expected = float(self.record[f'loss/{name}'])
            # float32 has 7 digits: those of a loss above 10 end before the fifth decimal
            assert abs(value - expected) <= max(tolerance, 1e-6 * abs(expected)), \
                f'{name} is {value}, not {expected}'
        expected = float(self.record['loss/normalizer_after'])
        value = model.head.normalizer.value.item()
        assert value == expected, f'the normaliser is {value}, not {expected}'

    def check_gradients(self, model: nn.Module, relative: float, tiny: float) -> int:
        """Every published parameter has a counterpart, unless the published code leaves it out."""
        params = dict(model.named_parameters())
        compared = set()
        for key in self.state:
            renamed = list(convert_state_dict({key: self.state[key]}, self.family))
            gradnorm = self.record.get(f'gradnorm/{key}')
            if gradnorm is None:
                # buffers, and what the published training step never reaches
                left = [name for name in renamed if name in params]
                assert all(_norm(params[name]) == 0 for name in left), f'no norm of {key}'
                compared.update(left)
                continue
            expected = float(gradnorm)
            if not renamed:
                assert expected == 0, f'{key} has no counterpart, but a gradient of {expected}'
                continue
            value = _norm(params[renamed[0]])
            assert abs(value - expected) <= max(relative * expected, tiny), \
                f'the gradient of {key} has norm {value}, not {expected}'
            compared.add(renamed[0])
        assert compared == set(params), f'not compared: {sorted(set(params) - compared)}'
        extra = {key[len('gradnorm/'):] for key in self.keys('gradnorm/')} - set(self.state)
        assert not extra, f'gradients of no parameter: {sorted(extra)}'
        return len(compared)

    def check_detections(self, time: float = 1e-4, score: float = 1e-5) -> int:
        """Final detections of both videos, in order but for ties; returns how many there are."""
        model = self.build().eval()
        # one by one, as published; without gradients, as the Runner does
        with torch.no_grad():
            results = [model([feats], [sample], mode='predict')[0].pred_instances
                       for feats, sample in zip(self.feats(), self.samples())]
        count = 0
        for video, result in zip(VIDEOS, results):
            expected = {key: np.array(self.record[f'{video}/det/{key}'])
                        for key in ('segments', 'scores', 'labels')}
            got = {key: result[key].numpy() for key in expected}
            check_equal_detections(got, expected, time, score)
            count += len(expected['scores'])
        return count


def check_equal_detections(got: dict, expected: dict, time: float, score: float) -> None:
    """The same detections in the same order; those whose scores tie may swap places.

    Args:
        got (dict): ``segments`` (N, 2), ``scores`` (N,), ``labels`` (N,), sorted by score.
        expected (dict): The same.
        time (float): Tolerance of a boundary.
        score (float): Tolerance of a score, and the distance up to which scores tie.
    """
    assert len(got['scores']) == len(expected['scores']), \
        f'{len(got["scores"])} detections, not {len(expected["scores"])}'
    error = np.abs(got['scores'] - expected['scores']).max(initial=0)
    assert error <= score, f'scores are off by {error:.2e}'
    free = np.ones(len(got['scores']), dtype=bool)
    for rank, (segment, value, label) in enumerate(
            zip(expected['segments'], expected['scores'], expected['labels'])):
        same = free & (got['labels'] == label) & (np.abs(got['scores'] - value) <= score)
        same &= np.abs(got['segments'] - segment).max(axis=1) <= time
        if same.any():
            free[np.flatnonzero(same)[np.abs(np.flatnonzero(same) - rank).argmin()]] = False
            continue
        # of several that tie for the last places, the published code may keep another
        assert value - expected['scores'][-1] <= score, \
            f'rank {rank}: nothing like {segment}, score {value}, label {label}'


def _norm(param: nn.Parameter) -> float:
    return 0. if param.grad is None else param.grad.norm().item()


def load(path: Path) -> dict:
    """A parity file as a dict of arrays."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}
