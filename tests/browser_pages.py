"""The report in a browser without a display: Debian's chromium and chromium-driver."""
import shutil

from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking', '--disable-component-update', '--disable-sync',
         '--disable-dev-shm-usage', '--window-size=1400,1300')


def open_browser(profile, downloads):
    """Start a browser; the two are empty folders of its own."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f'--user-data-dir={profile}')
    options.add_experimental_option('prefs', {'download.default_directory': str(downloads)})
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    options.binary_location = shutil.which('chromium')
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which('chromedriver')))
    driver.downloads = downloads
    return driver


class Page:
    """A report in the browser."""

    def __init__(self, driver, path, downloads):
        self.driver, self.downloads = driver, downloads
        driver.get(path.as_uri())
        self.wait(lambda: self.run('return typeof state === "object" && timeline.video !== null'))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition):
        WebDriverWait(self.driver, 30, 0.05).until(lambda _: condition())

    def get(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.get(name).text

    def rows(self):
        """Cells of the table, by row."""
        return self.run('return [...document.querySelectorAll("#table tr")].map('
                        'row => [...row.children].map(cell => cell.textContent))')

    def click_row(self, number):
        self.driver.find_elements(By.CSS_SELECTOR, '#table tr')[number].click()

    def bars(self):
        """How many detections and labels are drawn."""
        return self.run('return document.querySelectorAll("#timeline .bars .point").length')

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def write(self, name, text):
        self.get(name).send_keys(Keys.CONTROL, 'a', Keys.NULL, text, Keys.ENTER)

    def slide(self, score):
        self.run('const s = document.getElementById("score"); s.value = arguments[0];'
                 's.dispatchEvent(new Event("input"))', score)

    def drag(self, start, end):
        """Move the mouse over the page with its button down, from one point to another."""
        actions = ActionChains(self.driver)
        pointer = actions.w3c_actions.pointer_action
        pointer.move_to_location(*map(round, start))
        pointer.pointer_down()
        pointer.move_to_location(*map(round, end))
        pointer.pointer_up()
        actions.perform()

    def frame(self):
        """Sides of the label that is chosen, in the timeline: left, right, middle in pixels."""
        return self.run('''
            const path = document.querySelector('#timeline .shapelayer path[data-index="1"]');
            path.scrollIntoView({block: 'center'});
            const box = path.getBoundingClientRect();
            return [box.left, box.right, (box.top + box.bottom) / 2];''')

    def saved(self):
        """Click on Save, and read what was saved."""
        for old in self.downloads.iterdir():
            old.unlink()
        self.get('save').click()
        self.wait(lambda: (self.downloads / 'annotations.json').is_file())
        return self.downloads / 'annotations.json'
