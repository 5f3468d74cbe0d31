"""Which samples, and which of their segments, a model is trained on."""
from typing import Optional

from mmengine.logging import print_log


def training_samples(infos: list[dict], filter_cfg: Optional[dict], owner: str) -> list[dict]:
    """Drop what ``filter_cfg`` of a data set asks to drop, and log how much it was.

    Args:
        infos (list[dict]): Samples, see :class:`.TALDataset`.
        filter_cfg (dict, optional): See :class:`.TALDataset`.
        owner (str): Name of the data set's class, for the log.

    Returns:
        list[dict]: The samples that stay.

    Raises:
        ValueError: If ``filter_cfg`` has an unknown key.
    """
    defaults = dict(filter_empty_gt=True, min_steps=1, min_part=0)
    cfg = dict(defaults, **(filter_cfg or {}))
    unknown = set(cfg) - set(defaults)
    if unknown:
        raise ValueError(f'filter_cfg: unknown key(s) {sorted(unknown)}')
    samples = infos
    if cfg['min_part'] > 0:
        samples = [_without_short_segments(info, cfg['min_part']) for info in infos]
        dropped = sum(len(info['gt_labels']) for info in infos) - sum(
            len(info['gt_labels']) for info in samples)
        print_log(f'{owner}: filter_cfg drops {dropped} segments that are no longer than '
                  f'{cfg["min_part"]:g} of their video', logger='current')

    def stays(info: dict) -> bool:
        steps = info.get('window_size', info['num_steps'])
        return ((len(info['gt_labels']) > 0 or not cfg['filter_empty_gt'])
                and (steps is None or steps >= cfg['min_steps']))

    kept = [info for info in samples if stays(info)]
    if len(kept) < len(infos):
        print_log(f'{owner}: filter_cfg drops {len(infos) - len(kept)} of {len(infos)} training '
                  'samples', logger='current')
    return kept


def _without_short_segments(info: dict, min_part: float) -> dict:
    segments = info['gt_segments']
    kept = segments[:, 1] - segments[:, 0] > min_part * info['duration']
    return dict(info, gt_segments=segments[kept], gt_labels=info['gt_labels'][kept])
