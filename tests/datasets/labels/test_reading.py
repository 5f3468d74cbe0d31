"""Labels and their videos: names, facts, what is said and what is refused."""
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.labels import VideoFacts, read_labels, read_videos

HEADER = 'video,start,end,label\n'
KNOWN = {name: VideoFacts(60.0, 25.0) for name in ('a', 'cam1/b', 'cam2/b', 'é')}


@pytest.mark.parametrize('written, name', [
    ('a', 'a'), ('a.mp4', 'a'), ('A.MP4'.lower(), 'a'), ('/home/me/a.mp4', 'a'),
    (r'C:\films\a.avi', 'a'), ('films/a.mp4', 'a'), ('../films/a.mov', 'a'), ('./a', 'a'),
    ('cam1/b', 'cam1/b'), ('films/cam2/b.mp4', 'cam2/b'), ('e\u0301.mp4', 'é')])
def test_names_of_known_videos(files, written, name):
    labels = files.labels('a.csv', f'{HEADER}{written},1,2,run\n', videos=KNOWN)
    assert [row.video for row in labels.rows] == [name]
    assert list(labels.videos) == list(KNOWN)  # and no other
    assert labels.remarks[0].startswith('3 videos without labels are kept as background: ')


@pytest.mark.parametrize('written, words', [
    ('c', "the video is not among the 4 videos ('"),
    ('b.mp4', "the video may be any of 'cam2/b', 'cam1/b'"),
    ('cam3/b', 'the video is not among the 4 videos'),
    ('cam3/b.mp4', 'the video is not among the 4 videos')])
def test_names_of_no_known_video(files, written, words):
    problem, = files.problems('a.csv', f'{HEADER}{written},1,2,run\n', videos=KNOWN)
    assert problem.startswith(f'line 2: {words}')


@pytest.mark.parametrize('other', ['/y/a.mp4', '/x/a.avi', r'D:\a.mp4'])
def test_two_videos_of_one_name(files, other):
    text = f'{HEADER}/x/a.mp4,1,2,run\n{other},1,2,run\n'
    problem, = files.problems('a.csv', text)
    assert problem.startswith("line 3: the video '/x/a.mp4' is called 'a' too")
    # the name itself is no other one
    assert files.rows('a.csv', f'{HEADER}/x/a.mp4,1,2,run\na,3,4,run\n') == [
        ('a', 1, 2, 'run'), ('a', 3, 4, 'run')]


def test_what_is_known_of_videos(files):
    text = 'video,start_frame,end_frame,label,fps\na,10,20,run,10\ncam1/b,50,75,run,\n'
    labels = files.labels('a.csv', text, videos=dict(
        KNOWN, a=VideoFacts(duration=50.0)), duration=5.0, fps=5.0)
    # numbers of frames go by the rate beside them, else by that of the video
    assert [(r.start, r.end) for r in labels.rows] == [(1, 2), (2, 3)]
    assert {name: (v.duration, v.fps) for name, v in labels.videos.items()} == {
        'a': (50, 10), 'cam1/b': (60, 25), 'cam2/b': (60, 25), 'é': (60, 25)}
    labels = files.labels('a.csv', text, videos=dict(KNOWN, a=VideoFacts(50.0, 30.0)))
    assert (labels.videos['a'].fps, labels.rows[0].end) == (30, 2)
    assert KNOWN['a'] == VideoFacts(60.0, 25.0)  # those handed in stay as they are


def test_missing_facts(files):
    text = f'{HEADER}a,1,2,run\nb,1,2,run\n'
    path = files.write('a.csv', text)
    with pytest.raises(TALDataError) as caught:
        read_labels(path, videos=dict(a=VideoFacts(fps=5.0), b=VideoFacts(duration=5.0)))
    assert [(p.video, p.field) for p in caught.value.problems] == [('a', 'duration'), ('b', 'fps')]
    assert files.problems('a.csv', f'{HEADER}a,1,x,run\n', fps=None) == [
        "line 2, end: must be seconds or hh:mm:ss, got 'x'",
        'fps: is not known: give the videos, a table of them, or one value for all']


def test_several_files(files):
    first = files.write('a.csv', f'{HEADER}a,1,2,run\n')
    second = files.write('b.json', dict(database=dict(
        a=dict(duration=30, annotations=[dict(segment=[5, 7], label='sit')]))))
    labels = read_labels([first, second], fps=10)
    assert [(row.video, row.start, row.label) for row in labels.rows] == [
        ('a', 1, 'run'), ('a', 5, 'sit')]
    assert labels.videos == dict(a=VideoFacts(30, 10))
    third = files.write('c.json', dict(database=dict(
        a=dict(duration=31, annotations=[dict(segment=[1, 2], label='run')]))))
    with pytest.raises(TALDataError) as caught:
        read_labels([first, second, third], fps=10)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{third}: video 'a': duration: is 31.0, but 30.0 in another file",
        f"{third}: video 'a': annotations[0]: 'run' from 1 to 2 s is there already, in line 2 of "
        f'{first}']
    with pytest.raises(ValueError, match='no file of labels is given'):
        read_labels([])
    with pytest.raises(TALDataError, match=r'none\.csv: file: cannot be read'):
        read_labels(first.replace('a.csv', 'none.csv'))


