"""ActivityNet's layout, and ours."""


def database(**entry):
    return dict(database=dict(a={**dict(
        subset='training', duration=30.0, annotations=[dict(segment=[1, 2.5], label='run')]),
        **entry}, b=dict(subset='testing', duration=20)))


def test_rows(files):
    labels = files.labels('a.json', database(fps=10, person=3), group='person', fps=5.0)
    assert [(r.video, r.start, r.end, r.label, r.place) for r in labels.rows] == [
        ('a', 1.0, 2.5, 'run', 'annotations[0]')]
    assert {name: (v.duration, v.fps, v.subset, v.group) for name, v in labels.videos.items()} == {
        'a': (30.0, 10, 'training', '3'), 'b': (20.0, 5.0, 'testing', None)}


def test_numbers_in_quotes_and_names_as_they_are(files):
    content = database(duration='30.5', annotations=[dict(segment=['1', '2.5'], label=' run ')])
    content['database']['v.mp4'] = content['database'].pop('a')
    assert files.rows('a.json', content) == [('v.mp4', 1.0, 2.5, 'run')]
    assert files.labels('a.json', content).videos['v.mp4'].duration == 30.5


def test_bad_entries(files):
    content = database(duration='x', annotations=[
        dict(segment=[1], label='run'), dict(segment=[1, 2]), dict(segment=[3, 2], label='run'),
        dict(segment=[1, 2], label=''), 'x', dict(segment=[1, 31], label='run')])
    assert files.problems('a.json', content) == [
        "duration: must be a number, got 'x'",
        'annotations[0].segment: must be [start, end], got [1]',
        'annotations[1].label: is missing',
        "annotations[3].label: must be a text, got ''",
        "annotations[4]: must be an object, got 'x'",
        'annotations[2]: end 2 s is not after start 3 s']
    assert files.problems('a.json', database(annotations={})) == [
        'annotations: must be a list, got {}']
    assert files.problems('a.json', database(person=[1]), group='person') == [
        'person: must be a text or a whole number, got [1]']
    assert files.problems('a.json', '{"database": {"a": {}, "a": {}}}')[0].startswith(
        "file: is not valid JSON ('a' is given twice")
    assert files.problems('a.json', dict(database=[1])) == ['database: must be an object, got [1]']
