"""Measures how often a guardrail calls an unchanged model held and a worse one broken, by probes, margin and level.

Run `python -m bench.guardrails [--draws 20000]`; seeded, a few seconds on one core. A pair of marks is drawn as
(gained, lost, same) with the stated discordance (share of probes whose mark changes) and true difference.
"""

import argparse

import numpy as np

Z = {"two-sided 95%": 1.959963984540054, "one-sided 95%": 1.6448536269514722}
PROBES = (80, 120, 140, 220)
MARGINS = (0.02, 0.05, 0.10)
DISCORDANCE = (0.02, 0.05, 0.10, 0.20, 0.30)
WORSE = (-0.05, -0.10, -0.20)
SPARE = 0.05  # a worse model changes this share of marks for nothing, besides those that it loses


def main() -> None:
    """Print the tables and the rate at which a model exactly at the margin is called held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=20_000)
    draws = parser.parse_args().draws
    print(f"{draws} draws a cell; held/unclear/broken in %")
    for name, z in Z.items():
        table(f"unchanged model, {name}", [(change, 0.0) for change in DISCORDANCE], z, draws)
        table(f"worse model, {name}", [(abs(worse) + SPARE, worse) for worse in WORSE], z, draws)
    both_gates(draws)
    for name, z in Z.items():
        cells = [(n, max(change, margin), margin) for n in PROBES for change in DISCORDANCE for margin in MARGINS]
        worst = max(
            (outcomes(n, change, -margin, margin, z, draws)[0], n, change, margin) for n, change, margin in cells
        )
        print(f"\nheld although exactly at the margin, {name}: at most {worst[0]:.1%} (n, change, margin {worst[1:]})")


def table(title: str, models: list[tuple[float, float]], z: float, draws: int) -> None:
    """Print outcomes by probes and margin for models given as (change, difference)."""
    heads = " | ".join(f"{change:.0%} change, {difference:+.0%}" for change, difference in models)
    print(f"\n## {title}\n| n | margin | {heads} |")
    for n in PROBES:
        for margin in MARGINS:
            cells = [outcomes(n, change, difference, margin, z, draws) for change, difference in models]
            shares = " | ".join("/".join(f"{share * 100:.0f}" for share in cell) for cell in cells)
            print(f"| {n} | {margin:.0%} | {shares} |")


def both_gates(draws: int) -> None:
    """Print how often an unchanged model is held by both gating suites, which is what a PASS needs."""
    heads = " | ".join(f"{change:.0%} change" for change in DISCORDANCE)
    print(f"\n## unchanged model held by general (n=120) and refusal (n=140), two-sided 95%\n| margins | {heads} |")
    for general, refusal in ((0.05, 0.02), (0.05, 0.05), (0.10, 0.05), (0.10, 0.10)):
        gates, z = ((120, general), (140, refusal)), Z["two-sided 95%"]
        both = [np.prod([outcomes(n, change, 0.0, m, z, draws)[0] for n, m in gates]) for change in DISCORDANCE]
        print(f"| {general:.0%}, {refusal:.0%} | {' | '.join(f'{share:.0%}' for share in both)} |")


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


if __name__ == "__main__":
    main()