def test_subsets_that_contradict(files):
    text = 'video,start,end,label,subset\na,1,2,run,test\n'
    assert files.problems('a.csv', text, videos=dict(a=VideoFacts(9.0, 25.0, 'training'))) == [
        "subset: is 'test', but 'training' in another file"]


def test_remarks(files):
    text = HEADER + ('a,1,5,run\na,4,6,run\na,4.5,4.75,run\na,5.9995,7,run\na,2,3,Run\n'
                     'a,8,9,get  up\na,10,11,getup\nb,4,6,run\nc,,,\n')
    labels = files.labels('a.csv', text)
    assert len(labels.rows) == 8
    assert labels.remarks == [
        "2 segments overlap another one of their class: a: 'run' in line 2 and line 3; a: 'run' in "
        'line 3 and line 4',
        "labels that differ in case or blanks only are different classes: 'run' (5), 'Run' (1)",
        "labels that differ in case or blanks only are different classes: 'get  up' (1), 'getup' "
        '(1)', '1 videos without labels are kept as background: c']


def test_table_of_videos(files):
    path = files.write('v.csv', '\ufeffFile;Duration (s);FPS;Subset;person\na.mp4;1:30,5;29,97;'
                       'test;p1\ncam1/b.mov;60;;;\n')
    assert read_videos(path, 'person') == {
        'a': VideoFacts(90.5, 29.97, 'test', 'p1'), 'cam1/b': VideoFacts(60.0)}
    assert read_videos(path)['a'].group is None
    assert read_videos(files.write('v.csv', 'video,fps\na,5\n')) == dict(a=VideoFacts(fps=5.0))
    path = files.write('a.json', dict(database={'a': dict(duration='9', fps=5, subset='x', g=1),
                                                'b.mp4': {}}))
    assert read_videos(path, 'g') == {'a': VideoFacts(9.0, 5.0, 'x', '1'), 'b.mp4': VideoFacts()}


@pytest.mark.parametrize('text, words', [
    ('name,duration\na,3\n', 'header: has no column for video'),
    ('video,duration\na,3\na.mp4,4\n', "line 3, video: has a row before this one"),
    ('video,duration\na,x\n', "line 2, duration: must be seconds or hh:mm:ss, got 'x'"),
    ('video,duration\na,0\n', 'line 2, duration: must be positive, got 0'),
    ('video,fps\na,1:2\n', "line 2, fps: must be a number, got '1:2'"),
    ('video,fps\na\n', 'line 2: has 1 cells, the header 2'),
    ('video,fps\n', 'file: there is no video')])
def test_bad_tables_of_videos(files, text, words):
    path = files.write('v.csv', text)
    with pytest.raises(TALDataError) as caught:
        read_videos(path)
    problem, = caught.value.problems
    assert f'{problem.field}: {problem.message}'.startswith(words) and problem.file == path


def test_groups_of_a_table_of_videos(files):
    path = files.write('v.csv', 'video,duration,fps,person\na,9,5,p1\nb,9,5,p2\n')
    labels = files.labels('a.csv', f'{HEADER}a,1,2,run\n', videos=read_videos(path, 'person'),
                          group='person')
    assert [known.group for known in labels.videos.values()] == ['p1', 'p2']


# ---- published files


def test_tables_of_epic_kitchens(shared_data):
    folder = shared_data / 'data' / 'annotations'
    labels = read_labels(
        folder / 'EPIC_100_validation.csv', columns=dict(label='verb'), group='participant_id',
        videos=read_videos(folder / 'EPIC_100_video_info.csv'))
    first = labels.rows[0]
    assert (first.video, first.start, first.end, first.label) == ('P01_11', 0, 1.89, 'take')
    assert len(labels.rows) == 9668 and len(labels.videos) == 700
    assert labels.videos['P01_11'].group == 'P01'
    assert len({row.video for row in labels.rows}) == 138


def test_annotations_of_thumos14(shared_data):
    """Of five videos the file has annotations beyond their durations."""
    path = shared_data / 'data' / 'annotations' / 'thumos14.json'
    with pytest.raises(TALDataError) as caught:
        read_labels(path)
    assert {problem.video for problem in caught.value.problems} == {
        'video_test_0000270', 'video_test_0000814', 'video_test_0001081',
        'video_validation_0000364', 'video_validation_0000856'}
    assert all('is beyond the duration' in problem.message for problem in caught.value.problems)


def test_broken_videos_are_left_out(files):
    videos = dict(a=VideoFacts(60.0, 25.0), b=VideoFacts(broken='the video cannot be decoded'))
    labels = files.labels('a.csv', f'{HEADER}a,1,2,run\n', videos=videos)
    assert list(labels.videos) == ['a']
    assert labels.remarks == ["video 'b' is left out: the video cannot be decoded"]
    problem, = files.problems('a.csv', f'{HEADER}a,1,2,run\nb.mp4,1,2,run\n', videos=videos)
    assert problem.startswith('line 3: the video was left out, it cannot be read: the video cannot')


@pytest.mark.parametrize('end, hinted', [(1500, True), (1501, False), (60, False)])
def test_times_that_may_be_frames(files, end, hinted):
    """1500 frames are the 60 s of the video."""
    path = files.write('a.csv', f'{HEADER}a,1,{end},run\na,5,4,run\n')
    with pytest.raises(TALDataError) as caught:
        read_labels(path, videos=KNOWN)
    assert ('columns start_frame and end_frame' in str(caught.value).splitlines()[-1]) == hinted
