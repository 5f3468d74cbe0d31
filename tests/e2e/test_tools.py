"""Train, resume and test through the command line, alone and on two ranks."""
import json
import re
import shutil

import pytest
import torch
from tool_runs import CONFIG, load, logged, small


def assert_equal(a: dict, b: dict):
    assert a.keys() == b.keys() and a
    for key in a:
        assert torch.equal(a[key], b[key]), key


@pytest.fixture(scope='module')
def tested(tools, synthetic, trained, tmp_path_factory):
    """Folder of the results of one rank."""
    out = tmp_path_factory.mktemp('tested')
    tools('test.py', CONFIG, trained, '--work-dir', out, '--out', out, '--show-dir',
          out / 'pictures', '--dump', out / 'samples.pkl', *small(synthetic))
    return out


def test_training_leaves_what_a_user_expects(trained):
    assert {p.name for p in trained.glob('*.pth')} >= {'epoch_1.pth', 'epoch_2.pth'}
    assert len(list(trained.glob('best_average_mAP_epoch_*.pth'))) == 1
    assert [line['epoch'] for line in logged(trained) if 'loss' in line] == [1, 2]
    checkpoint = load(trained / 'epoch_2.pth')
    assert {'state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'} <= set(checkpoint)
    decays = [group['weight_decay'] for group in checkpoint['optimizer']['param_groups']]
    assert sorted(decays) == [0, 0.05]


def test_test_gives_what_validation_gave(trained, tested):
    val = [line for line in logged(trained) if 'average_mAP' in line][-1]
    metrics = json.loads((tested / 'metrics.json').read_text())
    assert metrics['average_mAP'] == pytest.approx(val['average_mAP'], abs=1e-9)
    assert 0 < metrics['average_mAP'] < 1 and metrics['fingerprint']['videos'] == 5
    results = json.loads((tested / 'detections.json').read_text())['results']
    assert len(results) == 5 and all(results.values())
    assert len(list((tested / 'pictures').glob('*.png'))) == 5
    assert (tested / 'samples.pkl').stat().st_size


def test_results_evaluate_without_the_model(tools, synthetic, tested, tmp_path):
    tools('evaluate_results.py', tested / 'detections.json', synthetic / 'annotations.json',
          '--protocol', 'hapt', '--out', tmp_path / 'metrics.json')
    again = json.loads((tmp_path / 'metrics.json').read_text())
    metrics = json.loads((tested / 'metrics.json').read_text())
    assert again['mAP'] == pytest.approx(metrics['mAP'], abs=1e-6)
    assert again['average_mAP'] == pytest.approx(metrics['average_mAP'], abs=1e-6)
    assert again['fingerprint'] == metrics['fingerprint']


def test_a_test_set_without_annotations(tools, synthetic, trained, tested, tmp_path):
    """Its detections are written; only what would be chosen by its mAP is refused."""
    content = json.loads((synthetic / 'annotations.json').read_text())
    for entry in content['database'].values():
        if entry['subset'] != 'train':
            entry['annotations'] = []
    hidden = tmp_path / 'hidden.json'
    hidden.write_text(json.dumps(content))
    changes = {f'{part}_dataloader__dataset__ann_file': hidden for part in ('val', 'test')}
    changes.update({f'{part}_evaluator__ann_file': hidden for part in ('val', 'test')})
    out = tmp_path / 'out'
    text = tools('test.py', CONFIG, trained, '--work-dir', tmp_path, '--out', out,
                 *small(synthetic, **changes))
    assert "hidden.json: subset 'test' has no annotations, its 5 videos are not judged" in text
    assert [path.name for path in out.iterdir()] == ['detections.json']
    found, expected = (json.loads((folder / 'detections.json').read_text())
                       for folder in (out, tested))
    assert found == expected
    changes.update(train_cfg__max_epochs=1, param_scheduler__warmup=0)
    text = tools('train.py', CONFIG, '--work-dir', tmp_path / 'no', *small(synthetic, **changes),
                 ok=False)
    assert "hidden.json: annotations: subset 'validation' has none" in text
    assert 'Traceback' not in text
    assert not list((tmp_path / 'no').glob('*.pth'))
    changes['default_hooks__checkpoint__save_best'] = None
    tools('train.py', CONFIG, '--work-dir', tmp_path / 'yes', *small(synthetic, **changes))
    assert (tmp_path / 'yes' / 'epoch_1.pth').is_file()


def test_two_ranks_give_the_same_detections(tools, synthetic, trained, tested, tmp_path):
    # 5 videos: the second rank's share is filled up, which must not count
    tools('dist_test.sh', CONFIG, trained, 2, '--work-dir', tmp_path, '--out', tmp_path,
          *small(synthetic))
    one, two = (json.loads((folder / 'metrics.json').read_text()) for folder in (tested, tmp_path))
    assert two['average_mAP'] == pytest.approx(one['average_mAP'], abs=1e-6)
    assert two['fingerprint'] == one['fingerprint']
    one, two = (json.loads((folder / 'detections.json').read_text())['results']
                for folder in (tested, tmp_path))
    assert {k: len(v) for k, v in one.items()} == {k: len(v) for k, v in two.items()}


