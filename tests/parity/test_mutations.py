"""The comparison is worth something if it notices errors: each of these must make it fail."""
import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from comparison import Parity, check_equal_detections
from test_settings import parity_of

from cltdr_mm.models.backbones import block, gmg, sgp
from cltdr_mm.models.backbones.position import SinusoidPosition
from cltdr_mm.models.backbones.spectral import AffineFilter, SpectralMixer
from cltdr_mm.models.heads import PointHead, fusion, tower
from cltdr_mm.models.heads.cltdr_head import CLTDRHead
from cltdr_mm.models.layers import ChannelLayerNorm, attention
from cltdr_mm.models.losses import DIoU1DLoss, TALFocalLoss, TALVarifocalLoss, distance_iou
from cltdr_mm.models.task_modules import CenterSamplingAssigner, SimOTAAssigner1D
from cltdr_mm.postprocessing import SegmentVoting, SoftNMS
from cltdr_mm.structures import FeatureGrid, Layout

MUTATIONS = {}


def mutation(setting: str, check: str):
    """Register an error, the setting that shows it and the check that must notice."""

    def register(function):
        MUTATIONS[function.__name__] = (setting, check, function)
        return function

    return register


@functools.cache
def cached_parity(setting: str) -> Parity:
    """Records are slow to compute and never changed."""
    return parity_of(setting)


# outputs


@mutation('cltdr-focal', 'outputs')
def wrong_gate(patch):
    """The paper's ReLU where the published code has none."""
    _attribute(patch, gmg.GMGBlock, gate_act='relu')


@mutation('cltdr-focal', 'outputs')
def gate_left_out(patch):
    _attribute(patch, gmg.GMGBlock, gate=False)


@mutation('cltdr-focal', 'outputs')
def channel_attention_left_out(patch):
    patch.setattr(fusion.CrossLevelFusion, 'weigh', lambda self, name, neighbour, own, layout: (
        neighbour.new_ones(len(layout), neighbour.shape[1])))


@mutation('cltdr-focal', 'outputs')
def upsampling_one_step_late(patch):
    forward = fusion.Upsample2x.forward
    patch.setattr(fusion.Upsample2x, 'forward', lambda self, x, layout: layout.zero_gaps(
        forward(self, x, layout).roll(1, 0)))


@mutation('cltdr-focal', 'outputs')
def transform_not_orthonormal(patch):
    _attribute(patch, SpectralMixer, norm='backward')


@mutation('cltdr-focal', 'outputs')
def no_shrinkage(patch):
    patch.setattr(AffineFilter, 'threshold', 0.)


@mutation('tridet', 'outputs')
def term_left_out(patch):
    """SGP without its instant branch."""
    patch.setattr(sgp.SGPBlock, 'mix', lambda self, y, layout: (
        self.convw(y, layout) + self.convkw(y, layout)) * self.psi(y, layout) + y)


@mutation('tridet-windows', 'outputs')
def wide_kernel_shifted(patch):
    mix = sgp.SGPBlock.mix
    patch.setattr(sgp.SGPBlock, 'mix', lambda self, y, layout: mix(self, y, layout)
                  + self.convkw(y.roll(1, 0), layout) - self.convkw(y, layout))


@mutation('actionformer', 'outputs')
def dropped_mask(patch):
    """What published code masks is left as it is: convolutions leave their bias at the padding."""
    patch.setattr(Layout, 'zero_padding', lambda self, x: x)


@mutation('cltdr-focal', 'outputs')
def padding_does_not_leak(patch):
    """Towers that mask their activations."""

    def masked(self, x, layout):
        for conv, norm in zip(self.convs, self.norms):
            x = layout.zero_padding(F.relu(norm(layout.zero_padding(conv(x, layout)), layout)))
        return x if self.out is None else self.out(x, layout)

    patch.setattr(tower.ConvTower, 'forward', masked)


@mutation('cltdr-5-levels', 'outputs')  # whose short video has an odd length somewhere
def pooling_sees_no_padding(patch):
    max_pool = block.max_pool

    def pool(x, layout):
        out, half = max_pool(x, layout)
        alone, _ = max_pool(x.masked_fill(~layout.valid[:, None], -1e4), layout)
        return torch.where(half.valid[:, None], alone, out), half

    patch.setattr(block, 'max_pool', pool)


