"""Linear warm-up, then cosine, as one scheduler.

MMEngine can chain ``LinearLR`` and ``CosineAnnealingLR`` in a list. Lists are replaced as a whole
when a config inherits, and the end of the warm-up stands in two places of that one; as a single
scheduler a recipe states ``max_epochs`` and ``warmup`` and nothing else. The value is computed from
the step alone, not from the value before it.
"""
import math

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    r"""Learning rate that rises linearly, then falls along half a cosine.

    At step t of T, with W steps of warm-up and base rate b,

    .. math::
        lr = b (s + (1 - s) t / W) \quad (t < W), \qquad
        lr = b (e + (1 - e) (1 + \cos(\pi (t - W) / (T - W))) / 2) \quad (t \ge W)

    Args:
        optimizer (Optimizer or BaseOptimWrapper): What is scheduled.
        warmup (float): Length of the warm-up, in epochs with ``by_epoch=True`` (also when
            converted to iterations by ``convert_to_iter_based``), else in iterations. 0 means
            none. Defaults to 0.
        start_factor (float): Rate at step 0 over the base rate. Defaults to 1e-3.
        end_factor (float): Rate at the end over the base rate. Defaults to 1e-3.
        begin (int): First step. Defaults to 0.
        end (int): Step after the last one. The Runner sets it to the end of training.
        last_step (int): Index of the last step taken, -1 for none. Defaults to -1.
        by_epoch (bool): Whether a step is an epoch. Defaults to True.
        verbose (bool): Whether each change is logged. Defaults to False.

    Raises:
        ValueError: If the warm-up is negative or does not end before ``end``.
    """

    def __init__(self,
                 optimizer,
                 warmup: float = 0,
                 start_factor: float = 1e-3,
                 end_factor: float = 1e-3,
                 begin: int = 0,
                 end: int = INF,
                 last_step: int = -1,
                 by_epoch: bool = True,
                 verbose: bool = False):
        if not 0 <= warmup < end - begin:
            raise ValueError(
                f'a warm-up of {warmup} {"epochs" if by_epoch else "iterations"} does not fit '
                f'into {end - begin}: set param_scheduler.warmup below train_cfg.max_epochs')
        self.warmup = warmup
        self.start_factor = start_factor
        self.end_factor = end_factor
        super().__init__(optimizer, begin=begin, end=end, last_step=last_step, by_epoch=by_epoch,
                         verbose=verbose)

    @classmethod
    def build_iter_from_epoch(cls, *args, warmup: float = 0, begin: int = 0, end: int = INF,
                              by_epoch: bool = True, epoch_length: int = None, **kwargs):
        """Build an instance that steps by iteration from lengths given in epochs.

        Args:
            *args: Passed on.
            warmup (float): Epochs of warm-up, fractions allowed. Defaults to 0.
            begin (int): First epoch. Defaults to 0.
            end (int): Epoch after the last one.
            by_epoch (bool): Must be True. Defaults to True.
            epoch_length (int): Iterations of an epoch.
            **kwargs: Passed on.

        Returns:
            WarmupCosineLR: Stepping by iteration.

        Raises:
            ValueError: If ``by_epoch`` is False or ``epoch_length`` is not positive.
        """
        if not by_epoch or not epoch_length or epoch_length < 1:
            raise ValueError('convert_to_iter_based needs by_epoch=True and a train set that is '
                             f'not empty, got by_epoch={by_epoch}, {epoch_length} iterations')
        if not 0 <= warmup < end - begin:
            raise ValueError(f'a warm-up of {warmup} epochs does not fit into {end - begin}: set '
                             'param_scheduler.warmup below train_cfg.max_epochs')
        return cls(*args, warmup=round(warmup * epoch_length), begin=int(begin * epoch_length),
                   end=end if end == INF else int(end * epoch_length), by_epoch=False, **kwargs)

    def factor(self, step: int) -> float:
        """The rate over the base rate, ``step`` steps after ``begin``."""
        if step < self.warmup:
            return self.start_factor + (1 - self.start_factor) * step / self.warmup
        done = min((step - self.warmup) / (self.end - self.begin - self.warmup), 1.)
        return self.end_factor + (1 - self.end_factor) * (1 + math.cos(math.pi * done)) / 2

    def _get_value(self) -> list[float]:
        return [base * self.factor(self.last_step) for base in self.base_values]
