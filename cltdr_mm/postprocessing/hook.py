"""Asks for video-level scores before a run begins, not in the middle of its first test."""
from typing import Any, Optional

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


@HOOKS.register_module()
class ExternalScoresHook(Hook):
    """Check that the model's :class:`.ExternalScores` know every video that will be tested.

    It also tells them the data set's class names, for files in another order. Does nothing for a
    model without score fusion.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the validation set before training for it."""
        self._check(runner, runner.val_loop)

    def before_val(self, runner: Runner) -> None:
        """Check the validation set."""
        self._check(runner, runner.val_loop)

    def before_test(self, runner: Runner) -> None:
        """Check the test set."""
        self._check(runner, runner.test_loop)

    @staticmethod
    def _check(runner: Runner, loop: Optional[Any]) -> None:
        """Raise TALDataError naming the score file and the videos it lacks."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        processor = getattr(model, 'postprocessor', None)
        fusion = getattr(processor, 'fusion', None)
        if fusion is None or loop is None:
            return
        dataset = loop.dataloader.dataset
        processor.set_classes(dataset.metainfo.get('classes'))
        fusion.check_videos(
            sorted({dataset.get_data_info(i)['video_name'] for i in range(len(dataset))}))
