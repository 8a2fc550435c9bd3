"""The page in a real browser: no errors, all pictures, sorting, no-script content."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"
)
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,900",
]


def browser(folder: Path, script: bool = True):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={folder}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not script:
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", blocked)
    return webdriver.Chrome(options=options, service=Service(DRIVER))


@pytest.fixture(scope="module")
def page(report: Path, tmp_path_factory) -> Iterator:
    driver = browser(tmp_path_factory.mktemp("profile"))
    driver.get((report / "index.html").as_uri())
    yield driver
    driver.quit()


def test_console_is_silent(page) -> None:
    assert page.get_log("browser") == []


def test_every_picture_is_drawn(page) -> None:
    broken = page.execute_async_script(
        "const done = arguments[0];"
        "Promise.all([...document.images].map(i => i.decode().catch(() => 0))).then("
        "() => done([...document.images].filter(i => !i.naturalWidth).map(i => i.src)))"
    )
    assert broken == []
    assert page.execute_script("return document.images.length") > 15


def column(page, body: str, index: int) -> list[str]:
    return page.execute_script(
        "return [...document.querySelectorAll('#table-leaderboard ' + arguments[0] + "
        "' tr')].map(row => row.cells[arguments[1]].dataset.sort)",
        body,
        index,
    )


def test_clicking_a_header_sorts_and_keeps_controls_below(page) -> None:
    button = page.find_element("css selector", "#table-leaderboard th:nth-child(3)")
    names = column(page, ".ranked", 0)
    controls = column(page, ".controls", 0)
    button.find_element("tag name", "button").click()
    assert button.get_attribute("aria-sort") == "descending"
    down = column(page, ".ranked", 2)
    numbers = [float(value) for value in down if value]
    assert numbers == sorted(numbers, reverse=True)
    assert down[len(numbers) :] == [""] * (len(down) - len(numbers))
    button.find_element("tag name", "button").click()
    assert button.get_attribute("aria-sort") == "ascending"
    up = [float(value) for value in column(page, ".ranked", 2) if value]
    assert up == sorted(numbers)
    assert up != numbers
    assert sorted(column(page, ".ranked", 0)) == sorted(names)
    assert sorted(column(page, ".controls", 0)) == sorted(controls)


def test_motion_can_be_paused(page) -> None:
    image = page.find_element("css selector", "img[data-still]")
    button = page.find_element("css selector", "button.motion")
    playing = button.text
    page.execute_script("arguments[0].click()", button)
    assert image.get_attribute("src").endswith(image.get_attribute("data-still"))
    assert button.text != playing
    page.execute_script("arguments[0].click()", button)
    assert image.get_attribute("src").endswith("_moving.png")
    assert button.text == playing


@pytest.mark.parametrize("which", ["report", "face_report", "suite_report"])
def test_nothing_is_wider_than_a_phone(page, which: str, request) -> None:
    page.get((request.getfixturevalue(which) / "index.html").as_uri())
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = 1)")
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True},
    )
    wide = page.execute_script("return document.documentElement.scrollWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 390


@pytest.mark.parametrize("which", ["report", "suite_report"])
def test_the_leaderboard_fits_a_laptop(page, which: str, request) -> None:
    page.get((request.getfixturevalue(which) / "index.html").as_uri())
    size = {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    extra = page.execute_script(
        "const part = document.querySelector('#leaderboard .scroll');"
        "return part.scrollWidth - part.clientWidth"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert extra <= 0


def test_a_definition_opens_and_closes_without_scripts(
    report: Path, tmp_path: Path
) -> None:
    driver = browser(tmp_path, script=False)
    try:
        driver.get((report / "index.html").as_uri())
        button = driver.find_element("css selector", "#table-leaders .explain")
        note = driver.find_element("id", button.get_attribute("popovertarget"))
        assert not note.is_displayed()
        button.click()
        assert note.is_displayed() and note.text
        button.click()
        assert not note.is_displayed()
    finally:
        driver.quit()


def test_content_is_there_without_scripts(report: Path, tmp_path: Path) -> None:
    driver = browser(tmp_path, script=False)
    try:
        driver.get((report / "index.html").as_uri())
        assert driver.find_elements("css selector", "th .sort") == []
        text = driver.find_element("tag name", "main").text
        assert "Unordered VAE" in text and "swap_score" in text
        for anchor in ("sprites-swap", "provenance"):
            assert driver.find_element("id", anchor).is_displayed()
        details = driver.find_element("css selector", "#cards summary")
        details.click()
        assert "every departure" in driver.find_element("id", "cards").text
    finally:
        driver.quit()
