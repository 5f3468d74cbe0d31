"""Tables of labels as people write them."""
import pytest

ROWS = [('a', 1.5, 4.0, 'run'), ('b/c', 62.0, 75.25, 'sit')]


@pytest.mark.parametrize('text', [
    'video,start,end,label\na,1.5,4,run\nb/c,62,75.25,sit\n',
    'VIDEO,Start,END,Label\r\na,1.5,4,run\r\nb/c,62,75.25,sit\r\n',
    '\ufefffile;begin;stop;class\na.mp4;1,5;4;run\nb/c.MOV;62;75,25;sit\n',
    'filename\tonset\toffset\tbehavior\na.avi\t1.5\t4\trun\n./b/c.mkv\t62\t75.25\tsit\n',
    'media,t_start,t_end,category\na,1.5,4,run\nb/c,62,75.25,sit\n',
    'video,start,duration,action\na,1.5,2.5,run\nb/c,62,13.25,sit\n',
    'Video ID,Start Time (s),End Time [sec],Behaviour\na,1.5,4,run\nb/c,62,75.25,sit\n',
    'video,start_timestamp,stop_timestamp,label\n'
    'a,00:00:01.5,0:0:04,run\nb/c,01:02,00:01:15.250,sit\n',
    'video;start;end;label\na;0:01,5;0:04;run\nb/c;1:02;1:15,25;sit\n',
    'video,start_frame,end_frame,label\na,37.5,100,run\nb/c,1550,1881.25,sit\n',
    'label,end,note,start,video\n run ,4,"x, y",1.5, a\n\nsit,75.25,,62,b/c\n,,,,\n',
    '"video","start","end","label"\n"a","1.5","4","run"\n"b/c","62","75.25","sit"\n',
    'video,start,end,duration,label\na,1.5,4,2.5,run\nb/c,62,75.25,13.25,sit\n',
    'video,start_frame,stop_frame,start,end,label\na,0,0,1.5,4,run\nb/c,0,0,62,75.25,sit\n',
])
def test_usual_tables(files, text):
    assert files.rows('a.csv', text) == ROWS
    assert files.rows('a.tsv', text) == ROWS  # what separates the cells is seen, not believed


def test_what_excel_calls_unicode_text(files):
    text = 'video\tstart\tend\tlabel\nä\t1,5\t4,25\tlöschen\n'
    assert files.rows('a.txt', text.encode('utf-16')) == [('ä', 1.5, 4.25, 'löschen')]


def test_columns_of_other_names(files):
    text = 'clip,from,to,verb,noun\na,1.5,4,run,x\nb/c,62,75.25,sit,y\n'
    columns = dict(video='Clip', start='from', end='to', label='verb')
    assert files.rows('a.csv', text, columns=columns) == ROWS
    # one that is named goes before those that look like it; times named so are frames
    text = 'video,label,class,start,end\na,0,run,37.5,100\nb/c,1,sit,1550,1881.25\n'
    columns = dict(label='class', start_frame='start', end_frame='end')
    assert files.rows('a.csv', text, columns=columns) == ROWS


def test_frames_go_by_their_own_rate(files):
    text = 'video,start_frame,end_frame,label,fps\na,15,40,run,10\nb,50,100,sit,\n'
    labels = files.labels('a.csv', text)
    assert [(r.video, r.start, r.end) for r in labels.rows] == [('a', 1.5, 4.0), ('b', 2.0, 4.0)]
    assert labels.videos['a'].fps == 10 and labels.videos['b'].fps == 25
    assert files.problems('a.csv', text, fps=None) == [
        'fps: is not known: give the videos, a table of them, or one value for all']


def test_subset_group_and_videos_without_labels(files):
    text = ('video,start,end,label,split,person\na,1,2,run,training,p1\na,3,4,run,,\n'
            'b,,,,test,p2\n')
    labels = files.labels('a.csv', text, group='person')
    assert [row.video for row in labels.rows] == ['a', 'a']
    assert {name: (v.subset, v.group) for name, v in labels.videos.items()} == {
        'a': ('training', 'p1'), 'b': ('test', 'p2')}
    assert labels.remarks == ['1 videos without labels are kept as background: b']
    assert files.problems('a.csv', text, group='people') == [
        "group: no video has a group: there is no 'people'"]


