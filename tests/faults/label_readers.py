"""Readers of labels, of every format."""
from functools import partial
from pathlib import Path

from data_readers import ANNOTATIONS
from judging import Reader
from sources import Source, as_csv, as_json, as_text

from cltdr_mm.datasets.annotations import load_annotations
from cltdr_mm.datasets.labels import read_labels, save_labels
from cltdr_mm.datasets.labels.video_table import read_videos

READERS: dict[str, Reader] = {}
ELAN = '''<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0">
<HEADER TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///films/a%20b.mp4" MIME_TYPE="video/mp4"/>
</HEADER>
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="780"/>
<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="10500"/>
</TIME_ORDER>
<TIER TIER_ID="action">
<ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>run</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION>
</ANNOTATION>
<ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
<ANNOTATION_VALUE>sit</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION>
</ANNOTATION>
</TIER>
</ANNOTATION_DOCUMENT>
'''
CVAT = '''<?xml version="1.0" encoding="utf-8"?>
<annotations>
<version>1.1</version>
<meta>
<task>
<size>300</size>
<start_frame>0</start_frame>
<stop_frame>299</stop_frame>
<frame_filter></frame_filter>
</task>
<source>a.mp4</source>
</meta>
<track id="0" label="run" source="manual">
<box frame="10" keyframe="1" outside="0"></box>
<box frame="13" keyframe="1" outside="1"></box>
</track>
<track id="1" label="sit" source="manual">
<box frame="25" keyframe="1" outside="0"></box>
<box frame="40" keyframe="1" outside="1"></box>
</track>
</annotations>
'''
VIA = dict(
    project=dict(pname='mine', vid_list=['1', '2']),
    config=dict(file=dict(loc_prefix={'1': ''})),
    attribute={'1': dict(aname='action', anchor_id='FILE1_Z2_XY0', type=4,
                         options={'1': 'run', '2': 'sit'}, default_option_id='')},
    file={'1': dict(fid='1', fname='a.mp4', type=4, loc=1, src=''),
          '2': dict(fid='2', fname='films/b.ogv', type=4, loc=1, src='')},
    view={'1': dict(fid_list=['1']), '2': dict(fid_list=['2'])},
    metadata={'1_X': dict(vid='1', flg=0, z=[2.25, 4.5], xy=[], av={'1': '1'}),
              '2_F': dict(vid='2', flg=0, z=[0, 10], xy=[], av={'1': '2'})})
LABEL_STUDIO = [dict(
    id=number, file_upload=f'0a1b2c3d-{name}.mp4', predictions=[],
    data=dict(video=f'/data/upload/3/0a1b2c3d-{name}.mp4'),
    annotations=[dict(id=7, was_cancelled=False, result=[dict(
        id='x1', type='timelinelabels', to_name='video', from_name='what',
        value=dict(timelinelabels=['run'], ranges=[dict(start=1, end=50)]))])])
    for number, name in enumerate('ab')]
BORIS = '''\
Observation id,Media duration (s),FPS,Source,Subject,Behavior,Behavior type,Time,Media file name
obs1,60.0,30.0,player #1:a.mp4,nobody,run,START,1.5,a.mp4
obs1,60.0,30.0,player #1:a.mp4,nobody,run,STOP,4,a.mp4
obs1,60.0,30.0,player #1:a.mp4,nobody,sit,START,6,a.mp4
obs1,60.0,30.0,player #1:a.mp4,nobody,sit,STOP,7.25,a.mp4
'''
TABLE = '''\
video,start,end,label,subset
a.mp4,0.5,1.25,run,training
a.mp4,1.0,2.5,sit,training
b.mp4,0,3,run,validation
'''
FRAMES = '''\
filename,start_frame,end_frame,class,person
a.mp4,5,12,run,4
b.mp4,10,25,sit,5
'''
CLOCK = '''\
video,start,duration,label
a,0:00:01.5,2,run
b,00:10,3.5,sit
'''


def read(folder: Path, file: str, **options) -> list:
    labels = read_labels(folder / file, **{**dict(duration=100.0, fps=25.0), **options})
    for row in labels.rows:
        known = labels.videos[row.video]
        assert 0 <= row.start < row.end <= known.duration + 1 and known.fps > 0 and row.label
    save_labels(folder / 'out.json', labels, dict.fromkeys(labels.videos, 'training'))
    videos, problems, classes = load_annotations(str(folder / 'out.json'))
    assert not problems and len(videos) == len(labels.videos) and classes
    assert sum(len(video.labels) for video in videos) == len(labels.rows) > 0
    return [[(row.video, row.start, row.end, row.label) for row in labels.rows], labels.videos,
            len(labels.remarks)]


SOURCES: dict[str, tuple[str, Source, dict]] = dict(
    elan=('x.eaf', as_text(ELAN, ''), {}),
    cvat=('x.xml', as_text(CVAT, ''), {}),
    via=('x.json', as_json(VIA), {}),
    label_studio=('x.json', as_json(LABEL_STUDIO), {}),
    boris=('x.csv', as_csv(BORIS), {}),
    activitynet=('x.json', as_json(ANNOTATIONS), {}),
    table=('x.csv', as_csv(TABLE), {}),
    frames=('x.csv', as_csv(FRAMES), dict(group='person')),
    clock=('x.csv', as_csv(CLOCK), {}))
for _name, (_file, _source, _options) in SOURCES.items():
    READERS[f'labels, {_name}'] = Reader(
        {_file: _source}, partial(read, file=_file, **_options), out='out.json')


def read_table_of_videos(folder: Path) -> list:
    found = read_videos(folder / 'videos.csv')
    for known in found.values():
        assert all(value is None or value > 0 for value in (known.duration, known.fps))
    return [found]


READERS['table of videos'] = Reader(
    {'videos.csv': as_csv('video,duration,fps\na.mp4,12.5,25\nb.mp4,60,29.97\n')},
    read_table_of_videos)
