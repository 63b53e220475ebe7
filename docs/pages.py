"""Gives the site the guide's pages, a front page and stable addresses: a hook of mkdocs.yml that writes no file."""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage

from knowledge.sources import Page, Source, anchor, load_guide

_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+)\)")
_FRONT = """# Prompt, RAG or fine-tune?

{pages} short pages on the choice between prompting, RAG and fine-tuning, and on doing each well. Each answers
questions that people ask in Slack, leads with the answer, and names its sources with their dates. Luthier cites them
when it is asked: `@Luthier What is QLoRA?` or `luthier ask "What is QLoRA?"`.
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give headings the addresses that passages and links from Slack have."""
    config.mdx_configs["toc"] = {**config.mdx_configs["toc"], "slugify": lambda heading, _separator: anchor(heading)}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the guide's pages and the front page."""
    guide = {page.slug: page for page in load_guide()}
    for page in guide.values():
        files.append(File.generated(config, f"guide/{page.slug}.md", content=guide_page(page)))
    files.append(File.generated(config, "index.md", content=front_page(guide, config.nav or [])))
    return files


def on_page_markdown(markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the code, which the site does not hold, into their names."""
    folder = posixpath.dirname(page.file.src_uri)

    def named(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", folder, link[2]))
        if path.startswith("docs/"):
            return link[0]
        return f"`{path}`" if link[1].strip("`") in path else f"{link[1]} (`{path}`)"

    return _LINK.sub(named, markdown)


def guide_page(page: Page) -> str:
    """Return a page of the guide with its day under the title and its sources at the end."""
    title, _, text = page.body.partition("\n")
    return "\n".join(
        [
            title,
            "",
            f"*Last changed {page.updated:%d %B %Y}*",
            text,
            "",
            "## Sources",
            "",
            *(f"- {_source(source)}" for source in page.sources),
            "",
        ]
    )


def front_page(guide: dict[str, Page], nav: list[Any]) -> str:
    """Return the front page: the guide's themes as the navigation groups them, each page with its first sentence."""
    lines = [_FRONT.format(pages=len(guide))]
    for theme, slugs in _themes(nav):
        lines += [f"## {theme}", ""]
        lines += [f"- [{guide[slug].title}](guide/{slug}.md). {_first_sentence(guide[slug])}" for slug in slugs]
        lines.append("")
    return "\n".join(lines)


def _themes(nav: list[Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each group under Guide, and what Luthier says of itself."""
    tops = {name: entries for entry in nav for name, entries in entry.items()}
    for theme in tops["Guide"]:
        for name, paths in theme.items():
            yield name, [posixpath.basename(path).removesuffix(".md") for path in paths]
    yield "Luthier itself", ["how-luthier-works"]


def _first_sentence(page: Page) -> str:
    lead = page.body.split("\n\n")[1]
    return re.split(r"(?<=[.!?])\s", lead, maxsplit=1)[0]


def _source(source: Source) -> str:
    """Return a source with its address, or with the reason why it has none."""
    if source.url:
        return f"[{source.name}]({source.url}), as of {source.as_of}"
    return f"{source.name} ({source.no_url}), as of {source.as_of}"
