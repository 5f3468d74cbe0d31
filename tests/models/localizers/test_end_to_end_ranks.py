"""An end-to-end training on two ranks: steps of both equal those of one rank with both videos."""
import os
import socket
from pathlib import Path

import pytest
import torch
from front_models import RESNET, VIT, make_batch
from head_batteries import total
from test_end_to_end import make_model
from torch import distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

import cltdr_mm  # noqa: F401  (a process of its own has to register, too)

RANKS, STEPS = 2, 2
#: What each rank trains on; the second has videos of another length, of no whole clips, and the
#: last without an action.
VIDEOS = [[(24, [(2.2, 6.1), (10., 20.4)], [0, 1])] * STEPS,
          [(13, [(1.5, 7.2)], [2]), (5, [], [])]]
FRONTS = dict(
    full=dict(front=VIT, with_cp=True, clips_at_once=1),
    batch_norm=dict(front=RESNET),
    adapter=dict(front=VIT, tuning='adapter', adapter=dict(type='TIAdapter'), with_cp=True),
    frozen=dict(front=VIT, tuning='frozen'))


def train(model, batches):
    """A few steps of plain SGD; the gradients of the first, and the parameters after the last."""
    optimizer = torch.optim.SGD(
        [param for param in model.parameters() if param.requires_grad], lr=1e-3)
    first, inner = {}, getattr(model, 'module', model)
    for videos in batches:
        inputs, samples = make_batch(videos)
        total(model(inputs, samples, mode='loss')).backward()
        if not first:
            first = {name: param.grad.clone() for name, param in inner.named_parameters()
                     if param.requires_grad}
        optimizer.step()
        optimizer.zero_grad()
    return first, dict(inner.state_dict())


def run_rank(rank: int, port: int, folder: str) -> None:
    """What each rank does; leaves its results in a file."""
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    distributed.init_process_group('gloo', rank=rank, world_size=RANKS)
    found = {}
    for name, options in FRONTS.items():
        # without find_unused_parameters: a parameter that takes no part would end the next step
        model = DistributedDataParallel(make_model('temporal_maxer', 'cltdr', **options).train())
        found[name] = train(model, [[video] for video in VIDEOS[rank]])
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


@pytest.mark.parametrize('name', FRONTS)
def test_both_ranks_are_one(ranks, name):
    (first, after), (first_of_other, after_of_other) = (found[name] for found in ranks)
    for key, grad in first.items():
        assert grad.isfinite().all() and torch.equal(grad, first_of_other[key]), key
    for key, value in after.items():
        assert torch.equal(value, after_of_other[key]), key
    learned = any(key.startswith('front.') for key in first)
    assert learned == (name != 'frozen')
    model = make_model('temporal_maxer', 'cltdr', **FRONTS[name]).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    expected, trained = train(model, [list(videos) for videos in zip(*VIDEOS)])
    for key, grad in expected.items():
        assert (grad - first[key]).norm() <= 1e-3 * grad.norm() + 1e-6, key
    for key, value in trained.items():
        if not value.is_floating_point():
            continue
        moved = (value - before[key]).norm()
        assert (value - after[key]).norm() <= 1e-2 * moved + 1e-6, key
        if key in first and 'front.backbone.blocks' in key:
            assert moved > 0, key
