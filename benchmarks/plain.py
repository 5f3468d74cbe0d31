"""CLTDR-GMG the plain way: what speed is measured against.

The computation of the published model (``configs/release/cltdr_gmg``) with the habits of published
code: (B, C, T) tensors, every batch padded to the longest training input, every level on its own,
masks multiplied, boundaries decoded at every step for every class. It shares no layer with
`cltdr_mm`; its state dict has the names of the release models', so that weights are exchanged and
results compared.
"""
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from plain_encoder import Encoder, MaskedConv, Neck, Norm
from plain_training import PlainLoss, decode_all
from torch import Tensor, nn


class Tower(nn.Module):
    """Two convolutions with norms, and one to the outputs if there are any."""

    def __init__(self, inputs: int, width: int, outputs, num_layers: int, kernel: int) -> None:
        super().__init__()
        widths = [inputs] + [width] * (num_layers - 1)
        self.convs = nn.ModuleList(MaskedConv(i, o, kernel, bias=False)
                                   for i, o in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(Norm(o) for o in widths[1:])
        self.out = MaskedConv(width, outputs, kernel) if outputs else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Predict one level."""
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(x, mask)))
        return self.out(x, mask) if self.out is not None else x


class Fusion(nn.Module):
    """A level plus its coarser ('higher') or finer ('lower') neighbour or both."""

    def __init__(self, channels: int, sources, attention: bool) -> None:
        super().__init__()
        self.attention = attention
        layers = dict(higher=nn.ConvTranspose1d, lower=nn.Conv1d)
        more = dict(higher=dict(output_padding=1), lower={})
        self.resample = nn.ModuleDict({
            name: layers[name](channels, channels, 3, stride=2, padding=1, **more[name])
            for name in sources})
        if attention:
            self.own = nn.ModuleDict({n: nn.Conv1d(channels, channels, 1) for n in sources})
            self.gate = nn.ModuleDict({n: nn.Conv1d(channels, channels, 1) for n in sources})

    def forward(self, feats: list, level: int) -> Tensor:
        """Fused features of a level."""
        own = fused = feats[level]
        for name, layer in self.resample.items():
            other = level + (1 if name == 'higher' else -1)
            if not 0 <= other < len(feats):
                continue
            neighbour = layer(feats[other])
            if self.attention:
                seen = F.relu(neighbour + self.own[name](own)).mean(dim=-1, keepdim=True)
                neighbour = neighbour * torch.sigmoid(self.gate[name](seen))
            fused = fused + neighbour
        return fused


class Scale(nn.Module):
    """One learned factor."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.))


class RefineHead(nn.Module):
    """One trunk, three outputs per class: a second logit, offsets of start and end."""

    def __init__(self, inputs: int, width: int, classes: int, num_layers: int,
                 kernel: int) -> None:
        super().__init__()
        self.trunk = Tower(inputs, width, None, num_layers, kernel)
        self.cls_out = MaskedConv(width, classes, kernel)
        self.start_out = MaskedConv(width, classes, 7)
        self.end_out = MaskedConv(width, classes, 7)


class Head(nn.Module):
    """CLTDR head, level by level."""

    def __init__(self, num_classes: int, in_channels: int, feat_channels: int, num_levels: int,
                 num_layers: int, kernel_size: int, boundary_kernel_size: int,
                 num_bins: int) -> None:
        super().__init__()
        widths = in_channels, feat_channels
        self.cls_tower = Tower(*widths, num_classes, num_layers, kernel_size)
        self.start_tower = Tower(*widths, num_classes, num_layers, boundary_kernel_size)
        self.end_tower = Tower(*widths, num_classes, num_layers, boundary_kernel_size)
        self.center_tower = Tower(*widths, 2 * (num_bins + 1), num_layers, kernel_size)
        self.scales = nn.ModuleList(Scale() for _ in range(num_levels))
        self.dcm = Fusion(in_channels, ('higher', ), attention=True)
        self.drm = Fusion(in_channels, ('lower', ), attention=True)
        self.clff = Fusion(in_channels, ('higher', 'lower'), attention=False)
        self.refine_head = RefineHead(*widths, num_classes, num_layers, kernel_size)

    def forward(self, feats: list, masks: list) -> list[dict]:
        """Outputs of every level, (B, channels, T_l) each."""
        levels = []
        for level, (x, mask) in enumerate(zip(feats, masks)):
            coarse = self.cls_tower(self.dcm(feats, level), mask)
            center = self.center_tower(self.drm(feats, level), mask)
            trunk = self.refine_head.trunk(self.clff(feats, level), mask)
            levels.append(dict(
                mask=mask, coarse=coarse,
                refined=coarse * self.refine_head.cls_out(trunk, mask),
                center=F.relu(center * self.scales[level].scale),
                start=self.start_tower(x.detach(), mask),
                end=self.end_tower(x.detach(), mask),
                offsets=torch.stack([-self.refine_head.start_out(trunk, mask),
                                     self.refine_head.end_out(trunk, mask)], dim=-1)))
        return levels


class PlainModel(nn.Module):
    """The whole model, built from a config of the release.

    Args:
        cfg (dict): ``model`` of a config in ``configs/release/cltdr_gmg``.
    """

    def __init__(self, cfg: dict) -> None:
        super().__init__()
        backbone, head, pad = cfg['backbone'], cfg['head'], cfg['data_preprocessor']
        if backbone['use_abs_pe'] or not backbone['embed_norm'] or head['label_smoothing']:
            raise ValueError('the plain model has no position encoding, an embedding norm, and no '
                             'label smoothing')
        self.pad_to, self.divisor = pad['pad_to'], pad['size_divisor']
        self.test_cfg, self.post = head['test_cfg'], cfg['postprocessor']
        ranges = head['regression_ranges']
        self.backbone = Encoder(**{k: backbone[k] for k in (
            'in_channels', 'embed_dims', 'arch', 'ffn_dims', 'kernel_size', 'embed_kernel_size',
            'drop_path')})
        self.neck = Neck(head['in_channels'], len(ranges))
        self.head = Head(num_levels=len(ranges), **{k: head[k] for k in (
            'num_classes', 'in_channels', 'feat_channels', 'num_layers', 'kernel_size',
            'boundary_kernel_size', 'num_bins')})
        self.criterion = PlainLoss(ranges, head['assigner']['radius'], head['iou_power'],
                                   head['normalizer']['init'])

    def load(self, state: dict) -> None:
        """Take over the weights of a release model; all of them must fit."""
        state = dict(state)
        self.criterion.running = float(state.pop('head.normalizer.value'))
        self.load_state_dict(state)

    def forward(self, inputs: list) -> list[dict]:
        """Outputs of every level for sequences (C, T_i), padded as in the published code."""
        longest = max(x.shape[1] for x in inputs)
        steps = self.pad_to
        if longest > steps:
            steps = -(-longest // self.divisor) * self.divisor
        batch = inputs[0].new_zeros(len(inputs), inputs[0].shape[0], steps)
        mask = batch.new_zeros(len(inputs), 1, steps)
        for row, x in enumerate(inputs):
            batch[row, :, :x.shape[1]] = x
            mask[row, :, :x.shape[1]] = 1
        feats, masks = self.backbone(batch, mask)
        feats = [norm(x) for norm, x in zip(self.neck.fpn_norms, feats)]
        return self.head(feats, masks)

    def loss(self, inputs: list, samples: list) -> dict[str, Tensor]:
        """Losses of a batch; samples have ``gt_instances`` in grid steps."""
        return self.criterion(self(inputs), [s.gt_instances for s in samples])

    @torch.no_grad()
    def predict(self, inputs: list, samples: list, nms) -> list[InstanceData]:
        """Detections in seconds, video after video; `nms` as :class:`cltdr_mm`'s SoftNMS."""
        levels = self(inputs)
        found = []
        for row, sample in enumerate(samples):
            parts = [self.pick(level, index, row) for index, level in enumerate(levels)]
            segments, scores, labels = (torch.cat(x) for x in zip(*parts))
            segments = sample.metainfo['grid'].to_seconds(segments.double())
            kept, scores = nms(segments, scores, labels, self.post['min_score'],
                               self.post['max_per_video'])
            segments = segments[kept].clamp(0, sample.metainfo['duration'])
            found.append(InstanceData(segments=segments, scores=scores, labels=labels[kept]))
        return found

    def pick(self, level: dict, index: int, row: int) -> tuple[Tensor, Tensor, Tensor]:
        """Candidates of one level of one video: segments in grid steps, scores, labels."""
        distances = decode_all(level, 2**index)[1][row]  # (K, T, 2)
        scores = (level['refined'].sigmoid() * level['mask'])[row].T.flatten()  # (T * K,)
        chosen = (scores > self.test_cfg['score_thr']).nonzero()[:, 0]
        top, order = scores[chosen].sort(descending=True)
        top, chosen = top[:self.test_cfg['nms_pre']], chosen[order[:self.test_cfg['nms_pre']]]
        classes = distances.shape[0]
        point, label = chosen // classes, chosen % classes
        distance = distances[label, point] * 2**index
        time = point * 2.**index
        segments = torch.stack([time - distance[:, 0], time + distance[:, 1]], dim=1)
        keep = segments[:, 1] - segments[:, 0] > self.test_cfg['min_length']
        return segments[keep], top[keep], label[keep]
