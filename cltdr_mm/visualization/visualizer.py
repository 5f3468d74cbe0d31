"""The visualizer that MMEngine's Runner carries: draws timelines of data samples."""
from typing import TYPE_CHECKING, Optional

import numpy as np
import torch
from mmaction.registry import VISUALIZERS
from mmaction.structures import ActionDataSample
from mmengine.dist import master_only
from mmengine.structures import InstanceData
from mmengine.visualization import Visualizer

from ..utils import file_name
from .layout import NO_CLASS, Instances

if TYPE_CHECKING:
    from .timeline import Track


@VISUALIZERS.register_module()
class TALVisualizer(Visualizer):
    """Draws ground truth and detections of a video as a timeline.

    Scalars, configs and images go to the storage back-ends as with any visualizer of MMEngine.
    Class names come from ``dataset_meta['classes']``, which the Runner's loops set.

    Args:
        name (str): Name of the instance. Defaults to ``'visualizer'``.
        score_thr (float, optional): Smallest score drawn. Defaults to None, see
            :func:`~cltdr_mm.visualization.timeline.draw_timeline`.
        top_k (int, optional): Number of detections drawn. Defaults to None, likewise.
        max_classes (int): Rows before the rarest classes share one. Defaults to 16.
        **kwargs: As :class:`mmengine.visualization.Visualizer` takes them
            (``vis_backends``, ``save_dir``, ...).

    Examples:
        >>> visualizer = dict(type='TALVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    """

    def __init__(self, name: str = 'visualizer', score_thr: Optional[float] = None,
                 top_k: Optional[int] = None, max_classes: int = 16, **kwargs):
        super().__init__(name, **kwargs)
        self.score_thr = score_thr
        self.top_k = top_k
        self.max_classes = max_classes

    @master_only
    def add_datasample(self,
                       name: str,
                       image: Optional[np.ndarray] = None,
                       data_sample: Optional[ActionDataSample] = None,
                       draw_gt: bool = True,
                       draw_pred: bool = True,
                       show: bool = False,
                       wait_time: float = 0,
                       step: int = 0,
                       out_file: Optional[str] = None,
                       score_thr: Optional[float] = None,
                       top_k: Optional[int] = None,
                       signal: Optional['Track'] = None) -> np.ndarray:
        """Draw one data sample.

        Args:
            name (str): Name of the picture in the storage back-ends, and its title where the
                sample does not know its video's name.
            image (np.ndarray, optional): Ignored; MMEngine's signature has it. Defaults to None.
            data_sample (ActionDataSample): With ``gt_instances`` in grid steps, ``pred_instances``
                in seconds, or both; ``duration`` and ``grid`` in its metainfo. Predictions
                without ``labels``, and the ground truth of a ``class_agnostic`` sample, are drawn
                as proposals.
            draw_gt (bool): Whether to draw the ground truth there is. Defaults to True.
            draw_pred (bool): Whether to draw the detections there are. Defaults to True.
            show (bool): Whether to open a window. Defaults to False.
            wait_time (float): Seconds until the window closes; 0 waits for a key.
                Defaults to 0.
            step (int): Step to record with the picture. Defaults to 0.
            out_file (str, optional): File to write instead of the storage back-ends. Defaults to
                None.
            score_thr (float, optional): Replaces the visualizer's own. Defaults to None.
            top_k (int, optional): Replaces the visualizer's own. Defaults to None.
            signal (Track, optional): Drawn below the rows. Defaults to None.

        Returns:
            np.ndarray: (H, W, 3) uint8, RGB.

        Raises:
            ValueError: If there is no data sample, ground truth cannot be placed for want of a
                grid, or there is nothing to place.
        """
        from .style import figure_to_rgb, save_figure  # not above: they import matplotlib
        from .timeline import draw_timeline
        if data_sample is None:
            raise ValueError(f'{name}: add_datasample needs a data sample')
        title, span = _title_and_span(name, data_sample)
        grid = data_sample.get('grid')
        truth = detected = None
        if draw_gt and 'gt_instances' in data_sample:
            if grid is None:
                raise ValueError(f'{name}: the ground truth is in grid steps, and the metainfo '
                                 f'has no grid to make seconds of them')
            truth = to_instances(data_sample.gt_instances)
            if data_sample.get('class_agnostic'):
                truth.labels = np.full_like(truth.labels, NO_CLASS)
            truth.segments = grid.to_seconds(truth.segments)
        if draw_pred and 'pred_instances' in data_sample:
            detected = to_instances(data_sample.pred_instances)
        duration = data_sample.get('duration') or (None if grid is None else grid.extent)
        figure = draw_timeline(
            truth, detected, (self.dataset_meta or {}).get('classes') or (), title, duration,
            self.score_thr if score_thr is None else score_thr,
            self.top_k if top_k is None else top_k, span, self.max_classes, signal=signal)
        picture = figure_to_rgb(figure)
        self.set_image(picture)
        if show:
            self.show(picture, win_name=name, wait_time=wait_time)
        if out_file is not None:
            save_figure(figure, out_file)
        else:
            self.add_image(file_name(name, ''), picture, step)  # a back-end may make a file of it
        return picture


def to_instances(instances: InstanceData) -> Instances:
    """Copy what a timeline needs out of a data sample's instances, whatever device it is on."""
    def array(value):
        if isinstance(value, torch.Tensor):  # numpy knows no bfloat16
            value = value.detach().cpu()
            value = (value.double() if value.is_floating_point() else value).numpy()
        return np.asarray(value)

    scores = array(instances.scores) if 'scores' in instances else None
    labels = (array(instances.labels) if 'labels' in instances
              else np.full(len(instances), NO_CLASS))
    return Instances(array(instances.segments), labels, scores)


def _title_and_span(name: str, data_sample: ActionDataSample) -> tuple:
    """Title of the picture, and the stretch that it shows if it is one window of many."""
    title = data_sample.get('video_name') or name
    windows = data_sample.get('num_windows') or 1
    grid = data_sample.get('grid')
    if windows == 1 or grid is None:
        return title, None
    duration = data_sample.get('duration') or grid.extent
    start = max(0.0, float(grid.to_seconds(-0.5)))
    end = min(float(duration), float(grid.to_seconds(grid.num_steps - 0.5)))
    return f'{title}, window {data_sample.get("window_index", 0) + 1} of {windows}', (start, end)
