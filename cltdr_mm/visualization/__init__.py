"""Pictures: timelines, error profiles, curves, and the visualizer that the Runner carries.

What draws is imported when it is first asked for: matplotlib takes half a second, and most runs
draw nothing.
"""
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .hook import TALVisualizationHook
from .layout import Instances
from .tensorboard import TALTensorboardVisBackend
from .visualizer import TALVisualizer

if TYPE_CHECKING:
    from .curves import draw_map_curves, draw_training_curves, load_metrics, load_scalars
    from .data_statistics import draw_statistics
    from .error_profile import (
        draw_diagnosis,
        draw_false_positive_profile,
        draw_sensitivity,
    )
    from .score_density import draw_score_tiou
    from .style import save_figure
    from .timeline import Track, draw_timeline

__all__ = [
    'Instances', 'TALTensorboardVisBackend', 'TALVisualizationHook', 'TALVisualizer', 'Track',
    'draw_diagnosis', 'draw_false_positive_profile', 'draw_map_curves', 'draw_score_tiou',
    'draw_sensitivity', 'draw_statistics', 'draw_timeline', 'draw_training_curves', 'load_metrics',
    'load_scalars', 'save_figure'
]

_MODULES = dict(
    Track='timeline', draw_timeline='timeline', save_figure='style',
    draw_map_curves='curves', draw_training_curves='curves', load_metrics='curves',
    load_scalars='curves', draw_diagnosis='error_profile',
    draw_false_positive_profile='error_profile', draw_sensitivity='error_profile',
    draw_statistics='data_statistics',
    draw_score_tiou='score_density')


def __getattr__(name: str) -> Any:
    """Import what draws."""
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{_MODULES[name]}', __name__), name)
