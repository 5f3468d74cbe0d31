"""Random weights in the layout of the published state dicts, for settings that no file covers.

Nothing here comes from `cltdr_mm`: names and shapes are those of the published checkpoints.
"""
import math
import re

import torch
from reference_model import odd_kernel, windows_of


class Layout:
    """Names and shapes of a published state dict.

    Args:
        family (str): 'cltdr', 'tridet', 'actionformer' or 'tmaxer'.
        model (dict): Published settings of the model, with ``train_cfg``.
    """

    def __init__(self, family: str, model: dict):
        self.family = family
        self.drops = model['train_cfg']['droppath'] > 0
        self.model = model
        self.shapes = {}
        self.add_backbone()
        self.add_heads()

    def conv(self, name: str, out: int, channels: int, kernel: int, bias: bool = True):
        self.shapes[f'{name}.weight'] = (out, channels, kernel)
        if bias:
            self.shapes[f'{name}.bias'] = (out, )

    def layer_norm(self, name: str, channels: int):
        self.shapes[f'{name}.weight'] = (1, channels, 1)
        self.shapes[f'{name}.bias'] = (1, channels, 1)

    def add_backbone(self):
        m = self.model
        width, arch, normed = m['embd_dim'], m['backbone_arch'], m['embd_with_ln']
        for i in range(arch[0]):
            self.conv(f'backbone.embd.{i}.conv', width, m['input_dim'] if i == 0 else width,
                      m['embd_kernel_size'], bias=not normed)
            if normed:
                self.layer_norm(f'backbone.embd_norm.{i}', width)
        levels = arch[-1] + 1
        if self.family != 'tmaxer':
            windows = windows_of(self.family, m)
            for i in range(arch[1]):
                self.add_block(f'backbone.stem.{i}', width, 1)
            for i in range(arch[2]):
                self.add_block(f'backbone.branch.{i}', width, windows[i + 1])
        if m['fpn_with_ln'] and (self.family != 'tmaxer' or m.get('fpn_norm') == 'layernorm'):
            for i in range(levels):
                self.layer_norm(f'neck.fpn_norms.{i}', width)

    def add_block(self, name: str, width: int, window: int):
        if self.drops and (self.family == 'actionformer' or '.branch.' in name):
            first = 'attn' if self.family == 'actionformer' else 'out'
            for part in (first, 'mlp'):
                self.shapes[f'{name}.drop_path_{part}.scale'] = (1, width, 1)
        if self.family == 'actionformer':
            for norm in ('ln1', 'ln2'):
                self.layer_norm(f'{name}.{norm}', width)
            for part in ('query', 'key', 'value'):
                self.conv(f'{name}.attn.{part}_conv.conv', width, 1, 3, bias=False)
                self.layer_norm(f'{name}.attn.{part}_norm', width)
                self.conv(f'{name}.attn.{part}', width, width, 1)
            self.conv(f'{name}.attn.proj', width, width, 1)
            self.conv(f'{name}.mlp.0', 4 * width, width, 1)
            self.conv(f'{name}.mlp.3', width, 4 * width, 1)
            return
        self.layer_norm(f'{name}.ln', width)
        self.shapes[f'{name}.gn.weight'] = self.shapes[f'{name}.gn.bias'] = (width, )
        self.conv(f'{name}.fc', width, 1, 1)
        self.conv(f'{name}.convw', width, 1, window)
        self.conv(f'{name}.mlp.0', self.model['sgp_mlp_dim'], width, 1)
        self.conv(f'{name}.mlp.2', width, self.model['sgp_mlp_dim'], 1)
        if self.family == 'cltdr':
            for i in (1, 2):
                self.shapes[f'{name}.w{i}'] = (2, width, 1)
                self.shapes[f'{name}.b{i}'] = (2, width)
        else:
            self.conv(f'{name}.psi', width, 1, window)
            self.conv(f'{name}.convkw', width, 1, odd_kernel(window, self.model['k']))
            self.conv(f'{name}.global_fc', width, 1, 1)

    def add_tower(self, name: str, kernel: int, outs: dict):
        m = self.model
        width, hidden = m['fpn_dim'], m['head_dim']
        for i in range(m['head_num_layers'] - 1):
            self.conv(f'{name}.head.{i}.conv', hidden, width if i == 0 else hidden, kernel, False)
            self.layer_norm(f'{name}.norm.{i}', hidden)
        for out, (channels, size) in outs.items():
            self.conv(f'{name}.{out}.conv', channels, hidden, size)

    def add_heads(self):
        m = self.model
        width, classes, kernel = m['fpn_dim'], m['num_classes'], m['head_kernel_size']
        bins = m.get('num_bins')
        self.add_tower('cls_head', kernel, dict(cls_head=(classes, kernel)))
        self.add_tower('reg_head', kernel,
                       dict(offset_head=(2 if bins is None else 2 * (bins + 1), kernel)))
        scaled = ['reg_head']
        if bins is not None:
            size = m['boudary_kernel_size']
            for name in ('start_head', 'end_head'):
                self.add_tower(name, size, dict(cls_head=(classes, size)))
        if self.family == 'cltdr':
            for name, size in (('decls.contrans', 3), ('decls.conv_l', 1), ('decls.attn.1', 1),
                               ('dereg.down', 3), ('dereg.conv_l', 1), ('dereg.attn.1', 1),
                               ('cross_level.conv', 3), ('cross_level.convtrans', 3)):
                self.conv(name, width, width, size)
            size = m.get('refine_kernel', kernel)  # in the code, no setting
            self.add_tower('refineHead', size, dict(
                s_offset_head=(classes, 7), e_offset_head=(classes, 7), prob_head=(classes, size)))
            scaled.append('refineHead')
        for name in scaled:
            for i in range(m['backbone_arch'][-1] + 1):
                self.shapes[f'{name}.scale.{i}.scale'] = ()

    def random_state(self, seed: int) -> dict:
        """Weights none of which is at a value that hides an error, such as 0 or 1."""
        generator = torch.Generator().manual_seed(seed)
        state = {}
        for name, shape in self.shapes.items():
            noise = torch.randn(shape, generator=generator, dtype=torch.float64)
            if re.search(r'norm|\.ln\d?\.weight|gn\.weight|scale$', name):
                state[name] = 0.3 * noise + (not name.endswith('bias'))
            elif name.endswith('bias'):
                state[name] = 0.3 * noise
            else:
                fan_in = math.prod(shape[1:])
                state[name] = 0.7 * noise if shape[1] == 1 or shape[0] == 2 else noise / fan_in**0.5
        return state
