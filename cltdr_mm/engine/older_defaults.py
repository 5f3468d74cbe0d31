"""What the defaults were when an older version trained a checkpoint.

Weights do not show every setting they were trained under: another norm of the Fourier transform
fits the same tensors and gives other detections.
"""
from collections.abc import Mapping
from typing import Any

from mmengine.utils import digit_version

from ..utils import TALDataError
from .checkpoint_config import checkpoint_config

#: The first version with today's defaults.
SINCE = '0.3.0'
#: The version that did not write its own, and a hook that all its configs have and no later ones.
FIRST, FIRST_HOOK = '0.1.0', 'external_scores'


def check_defaults(checkpoint: Any, model: Any, name: str) -> None:
    """Refuse a checkpoint of an older version whose transform had another norm than the model's.

    Args:
        checkpoint: What was loaded, of any type; one without a config says nothing.
        model (nn.Module): Whose ``backbone`` may have ``fft_norm``.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: If so; names the option that sets it.
    """
    used = getattr(getattr(model, 'backbone', None), 'fft_norm', None)
    trained = older_settings(checkpoint).get('model.backbone.fft_norm')
    if used is not None and trained is not None and trained != used:
        raise TALDataError.of(
            'checkpoint', name, 'fft_norm', f'was {trained!r} where it was trained, by version '
            f'{_version(checkpoint) or FIRST}, and is {used!r} in the config: add --cfg-options '
            f'model.backbone.fft_norm={trained}, or train anew')


def older_settings(checkpoint: Any) -> dict[str, Any]:
    """Settings that a checkpoint of an older version was trained under, where defaults changed.

    Args:
        checkpoint: What was loaded, of any type.

    Returns:
        dict[str, Any]: By the option of a config, the value there was; empty for a checkpoint of
        today's defaults, and for one that holds no config.
    """
    version = _version(checkpoint) if isinstance(checkpoint, Mapping) else None
    if version is None or (version and not _is_older(version)):
        return {}
    try:
        cfg = checkpoint_config(checkpoint)
    except ValueError:  # weights alone
        return {}
    hooks = cfg.get('default_hooks')
    if not version and not (isinstance(hooks, Mapping) and FIRST_HOOK in hooks):
        return {}  # by a hook of MMEngine, which does not write our version
    model = cfg.get('model')
    parts = [model.get(part) if isinstance(model, Mapping) else None
             for part in ('backbone', 'head')]
    backbone, head = ({} if not isinstance(part, Mapping) else part for part in parts)
    found: dict[str, Any] = {}
    if backbone.get('type') == 'GMG' and backbone.get('global_mixer', 'fft') == 'fft':
        # 0.1.0 had one word for all that the published code computes
        default = 'ortho' if backbone.get('variant') == 'release' else 'backward'
        found['model.backbone.fft_norm'] = backbone.get('fft_norm') or default
    if backbone.get('type') == 'GMG':
        found['model.backbone.kernel_size'] = backbone.get('kernel_size', 3)
    option = 'model.head'
    if head.get('type') == 'ASLHead' and isinstance(head.get('head'), Mapping):
        option, head = 'model.head.head', head['head']
    if head.get('type') == 'CLTDRHead':
        kernels = {layer: head.get('kernel_size', 3) for layer in ('trunk', 'cls', 'offset')}
        kernels.update(head.get('refine_kernel_sizes') or {})
        found.update({f'{option}.refine_kernel_sizes.{layer}': kernel
                      for layer, kernel in kernels.items()})
    return found


def older_advice(checkpoint: Any) -> str:
    """What to try where the weights of a checkpoint do not fit.

    Args:
        checkpoint: What was loaded, of any type.

    Returns:
        str: The options of :func:`older_settings`; empty without any.
    """
    settings = older_settings(checkpoint)
    if not settings:
        return ''
    options = ' '.join(f'{key}={value}' for key, value in settings.items()).replace(', ', ',')
    return (f'version {_version(checkpoint) or FIRST} trained it, and defaults have changed since: '
            f'try --cfg-options {options}')


def _version(checkpoint: Mapping) -> str:
    """Version that wrote a checkpoint, '' where nothing says so; 0.1.0 did not write its own."""
    meta = checkpoint.get('meta')
    version = meta.get('cltdr_mm_version') if isinstance(meta, Mapping) else None
    return version if isinstance(version, str) else ''


def _is_older(version: str) -> bool:
    try:
        return digit_version(version) < digit_version(SINCE)
    except (AssertionError, ValueError):  # no version at all
        return False
