"""Makes the fixtures of EvaluationTests: pip install torch pytorch_msssim scikit-image scipy, then run in this folder.

metrics.json   image pairs (base64 of HWC bytes) with the SSIM of pytorch_msssim and of scikit-image, PSNR and MSE
frechet.json   feature sets with mean, covariance (numpy) and Frechet distance (scipy sqrtm, or in closed form)
statistics.json  samples with numpy/scipy statistics, and quantiles of Student's t
"""

import base64
import json

import numpy
import scipy.linalg
import scipy.stats
import torch
from pytorch_msssim import ssim as torch_ssim
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

random = numpy.random.default_rng(7)


def write(name, value):
    with open(name, "w") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


def image_pair(name, first, second):
    a, b = first / 255.0, second / 255.0

    def to_torch(image):
        return torch.from_numpy(image).permute(2, 0, 1)[None].double()

    height, width, channels = first.shape
    identical = bool((first == second).all())
    return {
        "name": name,
        "height": height,
        "width": width,
        "channels": channels,
        "first": base64.b64encode(first.tobytes()).decode(),
        "second": base64.b64encode(second.tobytes()).decode(),
        "ssim_pytorch_msssim": float(torch_ssim(to_torch(a), to_torch(b), data_range=1.0)),
        "ssim_scikit_image": float(
            structural_similarity(
                a, b, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
        ),
        "mse": float(mean_squared_error(a, b)),
        "psnr": None if identical else float(peak_signal_noise_ratio(a, b, data_range=1.0)),
    }


def smooth(height, width, channels, phase):
    y, x, c = numpy.mgrid[0:height, 0:width, 0:channels]
    return 127.5 + 100 * numpy.sin(0.4 * x + phase + c) * numpy.cos(0.3 * y - 0.5 * c)


def bytes_of(image):
    return numpy.clip(numpy.rint(image), 0, 255).astype(numpy.uint8)


def images():
    clean = bytes_of(smooth(16, 20, 3, 0))
    noisy = bytes_of(smooth(16, 20, 3, 0) + random.normal(0, 25, (16, 20, 3)))
    shifted = bytes_of(smooth(16, 20, 3, 0.6))
    grey = bytes_of(smooth(28, 28, 1, 0))
    unrelated = random.integers(0, 256, (28, 28, 1), dtype=numpy.uint8)
    smallest = random.integers(0, 256, (11, 11, 3), dtype=numpy.uint8)
    inverted = 255 - smallest
    black, white = numpy.zeros((12, 11, 1), numpy.uint8), numpy.full((12, 11, 1), 255, numpy.uint8)
    return [
        image_pair("noise", clean, noisy),
        image_pair("shift", clean, shifted),
        image_pair("unrelated", grey, unrelated),
        image_pair("inverted, one window", smallest, inverted),
        image_pair("black and white", black, white),
        image_pair("identical", grey, grey),
    ]


def frechet_of(a, b):
    mean_a, mean_b = a.mean(0), b.mean(0)
    cov_a, cov_b = numpy.cov(a, rowvar=False), numpy.cov(b, rowvar=False)
    # The nuclear norm of A'B / sqrt((n-1)(m-1)) is tr (cov_a cov_b)^1/2 without any matrix square root.
    centred_a = (a - mean_a) / numpy.sqrt(len(a) - 1)
    centred_b = (b - mean_b) / numpy.sqrt(len(b) - 1)
    by_svd = numpy.linalg.svd(centred_a @ centred_b.T, compute_uv=False).sum()
    offset = ((mean_a - mean_b) ** 2).sum() + numpy.trace(cov_a) + numpy.trace(cov_b)
    by_root = numpy.trace(scipy.linalg.sqrtm(cov_a @ cov_b)).real
    return mean_a, cov_a, float(offset - 2 * by_svd), float(offset - 2 * by_root)


def feature_pair(name, a, b):
    a, b = a.astype(numpy.float32), b.astype(numpy.float32)
    mean, covariance, by_svd, by_root = frechet_of(a.astype(float), b.astype(float))
    return {
        "name": name,
        "dimension": a.shape[1],
        "first": [float(f"{v:.9g}") for v in a.ravel()],
        "second": [float(f"{v:.9g}") for v in b.ravel()],
        "first_mean": mean.tolist(),
        "first_covariance": covariance.ravel().tolist(),
        "distance_svd": by_svd,
        "distance_sqrtm": by_root,
    }


def features():
    mix = random.normal(0, 1, (5, 5))
    return [
        feature_pair("full rank", random.normal(0, 1, (40, 5)) @ mix, random.normal(0.3, 1.4, (30, 5))),
        feature_pair("far from zero", 1000 + random.normal(0, 1, (24, 3)), 1001 + random.normal(0, 2, (24, 3))),
        feature_pair("fewer samples than features", random.normal(0, 1, (4, 8)), random.normal(0.5, 1, (5, 8))),
    ]


def statistics():
    samples = {
        "normal": random.normal(0.8, 0.05, 17),
        "two": numpy.array([0.25, 0.75]),
        "offset": 1e6 + random.normal(0, 1e-3, 12),
        "skewed": random.exponential(3, 10),
    }
    rows = []
    for name, values in samples.items():
        n = len(values)
        low, high = scipy.stats.t.interval(0.95, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
        rows.append(
            {
                "name": name,
                "values": values.tolist(),
                "mean": values.mean(),
                "std": values.std(ddof=1),
                "ci95": [low, high],
                "quartiles": numpy.percentile(values, [25, 50, 75]).tolist(),
            }
        )
    quantiles = []
    for freedom in (1, 2, 3, 5, 10, 30, 63, 100, 1000, 100000):
        for confidence in (0.5, 0.95, 0.99):
            quantiles.append([freedom, confidence, scipy.stats.t.ppf(0.5 + confidence / 2, freedom)])
    return {"samples": rows, "student_t": quantiles}


write("metrics.json", images())
write("frechet.json", features())
write("statistics.json", statistics())
