"""The two models that `training_step.py` and `inference.py` hold against each other."""
from pathlib import Path

import torch
from counting import gflop
from mmaction.registry import MODELS
from mmengine.config import Config
from plain import PlainModel
from torch import nn

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
PAPER = 'cltdr_thumos.py'
RELEASE = 'release/cltdr_gmg/thumos_i3d_focalloss.py'
#: Longest training input: what the plain model pads to.
MAX_LEN = 2304


def build_pair(release: bool, num_classes: int) -> tuple[PlainModel, nn.Module]:
    """The plain model and ours, without the random parts of training.

    Args:
        release (bool): Whether ours computes what the plain one does, with the same weights, or
            is the paper's architecture.
        num_classes (int): Classes of both.

    Returns:
        tuple[PlainModel, nn.Module]: Plain, ours.
    """
    models = []
    for name in (RELEASE, RELEASE if release else PAPER):
        cfg = Config.fromfile(CONFIGS / name).model
        cfg.head.num_classes = num_classes
        torch.manual_seed(0)
        models.append(MODELS.build(cfg) if models else PlainModel(cfg))
    plain, ours = models
    if release:
        plain.load(ours.state_dict())
    for module in (*plain.modules(), *ours.modules()):
        for name in ('drop_prob', 'input_noise'):
            if hasattr(module, name):
                setattr(module, name, 0.)
    # running numbers of positives stay, so that losses can be compared step by step
    plain.criterion.momentum = ours.head.normalizer.momentum = 1.
    return plain, ours


def describe(plain: PlainModel, ours: nn.Module, release: bool) -> str:
    """What each side is, and how much it computes."""
    inputs = [torch.zeros(ours.backbone.in_channels, MAX_LEN)]
    batch = ours.data_preprocessor(dict(inputs=inputs), False)
    arithmetic = [gflop(lambda: plain(inputs)), gflop(lambda: ours(**batch, mode='tensor'))]
    names = [f'published architecture ({RELEASE}), every video padded to {MAX_LEN} steps',
             f'the same architecture and weights ({RELEASE})' if release else
             f"the paper's architecture ({PAPER}), every video at its own length"]
    return '\n'.join(
        f'{side}: {name}; {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, '
        f'{flop:.1f} GFLOP a forward at {MAX_LEN} steps'
        for side, name, model, flop in zip(('plain', 'ours'), names, (plain, ours), arithmetic))
