"""The documentation as a site: it builds without a broken link, and every heading opens at its address."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.chunks import anchor_of, chunk_page
from knowledge.sources import Page, anchor, load_guide

ROOT = Path(__file__).resolve().parent.parent
GUIDE = load_guide()


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of the checkout at `root` as `make docs` does."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built once."""
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


def html_of(site: Path, page: Page) -> str:
    return (site / "guide" / page.slug / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.slug)
def test_every_passage_opens_at_its_heading(site: Path, page: Page) -> None:
    """`guide/SLUG/#heading` with the rule of `anchor` leads to each heading, so a cited passage can be opened."""
    html = html_of(site, page)
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.body, flags=re.DOTALL), flags=re.MULTILINE)
    wanted = {anchor(heading) for heading in headings} | {anchor_of(chunk.heading) for chunk in chunk_page(page)}
    assert {f'id="{part}"' for part in wanted - {"top"} if f'id="{part}"' not in html} == set()


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.slug)
def test_every_source_is_shown(site: Path, page: Page) -> None:
    """A page of the site ends with its sources: address or reason, and the day that each is from."""
    listed = html_of(site, page).partition('id="sources"')[2]
    for source in page.sources:
        assert (f'href="{source.url}"' if source.url else source.no_url) in listed, source.name
        assert f"as of {source.as_of}" in listed


def test_the_front_page_leads_to_every_page(site: Path) -> None:
    """The front page lists each page of the guide under a theme."""
    article = (site / "index.html").read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
    assert [page.slug for page in GUIDE if f'href="guide/{page.slug}/"' not in article] == []


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    """No page loads a script, a style, a font or a picture from another machine."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(GUIDE)
    loaded = re.compile(r"<(?:script|img|iframe)[^>]*src=.?https?:|<link[^>]*rel=.?stylesheet[^>]*href=.?https?:")
    assert [path.name for path in pages if loaded.search(path.read_text(encoding="utf-8"))] == []


def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    """A link to a page or a heading that does not exist is an error that names both."""
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "docs" / "advice.md").open("a", encoding="utf-8") as page:
        page.write("\n[gone](guide/gone.md) and [moved](guide/open-models.md#moved)\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert "guide/gone.md" in built.stderr
    assert "#moved" in built.stderr
