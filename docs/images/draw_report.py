"""Takes the picture of a report in docs/report.md, with Debian's chromium and chromium-driver.

HAPT has recordings of acceleration and no videos: the film in the picture is the signal, drawn
around the moment that is played. As it was made, after ``make hapt HAPT=HAPT.zip``::

    python docs/images/draw_report.py work_dirs/hapt/detections.json data/hapt/annotations.json \
        HAPT.zip exp03_user02 --row 12 --out docs/images/report.png
"""
import argparse
import shutil
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from cltdr_mm.apis.inference.reports import write_report
from cltdr_mm.visualization.files import load_signal
from cltdr_mm.visualization.style import OKABE_ITO

SIZE, RATE, HALF = (640, 360), 10, 5.0  # pixels, frames per second, seconds
FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking', '--disable-component-update', '--disable-sync',
         '--hide-scrollbars', '--window-size=1440,1260')


def film(signal, path) -> None:
    """Write a video of a signal that runs by, the moment in the middle."""
    width, height = SIZE
    color = tuple(int(OKABE_ITO[0][i:i + 2], 16) for i in (1, 3, 5))
    level = height * (1 - 0.3 * signal.values)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        for number in range(int(signal.times[-1] * RATE)):
            now = number / RATE
            image = np.full((height, width, 3), 250, np.uint8)
            near = np.abs(signal.times - now) < HALF
            x = (signal.times[near] - now + HALF) / (2 * HALF) * width
            points = np.stack([x, level[near]], 1).round().astype(np.int32)
            cv2.line(image, (width // 2, 0), (width // 2, height), (179, 38, 30), 1)
            cv2.polylines(image, [points], False, color, 1, cv2.LINE_AA)
            cv2.putText(image, f'{signal.name}, {now:.1f} s', (10, 22), 0, 0.5, (60, 60, 60), 1,
                        cv2.LINE_AA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())


def main() -> None:
    """Film, report, picture."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    for name in ('results', 'annotations', 'signals', 'video', '--out'):
        parser.add_argument(name)
    parser.add_argument('--row', type=int, default=0, help='of the labels, which is played')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film(load_signal(args.signals, args.video, 50.0, '|a| (g)'),
             Path(folder) / f'{args.video}.mp4')
        write_report(args.results, Path(folder) / 'report.html', args.annotations, folder)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which('chromium')
        for flag in (*FLAGS, f'--user-data-dir={folder}/profile'):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which('chromedriver')))
        try:
            driver.get((Path(folder) / 'report.html').as_uri())
            WebDriverWait(driver, 30).until(lambda d: d.execute_script('return state.hasVideo'))
            driver.find_element(By.ID, 'tab-labels').click()
            driver.find_elements(By.CSS_SELECTOR, '#table tr')[args.row].click()
            WebDriverWait(driver, 30).until(
                lambda d: d.execute_script('return state.time > state.chosen.start + 3'))
            driver.execute_script('player.pause(); player.controls = false')
            driver.execute_async_script('setTimeout(arguments[0], 500)')
            driver.save_screenshot(args.out)
        finally:
            driver.quit()


if __name__ == '__main__':
    main()
