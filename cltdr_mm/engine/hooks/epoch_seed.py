"""Makes what is random in an epoch depend on the seed, the epoch and the rank alone.

A checkpoint of MMEngine does not hold the state of the random generators: after a resume, crops,
input noise and drop path would differ from those of the run that was not interrupted. MMEngine's
data workers moreover start every epoch with the same seed and crop alike each time. Seeding at
the start of each epoch mends both: a resumed run is bit-equal to the straight one.
"""
import random

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed Python, NumPy and torch before each training epoch.

    Ranks get different seeds: each sees other videos, and should not apply the same noise to them.
    Data workers follow when the data loader says ``worker_init_fn=dict(type='tal_seed_worker')``
    and ``persistent_workers=False``.
    """

    # before every hook that could draw a random number
    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Warn of data workers that outlive an epoch, for they keep the seed of the first.

        Args:
            runner (Runner): The runner of the training process.
        """
        if getattr(runner.train_dataloader, 'persistent_workers', False):
            runner.logger.warning(
                'train_dataloader.persistent_workers=True: data workers are seeded once, so that a '
                'training that is resumed will not be the same as one that never stopped')

    def before_train_epoch(self, runner) -> None:
        """Seed from the Runner's seed, the epoch and the rank.

        Args:
            runner (Runner): The runner of the training process.
        """
        words = [runner.seed % 2**63, runner.epoch, get_rank()]
        seed = int(np.random.SeedSequence(words).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)  # the GPUs' generators included


# The registry FUNCTION of MMAction2 names a module that does not exist, and the Runner asks the
# one of MMEngine anyway.
@FUNCTIONS.register_module(name='tal_seed_worker')
def seed_worker(worker_id: int, **kwargs) -> None:
    """Seed Python and NumPy in a data worker from the seed that torch gave it.

    That seed is drawn from the main process' generator when an epoch starts, so it differs from
    epoch to epoch and from worker to worker, and is the same after a resume.

    Args:
        worker_id (int): Index of the worker; torch's seed has it in already.
        **kwargs: Not used; MMEngine may pass more.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
