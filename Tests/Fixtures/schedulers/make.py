"""Writes the scheduler fixtures from diffusers' own DDPMScheduler and DDIMScheduler (quad spacing: from numpy).

    pip install torch==2.13.0 diffusers==0.42.1 numpy    # CPU builds do
    python make.py                                       # writes *.json beside this file

Random inputs are seeded; every case of trajectories.json shares them.
"""

import json
import pathlib
import warnings

import diffusers.schedulers.scheduling_ddpm as ddpm_module
import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
SHAPE = (2, 1, 4, 4)
STEPS = 5


def numbers(values):
    return [float(f"{v:.9g}") for v in np.asarray(values, dtype=np.float64).reshape(-1)]


def write(name, content):
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    (HERE / name).write_text(text.replace("},{", "},\n{") + "\n")


def schedules():
    cases = []
    trained = np.linspace(1e-3, 0.3, 24) ** 1.5
    for count in (24, 1000):
        for schedule in ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace", "trained"):
            if schedule == "trained" and count != 24:
                continue
            for rescale in (False, True):
                keys = {"num_train_timesteps": count, "rescale_betas_zero_snr": rescale}
                if schedule == "trained":
                    keys["trained_betas"] = [float(v) for v in trained]
                else:
                    keys["beta_schedule"] = schedule
                scheduler = DDPMScheduler(**keys)
                at = sorted({*range(0, count, 1 if count == 24 else 83), count - 2, count - 1})
                cases.append({
                    "configuration": keys,
                    "at": at,
                    "betas": numbers(scheduler.betas[at]),
                    "alphas_cumprod": numbers(scheduler.alphas_cumprod[at]),
                })
    return cases


def spacings():
    cases = []
    for train in (1000, 100, 77):
        for count in sorted({1, 2, 3, 7, 10, 50, 61, 64, train}):
            for spacing, offset in (("leading", 0), ("leading", 1), ("linspace", 0), ("trailing", 0), ("quad", 0)):
                if count > train or (offset and count == train) or (count > 64 and spacing not in ("trailing", "quad")):
                    continue
                if spacing == "quad":
                    timesteps = [int(v) for v in np.linspace(0, np.sqrt(train * 0.8), count) ** 2][::-1]
                else:
                    scheduler = DDPMScheduler(
                        num_train_timesteps=train, timestep_spacing=spacing, steps_offset=offset)
                    scheduler.set_timesteps(count)
                    # Rounding inside numpy.arange sometimes adds a last entry of -1, which is no timestep.
                    timesteps = [t for t in scheduler.timesteps.tolist() if t >= 0]
                assert len(timesteps) == count
                if count <= 64:
                    cases.append({"train": train, "count": count, "spacing": spacing, "offset": offset,
                                  "timesteps": timesteps})
    return cases


def quad_ddim(predictions, initial, steps, train):
    """DDIM's formula (12) at eta 0 in double precision over a list in which each entry's successor is the next."""
    betas = np.linspace(1e-4, 0.02, train)
    alphas = np.cumprod(1 - betas)
    timesteps = [int(v) for v in np.linspace(0, np.sqrt(train * 0.8), steps) ** 2][::-1]
    x = initial.astype(np.float64)
    first = None
    for index, t in enumerate(timesteps):
        now = alphas[t]
        after = alphas[timesteps[index + 1]] if index + 1 < steps else 1.0
        clean = (x - np.sqrt(1 - now) * predictions[index]) / np.sqrt(now)
        x = np.sqrt(after) * clean + np.sqrt(1 - after) * predictions[index]
        first = x if first is None else first
    return timesteps, first, x