@pytest.mark.parametrize('text, words', [
    ('video,start,label\na,1,run\n',
     "header: has no column for end (end, endtime, endtimestamp, stop, stoptime, stoptimestamp, "
     "offset, tend); it has 'video', 'start', 'label'"),
    ('video,start_ms,end,label\na,1,2,run\n', 'header: has no column for start ('),
    ('video,start,end,verb\na,1,2,run\n', 'header: has no column for label ('),
    ('video,start,end,label,class\na,1,2,run,1\n',
     "header: has several columns for label: 'label', 'class'; say which one it is, "
     'such as --columns label=label'),
    ('video,video,start,end,label\na,a,1,2,run\n',
     "header: has several columns for video: 'video', 'video'"),
    ('video\na\n', "header: must be names of columns with commas, semicolons or tabs between "
     "them, got 'video'"),
    ('video,start;end,label;x\n', 'header: must be names of columns'),
    ('', "header: must be names of columns with commas, semicolons or tabs between them, got ''"),
    ('video,start,end,label\n', 'file: there is no label'),
    (b'video,start,end,label\na,1,2,l\xf6schen\n', 'file: is no text in UTF-8 ('),
    ('video,start,end,label\na,1,2,"run\n', 'line 2: cannot be read ('),
])
def test_bad_tables(files, text, words):
    problem, = files.problems('a.csv', text)
    assert problem.startswith(words)


@pytest.mark.parametrize('cells, words', [
    ('a,1,2', 'line 3: has 3 cells, the header 4'),
    (',1,2,run', "line 3, video: must be a text, got ''"),
    ('a,x,2,run', "line 3, start: must be seconds or hh:mm:ss, got 'x'"),
    ('a,1,nan,run', "line 3, end: must be seconds or hh:mm:ss, got 'nan'"),
    ('a,1,1e999,run', "line 3, end: must be finite, got '1e999'"),
    ('a,1,,run', "line 3, end: must be a text, got ''"),
    ('a,0:61:00,2,run', 'line 3, start: must be seconds or hh:mm:ss, with less than 60'),
    ('a,0:00:01:12,2,run', 'line 3, start: must be seconds or hh:mm:ss'),
    ('a,1,"2,500",run', "line 3, end: '2,500' may be thousands or have a decimal comma"),
    ('a,1.5,"2,5",run', "line 3, end: '2,5' has a decimal comma, but numbers before it"),
    ('a,1,2, ', 'line 3: the label is empty'),
    ('a,2,1,run', 'line 3: end 1 s is not after start 2 s'),
    ('a,2,2,run', 'line 3: end 2 s is not after start 2 s'),
    ('a,-1,2,run', 'line 3: starts at -1 s, before the video'),
    ('a,98,100.2,run', 'line 3: end 100.2 s is beyond the duration 100 s (tolerance 0.1 s)'),
    ('v,10,20,run', "line 3: 'run' from 10 to 20 s is there already, in line 2"),
    ('../a/..,1,2,run', "line 3: the video must be a name"),
])
def test_bad_rows(files, cells, words):
    problem, = files.problems('a.csv', f'video,start,end,label\nv,10,20,run\n{cells}\n')
    assert problem.startswith(words)


def test_all_problems_at_once(files):
    text = 'video,start,end,label\na,x,2,run\nb,5,4,run\nc,1,2,\nd,1\n'
    assert [problem.partition(':')[0] for problem in files.problems('a.csv', text)] == [
        'line 5', 'line 2, start', 'line 4', 'line 3']


def test_facts_that_contradict(files):
    text = 'video,start,end,label,fps,subset\na,1,2,run,25,train\na,3,4,run,30,test\n'
    assert files.problems('a.csv', text) == ['line 3, fps: is 30.0, but was 25.0 for this video '
                                             'before']
    text = text.replace('30', '25')
    assert files.problems('a.csv', text) == ["line 3, subset: is 'test', but was 'train' for this "
                                             'video before']
    assert files.problems('a.csv', 'video,start,end,label,fps\na,1,2,run,0\n')[0] == (
        'line 2, fps: must be positive, got 0')


def test_wrong_options(files):
    text = 'video,start,end,label\na,1,2,run\n'
    with pytest.raises(ValueError, match="columns: there is no field 'verb', but video, start"):
        files.rows('a.csv', text, columns=dict(verb='label'))
    assert files.problems('a.csv', text, columns=dict(label='verb')) == [
        "header: has no column 'verb' for label; it has 'video', 'start', 'end', 'label'"]
    with pytest.raises(ValueError, match=r'a\.csv: tiers were given, but files of the format csv'):
        files.rows('a.csv', text, tiers=['x'])
    with pytest.raises(ValueError, match="there is no format 'xls', but activitynet, boris"):
        files.rows('a.csv', text, format='xls')
    for options in (dict(fps=0), dict(duration=float('nan'))):
        with pytest.raises(ValueError, match='must be a positive number, got'):
            files.rows('a.csv', text, **options)


def test_an_example_of_columns_that_are_there(files):
    problem, = files.problems('a.csv', 'Clip,von,bis nach,label\na,1,2,run\n')
    assert problem.endswith("it has 'Clip', 'von', 'bis nach', 'label'; say which they are, such "
                            "as --columns video=Clip start=von 'end=bis nach'")
