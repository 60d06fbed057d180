"""Figures as published, in per cent, with where they stand. Nothing here is measured by this program."""

from __future__ import annotations

JURKAT_SOURCE = "Eulenberg et al. 2017, Nature Communications 8:463"
JURKAT_CELLS = 32_266
JURKAT_CLASSES = 7
# Five classes: G1, S and G2 merged. Seven were not published as one figure.
DEEPFLOW_FIVE_CLASSES = 98.73

MICROTUBULE_SOURCE = "Shpilman et al., microtubules under paclitaxel"
MICROTUBULE_TRAINING, MICROTUBULE_TEST = 1000, 100  # crops a class
MICROTUBULE_CLASSES = ("0", "0.1", "1")
EXPERTS = ("experts' average", "best expert", "experts' vote")
# Accuracy by task and by who answers; networks under the names of their recipes.
MICROTUBULES: dict[tuple[str, ...], dict[str, float]] = {
    ("0", "0.1", "1"): {
        "experts' average": 60.88,
        "best expert": 62.67,
        "experts' vote": 62.00,
        "microtubule-cnn": 57.67,
        "microtubule-cnn-t": 59.00,
        "microtubule-cnn-t-s": 66.00,
    },
    ("0", "0.1"): {
        "experts' average": 88.17,
        "best expert": 90.50,
        "experts' vote": 89.00,
        "microtubule-cnn": 79.50,
        "microtubule-cnn-t": 84.00,
        "microtubule-cnn-t-s": 88.50,
    },
    ("0", "1"): {
        "experts' average": 89.34,
        "best expert": 93.00,
        "experts' vote": 90.50,
        "microtubule-cnn": 88.00,
        "microtubule-cnn-t": 90.50,
        "microtubule-cnn-t-s": 91.00,
    },
    ("0.1", "1"): {
        "experts' average": 50.17,
        "best expert": 52.00,
        "experts' vote": 51.00,
        "microtubule-cnn": 55.00,
        "microtubule-cnn-t": 56.00,
        "microtubule-cnn-t-s": 70.50,
    },
}