def trajectories():
    generator = torch.Generator().manual_seed(20250)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    initial = draw(*SHAPE)
    predictions = draw(STEPS, *SHAPE) * 1.5
    noises = draw(STEPS, *SHAPE)
    # In (0, 1): a variance for `learned`; stretched to (-1, 1) for `learned_range`.
    fractions = torch.rand((STEPS, *SHAPE), generator=generator)
    cases = []

    def run(name, keys, steps=STEPS, skipped=0, **options):
        """Takes the STEPS steps after the first `skipped` ones; records x after the first and the last, and last x0."""
        scheduler = {"ddpm": DDPMScheduler, "ddim": DDIMScheduler}[name](**keys)
        scheduler.set_timesteps(steps)
        variance_type = keys.get("variance_type")
        sample = initial.clone()
        first = None
        for index in range(STEPS):
            timestep = scheduler.timesteps[skipped + index]
            output = predictions[index]
            if name == "ddpm":
                if variance_type in ("learned", "learned_range"):
                    variance = fractions[index] if variance_type == "learned" else fractions[index] * 2 - 1
                    output = torch.cat([output, variance], dim=1)
                ddpm_module.randn_tensor = lambda shape, index=index, **_: noises[index]
                step = scheduler.step(output, timestep, sample)
            else:
                noise = noises[index] if options.get("eta", 0) > 0 else None
                step = scheduler.step(output, timestep, sample, variance_noise=noise, **options)
            sample = step.prev_sample
            first = sample if first is None else first
        assert torch.isfinite(sample).all(), (name, keys)
        cases.append({
            "sampler": name, "configuration": keys, "steps": steps, "skipped": skipped, **options,
            "first": numbers(first), "last": numbers(sample), "estimate": numbers(step.pred_original_sample),
        })

    limits = {
        "none": {"clip_sample": False},
        "clip": {"clip_sample": True, "clip_sample_range": 0.9},
        "threshold": {"thresholding": True, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 2.5},
    }
    kinds = ("epsilon", "sample", "v_prediction")
    # fixed_large_log is absent: diffusers 0.42.1 takes the square root of a negative number there.
    for variance_type in ("fixed_small", "fixed_small_log", "fixed_large", "learned", "learned_range"):
        for kind in kinds:
            for limit in limits.values():
                run("ddpm", {"variance_type": variance_type, "prediction_type": kind, **limit})
    for eta in (0.0, 0.5, 1.0):
        for kind in kinds:
            for limit in limits.values():
                for clipped in (False, True):
                    run("ddim", {"prediction_type": kind, **limit}, eta=eta, use_clipped_model_output=clipped)
    for name in ("ddpm", "ddim"):
        for schedule in ("scaled_linear", "squaredcos_cap_v2"):
            for spacing in ("linspace", "trailing"):
                run(name, {"beta_schedule": schedule, "timestep_spacing": spacing})
        run(name, {"steps_offset": 1})
        run(name, {"num_train_timesteps": 23})
        run(name, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction",
                   "clip_sample": False})
        # The last steps of the full chain, where 1 - alpha is all rounding.
        run(name, {}, steps=1000, skipped=995)
    run("ddim", {"set_alpha_to_one": False, "steps_offset": 1}, eta=1.0)

    timesteps, first, last = quad_ddim(predictions.numpy(), initial.numpy(), STEPS, 1000)
    return {
        "images": SHAPE[0], "elements_per_image": int(np.prod(SHAPE[1:])),
        "initial": numbers(initial), "predictions": [numbers(p) for p in predictions],
        "noises": [numbers(n) for n in noises], "fractions": [numbers(f) for f in fractions],
        "cases": cases,
        "quad": {"timesteps": timesteps, "first": numbers(first), "last": numbers(last)},
        "noising": noising(initial, noises[0]),
    }


def noising(clean, noise):
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    timesteps = torch.tensor([3, 871])
    return {
        "timesteps": timesteps.tolist(),
        "noisy": numbers(scheduler.add_noise(clean, noise, timesteps)),
        "velocity": numbers(scheduler.get_velocity(clean, noise, timesteps)),
    }


write("schedules.json", schedules())
write("spacings.json", spacings())
write("trajectories.json", trajectories())
for name, scheduler in (("ddpm", DDPMScheduler(steps_offset=1)), ("ddim", DDIMScheduler())):
    (HERE / f"{name}_scheduler_config.json").write_text(scheduler.to_json_string())
