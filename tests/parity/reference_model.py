"""The release models, slowly: float64, one video at a time, from METHODS' formulas.

Works on the published state dict as it is and shares no code with `cltdr_mm`. A sequence is (C, T),
padded to the models' maximum length, and its padding takes part as it does in the published code.
"""
import math

import torch
import torch.nn.functional as F
from torch import Tensor


def odd_kernel(window: int, k: float) -> int:
    """Kernel of TriDet's wide convolution."""
    size = round((window + 1) * k)
    return size if size % 2 else size + 1


def windows_of(family: str, model: dict) -> list:
    """Window of every level."""
    value = model['n_mha_win_size' if family == 'actionformer' else 'n_sgp_win_size']
    levels = model['backbone_arch'][-1] + 1
    return [value] * levels if isinstance(value, int) else value


class ReferenceModel:
    """Features in, raw outputs of every level out.

    Args:
        family (str): 'cltdr', 'tridet', 'actionformer' or 'tmaxer'.
        model (dict): Published settings of the model.
        state (dict): Published state dict, float64.
    """

    def __init__(self, family: str, model: dict, state: dict):
        self.family = family
        self.model = model
        self.state = state
        self.levels = model['backbone_arch'][-1] + 1

    # layers; a name says which parameters

    def conv(self, x: Tensor, name: str, stride: int = 1, depthwise: bool = False) -> Tensor:
        weight = self.state[f'{name}.weight']
        return F.conv1d(x[None], weight, self.state.get(f'{name}.bias'), stride,
                        weight.shape[-1] // 2, groups=len(x) if depthwise else 1)[0]

    def transposed(self, x: Tensor, name: str) -> Tensor:
        """Kernel 3, stride 2: every step spreads over three steps of the finer grid."""
        weight, steps = self.state[f'{name}.weight'], x.shape[1]
        out = x.new_zeros(weight.shape[1], 2 * steps + 2)
        for t in range(steps):
            for tap in range(3):
                out[:, 2 * t + tap] = out[:, 2 * t + tap] + weight[:, :, tap].T @ x[:, t]
        return out[:, 1:2 * steps + 1] + self.state[f'{name}.bias'][:, None]

    def layer_norm(self, x: Tensor, name: str) -> Tensor:
        """Over the channels of each step."""
        centred = x - x.mean(0, keepdim=True)
        x = centred / (centred.pow(2).mean(0, keepdim=True) + 1e-5).sqrt()
        return x * self.state[f'{name}.weight'][0] + self.state[f'{name}.bias'][0]

    def group_norm(self, x: Tensor, groups: int, name: str = '') -> Tensor:
        """Over all steps, padded ones too, of each group of channels."""
        parts = []
        for part in x.chunk(groups):
            centred = part - part.mean()
            parts.append(centred / (centred.pow(2).mean() + 1e-5).sqrt())
        x = torch.cat(parts)
        if name:
            x = x * self.state[f'{name}.weight'][:, None] + self.state[f'{name}.bias'][:, None]
        return x

    def factor(self, name: str) -> Tensor:
        """Of a residual branch that training may drop; elsewhere there is none."""
        scale = self.state.get(f'{name}.scale')
        return torch.ones(()).double() if scale is None else scale[0]

    @staticmethod
    def max_pool(x: Tensor) -> Tensor:
        """Kernel 3, stride 2, padding 1."""
        steps = x.shape[1]
        return torch.stack([x[:, max(t - 1, 0):min(t + 2, steps)].amax(1)
                            for t in range(0, steps, 2)], dim=1)

    # backbone

    def position(self, steps: int) -> Tensor:
        """Sinusoid table over sqrt(D), (D, steps)."""
        width = self.model['embd_dim']
        return torch.tensor([[
            (math.sin, math.cos)[c % 2](t / 10000**(2 * (c // 2) / width)) / width**0.5
            for t in range(steps)] for c in range(width)], dtype=torch.float64)

    def embed(self, x: Tensor, mask: Tensor) -> Tensor:
        for i in range(self.model['backbone_arch'][0]):
            x = self.conv(x, f'backbone.embd.{i}.conv') * mask
            if self.model['embd_with_ln']:
                x = self.layer_norm(x, f'backbone.embd_norm.{i}')
            x = F.relu(x)
        if self.model.get('use_abs_pe', False):
            x = x + self.position(x.shape[1]) * mask
        return x

    def block(self, x: Tensor, mask: Tensor, name: str, stride: int, window: int):
        if self.family == 'tmaxer':
            mask = mask[::2]
            return self.max_pool(x) * mask, mask
        if self.family == 'actionformer':
            return self.transformer(x, mask, name, stride, window)
        if stride == 2:
            x, mask = self.max_pool(x), mask[::2]
        y = self.layer_norm(x, f'{name}.ln')
        mixed = (self.gmg if self.family == 'cltdr' else self.sgp)(y, name)
        z = x * mask + self.factor(f'{name}.drop_path_out') * mixed
        hidden = F.gelu(self.conv(self.group_norm(z, 16, f'{name}.gn'), f'{name}.mlp.0'))
        return z + self.factor(f'{name}.drop_path_mlp') * self.conv(hidden, f'{name}.mlp.2'), mask

    def sgp(self, y: Tensor, name: str) -> Tensor:
        def part(key, x=y):
            return self.conv(x, f'{name}.{key}', depthwise=True)

        instant = part('fc') * F.relu(part('global_fc', y.mean(1, keepdim=True)))
        return instant + (part('convw') + part('convkw')) * part('psi') + y

    def gmg(self, y: Tensor, name: str) -> Tensor:
        views = self.spectral_filter(y, name)
        local = views * self.conv(y, f'{name}.convw', depthwise=True)
        instant = local * self.conv(y, f'{name}.fc', depthwise=True)
        return y + instant + local + views

    def spectral_filter(self, y: Tensor, name: str) -> Tensor:
        """Orthonormal transform, two complex affine maps, product, back; by explicit sums."""
        steps = y.shape[1]
        time = torch.arange(steps, dtype=torch.float64)
        freq = torch.arange(steps // 2 + 1, dtype=torch.float64)
        angle = 2 * math.pi * time[:, None] * freq / steps  # (T, F)
        re, im = y @ angle.cos() / steps**0.5, -y @ angle.sin() / steps**0.5

        def affine(a, b, i):
            w, c = self.state[f'{name}.w{i}'], self.state[f'{name}.b{i}'][..., None]
            return a * w[0] - b * w[1] + c[0], b * w[0] + a * w[1] + c[1]

        a, b = affine(re, im, 1)
        a, b = affine(F.relu(a), F.relu(b), 2)
        a, b = (x.sign() * F.relu(x.abs() - 0.001) for x in (a, b))
        re, im = re * a - im * b, re * b + im * a
        twice = torch.full_like(freq, 2.)  # a frequency stands for its conjugate as well
        twice[0] = 1
        if steps % 2 == 0:
            twice[-1] = 1
        return ((re * twice) @ angle.cos().T - (im * twice) @ angle.sin().T) / steps**0.5

    def transformer(self, x: Tensor, mask: Tensor, name: str, stride: int, window: int):
        y, out_mask = self.layer_norm(x, f'{name}.ln1'), mask[::stride]
        parts = []
        for part in ('query', 'key', 'value'):
            z = self.conv(y, f'{name}.attn.{part}_conv.conv', stride, depthwise=True) * out_mask
            z = self.layer_norm(z, f'{name}.attn.{part}_norm')
            parts.append(self.conv(z, f'{name}.attn.{part}'))
        heads = self.model['n_head']
        steps = torch.arange(len(out_mask))
        seen = (out_mask > 0)[None].expand(len(steps), -1)
        if window > 1:
            seen = seen & ((steps[:, None] - steps).abs() <= window // 2)
        attended = []
        for q, k, v in zip(*(z.chunk(heads) for z in parts)):
            weight = (q.T @ k / len(q)**0.5).masked_fill(~seen, -1e4).softmax(-1)
            attended.append(v @ weight.T)
        out = self.conv(torch.cat(attended), f'{name}.attn.proj') * out_mask
        x = (self.max_pool(x) if stride == 2 else x) * out_mask
        x = x + self.factor(f'{name}.drop_path_attn') * out
        hidden = F.gelu(self.conv(self.layer_norm(x, f'{name}.ln2'), f'{name}.mlp.0'))
        out = self.conv(hidden, f'{name}.mlp.3') * out_mask
        return x + self.factor(f'{name}.drop_path_mlp') * out, out_mask

    def pyramid(self, feats: Tensor) -> tuple[list, list]:
        """Features and masks of every level, the neck's norms included."""
        length = self.model['max_seq_len']
        mask = (torch.arange(length) < feats.shape[1]).double()
        x = self.embed(F.pad(feats, (0, length - feats.shape[1])), mask)
        if self.family != 'tmaxer':
            windows = windows_of(self.family, self.model)
            for i in range(self.model['backbone_arch'][1]):
                # the published mixers have kernel 1 in the stem, attention has its window
                x, mask = self.block(x, mask, f'backbone.stem.{i}', 1, windows[0])
        feats, masks = [x], [mask]
        for i in range(self.levels - 1):
            window = 1 if self.family == 'tmaxer' else windows[i + 1]
            x, mask = self.block(x, mask, f'backbone.branch.{i}', 2, window)
            feats.append(x)
            masks.append(mask)
        if self.model['fpn_with_ln']:
            if self.family == 'tmaxer' and self.model.get('fpn_norm') != 'layernorm':
                feats = [self.group_norm(x, 4) for x in feats]
            else:
                feats = [self.layer_norm(x, f'neck.fpn_norms.{i}') for i, x in enumerate(feats)]
        return feats, masks

    # heads

    def trunk(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        for i in range(self.model['head_num_layers'] - 1):
            x = self.conv(x, f'{name}.head.{i}.conv') * mask
            x = F.relu(self.layer_norm(x, f'{name}.norm.{i}'))
        return x

    def tower(self, x: Tensor, mask: Tensor, name: str, out: str) -> Tensor:
        return self.conv(self.trunk(x, mask, name), f'{name}.{out}.conv') * mask

    def attend(self, own: Tensor, other: Tensor, name: str) -> Tensor:
        """A level plus a neighbour, whose channels are weighted by what both show."""
        both = F.relu(other + self.conv(own, f'{name}.conv_l'))
        weight = self.conv(both.mean(1, keepdim=True), f'{name}.attn.1').sigmoid()
        return own + weight * other

    def outputs(self, feats: Tensor) -> dict[str, list]:
        """Raw outputs of a video (C, T): lists over levels of (channels, T_l)."""
        pyramid, masks = self.pyramid(feats)
        trident = self.family in ('cltdr', 'tridet')
        outs = {name: [] for name in ('mask', 'cls_logits', 'reg_out', 'start', 'end',
                                      'coarse_logits', 'refine_start', 'refine_end')}
        for level, (x, mask) in enumerate(zip(pyramid, masks)):
            for_cls = for_reg = fused = x
            if self.family == 'cltdr':
                if level + 1 < self.levels:
                    finer = pyramid[level + 1]
                    for_cls = self.attend(x, self.transposed(finer, 'decls.contrans'), 'decls')
                    fused = fused + self.transposed(finer, 'cross_level.convtrans')
                if level > 0:
                    coarser = pyramid[level - 1]
                    for_reg = self.attend(x, self.conv(coarser, 'dereg.down', 2), 'dereg')
                    fused = fused + self.conv(coarser, 'cross_level.conv', 2)
            outs['mask'].append(mask)
            logits = self.tower(for_cls, mask, 'cls_head', 'cls_head')
            scale = self.state[f'reg_head.scale.{level}.scale']
            outs['reg_out'].append(
                F.relu(scale * self.tower(for_reg, mask, 'reg_head', 'offset_head')))
            if trident:
                for name in ('start', 'end'):
                    outs[name].append(self.tower(x.detach(), mask, f'{name}_head', 'cls_head'))
            if self.family == 'cltdr':
                outs['coarse_logits'].append(logits)
                hidden = self.trunk(fused, mask, 'refineHead')
                logits = logits * self.conv(hidden, 'refineHead.prob_head.conv') * mask
                for name in ('start', 'end'):
                    outs[f'refine_{name}'].append(
                        self.conv(hidden, f'refineHead.{name[0]}_offset_head.conv') * mask)
            outs['cls_logits'].append(logits)
        return {name: value for name, value in outs.items() if value}
