"""Our soft-NMS in the place of MMAction2's, while a model is tested."""
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from .functional import bsn_soft_nms


@HOOKS.register_module()
class FastSoftNMSHook(Hook):
    """Lets MMAction2's BMN, PEM and TCANet suppress by :func:`.bsn_soft_nms`.

    They call one function that loops over proposals in Python; the results are the same. It is
    exchanged for the time of a validation or test, and MMAction2's again after it.
    """

    _theirs = None

    def before_val(self, runner) -> None:
        """Exchange the function."""
        from mmaction.models.localizers.utils import proposal_utils
        if self._theirs is None:
            self._theirs, proposal_utils.soft_nms = proposal_utils.soft_nms, bsn_soft_nms

    def after_val(self, runner) -> None:
        """Put MMAction2's back."""
        from mmaction.models.localizers.utils import proposal_utils
        if self._theirs is not None:
            proposal_utils.soft_nms, self._theirs = self._theirs, None

    before_test, after_test = before_val, after_val
