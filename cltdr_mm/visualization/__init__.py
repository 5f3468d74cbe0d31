"""Pictures: timelines, error profiles, curves, and the visualizer that the Runner carries."""
from .curves import draw_map_curves, draw_training_curves, load_metrics, load_scalars
from .error_profile import draw_false_positive_profile, draw_sensitivity
from .hook import TALVisualizationHook
from .layout import Instances
from .style import save_figure
from .timeline import Track, draw_timeline
from .visualizer import TALVisualizer

__all__ = [
    'Instances', 'TALVisualizationHook', 'TALVisualizer', 'Track', 'draw_false_positive_profile',
    'draw_map_curves', 'draw_sensitivity', 'draw_timeline', 'draw_training_curves',
    'load_metrics', 'load_scalars', 'save_figure'
]
