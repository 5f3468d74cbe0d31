"""``cltdr features``: its options reach the extractor, and it says what it did."""
import subprocess
import sys

import numpy as np
import pytest

from cltdr_mm.cli.features import main
from cltdr_mm.datasets.feature_manifest import read_manifest

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')


@pytest.fixture
def videos(tmp_path):
    (tmp_path / 'videos').mkdir()
    for name in 'ab':
        with av.open(str(tmp_path / 'videos' / f'{name}.mp4'), 'w') as container:
            stream = container.add_stream('mpeg4', rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
            for k in range(40):
                picture = np.full((48, 64, 3), 5 * k, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
            container.mux(stream.encode())
    return tmp_path / 'videos'


def run(*words):
    main([str(word) for word in words])


def test_a_folder_and_its_broken_video(videos, tmp_path, capsys):
    words = (videos, '--recognizer', 'motion', '--out', tmp_path / 'data', '--dtype', 'float16')
    run(*words, '--stride', '2', '--fps', '10', '--clip-len', '6', '--shard', '1/1')
    said = capsys.readouterr().out
    assert '2 videos done (8 s of video' in said and '0 could not be used' in said
    assert '(T, 134) float16, a step every 2 frames of 6, 10 frames a second' in said
    (videos / 'c.mp4').write_text('no video')
    with pytest.raises(SystemExit, match="error: .*c.mp4: video 'c': video: the video cannot be"):
        run(*words, '--stride', '2', '--fps', '10', '--clip-len', '6')
    assert '0 videos done' in (said := capsys.readouterr().out) and '2 were there, 1 ' in said
    manifest = read_manifest(tmp_path / 'data' / 'features')
    assert (manifest.stride, manifest.clip_len, manifest.fps) == (2, 6, 10.0)
    with pytest.raises(SystemExit, match=r'settings: .*stride: 2 and 4; .*fps: 10\.0 and 15\.0'):
        run(*words)


def test_a_module_with_arguments(videos, tmp_path):
    module = 'cltdr_mm.apis.features.motion_statistics:MotionStatistics'
    run(videos, '--module', module, '--module-args', 'grid=2',
        '--clip-len', '4', '--fps', 'own', '--crop-size', '0', '--short-side', '32',
        '--out', tmp_path)
    manifest = read_manifest(tmp_path / 'features')
    assert (manifest.channels, manifest.module_args, manifest.fps) == (50, dict(grid=2), None)
    assert manifest.crop_size is None and manifest.window == 4


def test_presets_are_listed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['--list-presets'])
    assert ended.value.code == 0 and 'i3d-r50' in capsys.readouterr().out


@pytest.mark.parametrize('words, message', [
    (['--recognizer', 'motion', '--module', 'a:B'], 'not allowed with'),
    ([], 'one of the arguments --recognizer --module is required'),
    (['--module', 'a.py'], '--module takes package.module:Name, got a.py'),
    (['--recognizer', 'motion', '--module-args', 'a=3'], '--module-args needs --module'),
    (['--module', 'a:B', '--module-args', 'a'], 'must be key=value, got a'),
    (['--recognizer', 'motion', '--shard', '3/2'], 'must be I/N with I from 1 to N'),
    (['--recognizer', 'motion', '--fps', 'fast'],
     "--fps: must be frames per second or 'own', got 'fast'")])
def test_options_that_make_no_sense(videos, tmp_path, capsys, words, message):
    with pytest.raises(SystemExit) as ended:
        run(videos, '--out', tmp_path, *words)
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_ranks_of_torchrun_share_the_videos_and_end_together(videos, tmp_path):
    (videos / 'c.mp4').write_text('no video')
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         '-m', 'cltdr_mm', 'features', str(videos), '--recognizer', 'motion', '--out',
         str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode != 0 and "c.mp4: video 'c': video: the video cannot" in done.stderr
    assert sorted(read_manifest(tmp_path / 'features').videos) == ['a', 'b']


def test_what_ctrl_c_leaves(videos, tmp_path, capsys, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt
    monkeypatch.setattr('cltdr_mm.cli.features.extract_features', stop)
    with pytest.raises(SystemExit) as ended:
        run(videos, '--recognizer', 'motion', '--out', tmp_path)
    assert ended.value.code == 130
    assert capsys.readouterr().err == 'stopped; the same command goes on where it was\n'
