#!/usr/bin/env python3
"""Makes the golden file of the scores of generated images by numpy and scipy alone, each as its paper has it.

    /usr/bin/python3 tests/golden/make_scores.py            # writes scores.safetensors beside this file
    /usr/bin/python3 tests/golden/make_scores.py --check    # makes it anew and compares

Needs Debian's python3-scipy; python3-torch only holds the tensors of the file. Given numbers are F32, results F64, equal
to 1e-9 of the largest of their tensor: a root of a matrix is no better conditioned. README.md says what is in it.
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
    """exp of the mean KL divergence of a split's rows from their mean, for each split."""
    scores = []
    for part in range(splits):
        rows = probabilities[part * len(probabilities) // splits:(part + 1) * len(probabilities) // splits]
        scores.append(numpy.exp(numpy.mean([scipy.special.rel_entr(row, rows.mean(0)).sum() for row in rows])))
    return numpy.array(scores)


def frechet_distance(x, y):
    """By the general root of the product of the covariances."""
    first, second = numpy.cov(x, rowvar=False), numpy.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + numpy.trace(first + second - 2 * root.real)


def frechet_distance_by_singular_values(x, y):
    """Tr sqrt(C1 C2) = the singular values of the product of the centred sets, summed: no root of a matrix, so it holds
    where a covariance has no inverse."""
    a, b = (x - x.mean(0)) / numpy.sqrt(len(x) - 1), (y - y.mean(0)) / numpy.sqrt(len(y) - 1)
    cross = scipy.linalg.svdvals(a @ b.T).sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + (a ** 2).sum() + (b ** 2).sum() - 2 * cross


def kernel_distance(x, y):
    """The unbiased estimate from the three whole matrices of kernels."""
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3
    within = [(matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))
              for matrix in (kernel(x, x), kernel(y, y))]
    return within[0] + within[1] - 2 * kernel(x, y).mean()


def covered_share(points, centres, k):
    """The points that lie in a ball of a centre, which reaches to its k-th nearest neighbour."""
    distances = scipy.spatial.distance.cdist
    radii = numpy.sort(distances(centres, centres), axis=1)[:, k]  # column 0 is the centre itself
    return (distances(points, centres) <= radii).any(1).mean()


def scores():
    file = GoldenFile("scores")

    def normal(name, count, matrix, shift=0.0):
        """Rows of normal numbers, correlated by a matrix."""
        drawn = [[file.random.gauss(0, 1) for _ in range(len(matrix))] for _ in range(count)]
        return file.given(name, torch.tensor(numpy.array(drawn) @ matrix + shift)).numpy()

    def mixing(rank, size):
        uniform = numpy.array([[file.random.uniform(-1, 1) for _ in range(size)] for _ in range(rank)])
        return numpy.vstack([uniform, numpy.zeros((size - rank, size))])

    def result(name, value):
        file.result(name, torch.as_tensor(numpy.asarray(value, dtype=numpy.float64)))

    # 1,003 rows: the splits are not of equal size. Two classes are never probable to the last bit: 0 log 0.
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
        result(f"precision_{k}", covered_share(x, y, k))
        result(f"recall_{k}", covered_share(y, x, k))

    # Covariances of rank 4 and 5 but for what single precision rounds.
    flat, other = normal("flat", 200, mixing(4, 16)), normal("other_flat", 200, mixing(5, 16), shift=-0.2)
    result("flat.frechet", frechet_distance_by_singular_values(flat, other))
    return file


if __name__ == "__main__":
    make_or_check(lambda: [scores()], "tests/golden/make_scores.py", tolerance=1e-9)
