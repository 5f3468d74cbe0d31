"""Refine head of CLTDR (AAAI 2025, eq. 10-12): corrections predicted from fused levels."""
from collections.abc import Sequence
from typing import Optional

from mmengine.model import BaseModule

from .point_head import Feats, Outputs
from .tower import ConvTower, output_conv


class RefineHead(BaseModule):
    """One trunk for a second opinion on classes and for offsets of start and end.

    Args:
        in_channels (int): Channels of the fused features.
        feat_channels (int): Channels of the trunk.
        num_classes (int): Classes K.
        num_offsets (int): Offsets of each boundary per step: 1, or K for one per class.
        kernel_sizes (dict, optional): Kernels of the layers 'trunk', 'cls' and 'offset'.
            Defaults to None: 3; what a dict leaves out too.
        prior_prob (float, optional): Class probability to start with; None for 0.5.
        targets (Sequence[str]): What to predict: of 'cls', 'reg'. Defaults to both.
        tower_cfg (dict, optional): Other arguments of the trunk, see :class:`ConvTower`; its
            number of layers counts the output layers.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On a kernel of another layer.
    """

    def __init__(self,
                 in_channels: int,
                 feat_channels: int,
                 num_classes: int,
                 num_offsets: int = 1,
                 kernel_sizes: Optional[dict[str, int]] = None,
                 prior_prob: Optional[float] = None,
                 targets: Sequence[str] = ('cls', 'reg'),
                 tower_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        kernels = dict(trunk=3, cls=3, offset=3)
        unknown = set(kernel_sizes or {}) - set(kernels)
        if unknown:
            raise ValueError(f"RefineHead: kernel_sizes must be of 'trunk', 'cls' and 'offset', "
                             f'got {sorted(unknown)}')
        kernels.update(kernel_sizes or {})
        self.trunk = ConvTower(in_channels, feat_channels, None,
                               **{**(tower_cfg or {}), 'kernel_size': kernels['trunk']})
        self.cls_out = self.start_out = self.end_out = None
        if 'cls' in targets:
            self.cls_out = output_conv(feat_channels, num_classes, kernels['cls'], prior_prob)
        if 'reg' in targets:
            self.start_out = output_conv(feat_channels, num_offsets, kernels['offset'])
            self.end_out = output_conv(feat_channels, num_offsets, kernels['offset'])

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict corrections.

        Args:
            feats (Sequence[Tensor]): Fused features, per level (B, C, T_l).
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Dict[str, List[Tensor]]: Per level ``refine_logits`` (B, K, T_l), ``refine_starts``
            and ``refine_ends`` (B, num_offsets, T_l), as far as they are asked for.
        """
        layers = dict(refine_logits=self.cls_out, refine_starts=self.start_out,
                      refine_ends=self.end_out)
        layers = {name: layer for name, layer in layers.items() if layer is not None}
        outs = {name: [] for name in layers}
        for x, mask in zip(feats, masks):
            x = self.trunk(x, mask)
            for name, layer in layers.items():
                outs[name].append(layer(x, mask)[0])
        return outs
