"""Projects of VIA 3."""
import copy

import pytest

PROJECT = dict(
    project=dict(pid='__VIA_PROJECT_ID__', rev='__VIA_PROJECT_REV_ID__', pname='mine',
                 creator='VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)',
                 created=1700000000000, vid_list=['1', '2', '3']),
    config=dict(file=dict(loc_prefix={'1': '', '2': '', '3': '', '4': ''}), ui={}),
    attribute={'1': dict(aname='action', anchor_id='FILE1_Z2_XY0', type=4, desc='what is done',
                         options={'1': 'run', '2': 'sit'}, default_option_id='')},
    file={'1': dict(fid='1', fname='a.mp4', type=4, loc=1, src=''),
          '2': dict(fid='2', fname='films/b.ogv', type=4, loc=3, src='films/b.ogv'),
          '3': dict(fid='3', fname='c.wav', type=8, loc=1, src='')},
    view={'1': dict(fid_list=['1']), '2': dict(fid_list=['2']), '3': dict(fid_list=['3'])},
    metadata={'1_XfkPMBSt': dict(vid='1', flg=0, z=[2.266, 4.95], xy=[], av={'1': '1'}),
              '2_FyTzqIjD': dict(vid='2', flg=0, z=[0, 10], xy=[], av={'1': '2'}),
              '1_LcYf7Ooi': dict(vid='1', flg=0, z=[6.5, 7], xy=[], av={'1': 'fall over'})})
ROWS = [('a', 2.266, 4.95, 'run'), ('b', 0, 10, 'sit'), ('a', 6.5, 7, 'fall over')]
BOX = dict(vid='1', flg=0, z=[3.1], xy=[2, 10, 10, 50, 60], av={'2': 'dog'})


def project(**attributes):
    """The project, with a second attribute and what is given of it."""
    content = copy.deepcopy(PROJECT)
    content['attribute']['2'] = {**dict(aname='object', anchor_id='FILE1_Z1_XY1', type=1, desc='',
                                        options={}, default_option_id=''), **attributes}
    return content


def test_rows(files):
    labels = files.labels('p.json', PROJECT)
    assert [(r.video, r.start, r.end, r.label) for r in labels.rows] == ROWS
    assert labels.rows[0].place == 'metadata[1_XfkPMBSt]'
    assert labels.remarks == ['1 videos without labels are kept as background: c']


def test_attributes(files):
    content = project()
    assert files.rows('p.json', content) == ROWS  # an attribute without values is no choice
    content['metadata']['1_box'] = BOX
    assert files.problems('p.json', content) == [
        "tiers: 2 attributes have labels: 'action' (3), 'object' (1); say which are to be read "
        '(tiers)']
    assert files.rows('p.json', content, tiers=['action']) == ROWS
    assert files.problems('p.json', content, tiers=['object']) == [
        'metadata[1_box].z: has 1 times and a region in xy: this is no temporal segment; to read '
        'only some attributes, name them (tiers)']


def test_several_options(files):
    content = project(type=2, options={'a': 'left', 'b': 'right'})
    content['metadata'] = {'1_x': dict(vid='1', flg=0, z=[1, 2], xy=[], av={'2': 'b,a'})}
    assert files.rows('p.json', content) == [('a', 1, 2, 'right'), ('a', 1, 2, 'left')]


@pytest.mark.parametrize('change, words', [
    (dict(z=[1]), 'metadata[1_x].z: has 1 times: this is no temporal segment'),
    (dict(z=[]), 'metadata[1_x].z: has 0 times: this is no temporal segment'),
    (dict(z=[1, 'x']), "metadata[1_x].z: must be a number, got str 'x'"),
    (dict(z=[5, 4]), 'metadata[1_x]: end 4 s is not after start 5 s'),
    (dict(av={}), 'metadata[1_x].av: has no label'),
    (dict(av={'1': ' '}), 'metadata[1_x]: the label is empty'),
    (dict(av={'1': 3}), 'metadata[1_x].av: must have texts, got 3'),
    (dict(av=None), 'metadata[1_x].av: must be an object, got None'),
    (dict(vid='9'), "metadata[1_x].vid: there is no view '9' of one file"),
])
def test_bad_segments(files, change, words):
    content = copy.deepcopy(PROJECT)
    content['metadata']['1_x'] = {**dict(vid='1', z=[8, 9], xy=[], av={'1': '1'}), **change}
    problem, = files.problems('p.json', content)
    assert problem.startswith(words)


def test_bad_projects(files):
    content = copy.deepcopy(PROJECT)
    content['view']['3'] = dict(fid_list=['3', '1'])
    content['file']['2'] = dict(fid='2')
    assert files.problems('p.json', content) == [
        'file[2].fname: is missing',
        "view[3].fid_list: must be one of the files, got ['3', '1']",
        "metadata[2_FyTzqIjD].vid: there is no view '2' of one file"]
    problem, = files.problems('p.json', dict(_via_settings={}, _via_img_metadata={}))
    assert problem.startswith("file: is JSON of no known format: it has no 'database' (ActivityNet")
    assert files.problems('p.json', dict(PROJECT, metadata=[])) == [
        'metadata: must be an object, got []']
