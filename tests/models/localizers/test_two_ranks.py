"""Two ranks that share a batch give what one rank with all of it gives.

Both are processes of this machine and speak over gloo, as `tools/dist_train.sh` has it without GPU.
"""
import os
import socket
from pathlib import Path

import pytest
import torch
from batteries import randomise
from head_batteries import CLASSES, awaken, make_samples, total
from mmaction.registry import MODELS
from torch import distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

import cltdr_mm  # noqa: F401  (a process of its own has to register, too)
from cltdr_mm.models.task_modules import EMANormalizer, mean_over_ranks

CHANNELS, RANKS = 6, 2
HEADS = dict(
    cltdr=dict(type='CLTDRHead', num_bins=4, num_classes=CLASSES),
    cltdr_release=dict(type='CLTDRHead', num_bins=4, num_classes=CLASSES, normalizer_moves='half'),
    cltdr_literal=dict(type='CLTDRHead', num_bins=4, num_classes=CLASSES, loss_coarse=None,
                       balance_negatives=True),
    trident=dict(type='TridentHead', num_bins=4, num_classes=CLASSES),
    actionformer=dict(type='ActionFormerHead', num_classes=CLASSES),
    clff=dict(type='CLFFHead', num_bins=4, num_classes=CLASSES),
    asl=dict(type='ASLHead', head=dict(type='CLTDRHead', num_bins=4, num_classes=CLASSES)),
    asl_fixed=dict(type='ASLHead', class_level='fixed', contrast_weight=0.,
                   head=dict(type='CLTDRHead', num_bins=4, num_classes=CLASSES)))
#: What each rank trains on: one video, of which the second may have no action.
ACTIONS = (41, [(2.2, 6.1), (10., 20.4), (14.3, 19.2), (22., 39.)], [0, 1, 2, 0])
OTHERS = (30, [(1.5, 13.2), (17.3, 22.8)], [2, 0])
NOTHING = (30, [], [])
STEPS = dict(both=(ACTIONS, OTHERS), one=(ACTIONS, NOTHING), neither=(NOTHING, NOTHING))
CASES = [(head, levels, step) for head in HEADS for levels in (1, 3) for step in STEPS]


def build(head: str, num_levels: int):
    """A small model with random parameters, the same in every process."""
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=16, ffn_dims=24,
                      drop_path=0., arch=(1, 1, 2)),
        neck=dict(type='FPN1D'), head=HEADS[head], num_levels=num_levels))
    return awaken(randomise(model)).train()


def gradients(model, videos) -> dict:
    """Of one step, by name, and the normaliser's value after it."""
    inputs = [torch.randn(CHANNELS, steps, generator=torch.Generator().manual_seed(steps))
              for steps, _, _ in videos]
    total(model(inputs, make_samples(videos), mode='loss')).backward()
    model = getattr(model, 'module', model)
    inner = getattr(model.head, 'head', model.head)
    result = {name: param.grad for name, param in model.named_parameters()}
    return dict(result, normalizer=inner.normalizer.value.clone())


def run_rank(rank: int, port: int, folder: str) -> None:
    """What each rank does; leaves its results in a file."""
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    distributed.init_process_group('gloo', rank=rank, world_size=RANKS)
    found = {}
    for head, levels, step in CASES:
        # without find_unused_parameters: a parameter that takes no part would end the next step
        model = DistributedDataParallel(build(head, levels))
        found[head, levels, step] = gradients(model, STEPS[step][rank:rank + 1])
        model.zero_grad()
        gradients(model, STEPS[step][rank:rank + 1])
    normalizer = EMANormalizer(init=100.)
    found['share'] = float(normalizer(torch.tensor((3, 13)[rank])))
    found['value'] = normalizer.value.item()
    resumed = EMANormalizer().eval()
    resumed.load_state_dict(dict(value=torch.tensor(60., dtype=torch.float64)))
    found['resumed'] = float(resumed(torch.tensor(5)))
    count = torch.tensor(float((3, 13)[rank]))
    found['mean'] = float(mean_over_ranks(count))
    found['own'] = float(count)
    torch.save(found, f'{folder}/{rank}.pt')
    distributed.destroy_process_group()


@pytest.fixture(scope='module')
def ranks(tmp_path_factory) -> list[dict]:
    """What both ranks found."""
    folder = tmp_path_factory.mktemp('ranks')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(run_rank, (port, str(folder)), nprocs=RANKS)
    return [torch.load(Path(folder) / f'{rank}.pt', weights_only=True) for rank in range(RANKS)]


@pytest.mark.parametrize('head, levels, step', CASES)
def test_a_rank_may_have_no_positives(ranks, head, levels, step):
    """Gradients are there for every parameter, finite, and the same on both ranks."""
    first, second = (found[head, levels, step] for found in ranks)
    for name, grad in first.items():
        assert grad is not None and grad.isfinite().all(), name
        assert torch.equal(grad, second[name]), name


@pytest.mark.parametrize('head, levels, step', [case for case in CASES if case[0] != 'asl'])
def test_averaged_gradients_are_those_of_one_rank(ranks, head, levels, step):
    """From the first step on. (ASL contrasts the actions of a rank, and its Gaussians learn from
    means over them.)"""
    expected = gradients(build(head, levels), STEPS[step])
    for name, grad in expected.items():
        got = ranks[0][head, levels, step][name]
        error = float((got - grad).norm())
        assert error <= 1e-4 * float(grad.norm()) + 1e-7, f'{name} is off by {error}'


def test_the_normaliser_counts_all_ranks(ranks):
    """Each divides by its share of the total, and of what another number of ranks has counted."""
    for found in ranks:
        assert found['value'] == pytest.approx(0.9 * 100 + 0.1 * 16)
        assert found['share'] == pytest.approx(found['value'] / 2)
        assert found['resumed'] == 30


def test_mean_over_ranks(ranks):
    """A rank's own number stays what it was."""
    assert [found['mean'] for found in ranks] == [8, 8]
    assert [found['own'] for found in ranks] == [3, 13]
