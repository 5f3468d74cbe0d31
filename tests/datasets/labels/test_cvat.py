"""CVAT's XML 1.1."""
import pytest

META = '''<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <{kind}>
      <id>5</id>
      <name>mine</name>
      <size>300</size>
      <mode>interpolation</mode>
      <overlap>5</overlap>
      <subset>{subset}</subset>
      <start_frame>0</start_frame>
      <stop_frame>299</stop_frame>
      <frame_filter>{filter}</frame_filter>
      <labels><label><name>run</name><type>any</type><attributes></attributes></label></labels>
      <original_size><width>640</width><height>480</height></original_size>
    </{kind}>
    <dumped>2024-05-01 10:00:00.000000+00:00</dumped>
    <source>films/a b.mp4</source>
  </meta>
{body}
</annotations>
'''


def cvat(*body, kind='task', subset='', filter=''):
    return META.format(kind=kind, subset=subset, filter=filter, body='\n'.join(body))


def track(label, *shapes, number=0):
    lines = [f'  <track id="{number}" label="{label}" source="manual">']
    for frame, outside in shapes:
        lines.append(f'    <box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" '
                     'xtl="1.0" ytl="2.0" xbr="30.0" ybr="40.0" z_order="0"></box>')
    return '\n'.join([*lines, '  </track>'])


def image(frame, *labels, kind='tag'):
    inner = ''.join(f'<{kind} label="{label}" source="manual"></{kind}>' for label in labels)
    return (f'  <image id="{frame}" name="frame_{frame:06d}" width="640" height="480">{inner}'
            '</image>')


def test_tracks(files):
    # shown in every frame from 10 to 12 and again from 50; an outside box is the first without
    text = cvat(track('run', (10, 0), (11, 0), (12, 0), (13, 1), (50, 0), (100, 1)),
                track('sit', (25, 0), (26, 0), number=1), track('run', (5, 1), number=2),
                track('run', (50, 0), (74, 0), number=3))
    labels = files.labels('a.xml', text)
    assert [(r.video, r.start, r.end, r.label) for r in labels.rows] == [
        ('films/a b', 0.4, 0.52, 'run'), ('films/a b', 2, 4, 'run'), ('films/a b', 1, 1.08, 'sit'),
        ('films/a b', 2, 3, 'run')]
    assert [row.place for row in labels.rows] == [
        "line 22, track '0'", "line 26, track '0'", "line 30, track '1'", "line 37, track '3'"]
    assert labels.remarks == ["1 segments overlap another one of their class: films/a b: 'run' in "
                              "line 26, track '0' and line 37, track '3'"]


def test_tags(files):
    text = cvat(*(image(i, *(['run'] if i in (3, 4, 5, 8) else []), *(['sit'] if i == 5 else []))
                  for i in range(10)), kind='job', subset='Train')
    labels = files.labels('a.xml', text, fps=10.0)
    assert [(r.start, r.end, r.label) for r in labels.rows] == [
        (0.3, 0.6, 'run'), (0.8, 0.9, 'run'), (0.5, 0.6, 'sit')]
    assert labels.videos['films/a b'].subset == 'Train'
    boxes = cvat(image(3, 'run', 'run', kind='box'), image(4, 'run', kind='polygon'))
    assert files.rows('a.xml', boxes, fps=10.0) == [('films/a b', 0.3, 0.5, 'run')]
    tags = cvat('<tag frame="3" label="run"/><tag frame="4" label="run"/>')
    assert files.rows('a.xml', tags, fps=10.0) == [('films/a b', 0.3, 0.5, 'run')]


def test_tasks_of_every_tenth_frame(files):
    text = cvat(image(10, 'run'), image(20, 'run'), image(40, 'run'), image(290, 'sit'),
                image(295, 'sit'), track('jump', (0, 0), (10, 0)), filter='step=10')
    assert [row[1:] for row in files.rows('a.xml', text, fps=10.0)] == [
        (0, 2, 'jump'), (1, 3, 'run'), (4, 5, 'run'), (29, 30, 'sit')]


@pytest.mark.parametrize('body, words', [
    (track('run', ('x', 0)), "line 22, box, frame: must be a whole number from 0, got 'x'"),
    (track('run', (-1, 0)), "line 22, box, frame: must be a whole number from 0, got '-1'"),
    (track('', (1, 0)), "line 21, track, label: must be a text, got ''"),
    (track('run', (1, 0)).replace('outside="0"', ''), 'line 22, box, outside: is missing'),
    (image(3, 'run').replace('"3"', '"x"'), "line 21, image, id: must be a whole number from 0"),
    (image(3, ' '), "line 21, tag, label: must be a text, got ' '"),
    ('<tag label="run"/>', 'line 21, tag, frame: is missing'),
    ('', 'file: there is no label'),
    (image(3000, 'run'), 'line 21, label: end 120.04 s is beyond the duration 100 s'),
])
def test_bad_labels(files, body, words):
    problem, = files.problems('a.xml', cvat(body))
    assert problem.startswith(words)


@pytest.mark.parametrize('change, words', [
    (('1.1', '1.0'), "version: must be '1.1', with a meta, got '1.0'"),
    (('task>', 'project>'), 'meta.project: is a whole project'),
    (('films/a b.mp4', ''), 'meta.source: is missing'),
    (('frame_filter>', 'frame_filter>every=2'), 'meta.task.frame_filter: must be step=N, got'),
    (('</meta>', ''), 'file: is not valid XML (mismatched tag: line'),
    (('annotations>', 'other>'), 'file: is XML of no known format: it begins with <other>'),
])
def test_bad_files(files, change, words):
    text = cvat(track('run', (1, 0))).replace(*change)
    text = text.replace('</frame_filter>every=2', '</frame_filter>')
    problem, = files.problems('a.xml', text)
    assert problem.startswith(words)


def test_entities_are_refused(files):
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<annotations>&b;</annotations>'
    assert files.problems('a.xml', bomb) == [
        'line 1: has a document type declaration (<!DOCTYPE ...>), which is not read']
    assert files.problems('a.xml', '<annotations>&b;</annotations>')[0].startswith(
        'file: is not valid XML (undefined entity')
    assert files.problems('a.xml', '<?xml version="1.0" encoding="x-no"?><a/>')[0].startswith(
        'file: is not valid XML (')
