"""Measures how often a guardrail calls an unchanged model held and a worse one broken, by probes, margin and level.

Run `python -m bench.guardrails [--draws 20000]`; seeded, a few seconds on one core. A pair of marks is drawn as
(gained, lost, same) with the stated discordance (share of probes whose mark changes) and true difference.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]
Z = {"two-sided 95%": 1.959963984540054, "one-sided 95%": 1.6448536269514722}
PROBES = (80, 120, 140, 220)
MARGINS = (0.02, 0.05, 0.10)
DISCORDANCE = (0.02, 0.05, 0.10, 0.20, 0.30)
WORSE = (-0.05, -0.10, -0.20)
SPARE = 0.05  # a worse model changes this share of marks for nothing, besides those that it loses


def main() -> None:
    """Print the two tables and the rate at which a model exactly at the margin is called held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=20_000)
    draws = parser.parse_args().draws
    print(f"{draws} draws a cell; held/unclear/broken in %")
    for name, z in Z.items():
        print(f"\n## unchanged model, {name}\n| n | margin | " + " | ".join(f"{d:.0%} change" for d in DISCORDANCE))
        for n in PROBES:
            for margin in MARGINS:
                cells = [outcomes(n, d, 0.0, margin, z, draws) for d in DISCORDANCE]
                print(f"| {n} | {margin:.0%} | " + " | ".join(map(_cell, cells)))
    for name, z in Z.items():
        print(f"\n## worse model, {name}\n| n | margin | " + " | ".join(f"{d:+.0%}" for d in WORSE))
        for n in PROBES:
            for margin in MARGINS:
                cells = [outcomes(n, abs(d) + SPARE, d, margin, z, draws) for d in WORSE]
                print(f"| {n} | {margin:.0%} | " + " | ".join(map(_cell, cells)))
    for name, z in Z.items():
        worst = max(
            (outcomes(n, max(d, m), -m, m, z, draws)[0], n, d, m) for n in PROBES for d in DISCORDANCE for m in MARGINS
        )
        print(f"\nheld although exactly at the margin, {name}: at most {worst[0]:.1%} (n, change, margin {worst[1:]})")


def outcomes(n: int, change: float, difference: float, margin: float, z: float, draws: int) -> tuple[float, ...]:
    """Shares of held, unclear and broken among `draws` sets of n pairs."""
    draw = np.random.default_rng([n, round(change * 1000), round(-difference * 1000)])
    up, down = (change + difference) / 2, (change - difference) / 2
    counts = draw.multinomial(n, [up, down, 1 - up - down], size=draws)
    gained, lost = (counts[:, 0] + 1) / (n + 2), (counts[:, 1] + 1) / (n + 2)
    centre = gained - lost
    reach = z * np.sqrt((gained + lost - centre**2) / (n + 2))
    held = centre - reach > -margin
    broken = centre + reach < -margin
    return float(held.mean()), float((~held & ~broken).mean()), float(broken.mean())


def _cell(shares: tuple[float, ...]) -> str:
    return "/".join(f"{share * 100:.0f}" for share in shares)


if __name__ == "__main__":
    main()