@pytest.mark.parametrize('resume', [['--resume'], ['--resume', '{}/epoch_1.pth']])
def test_resumed_training_is_bit_equal(tools, synthetic, trained, tmp_path, resume):
    shutil.copy(trained / 'epoch_1.pth', tmp_path)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    out = tools('train.py', CONFIG, '--work-dir', tmp_path, '--seed', 3, '--no-validate',
                *[part.format(tmp_path) for part in resume], *small(synthetic))
    assert re.search(r'^resumed +after epoch 1, from', out, re.M) and 'validated' not in out
    straight, resumed = load(trained / 'epoch_2.pth'), load(tmp_path / 'epoch_2.pth')
    for part in ('state_dict', 'ema_state_dict'):
        assert_equal(straight[part], resumed[part])
    for index, state in straight['optimizer']['state'].items():
        assert_equal(state, resumed['optimizer']['state'][index])


def test_training_on_two_ranks_is_the_same(tools, synthetic, tmp_path):
    """2 ranks with 2 videos each, or 1 rank with 4: the same steps, when nothing is random."""
    options = dict(train_cfg__max_epochs=1, param_scheduler__warmup=0,
                   model__backbone__drop_path=0.,
                   train_dataloader__dataset__pipeline__1__crop_ratio='None')
    tools('train.py', CONFIG, '--work-dir', tmp_path / 'one', '--no-validate',
          *small(synthetic, train_dataloader__batch_size=4, **options))
    tools('dist_train.sh', CONFIG, 2, '--work-dir', tmp_path / 'two', '--no-validate',
          *small(synthetic, train_dataloader__batch_size=2, **options))
    one, two = (load(tmp_path / name / 'epoch_1.pth') for name in ('one', 'two'))
    # The averaged gradients, which AdamW does not blow up where they are nearly zero.
    for index, state in one['optimizer']['state'].items():
        other = two['optimizer']['state'][index]['exp_avg']
        assert (state['exp_avg'] - other).norm() <= 1e-3 * other.norm() + 1e-9, index
    key = 'head.normalizer.value'
    torch.testing.assert_close(one['state_dict'][key], two['state_dict'][key])


def test_mixed_precision_trains(tools, synthetic, tmp_path):
    out = tools('train.py', CONFIG, '--work-dir', tmp_path, '--amp', '--auto-scale-lr',
                '--verbose', '--deterministic',
                *small(synthetic, train_cfg__max_epochs=1, param_scheduler__warmup=0))
    assert 'CPUAmpOptimWrapper' in out or torch.cuda.is_available()
    losses = [line['loss'] for line in logged(tmp_path) if 'loss' in line]
    assert losses and all(loss == loss and loss < 10 for loss in losses)


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_wrong_data_ends_with_a_message(tools, synthetic, trained, tmp_path, tool):
    data = tmp_path / 'data'
    shutil.copytree(synthetic, data)
    annotations = json.loads((data / 'annotations.json').read_text())
    for video in annotations['database'].values():
        video['annotations'][0]['segment'] = [5., 4.]
    (data / 'annotations.json').write_text(json.dumps(annotations))
    out = tools(tool, CONFIG, *([trained] if tool == 'test.py' else []), '--work-dir', tmp_path,
                *small(data), ok=False)
    assert 'Traceback' not in out
    last = out[out.index('error: '):]
    name = 'test_00000' if tool == 'test.py' else 'train_00000'
    assert f"{data / 'annotations.json'}: video '{name}': annotations[0].segment: " in last


@pytest.mark.parametrize('args, message', [
    (['train.py', 'nothing.py'], 'there is no config nothing.py'),
    (['test.py', CONFIG, 'nothing.pth'], 'there is no checkpoint nothing.pth'),
    (['test.py', CONFIG, 'nothing.pth', '--dump', 'x.json'], 'should end in .pkl'),
])
def test_wrong_arguments_end_with_a_message(tools, args, message):
    out = tools(*args, ok=False)
    assert message in out and 'Traceback' not in out


@pytest.mark.parametrize('option, message', [
    (dict(val_evaluator__ann_file='nowhere.json'), 'nowhere.json: file: cannot be read'),
    (dict(model__head__num_classes=20), 'model.head.num_classes is 20'),
    (dict(model__backbone__in_channels=7), 'model.backbone.in_channels is 7'),
])
def test_what_does_not_fit_is_said_before_training(tools, synthetic, tmp_path, option, message):
    out = tools('train.py', CONFIG, '--work-dir', tmp_path, *small(synthetic, **option), ok=False)
    assert message in out and 'Traceback' not in out and 'epoch 1' not in out


def test_a_short_training_learns(tools, tmp_path):
    """32 steps of the demo's model on easy data."""
    data = tmp_path / 'data'
    tools('dataset_converters/make_synthetic.py', '--out', data, '--num-train', 64, '--num-test',
          1, '--num-validation', 12, '--min-steps', 96, '--max-steps', 160, '--long', 32,
          '--num-classes', 3, '--noise', 0.3)
    widths = {f'model__{part}': 64 for part in ('backbone__embed_dims', 'neck__in_channels',
                                                'head__in_channels')}
    tools('train.py', CONFIG, '--work-dir', tmp_path,
          *small(data, model__head__num_classes=3, train_cfg__val_interval=2, **widths))
    # seeds 1 to 3 gave 0.37 to 0.51, a learning rate of zero gave 0.07
    assert logged(tmp_path)[-1]['average_mAP'] > 0.2
