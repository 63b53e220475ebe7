"""Runs OpenAI's client for JavaScript against `luthier api`; skips with a word where node or npm is missing.

PYTHONPATH=. python -m bench.npm [--full]
Without --full the second job is not waited for, and the base answers.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bot.services import free_port
from trainers.data.examples import EXAMPLES

CLIENT = Path(__file__).with_name("npm_client.mjs")
PACKAGE = "openai"


def install(folder: Path) -> str:
    """Install the newest client into a folder of its own; returns its version, "" where that cannot be."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return ""
    done = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", PACKAGE], cwd=folder, capture_output=True, timeout=300
    )
    if done.returncode:
        return ""
    return str(json.loads((folder / "node_modules" / PACKAGE / "package.json").read_text())["version"])


def serving(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """Start the API on a data folder of its own and wait until it answers."""
    env = {**os.environ, "DATA_DIR": str(folder / "data"), "LUTHIER_API_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "bot", "api"], env=env, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return process
    process.kill()
    raise RuntimeError("the API did not start")


def attempt(folder: Path, full: bool) -> int:
    """Start the API, make a key, run the client; returns its exit status."""
    shutil.copy(CLIENT, folder / CLIENT.name)
    for name, source, count in (("train", EXAMPLES["tickets"].train, 12), ("test", EXAMPLES["tickets"].test, 10)):
        lines = source.read_text().splitlines(keepends=True)[:count]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    port = free_port()
    server = serving(folder, port)
    try:
        env = {**os.environ, "DATA_DIR": str(folder / "data")}
        create = [sys.executable, "-m", "bot", "keys", "create", "node"]
        made = subprocess.run(create, env=env, capture_output=True, text=True, check=True)
        env |= {"OPENAI_API_KEY": made.stdout.strip(), "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        rows = ("train.jsonl", "test.jsonl")
        argv = ["node", CLIENT.name, *rows, "smollm2-135m-instruct", "full" if full else "quick"]
        return subprocess.run(argv, cwd=folder, env=env, timeout=1800).returncode
    finally:
        server.terminate()
        server.wait(60)


def main() -> None:
    """Run it and print what the client said."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="wait for the training and talk to its model")
    full = parser.parse_args().full
    with tempfile.TemporaryDirectory() as held:
        version = install(Path(held))
        print(f"npm {PACKAGE} {version}" if version else "node, npm or their registry is not here: skipped", flush=True)
        code = attempt(Path(held), full) if version else 0
    raise SystemExit(code)


if __name__ == "__main__":
    main()
