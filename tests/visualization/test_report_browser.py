"""The report in a browser, clicked through."""
import json
import shutil

import numpy as np
import pytest

from cltdr_mm.apis.inference.reports import write_report
from cltdr_mm.datasets.annotations import load_annotations

pytest.importorskip('plotly', reason='plotly is not installed: pip install "cltdr-mm[report]"')
pytest.importorskip('selenium', reason='selenium is not installed: pip install selenium')
av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')

from browser_pages import Page  # noqa: E402
from selenium.webdriver import ActionChains, Keys  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

#: Names that would end a script, be read as HTML, or not be an address as they are.
ODD_VIDEO = 'a </script><b>"x"&\'%41 é#?'
ODD_CLASS = '</script><img src=x onerror="window.broken=1"> ÿ<b>&lt;'
DETECTIONS = {
    ODD_VIDEO: [('run', 12.0, 14.0, 0.9), (ODD_CLASS, 3.0, 8.5, 0.6), ('run', 12.5, 16.0, 0.3),
                ('jump', 1.0, 1.5, 0.2)],
    'v2': [('jump', 2.0, 5.0, 0.8)],
    'empty': []}
LABELS = {
    ODD_VIDEO: [('run', 12.2, 14.4), (ODD_CLASS, 4.0, 8.0)],
    'train': [('jump', 1.0, 4.0)], 'empty': []}
CLASSES = ['jump', 'run', ODD_CLASS]


