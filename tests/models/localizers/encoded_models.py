"""Small encoders of ours before MMAction2's localizers, and a batch for them."""
import copy

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.structures import FeatureGrid

STEPS, WIDTH, CHANNELS = 20, 16, 6
SOFT_NMS = dict(soft_nms_alpha=0.4, soft_nms_low_threshold=0.5, soft_nms_high_threshold=0.9,
                post_process_top_k=10)
LOCALIZERS = dict(
    BMN=dict(type='BMN', temporal_dim=STEPS, boundary_ratio=0.5, num_samples=8, feat_dim=WIDTH,
             num_samples_per_bin=2, hidden_dim_1d=8, hidden_dim_2d=4, hidden_dim_3d=8, **SOFT_NMS),
    TEM=dict(type='TEM', temporal_dim=STEPS, boundary_ratio=0.1, tem_feat_dim=WIDTH,
             tem_hidden_dim=8, tem_match_threshold=0.5, conv3_ratio=1),
    TCANet=dict(type='TCANet', feat_dim=WIDTH, se_sample_num=4, action_sample_num=8,
                temporal_dim=STEPS, window_size=5, lgte_num=1, **SOFT_NMS))
#: Start and end as fractions of the sequence, and score, as LoadTALProposals gives them.
PROPOSALS = [[[.1, .45, .9], [.56, .6, .7], [0., .99, .5]], [[.25, .9, .9]], [[0., 1., 1.]]]
# in grid steps; the third video has no action
SEGMENTS = [[(2., 9.), (11., 12.5)], [(5., 17.5)], []]


def make_batch(segments=SEGMENTS, steps=STEPS):
    """Inputs and data samples of videos v0, v1 and so on."""
    generator = torch.Generator().manual_seed(1)
    inputs, samples = [], []
    for index, found in enumerate(segments):
        grid = FeatureGrid(fps=10., stride=5., window=5., num_steps=steps)
        sample = ActionDataSample(
            metainfo=dict(video_name=f'v{index}', duration=grid.extent, grid=grid))
        sample.gt_instances = InstanceData(segments=torch.tensor(found).reshape(-1, 2),
                                           labels=torch.zeros(len(found), dtype=torch.int64))
        sample.proposals = InstanceData(proposals=torch.tensor(PROPOSALS[index]))
        inputs.append(torch.randn(CHANNELS, steps, generator=generator))
        samples.append(sample)
    return inputs, samples


def build(kind, **kwargs):
    """A model in front of one of LOCALIZERS."""
    torch.manual_seed(0)
    cfg = dict(
        type='EncodedLocalizer',
        backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2),
                      ffn_dims=24),
        neck=dict(type='IdentityNeck'),
        localizer=copy.deepcopy(LOCALIZERS[kind]),
        postprocessor=dict(type='TALPostProcessor', nms=None, max_per_video=-1, min_score=0.))
    return MODELS.build(dict(cfg, **kwargs))


def total(losses):
    """Sum of what the Runner sums."""
    return sum(value for name, value in losses.items() if 'loss' in name)
