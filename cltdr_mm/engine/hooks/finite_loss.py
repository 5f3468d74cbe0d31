"""FiniteLossHook: stops a training that diverged before it overwrites its checkpoints."""
import math
from typing import Any, Optional

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Raise when the loss is NaN or infinite.

    It looks at every ``interval``-th iteration, for on a GPU each look waits for the device, and
    at the last one of an epoch, before a checkpoint of it is written.

    Args:
        interval (int): Iterations from look to look. Defaults to 20.
    """

    def __init__(self, interval: int = 20) -> None:
        self.interval = interval

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Look at the sum of the losses.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Iteration in the epoch.
            data_batch (dict, optional): Its ``data_samples`` are named. Defaults to None.
            outputs (dict, optional): ``loss``. Defaults to None.

        Raises:
            FloatingPointError: If it is not finite.
        """
        if not (self.every_n_train_iters(runner, self.interval)
                or self.end_of_epoch(runner.train_dataloader, batch_idx)):
            return
        loss = float(torch.as_tensor((outputs or {}).get('loss', 0.)).detach())
        if not math.isfinite(loss):
            samples = (data_batch or {}).get('data_samples', ())
            names = ', '.join(str(sample.get('video_name')) for sample in samples)
            raise FloatingPointError(
                f'the loss of iteration {batch_idx + 1} of epoch {runner.epoch + 1} is {loss} '
                f'(videos {names}): training diverged here or up to {self.interval} iterations '
                'before; a lower learning rate or a longer warm-up may help')
