"""What the manifests beside feature files say of the inferencer's inputs."""
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ...datasets.feature_manifest import MANIFEST, FeatureManifest, find_manifest
from ...datasets.feature_source import FeatureSource
from ...utils.feature_settings import differing
from .input_list import is_video


def read_manifests(items: list[dict], source: FeatureSource) -> None:
    """Add stride, window, rate and duration to the inputs that have a manifest.

    Args:
        items (list[dict]): Inputs with their names; ``recorded`` is added, the duration (s) of a
            video in its manifest.
        source (FeatureSource): What the model was trained on.

    Raises:
        TALDataError: If a manifest cannot be read.
        ValueError: If an input was made otherwise than what the model was trained on, or is said
            to have another stride, window or rate.
    """
    expected = source.settings or {key: value for key, value in dict(
        stride=source.stride, window=source.window, fps=source.fps).items() if value}
    found: dict[Path, Optional[FeatureManifest]] = {}
    for item in items:
        named, paths = item.pop('manifest', None), item.get('path')
        if is_video(item):  # the extractor knows its own
            _compare(item, source.settings or {}, f'{paths}: the manifest of the training features')
        if paths is None or is_video(item):
            continue
        for path in [paths] if isinstance(paths, str) else paths:
            folder = Path(path).parent
            if named is None and folder not in found:
                found[folder] = find_manifest(folder)
            manifest = named or found[folder]
            if manifest is not None:
                _complete(item, manifest, f'{path}: its {MANIFEST}', expected)


def _complete(item: dict, manifest: FeatureManifest, where: str, expected: dict) -> None:
    other = differing(expected, manifest.settings())
    if other:
        raise ValueError(f'{where} says that it was made otherwise than the features of the model '
                         f'({"; ".join(other)}, the model first)')
    name = item['video_name']
    known = dict(stride=manifest.stride, window=manifest.window, fps=manifest.rate(name))
    _compare(item, known, where)
    item.update({key: value for key, value in known.items() if value is not None})
    if name in manifest.videos:
        item['recorded'] = manifest.videos[name].duration


def _compare(item: dict, known: Mapping[str, Any], where: str) -> None:
    """What is said about an input must be what a manifest says."""
    for key in ('stride', 'window', 'fps'):
        value = known.get(key)
        if value is not None and item.get(key) not in (None, value):
            raise ValueError(f'{where} says {key} {value:g}, but {item[key]:g} was given')