@mutation('actionformer', 'outputs')
def window_one_too_wide(patch):
    local = attention.local_attention
    patch.setattr(attention, 'local_attention', lambda q, k, v, window, dropout: local(
        q, k, v, window + 2, dropout))


@mutation('actionformer-global', 'outputs')
def attention_to_padding(patch):
    blocks = Layout.blocks
    patch.setattr(Layout, 'blocks', lambda self, x, valid_only=False: blocks(self, x))


@mutation('tridet-windows', 'outputs')
def position_left_out(patch):
    patch.setattr(SinusoidPosition, 'forward', lambda self, x, layout: x)


@mutation('temporalmaxer', 'outputs')
def variance_with_another_eps(patch):
    init = ChannelLayerNorm.__init__
    patch.setattr(ChannelLayerNorm, '__init__', lambda self, channels: init(
        self, channels, eps=1e-4))


@mutation('cltdr-focal', 'outputs')
def scores_fused_as_in_the_paper(patch):
    _attribute(patch, CLTDRHead, score_fusion='geometric_mean')


@mutation('cltdr-focal', 'outputs')
def decoupled_features_swapped(patch):
    """Boundary towers on the fused features, as in the paper."""
    _attribute(patch, CLTDRHead, boundary_feats='decoupled')


# the training step


@mutation('cltdr-focal', 'training')
def coarse_loss_left_out(patch):
    _attribute(patch, CLTDRHead, coarse_weight=0.)


@mutation('cltdr-varifocal', 'training')
def coarse_loss_of_the_other_kind(patch):
    _attribute(patch, CLTDRHead, loss_coarse=TALFocalLoss())


@mutation('cltdr-focal', 'training')
def normaliser_updated_once(patch):
    _attribute(patch, CLTDRHead, normalizer_moves='step')


@mutation('tridet', 'training')
def iou_power_left_out(patch):
    _loss_option(patch, iou_power=0.)


@mutation('tridet', 'training')
def iou_factor_detached(patch):
    _loss_option(patch, detach_iou=True)


@mutation('cltdr-focal', 'training')
def targets_of_the_paper(patch):
    """Positives drawn to their IoU."""
    _loss_option(patch, iou_targets=True)


@mutation('tridet', 'training')
def losses_divided_as_in_the_paper(patch):
    _loss_option(patch, balance_negatives=True)


@mutation('tridet', 'training')
def towers_see_too_few_rows(patch):
    """They run near positives, and need the rows around them."""
    _attribute(patch, tower.ConvTower, reach=1)


@mutation('tridet', 'training')
def boundary_features_not_detached(patch):
    patch.setattr(torch.Tensor, 'detach', lambda self: self)


@mutation('actionformer', 'training')
def distance_of_centres_left_out(patch):
    patch.setattr(DIoU1DLoss, 'penalty', lambda self, pred, target: (
        1 - distance_iou(pred, target)))


@mutation('tridet-smooth', 'training')
def labels_not_smoothed(patch):
    _loss_option(patch, label_smoothing=0.)


@mutation('cltdr-smooth', 'training')
def smoothed_targets_stay_negative(patch):
    """The paper's varifocal loss, which knows the positives."""
    _attribute(patch, TALVarifocalLoss, positives_by_target=False)


@mutation('cltdr-focal', 'training')
def negatives_weighted_too_much(patch):
    _attribute(patch, TALVarifocalLoss, alpha=0.75)


@mutation('actionformer', 'training')
def boundaries_regressed_per_class(patch):
    patch.setattr('cltdr_mm.models.heads.ActionFormerHead.boundaries_per_class', True)


@mutation('tridet', 'training')
def sampled_zone_too_wide(patch):
    _attribute(patch, CenterSamplingAssigner, radius=2.)


@mutation('temporalmaxer-costs', 'training')
def matching_cost_of_classes_left_out(patch):
    _attribute(patch, SimOTAAssigner1D, cls_weight=0.)


# detections


