#!/usr/bin/env python3
"""Writes files/, clean/ and manifest.jsonl next to this script (seeded, plain Python).

python3 make.py                  everything
python3 make.py NAME OUT_FILE    one file that is too big to keep (the manifest key "generate" has NAME)
"""
import json, os, shutil, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import core, block, warn, clean


def generate(name, out):
    getattr(block, name)(out)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        generate(sys.argv[1], os.path.abspath(sys.argv[2]))
        sys.exit()
    for d in (core.FILES, core.CLEAN):
        shutil.rmtree(d, ignore_errors=True)
        os.makedirs(d)
    block.all_block()
    warn.all_warn()
    clean.all_clean()
    with open(os.path.join(core.HERE, "manifest.jsonl"), "w", encoding="utf-8") as fh:
        for e in core.MANIFEST:
            fh.write(json.dumps(e, ensure_ascii=False) + "\n")