def write_video(path, seconds):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for i in range(10 * seconds):
            image = np.full((48, 64, 3), 10 * (i % 25), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Folder with results, annotations and the videos; reports are written beside them."""
    folder = tmp_path_factory.mktemp('a report #1')
    write_video(folder / 'videos' / f'{ODD_VIDEO}.mp4', 20)
    write_video(folder / 'videos' / 'v2.mp4', 6)
    (folder / 'results.json').write_text(json.dumps(dict(results={
        video: [dict(label=label, segment=[start, end], score=score)
                for label, start, end, score in rows] for video, rows in DETECTIONS.items()})))
    database = {video: dict(
        subset='test', duration=20.0, fps=10.0, feature_stride=2, url='x',
        annotations=[dict(label=label, label_id=CLASSES.index(label), segment=[start, end],
                          note='seen') for label, start, end in rows])
        for video, rows in LABELS.items()}
    database['hidden'] = dict(subset='secret', duration=3.0, fps=10.0)  # without annotations
    (folder / 'ann.json').write_text(json.dumps(dict(
        version='mine', classes=CLASSES, database=database)))
    return folder


@pytest.fixture(scope='module')
def report(files):
    path = files / 'report.html'
    write_report(files / 'results.json', path, files / 'ann.json', files / 'videos')
    return path


@pytest.fixture
def page(driver, report):
    """The report, opened anew."""
    driver.get_log('browser')
    page = Page(driver, report, driver.downloads)
    yield page
    assert driver.get_log('browser') == [], 'errors in the page'


def test_names_are_only_names(page):
    """And nothing is fetched from anywhere."""
    names = [option.text for option in Select(page.get('video-choice')).options]
    assert names == [ODD_VIDEO, 'v2', 'empty', 'train', 'hidden']
    groups = page.driver.find_elements(By.TAG_NAME, 'optgroup')
    assert [group.get_attribute('label') for group in groups] == ['Videos', 'Not in the results']
    page.slide(0)
    assert page.rows()[1][1] == ODD_CLASS
    page.click_row(1)
    assert [option.text for option in Select(page.get('class-choice')).options] == [
        *CLASSES, 'New class…']
    page.wait(lambda: ODD_CLASS[:20] in page.run(
        'return [...document.querySelectorAll("#timeline .ytick text")]'
        '.map(tick => tick.textContent.slice(0, 20))'))
    assert page.run('return window.broken') is None
    fetched = page.run('return performance.getEntriesByType("resource").map(e => e.name)')
    assert all(name.startswith(('file:', 'data:', 'blob:')) for name in fetched)


def test_slider_changes_what_is_shown(page):
    page.slide(0)
    assert page.text('shown-count') == '4 of 4 detections, 2 labels'
    assert [row[0] for row in page.rows()] == ['0.900', '0.600', '0.300', '0.200'], 'by score'
    page.wait(lambda: page.bars() == 6)
    page.slide(0.5)
    assert page.text('shown-count') == '2 of 4 detections, 2 labels'
    assert [row[:2] for row in page.rows()] == [['0.900', 'run'], ['0.600', ODD_CLASS]]
    assert page.rows()[1][-1] == f'{4 / 5.5:.2f}', 'tIoU with the label'
    page.wait(lambda: page.bars() == 4)
    page.slide(1)
    assert page.text('no-rows') == 'No detection reaches the score of the slider.'
    page.wait(lambda: page.bars() == 2)


def test_a_row_plays_its_segment(page):
    page.slide(0)
    page.wait(lambda: page.run('return state.hasVideo'))
    page.click_row(3)  # from 1.0 to 1.5 s
    assert page.run('return player.currentTime') >= 1.0
    page.wait(lambda: page.run('return player.currentTime') > 1.2)
    page.wait(lambda: page.run('return player.paused'))
    assert 1.5 <= page.run('return player.currentTime') < 12, 'it stops where the segment ends'
    line = page.run('return timeline.place.layout.shapes[0].x0')
    assert line == pytest.approx(page.run('return player.currentTime')), 'the line follows'
    assert 'jump' not in page.text('running-labels')
    page.click_row(0)
    assert page.run('return player.currentTime') >= 12.0
    page.wait(lambda: page.text('running-labels').startswith('run'))
    page.press(Keys.SPACE)
    page.wait(lambda: page.run('return player.paused'))
    now = page.run('return state.time')
    page.press(Keys.ARROW_LEFT)
    page.wait(lambda: page.run('return player.currentTime') == pytest.approx(now - 1, abs=0.2))


def test_a_bar_is_played_and_a_moment_chosen(page):
    page.wait(lambda: page.run('return state.hasVideo'))
    page.wait(lambda: page.bars() > 0)
    bar = page.driver.find_elements(By.CSS_SELECTOR, '#timeline .bars .point path')[0]
    wanted = page.run('return timeline.place.data[0].customdata[0]')
    page.run('window.seeks = [];'
             'player.addEventListener("seeking", () => seeks.push(player.currentTime))')
    ActionChains(page.driver).move_to_element(bar).pause(0.2).click().perform()
    page.wait(lambda: page.run('return state.chosen !== null'))
    assert page.run('return state.chosen') == wanted
    page.wait(lambda: page.run('return player.currentTime') > wanted['start'])
    assert page.run('return seeks') == [pytest.approx(wanted['start'], abs=0.1)], 'no second one'
    page.press(Keys.SPACE)
    x, y = page.run('''
        const box = timeline.place.querySelector('.nsewdrag').getBoundingClientRect();
        return [box.left + 0.9 * box.width, box.bottom - 2]''')
    page.drag((x, y), (x, y))
    page.wait(lambda: page.run('return player.currentTime') == pytest.approx(18, abs=0.1))


def test_a_boundary_is_corrected_and_saved(page):
    page.get('tab-labels').click()
    page.click_row(0)  # from 4 to 8 s
    page.get('zoom-segment').click()
    page.wait(lambda: page.run('return timeline.view') == [0, 16])
    left, right, middle = page.frame()
    # a third of its length to the right, and not quite level
    page.drag((right - 1, middle), (right - 1 + (right - left) / 2, middle + 4))
    page.wait(lambda: float(page.get('end').get_attribute('value')) > 8)
    end = float(page.get('end').get_attribute('value'))
    assert end == pytest.approx(10, abs=0.1)
    assert page.text('save-state') == 'not saved yet'
    page.write('start', '3.25')
    assert page.rows()[0] == [ODD_CLASS, '3.25', f'{end:.2f}', f'{end - 3.25:.2f}']
    path = page.saved()
    assert page.text('save-state') == ''
    videos, problems, classes = load_annotations(str(path), subset='test')
    assert not problems and list(classes) == CLASSES
    assert [video.video_name for video in videos] == [ODD_VIDEO, 'empty', 'train']
    assert videos[0].segments.tolist() == [[3.25, end], [12.2, 14.4]]
    assert videos[0].labels.tolist() == [2, 1]
    content = json.loads(path.read_text())
    assert content['database']['hidden'] == dict(subset='secret', duration=3.0, fps=10.0)
    entry = content['database'][ODD_VIDEO]
    assert content['version'] == 'mine' and entry['url'] == 'x' and entry['feature_stride'] == 2
    assert all(item['note'] == 'seen' for item in entry['annotations'])


def test_labels_are_added_changed_deleted_and_brought_back(page):
    page.slide(0)
    page.click_row(3)  # the detection of `jump`
    page.press(Keys.ENTER)
    assert page.text('shown-count').endswith('3 labels')
    Select(page.get('class-choice')).select_by_visible_text('run')
    assert [row[0] for row in page.rows()] == ['run', ODD_CLASS, 'run']
    page.write('end', '0.5')
    assert page.text('segment-error') == 'The end must be after the start, within the video.'
    assert page.rows()[0][:3] == ['run', '1.00', '1.50'], 'nothing was changed'
    page.get('delete').click()
    assert len(page.rows()) == 2
    page.get('undo').click()
    page.get('undo').click()
    assert [row[0] for row in page.rows()] == ['jump', ODD_CLASS, 'run']
    page.press('n')
    assert page.text('shown-count').endswith('4 labels')
    page.press(Keys.DELETE)
    assert page.text('shown-count').endswith('3 labels')
    page.get('accept-all').click()
    assert page.text('shown-count').endswith('6 labels'), 'the one of `jump` is there already'


def test_another_video(page):
    Select(page.get('video-choice')).select_by_visible_text('v2')
    assert page.text('video-count') == '2 of 5'
    page.slide(0)
    assert [row[:2] for row in page.rows()] == [['0.800', 'jump']]
    page.wait(lambda: page.run('return state.hasVideo'))
    assert page.run('return player.duration') == pytest.approx(6, abs=0.2)
    assert page.run('return player.src').endswith('/videos/v2.mp4')
    page.wait(lambda: page.bars() == 1)
    assert page.text('clock').endswith('/ 6.0 s'), 'the duration is that of the file'
    page.press(Keys.PAGE_DOWN)
    assert page.text('video-count') == '3 of 5'
    assert page.text('no-timeline') == (
        'This video has no detections and no labels. “New label” adds one.')
    assert page.text('no-rows') == 'This video has no detections.'
    assert page.text('no-video-text').startswith('No video lies beside this page')
    page.get('next').click()
    assert page.text('shown-count') == '0 of 0 detections, 1 labels'
    page.get('next').click()
    assert not page.get('next').is_enabled()


def test_labels_from_nothing(driver, files):
    """Without annotations, what was corrected is saved, with what the video files say."""
    path = files / 'alone.html'
    remarks = write_report(files / 'results.json', path, videos=files / 'videos')
    assert [remark.split(',')[0] for remark in remarks] == [
        '1 of 3 videos have no file', 'durations and rates of 1 videos are not known']
    page = Page(driver, path, driver.downloads)
    assert not page.get('save').is_enabled() and page.text('save-state') == 'no labels yet'
    page.slide(0.5)
    page.get('accept-all').click()
    file = page.saved()
    videos, problems, classes = load_annotations(str(file))
    assert not problems
    assert {(video.video_name, video.duration, video.fps) for video in videos} == {
        (ODD_VIDEO, 20.0, 10.0)}
    assert videos[0].segments.tolist() == [[3.0, 8.5], [12.0, 14.0]]
    assert [classes[label] for label in videos[0].labels] == [ODD_CLASS, 'run']


def test_a_video_that_is_gone(driver, files, tmp_path):
    shutil.copy(files / 'report.html', tmp_path)
    page = Page(driver, tmp_path / 'report.html', driver.downloads)
    page.wait(lambda: page.get('no-video-text').is_displayed())
    assert ODD_VIDEO in page.text('no-video-text')
    page.click_row(0)
    assert page.run('return timeline.time') == 12.0, 'the line goes there all the same'
    page.get('video-file').send_keys(str(files / 'videos' / 'v2.mp4'))
    page.wait(lambda: page.run('return state.hasVideo'))
    assert page.run('return player.duration') == pytest.approx(6, abs=0.2)


def test_low_scores(driver, tmp_path):
    """The slider of a detector that is never sure is a finer one."""
    rows = [dict(label='x', segment=[i, i + 1], score=score)
            for i, score in enumerate((.031, .024, .0239, .002))]
    (tmp_path / 'r.json').write_text(json.dumps(dict(results=dict(v=rows))))
    write_report(tmp_path / 'r.json', tmp_path / 'r.html', min_score=.024)
    page = Page(driver, tmp_path / 'r.html', driver.downloads)
    assert page.text('shown-count') == '2 of 4 detections, 0 labels'
    assert page.text('score-value') == '0.024'
    page.slide(0.002)
    assert page.text('shown-count') == '4 of 4 detections, 0 labels'
    page.slide(1)
    assert page.text('no-timeline').startswith('No detection of this video reaches 0.036:')


def test_many(driver, tmp_path):
    """Two hundred videos with two hundred detections; one of them is drawn."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 600, (200, 200, 1))
    segments = np.concatenate([starts, starts + rng.uniform(1, 60, starts.shape)], 2)
    scores = rng.uniform(0, 1, (200, 200))
    results = {f'video {i}': [
        dict(label=f'class {j % 20}', segment=segments[i, j].tolist(), score=scores[i, j])
        for j in range(200)] for i in range(200)}
    (tmp_path / 'r.json').write_text(json.dumps(dict(results=results)))
    write_report(tmp_path / 'r.json', tmp_path / 'r.html')
    assert (tmp_path / 'r.html').stat().st_size < 8e6
    page = Page(driver, tmp_path / 'r.html', driver.downloads)
    page.slide(0)
    page.wait(lambda: page.bars() == 200)
    page.press(Keys.PAGE_DOWN)
    assert page.text('video-count') == '2 of 200'
    assert len(page.rows()) == 200