@mutation('cltdr-focal', 'detections')
def refinement_of_the_wrong_sign(patch):
    refine = CLTDRHead.refine_distances
    patch.setattr(CLTDRHead, 'refine_distances', lambda self, coarse, *args: (
        2 * coarse - refine(self, coarse, *args)).clamp(min=0))


@mutation('cltdr-focal', 'detections')
def refinement_in_strides(patch):
    _attribute(patch, CLTDRHead, offset_unit='stride')


@mutation('cltdr-focal', 'detections')
def one_offset_for_all_classes(patch):
    refine = CLTDRHead.refine_distances
    patch.setattr(CLTDRHead, 'refine_distances', lambda self, coarse, outs, pairs: refine(
        self, coarse, outs, pairs._replace(label=pairs.label * 0)))


@mutation('tridet', 'detections')
def suppression_too_mild(patch):
    _attribute(patch, SoftNMS, sigma=0.6)


@mutation('cltdr-agnostic', 'detections')
def voting_left_out(patch):
    patch.setattr(SegmentVoting, '__call__', lambda self, kept, *args: kept)


@mutation('cltdr-agnostic', 'detections')
def short_segments_kept(patch):
    init = CLTDRHead.__init__

    def changed(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.test_cfg['min_length'] = 0.

    patch.setattr(CLTDRHead, '__init__', changed)


@mutation('tridet', 'detections')
def window_centre_left_out(patch):
    patch.setattr(FeatureGrid, 'to_seconds', lambda self, steps: steps * self.stride / self.fps)


def _attribute(patch, kind, **values):
    """Give instances another value than their constructor does."""
    init = kind.__init__

    def changed(self, *args, **kwargs):
        init(self, *args, **kwargs)
        for name, value in values.items():
            setattr(self, name, value)

    patch.setattr(kind, '__init__', changed)


def _loss_option(patch, **values):
    """Give heads another option of their losses than their constructor does."""
    init = PointHead.__init__

    def changed(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.loss_options = replace(self.loss_options, **values)

    patch.setattr(PointHead, '__init__', changed)


@pytest.mark.parametrize('name', MUTATIONS)
def test_comparison_notices(name, monkeypatch):
    """Passes as it is, fails with the error."""
    setting, check, mutate = MUTATIONS[name]
    parity = cached_parity(setting)
    check = dict(outputs=lambda: parity.check_outputs(1e-7, 1e-7),
                 training=parity.check_training, detections=parity.check_detections)[check]
    check()
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        check()


def test_wrong_weights_are_noticed():
    """One parameter among all, off by a thousandth."""
    parity = parity_of('tridet')
    key = 'backbone.branch.1.psi.bias'
    parity.state[key] = parity.state[key] + 1e-3
    with pytest.raises(AssertionError, match='is off by'):
        parity.check_outputs(1e-7)


def test_missing_gradient_is_noticed():
    """A norm that the record has, but no parameter of ours."""
    parity = parity_of('tridet')
    parity.record['gradnorm/somewhere.weight'] = 1.
    with pytest.raises(AssertionError, match='gradients of no parameter'):
        parity.check_training()


def test_order_of_detections_is_noticed():
    """Ties may swap places, others may not."""
    expected = dict(segments=np.array([[0., 1.], [2., 3.], [4., 5.]]),
                    scores=np.array([0.9, 0.5, 0.5 - 5e-6]), labels=np.array([0, 1, 2]))

    def reordered(*order):
        order = list(order)
        return dict(segments=expected['segments'][order], scores=expected['scores'],
                    labels=expected['labels'][order])

    check_equal_detections(reordered(0, 2, 1), expected, 1e-4, 1e-5)
    with pytest.raises(AssertionError, match='rank 0'):
        check_equal_detections(reordered(1, 0, 2), expected, 1e-4, 1e-5)
    fewer = {key: value[:2] for key, value in expected.items()}
    with pytest.raises(AssertionError, match='2 detections, not 3'):
        check_equal_detections(fewer, expected, 1e-4, 1e-5)
    moved = dict(expected, segments=expected['segments'] + [[0, 2e-4]])
    with pytest.raises(AssertionError, match='rank 0'):
        check_equal_detections(moved, expected, 1e-4, 1e-5)
