"""bfloat16 on a CPU."""
import torch


def test_forward_in_bfloat16_weights_in_float32(toy_runner, monkeypatch):
    from toy import ToyModel
    seen = []
    runner = toy_runner(optim_wrapper=dict(type='CPUAmpOptimWrapper'))
    forward = ToyModel.forward

    def spy(self, inputs, targets, mode='tensor'):
        if mode == 'loss':
            seen.append(self.linear(torch.stack(inputs)).dtype)
        else:
            assert not torch.is_autocast_enabled('cpu')
        return forward(self, inputs, targets, mode)

    monkeypatch.setattr(ToyModel, 'forward', spy)
    runner.train()
    assert seen and set(seen) == {torch.bfloat16}
    assert {p.dtype for p in runner.model.parameters()} == {torch.float32}
    assert runner.message_hub.get_scalar('train/loss').current() > 0
