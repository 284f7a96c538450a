#!/usr/bin/env python3
"""Computes the golden file of image scores with numpy and scipy only, each score as defined in its paper.

    /usr/bin/python3 tests/golden/make_scores.py            # writes scores.safetensors to this folder
    /usr/bin/python3 tests/golden/make_scores.py --check    # recomputes it and compares

Needs Debian's python3-scipy; python3-torch is only used to store tensors. Inputs are F32 and results F64. --check
requires results that agree to 1e-9 of the largest value of their tensor, which is the accuracy of a matrix square
root. README.md describes the file.
"""
import numpy
import scipy.linalg
import scipy.spatial
import scipy.special
import scipy.stats
import torch

from make_golden import GoldenFile, make_or_check

SPLITS = 7


def inception_score(probabilities, splits):
    """For each split, exp of the mean KL divergence of its rows from their mean."""
    scores = []
    for part in range(splits):
        rows = probabilities[part * len(probabilities) // splits:(part + 1) * len(probabilities) // splits]
        scores.append(numpy.exp(numpy.mean([scipy.special.rel_entr(row, rows.mean(0)).sum() for row in rows])))
    return numpy.array(scores)


def frechet_distance(x, y):
    """With the matrix square root of the product of the covariances."""
    first, second = numpy.cov(x, rowvar=False), numpy.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + numpy.trace(first + second - 2 * root.real)


def frechet_distance_by_singular_values(x, y):
    """Tr sqrt(C1 C2) is the sum of the singular values of the product of the centered sets. This needs no matrix square
    root, so it also holds for singular covariances."""
    a, b = (x - x.mean(0)) / numpy.sqrt(len(x) - 1), (y - y.mean(0)) / numpy.sqrt(len(y) - 1)
    cross = scipy.linalg.svdvals(a @ b.T).sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + (a ** 2).sum() + (b ** 2).sum() - 2 * cross


def kernel_distance(x, y):
    """The unbiased estimate from the three full kernel matrices."""
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3
    within = [(matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))
              for matrix in (kernel(x, x), kernel(y, y))]
    return within[0] + within[1] - 2 * kernel(x, y).mean()


def covered_fraction(points, centers, k):
    """The fraction of points inside the ball of a center, whose radius is the distance to its k-th nearest neighbor."""
    distances = scipy.spatial.distance.cdist
    radii = numpy.sort(distances(centers, centers), axis=1)[:, k]  # column 0 is the center itself
    return (distances(points, centers) <= radii).any(1).mean()


def scores():
    file = GoldenFile("scores")

    def normal(name, count, matrix, shift=0.0):
        """Normally distributed rows, correlated by a matrix."""
        drawn = [[file.random.gauss(0, 1) for _ in range(len(matrix))] for _ in range(count)]
        return file.given(name, torch.tensor(numpy.array(drawn) @ matrix + shift)).numpy()

    def mixing(rank, size):
        uniform = numpy.array([[file.random.uniform(-1, 1) for _ in range(size)] for _ in range(rank)])
        return numpy.vstack([uniform, numpy.zeros((size - rank, size))])

    def result(name, value):
        file.result(name, torch.as_tensor(numpy.asarray(value, dtype=numpy.float64)))

    # 1,003 rows, so the splits have unequal sizes. Some probabilities are exactly 0, which tests 0 log 0.
    logits = numpy.array([[file.random.gauss(0, 3) for _ in range(10)] for _ in range(1003)])
    probabilities = scipy.special.softmax(logits, axis=1)
    probabilities[:500, 3] = probabilities[:, 8] = 0
    probabilities /= probabilities.sum(1, keepdims=True)
    file.tensors["probabilities"] = torch.tensor(probabilities)
    splits = inception_score(probabilities, SPLITS)
    result("inception.splits", splits)
    result("inception.mean", splits.mean())
    result("inception.deviation", splits.std())
    result("inception.one_split", inception_score(probabilities, 1)[0])
    counts = numpy.bincount(probabilities.argmax(1), minlength=10)
    real = numpy.array([50, 60, 70, 80, 90, 100, 110, 120, 130, 140])
    file.tensors["histogram"] = torch.tensor(counts)
    file.tensors["real_histogram"] = torch.tensor(real)
    result("histogram.divergence", scipy.stats.entropy(counts, real))
    result("ceiling", numpy.exp(scipy.stats.entropy(real)))

    x = normal("x", 300, mixing(16, 16))
    y = normal("y", 250, mixing(16, 16), shift=0.3)
    result("frechet", frechet_distance(x, y))
    assert abs(frechet_distance(x, y) - frechet_distance_by_singular_values(x, y)) < 1e-9
    result("kernel", kernel_distance(x, y))
    for k in (1, 3):
        result(f"precision_{k}", covered_fraction(x, y, k))
        result(f"recall_{k}", covered_fraction(y, x, k))

    # Covariances of rank 4 and 5, apart from single-precision rounding.
    flat, other = normal("flat", 200, mixing(4, 16)), normal("other_flat", 200, mixing(5, 16), shift=-0.2)
    result("flat.frechet", frechet_distance_by_singular_values(flat, other))
    return file


if __name__ == "__main__":
    make_or_check(lambda: [scores()], "tests/golden/make_scores.py", tolerance=1e-9)
