"""What a resumed training needs beside MMEngine's ``Runner.resume``: the schedule and the counts.

The learning rate goes by the share of the training that is done. MMEngine stores the step of a
scheduler and the curve it was on, so that a training that goes on with another batch, another
number of ranks or another length would stay on the old curve, or jump. Here the schedulers of the
config take the steps again that the training would have taken had it always run as it does now.
"""
import warnings
from collections.abc import Iterator
from typing import Any, Optional

from mmengine.dist import get_world_size
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop


def batch_meta(runner) -> dict[str, int]:
    """What a checkpoint says of the batches it was trained with.

    Args:
        runner (Runner): Its training loop is built.

    Returns:
        dict[str, int]: ``epoch_length`` (iterations) and ``total_batch`` (samples of all ranks).
    """
    loader = runner.train_dataloader
    size = getattr(loader, 'batch_size', None) or getattr(loader.batch_sampler, 'batch_size', 0)
    return dict(epoch_length=len(loader), total_batch=size * get_world_size())


def fit_to_batches(runner, meta: dict[str, Any]) -> None:
    """Count iterations of a resumed training in its own epochs, and say if batches have changed.

    Args:
        runner (Runner): Its training loop is built.
        meta (dict): Of the checkpoint; ``iter`` becomes ``epoch`` times the length of an epoch.
    """
    now = batch_meta(runner)
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        meta['iter'] = meta['epoch'] * now['epoch_length']
    before = meta.get('total_batch')
    if before is not None and before != now['total_batch']:
        runner.logger.warning(
            f'resumed with a total batch of {now["total_batch"]}, the checkpoint was trained with '
            f'{before}: the learning rate goes on by the share of the training done, and is '
            'scaled with the batch only by --auto-scale-lr')


class Schedule:
    """The schedulers of a Runner before a checkpoint is loaded, to be taken to where it stopped.

    Args:
        runner (Runner): With schedulers as they were built, at their first step.
    """

    def __init__(self, runner):
        self.schedulers = list(_schedulers(runner.param_schedulers))
        self.start = [[{key: group[key] for key in _keys(scheduler) if key in group}
                       for group in scheduler.optimizer.param_groups]
                      for scheduler in self.schedulers]

    def replayable(self) -> bool:
        """Whether the values depend on nothing but the steps; some follow a validated metric."""
        return not any(getattr(scheduler, 'need_val_args', False)
                       for scheduler in self.schedulers)

    def replay(self, loop: Any) -> None:
        """Take the steps of a training up to where it goes on.

        Args:
            loop (BaseLoop): Training loop with its ``epoch`` and ``iter``.
        """
        for scheduler, groups in zip(self.schedulers, self.start):
            for group, values in zip(scheduler.optimizer.param_groups, groups):
                group.update(values)  # the optimizer's state brought those of the last step
        length = len(loop.dataloader) if isinstance(loop, EpochBasedTrainLoop) else None
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # no optimizer step comes before those of a schedule
            for step in range(1, loop.iter + 1):
                self._step(by_epoch=False)
                if length is not None and step % length == 0:
                    self._step(by_epoch=True)

    def _step(self, by_epoch: bool) -> None:
        for scheduler in self.schedulers:
            if scheduler.by_epoch == by_epoch:
                scheduler.step()


def validation_due(loop: Any) -> bool:
    """Whether a training loop that stands between two epochs (or iterations) would validate now.

    Args:
        loop (BaseLoop): MMEngine's loop by epoch or by iteration; of other loops it is not known.

    Returns:
        bool: As its ``run`` decides.
    """
    if isinstance(loop, EpochBasedTrainLoop):
        done, end = loop.epoch, loop.max_epochs
    elif isinstance(loop, IterBasedTrainLoop):
        done, end = loop.iter, loop.max_iters
    else:
        return False
    if loop.runner.val_loop is None or done == 0:
        return False
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == end)


def _schedulers(value: Optional[Any]) -> Iterator[_ParamScheduler]:
    """All schedulers of a Runner, which has a list of them, or a dict of lists."""
    if isinstance(value, _ParamScheduler):
        yield value
    elif isinstance(value, dict):
        yield from _schedulers(list(value.values()))
    else:
        for item in value or ():
            yield from _schedulers(item)


def _keys(scheduler: _ParamScheduler) -> tuple[str, ...]:
    name = scheduler.param_name
    return name, f'initial_{name}', *(['betas'] if name == 'momentum' else [])
