"""The encoders as plain loops over numbers in float64, written from the equations.

A sequence is a numpy array (C, T) of all that is seen; ``mask`` (T,) says where it is valid. The
equations know no padding: there all that is seen is valid. The published code computes over padding
too, and zeroes it where these loops multiply by the mask.
"""
import cmath
import math

import numpy as np


def conv(x, weight, bias=None, stride=1):
    """Zero-padded convolution; groups follow from the shapes."""
    channels, steps = x.shape
    out_channels, per_group, kernel = weight.shape
    groups = channels // per_group
    out = np.zeros((out_channels, -(-steps // stride)))
    for o in range(out_channels):
        first = o // (out_channels // groups) * per_group
        for j in range(out.shape[1]):
            total = 0.0 if bias is None else bias[o]
            for i in range(per_group):
                for k in range(kernel):
                    t = j * stride + k - kernel // 2
                    if 0 <= t < steps:
                        total += weight[o, i, k] * x[first + i, t]
            out[o, j] = total
    return out


def layer_norm(x, weight, bias, eps=1e-5):
    out = np.empty_like(x)
    for t in range(x.shape[1]):
        mean, var = x[:, t].mean(), x[:, t].var()
        out[:, t] = (x[:, t] - mean) / math.sqrt(var + eps) * weight[0, :, 0] + bias[0, :, 0]
    return out


def group_norm(x, weight, bias, groups=16, eps=1e-5):
    out = np.empty_like(x)
    size = x.shape[0] // groups
    for g in range(groups):
        rows = slice(g * size, (g + 1) * size)
        out[rows] = (x[rows] - x[rows].mean()) / math.sqrt(x[rows].var() + eps)
    return out * weight[:, None] + bias[:, None]


def max_pool(x):
    steps = x.shape[1]
    out = np.empty((x.shape[0], -(-steps // 2)))
    for j in range(out.shape[1]):
        out[:, j] = x[:, max(2 * j - 1, 0):min(2 * j + 2, steps)].max(axis=1)
    return out


def relu(x):
    return np.where(x > 0, x, 0.0)


def gelu(x):
    return np.vectorize(lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))))(x)


def rfft(x):
    """(T,) real to (T // 2 + 1,) complex, a plain sum."""
    steps = len(x)
    return np.array([
        sum(x[t] * cmath.exp(-2j * math.pi * u * t / steps) for t in range(steps))
        for u in range(steps // 2 + 1)
    ])


def irfft(spectrum, steps):
    """Back to (T,); only the real part of bin 0 and of the middle bin counts."""
    out = np.zeros(steps)
    for t in range(steps):
        total = spectrum[0].real
        for u in range(1, len(spectrum)):
            if 2 * u == steps:
                total += spectrum[u].real * math.cos(math.pi * t)
            else:
                total += 2 * (spectrum[u] * cmath.exp(2j * math.pi * u * t / steps)).real
        out[t] = total / steps
    return out


def conv_filter(y, p, ortho=True):
    """Paper, eq. 1-3."""
    channels, steps = y.shape
    unit = math.sqrt(steps) if ortho else 1.0
    spectrum = np.stack([rfft(row) for row in y]) / unit
    parts = np.concatenate([spectrum.real, spectrum.imag])
    parts = conv(parts, p['global_mixer.conv1.weight'], p['global_mixer.conv1.bias'])
    parts = conv(relu(parts), p['global_mixer.conv2.weight'], p['global_mixer.conv2.bias'])
    spectrum = spectrum * (parts[:channels] + 1j * parts[channels:])
    return np.stack([irfft(row, steps) for row in spectrum]) * unit


def affine_filter(y, p, ortho=True):
    """Published code: complex affine, ReLU, complex affine, soft shrinkage."""
    channels, steps = y.shape
    unit = math.sqrt(steps) if ortho else 1.0
    out = np.empty_like(y)

    def shrink(v):
        return math.copysign(max(abs(v) - 0.001, 0.0), v)

    for c in range(channels):
        spectrum = rfft(y[c]) / unit
        w1, w2 = (complex(*p[f'global_mixer.{n}'][:, c, 0]) for n in ('w1', 'w2'))
        b1, b2 = (complex(*p[f'global_mixer.{n}'][:, c]) for n in ('b1', 'b2'))
        for u, value in enumerate(spectrum):
            hidden = value * w1 + b1
            hidden = complex(max(hidden.real, 0), max(hidden.imag, 0)) * w2 + b2
            spectrum[u] = value * complex(shrink(hidden.real), shrink(hidden.imag))
        out[c] = irfft(spectrum, steps) * unit
    return out


def fnet(y, p, ortho=False):
    """FNet: the real part of the transform over steps of that over channels."""
    channels, steps = y.shape
    out = np.empty_like(y)
    for v in range(channels):
        for u in range(steps):
            out[v, u] = sum(
                y[c, t] * math.cos(2 * math.pi * (u * t / steps + v * c / channels))
                for c in range(channels) for t in range(steps))
    return out / math.sqrt(steps * channels) if ortho else out


def gfnet(y, p, ortho=False):
    """GFNet: a weight for each frequency, interpolated to those of the sequence."""
    channels, steps = y.shape
    grid = p['global_mixer.weight'][..., 0] + 1j * p['global_mixer.weight'][..., 1]
    out = np.empty_like(y)
    for c in range(channels):
        spectrum = rfft(y[c])
        for u in range(len(spectrum)):
            place = u / steps / 0.5 * (grid.shape[1] - 1)
            low = min(math.floor(place), grid.shape[1] - 2)
            share = place - low
            spectrum[u] *= (1 - share) * grid[c, low] + share * grid[c, low + 1]
        out[c] = irfft(spectrum, steps)
    return out


def afno(y, p, ortho=False):
    """AFNO: two layers on blocks of channels, the same at all frequencies."""
    channels, steps = y.shape
    unit = math.sqrt(steps) if ortho else 1.0
    w1, b1, w2, b2 = (p[f'global_mixer.{n}'][0] + 1j * p[f'global_mixer.{n}'][1]
                      for n in ('w1', 'b1', 'w2', 'b2'))
    spectrum = np.stack([rfft(row) for row in y]) / unit
    out = np.empty_like(spectrum)
    size = channels // len(w1)

    def layer(values, weight, bias):
        return [sum(values[i] * weight[i, o] for i in range(size)) + bias[o] for o in range(size)]

    def shrink(v):
        return math.copysign(max(abs(v) - 0.01, 0.0), v)

    for u in range(spectrum.shape[1]):
        for block in range(len(w1)):
            rows = slice(block * size, (block + 1) * size)
            hidden = layer(spectrum[rows, u], w1[block], b1[block])
            hidden = [complex(max(v.real, 0), max(v.imag, 0)) for v in hidden]
            out[rows, u] = [complex(shrink(v.real), shrink(v.imag))
                            for v in layer(hidden, w2[block], b2[block])]
    return np.stack([irfft(row, steps) for row in out]) * unit


FOURIER_MIXERS = dict(fft=conv_filter, affine=affine_filter, fnet=fnet, gfnet=gfnet, afno=afno)


def attention(query, key, value, p, heads, window, mask):
    """Softmax over the valid steps within the window, head by head."""
    query, key, value = (
        conv(x, p[f'{n}.weight'], p[f'{n}.bias'])
        for x, n in ((query, 'query'), (key, 'key'), (value, 'value')))
    channels, steps = query.shape
    width = channels // heads
    out = np.zeros_like(query)
    for h in range(heads):
        rows = slice(h * width, (h + 1) * width)
        for i in range(steps):
            if not mask[i]:
                continue
            near = [j for j in range(steps)
                    if mask[j] and (window <= 1 or abs(i - j) <= window // 2)]
            scores = [query[rows, i] @ key[rows, j] / math.sqrt(width) for j in near]
            weights = np.exp(np.array(scores) - max(scores))
            weights /= weights.sum()
            out[rows, i] = sum(w * value[rows, j] for w, j in zip(weights, near))
    return conv(out, p['proj.weight'], p['proj.bias']) * mask


def sub(p, prefix):
    return {key[len(prefix):]: value for key, value in p.items() if key.startswith(prefix)}


def gmg_mix(y, p, mixer='fft', gate=True, granularities=('instant', 'local', 'global'),
            heads=None, mask=None, gate_function=relu, ortho=True):
    views, coarse = [], None
    if 'global' in granularities:
        if heads is not None:
            q = sub(p, 'global_mixer.')
            coarse = attention(y, y, y, q, heads, -1, mask)
        else:
            coarse = FOURIER_MIXERS[mixer](y, p, ortho)
        views.append(coarse)
    for name, key in (('local', 'convw'), ('instant', 'fc')):
        if name in granularities:
            view = conv(y, p[f'{key}.weight'], p[f'{key}.bias'])
            if gate and coarse is not None:
                view = gate_function(coarse) * view
            coarse = view
            views.append(view)
    return y + sum(views)


def sgp_mix(y, p, **_):
    def apply(name, x):
        return conv(x, p[f'{name}.weight'], p[f'{name}.bias'])

    phi = relu(apply('global_fc', y.mean(axis=1, keepdims=True)))
    return (apply('fc', y) * phi + (apply('convw', y) + apply('convkw', y)) * apply('psi', y) + y)


def logo_mix(y, p, **_):
    def apply(name, x):
        return conv(x, p[f'{name}.weight'], p[f'{name}.bias'])

    f_avg = relu(apply('fc_avg', y.mean(axis=1, keepdims=True)))
    f_max = relu(apply('fc_max', y.max(axis=1, keepdims=True)))
    return apply('conv', y) * f_avg + f_max * apply('fc', y) + y


def scaled(p, name, x):
    return x * p[f'{name}.scale'][0] if f'{name}.scale' in p else x


def mixer_block(x, mask, p, mix, stride=1, pool_last=False, **kwargs):
    """Residual block around a mixer."""
    if stride == 2 and not pool_last:
        x, mask = max_pool(x), mask[::2]
    y = layer_norm(x, p['ln.weight'], p['ln.bias'])
    x = x * mask + scaled(p, 'drop_path_out', mix(y, p, mask=mask, **kwargs))
    hidden = group_norm(x, p['gn.weight'], p['gn.bias'])
    hidden = gelu(conv(hidden, p['mlp.0.weight'], p['mlp.0.bias']))
    x = x + scaled(p, 'drop_path_mlp', conv(hidden, p['mlp.2.weight'], p['mlp.2.bias']))
    if stride == 2 and pool_last:
        x, mask = max_pool(x), mask[::2]
    return x, mask


def transformer_block(x, mask, p, stride=1, heads=4, window=-1):
    y = layer_norm(x, p['ln1.weight'], p['ln1.bias'])
    branches = []
    out_mask = mask[::stride]
    for name in ('query', 'key', 'value'):
        branch = conv(y, p[f'attn.{name}_conv.conv.weight'], stride=stride) * out_mask
        branches.append(
            layer_norm(branch, p[f'attn.{name}_norm.weight'], p[f'attn.{name}_norm.bias']))
    out = attention(*branches, sub(p, 'attn.'), heads, window, out_mask)
    x = (max_pool(x) if stride == 2 else x) * out_mask + scaled(p, 'drop_path_attn', out)
    hidden = layer_norm(x, p['ln2.weight'], p['ln2.bias'])
    hidden = gelu(conv(hidden, p['mlp.0.weight'], p['mlp.0.bias']))
    hidden = conv(hidden, p['mlp.3.weight'], p['mlp.3.bias']) * out_mask
    return x + scaled(p, 'drop_path_mlp', hidden), out_mask


def pool_block(x, mask, p, stride=2):
    return max_pool(x) * mask[::2], mask[::2]


def conv_block(x, mask, p, stride=1):
    out = conv(x, p['conv1.conv.weight'], p['conv1.conv.bias'], stride)
    out = conv(relu(out), p['conv2.conv.weight'], p['conv2.conv.bias'])
    if stride == 2:
        x = conv(x, p['shortcut.conv.weight'], p['shortcut.conv.bias'], stride)
    return relu(out + x), mask[::stride]


def embed(x, mask, p, layers):
    """Convolution, norm, ReLU; where there is padding the norm's bias stays in it."""
    for index in range(layers):
        x = conv(x, p[f'embd.{index}.conv.weight'], p.get(f'embd.{index}.conv.bias')) * mask
        if f'embd_norm.{index}.weight' in p:
            x = layer_norm(x, p[f'embd_norm.{index}.weight'], p[f'embd_norm.{index}.bias'])
        x = relu(x)
    return x


def add_position(x, mask, max_len):
    """Sinusoid over sqrt(C), stretched when the sequence is longer than the table."""
    channels, steps = x.shape

    def table(position, c):
        angle = position / 10000**(2 * (c // 2) / channels)
        return (math.sin(angle) if c % 2 == 0 else math.cos(angle)) / math.sqrt(channels)

    out = x.copy()
    for t in range(steps):
        if not mask[t]:
            continue
        place = float(t)
        if steps > max_len:
            place = min(max((t + 0.5) * max_len / steps - 0.5, 0), max_len - 1)
        low = int(place)
        high = min(low + 1, max_len - 1)
        for c in range(channels):
            out[c, t] += table(low, c) + (place - low) * (table(high, c) - table(low, c))
    return out


def pyramid(x, mask, p, arch, block, max_len=None, **kwargs):
    """All levels of a backbone; ``block(x, mask, params, stride=..., **kwargs)``."""
    x = embed(x, mask, p, arch[0])
    if max_len is not None:
        x = add_position(x, mask, max_len)
    for index in range(arch[1]):
        x, mask = block(x, mask, sub(p, f'stem.{index}.'), stride=1, **kwargs)
    levels = [x]
    for index in range(arch[2]):
        x, mask = block(x, mask, sub(p, f'branch.{index}.'), stride=2, **kwargs)
        levels.append(x)
    return levels


def gmg_block(x, mask, p, stride=1, **kwargs):
    return mixer_block(x, mask, p, gmg_mix, stride, **kwargs)


def sgp_block(x, mask, p, stride=1, **kwargs):
    return mixer_block(x, mask, p, sgp_mix, stride, **kwargs)


def logo_block(x, mask, p, stride=1, **kwargs):
    return mixer_block(x, mask, p, logo_mix, stride, pool_last=True, **kwargs)
