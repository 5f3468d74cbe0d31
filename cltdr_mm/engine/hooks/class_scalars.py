"""TALLoggerHook: MMEngine's log, and the AP of each class for TensorBoard and its like."""
from typing import Optional

from mmaction.registry import HOOKS
from mmengine.hooks import LoggerHook


@HOOKS.register_module()
class TALLoggerHook(LoggerHook):
    """MMEngine's LoggerHook, which also hands the AP of each class to the visualizer.

    Metrics have it in ``of_classes``, as :class:`.TALMetric`. It is not among what they return:
    hundreds of classes would fill the log and every checkpoint.
    """

    def after_val_epoch(self, runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Log what was measured, each class first.

        Args:
            runner (Runner): The runner of the validation.
            metrics (dict[str, float], optional): What was measured. Defaults to None.
        """
        scalars = {name: value for metric in runner.val_loop.evaluator.metrics
                   for name, value in getattr(metric, 'of_classes', {}).items()}
        if scalars:
            # at the step where the base has the rest; 0 where nothing is trained
            name = 'epoch' if self.log_metric_by_epoch else 'iter'
            step = getattr(runner._train_loop, name, 0)
            runner.visualizer.add_scalars(scalars, step=step)
        super().after_val_epoch(runner, metrics)
